"""Where a simulated venue trades: markets, accounts, and the booking of what the matching core reports."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from dcacore.adapters.simulated.account import Account
from dcacore.adapters.simulated.books import KeptOrder, Ticket, TimeInForce, Transfer
from dcacore.adapters.simulated.matching import MatchingCore
from dcacore.domain.events import Accepted, Canceled, Expired, Filled, Refusal, Refused, Report
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import ZERO, BaseQty, Price, exact, floor_to, plain
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.venue import VenueOrder, VenueOrderId, VenueStatus
from dcacore.ports.errors import (
    BadCredentials,
    FilterViolation,
    InsufficientBalance,
    NotAccepted,
    OutcomeUnknown,
    TradingHalted,
    UnknownPair,
)
from dcacore.ports.exchange import Balance

PriceListener = Callable[[str, Price, datetime.datetime], None]


@attrs.define(kw_only=True)
class PairState:
    """A market of the venue.

    Attributes:
        market: its rules.
        price: the last price.
        most_open: how many orders an account may have open on it.
        is_halted: it takes no orders and fills none.
        filters: what was set of its filters beyond the rules, by type; only the local exchange has them.
        found: which share of what it wants the next market order finds; None is all.
        prevents: what the next market order does not find, it misses because its owner's own order stands there.
        trades: how many trades there have been; the last one's id.
    """

    market: Market
    price: Price | None = None
    most_open: int = 200
    is_halted: bool = False
    filters: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    found: Decimal | None = None
    prevents: bool = False
    trades: int = 0


class Floor:
    """Markets and accounts. Nobody's rights are checked here: see `SimulatedVenue` for that."""

    def __init__(self, now: Callable[[], datetime.datetime], *, slippage: Decimal = ZERO) -> None:
        """Open an exchange without markets or accounts.

        Args:
            now: the exchange's own clock.
            slippage: how far a market order's price moves against it, as a fraction.
        """
        self.now = now
        self._slippage = slippage
        self._pairs: dict[str, PairState] = {}
        self._accounts: dict[AccountId, Account] = {}
        self.rates: dict[tuple[str, str], Decimal] = {}
        self.orders_taken = 0
        self.price_listeners: list[PriceListener] = []

    def list_pair(self, market: Market, price: Price | None = None, *, most_open: int = 200) -> None:
        """Open a market, or change the rules of one: what rests stays as it is."""
        state = self._pairs.get(market.pair)
        if state is None:
            self._pairs[market.pair] = PairState(market=market, price=price, most_open=most_open)
            return
        state.market, state.most_open = market, most_open
        for account in self._accounts.values():
            self._core(account, state).market = market

    def open_account(
        self,
        account: AccountId,
        holdings: Mapping[str, Decimal],
        fees: Fees | None = None,
        *,
        pays_with: str | None = None,
    ) -> None:
        """Open an account that holds *holdings*; *pays_with* is a third asset, such as BNB, that pays fees first."""
        held = Account(name=account, fees=fees or Fees(), pays_with=pays_with)
        self._accounts[account] = held
        for asset, amount in holdings.items():
            held.transfer(asset, amount, self.now())

    def restore_pair(self, state: PairState) -> None:
        """Take up a market that was kept."""
        self._pairs[state.market.pair] = state

    def restore_account(
        self, held: Account, orders: Iterable[KeptOrder], transfers: Iterable[Transfer], balances: Mapping[str, Balance]
    ) -> None:
        """Take up an account that was kept, after the markets on which it has orders."""
        self._accounts[held.name] = held
        held.restore(orders, transfers, balances, lambda pair: self._core(held, self.pair(pair)))

    # ------------------------------------------------------------------------------------------------- the market moves

    def move(self, pair: str, price: Price) -> None:
        """Bring the market to *price*: resting orders that it reaches fill, at their own prices.

        Raises:
            ValueError: it is no price.
        """
        self.set_price(pair, price)
        self.fill_reached(pair)
        self.tell_price(pair)

    def set_price(self, pair: str, price: Price) -> None:
        """Bring the market to *price*, and leave what rests as it is until `fill_reached`.

        Raises:
            ValueError: it is no price.
        """
        state = self.pair(pair)
        if not price.is_finite() or price <= 0:
            message = f"{price} is no price"
            raise ValueError(message)
        state.price = price
        for account in self._accounts.values():
            self._core(account, state).price = price

    def fill_reached(self, pair: str) -> None:
        """Fill the resting orders that the market has reached, at their own prices."""
        state = self.pair(pair)
        for account in self._accounts.values():
            if state.price is not None:
                self.apply(account, state, self._core(account, state).move_to(state.price))

    def tell_price(self, pair: str) -> None:
        """Tell all who listen where the market stands."""
        price = self.pair(pair).price
        if price is not None:
            for listener in tuple(self.price_listeners):
                listener(pair, price, self.now())

    def best_orders(self, pair: str) -> tuple[Price | None, Price | None]:
        """Return the highest price at which anybody's buy rests, and the lowest of a sell."""
        state = self.pair(pair)
        cores = [self._core(account, state) for account in self._accounts.values()]
        buys = [core.best_buy for core in cores if core.best_buy is not None]
        sells = [core.best_sell for core in cores if core.best_sell is not None]
        return max(buys, default=None), min(sells, default=None)

    def set_rate(self, asset: str, quote_asset: str, rate: Decimal) -> None:
        """Say what a unit of *asset* is worth in *quote_asset*, where no market tells."""
        self.rates[asset, quote_asset] = rate

    # ------------------------------------------------------------------------------- for the hands of user and staff

    def account(self, account: AccountId) -> Account:
        """Return an account, whatever its key is worth."""
        held = self._accounts.get(account)
        if held is None:
            raise BadCredentials("Invalid API-key, IP, or permissions for action.")
        return held

    def pair(self, pair: str) -> PairState:
        """Return a market."""
        state = self._pairs.get(pair)
        if state is None:
            raise UnknownPair(pair)
        return state

    def unlist(self, pair: str) -> None:
        """Forget a market."""
        del self._pairs[pair]
        for account in self._accounts.values():
            account.forget(pair)

    def resume(self, pair: str, *, is_halted: bool) -> None:
        """Halt a market or open it again; what rests and has been reached meanwhile then fills."""
        self.pair(pair).is_halted = is_halted
        self.fill_reached(pair)

    @exact
    def take(self, held: Account, pair: str, ticket: Ticket, *, is_by_hand: bool = False) -> VenueOrder:
        """Take an order whose request is in order."""
        state, now = self.pair(pair), self.now()
        if state.is_halted or state.price is None:
            raise TradingHalted("Market is closed.", -1013)
        if held.is_disabled:
            raise TradingHalted("This action is disabled on this account.", -2010)
        resting = [order for order in held.open.values() if order.pair == pair]
        if any(order.ticket.order_id == ticket.order_id for order in resting):
            raise OutcomeUnknown("Duplicate order sent.")  # an order of this id lives: nobody may take this for a no
        if len(resting) >= state.most_open:
            raise FilterViolation("Filter failure: MAX_NUM_ORDERS", -1013)
        core = self._core(held, state)
        self._check_limit(held, state, core, ticket)
        number = VenueOrderId(str(self.orders_taken + 1))
        asked = Order(
            id=OrderId(number), side=ticket.side, role=Role.BASE, quantity=ticket.quantity, price=ticket.price
        )
        found = None
        if ticket.price is None and state.found is not None:
            found = BaseQty(floor_to(ticket.quantity * state.found, state.market.step_size))
        reports = core.place(asked, found)
        _raise_refusal(reports)
        self.orders_taken += 1
        order = KeptOrder(
            pair=pair, ticket=ticket, venue_order_id=number, placed_at=now, changed_at=now, is_by_hand=is_by_hand
        )
        if ticket.price is None:
            order.is_prevented = state.prevents
            state.found, state.prevents = None, False
        held.keep(order)
        self.apply(held, state, reports)
        if ticket.time_in_force is not TimeInForce.GTC and order.venue_order_id in held.open:
            self.take_off(held, state, order, VenueStatus.EXPIRED)  # the market has not come to its limit
        return order.told(tuple(order.trades))

    def amend(self, held: Account, order: KeptOrder, quantity: BaseQty, order_id: OrderId) -> None:
        """Lower an open order to *quantity*, and let it go by *order_id* from now on; it keeps its priority.

        Raises:
            NotAccepted: *quantity* is not below what it was, or all of it has filled already.
        """
        if quantity >= order.ticket.quantity:
            raise NotAccepted("Order amend (quantity increase) is not supported.", -2038)
        if quantity <= order.executed:
            raise NotAccepted("The requested action would change no state; rejecting.", -2038)
        state = self.pair(order.pair)
        self._core(held, state).reduce(OrderId(order.venue_order_id), quantity)
        held.rename(order, attrs.evolve(order.ticket, quantity=quantity, order_id=order_id), self.now())

    def take_off(self, held: Account, state: PairState, order: KeptOrder | None, status: VenueStatus) -> None:
        """End an open order as *status*.

        Raises:
            NotAccepted: it is not open.
        """
        if order is None or order.venue_order_id not in held.open:
            raise NotAccepted("Unknown order sent.", -2011)
        self._core(held, state).cancel(OrderId(order.venue_order_id))
        held.end(order, status, self.now())

    def fill_in_part(self, held: Account, order: KeptOrder, quantity: BaseQty) -> None:
        """Fill *quantity* of a resting order at its own price."""
        state = self.pair(order.pair)
        self.apply(held, state, self._core(held, state).fill_in_part(OrderId(order.venue_order_id), quantity))

    def apply(self, held: Account, state: PairState, reports: tuple[Report, ...]) -> None:
        """Book what the matching core has reported."""
        for report in reports:
            order = held.open.get(VenueOrderId(report.order_id))
            if order is None:
                continue
            match report:
                case Filled(fill=fill):
                    rate = self._rate(held.pays_with, state)
                    fee = held.charge(state.market, order.ticket.side, fill, rate)
                    market = state.market
                    is_third = fee[1] not in {market.base_asset, market.quote_asset}
                    state.trades += 1
                    held.book(order, held.trade(order, fill, state.trades, fee, rate if is_third else None))
                case Accepted():
                    order.has_rested = True
                case Expired():
                    held.end(order, VenueStatus.EXPIRED, self.now())
                case Canceled():
                    held.end(order, VenueStatus.CANCELED, self.now())
                case _:
                    pass

    def _check_limit(self, held: Account, state: PairState, core: MatchingCore, ticket: Ticket) -> None:
        """Refuse a limit order that would fill though it may not, or whose whole worth at its limit is not there.

        The exchange locks price x quantity before it matches: a better fill gives the rest back.
        """
        if ticket.price is None:
            return
        takes = core.takes(ticket.side, ticket.price)
        if ticket.is_maker_only and takes:
            raise NotAccepted("Order would immediately match and take.", -2010)
        if takes and ticket.side is Side.BUY:
            needed, asset = ticket.price * ticket.quantity, state.market.quote_asset
            if needed > held.wallet.free(asset):
                raise InsufficientBalance(f"needs {plain(needed)} {asset} at its limit", -2010)

    def _core(self, held: Account, state: PairState) -> MatchingCore:
        core = held.core(state.market, state.price, self._slippage, self.now())
        core.is_halted = state.is_halted
        return core

    def _rate(self, asset: str | None, state: PairState) -> Decimal | None:
        if asset is None:
            return None
        quote = state.market.quote_asset
        if asset == quote:
            return Decimal(1)
        if (asset, quote) in self.rates:
            return self.rates[asset, quote]
        for other in self._pairs.values():
            if (other.market.base_asset, other.market.quote_asset) == (asset, quote):
                return other.price
        return None


def _raise_refusal(reports: tuple[Report, ...]) -> None:
    for report in reports:
        if isinstance(report, Refused):
            if report.refusal is Refusal.BALANCE:
                raise InsufficientBalance(report.reason, -2010)
            raise FilterViolation(report.reason, -1013)
