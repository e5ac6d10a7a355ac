"""One account of a simulated venue: what it holds, its orders and trades, and who listens to it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import attrs

from dcacore.adapters.simulated.books import BookedTrade, Books, KeptOrder, Ticket, Transfer
from dcacore.adapters.simulated.matching import MatchingCore
from dcacore.adapters.simulated.wallet import Wallet
from dcacore.domain.ids import AccountId, OrderId, TradeId
from dcacore.domain.market import FeeAsset, Fees, Market
from dcacore.domain.money import ZERO, BaseQty, Price, Quotient, exact
from dcacore.domain.orders import Fill, Order, Role, Side
from dcacore.domain.venue import Trade, VenueOrderId, VenueStatus
from dcacore.ports.errors import InsufficientBalance
from dcacore.ports.exchange import AccountEvent, Balance, OrderChanged

Listener = Callable[[AccountEvent], None]
DISCOUNT: Final = Decimal("0.75")
"""What is left of a fee that is paid in a third asset."""


@attrs.define(kw_only=True)
class Account:
    """One account, as the venue keeps it.

    Attributes:
        name: its id.
        fees: what it pays.
        pays_with: a third asset that fees are taken from while there is enough of it.
        wallet: what it holds.
        is_revoked: its key is accepted no more.
        is_disabled: it may not trade.
        open: its orders that rest, oldest first.
        past: the books that resets of the venue have closed, oldest first.
        resets: how many resets there have been, those before it was kept and taken up again too.
    """

    name: AccountId
    fees: Fees
    pays_with: str | None = None
    wallet: Wallet = attrs.field(factory=Wallet)
    is_revoked: bool = False
    is_disabled: bool = False
    open: dict[VenueOrderId, KeptOrder] = attrs.field(factory=dict)
    past: list[Books] = attrs.field(factory=list)
    resets: int = 0
    listeners: list[Listener] = attrs.field(factory=list)
    _cores: dict[str, MatchingCore] = attrs.field(factory=dict)
    _orders: dict[VenueOrderId, KeptOrder] = attrs.field(factory=dict)
    _by_client_id: dict[tuple[str, OrderId], list[KeptOrder]] = attrs.field(factory=dict)
    _trades: dict[str, list[Trade]] = attrs.field(factory=dict)
    _all_trades: list[BookedTrade] = attrs.field(factory=list)
    _transfers: list[Transfer] = attrs.field(factory=list)

    def core(self, market: Market, price: Price | None, slippage: Decimal, at: datetime.datetime) -> MatchingCore:
        """Return the account's matching core of *market*, made when it is first asked for."""
        core = self._cores.get(market.pair)
        if core is None:
            core = MatchingCore(
                market=market, fees=self.fees, wallet=self.wallet, slippage=slippage, at=at, price=price
            )
            self._cores[market.pair] = core
        core.at = at
        return core

    def forget(self, pair: str) -> None:
        """Drop the matching core of a market that is no more; nothing rests in it."""
        self._cores.pop(pair, None)

    @exact
    def transfer(self, asset: str, amount: Decimal, at: datetime.datetime) -> None:
        """Bring in *amount*, or take it out when it is below zero.

        Raises:
            InsufficientBalance: that much is not free.
        """
        if self.wallet.free(asset) + amount < 0:
            raise InsufficientBalance("Account has insufficient balance for requested action.", -2010)
        self.wallet.add(asset, amount)
        self._transfers.append(Transfer(at, asset, amount))

    def keep(self, order: KeptOrder) -> None:
        """Take up an order that the core has taken, and tell of it."""
        self._orders[order.venue_order_id] = order
        self._by_client_id.setdefault((order.pair, order.ticket.order_id), []).append(order)
        self.open[order.venue_order_id] = order
        self.tell(order)

    def rename(self, order: KeptOrder, ticket: Ticket, at: datetime.datetime) -> None:
        """Let *ticket* stand for an order that rests, under whatever id it bears, and tell of it."""
        self._by_client_id[order.pair, order.ticket.order_id].remove(order)
        order.ticket, order.changed_at = ticket, at
        order.amended += 1
        self._by_client_id.setdefault((order.pair, ticket.order_id), []).append(order)
        self.tell(order)

    def end(self, order: KeptOrder, status: VenueStatus, at: datetime.datetime) -> None:
        """Note that *order* rests no more, and tell of it."""
        order.status, order.changed_at = status, at
        self.open.pop(order.venue_order_id, None)
        self.tell(order)

    @exact
    def book(self, order: KeptOrder, trade: Trade) -> None:
        """Count a trade of *order*, and tell of it."""
        self._trades.setdefault(order.pair, []).append(trade)
        self._all_trades.append(BookedTrade(order.pair, trade))
        order.trades.append(trade)
        order.executed, order.changed_at = BaseQty(order.executed + trade.quantity), trade.at
        if order.executed == order.ticket.quantity:
            order.status = VenueStatus.FILLED
            self.open.pop(order.venue_order_id, None)
        self.tell(order, trade)

    @exact
    def charge(self, market: Market, side: Side, fill: Fill, rate: Decimal | None) -> tuple[Decimal, str]:
        """Return the fee of *fill* and its asset; the third asset pays at *rate* quote a unit if it suffices."""
        is_in_base = side is Side.BUY and self.fees.fee_asset is FeeAsset.RECEIVED
        asset = market.base_asset if is_in_base else market.quote_asset
        fee: Decimal = fill.base_fee if is_in_base else fill.quote_fee
        third = self.pays_with
        if third is None or third == asset or rate is None or not fee:
            return fee, asset
        worth = (fee * fill.price if is_in_base else fee) * DISCOUNT
        amount = Quotient(worth, rate).down8()
        if self.wallet.free(third) < amount:
            return fee, asset
        self.wallet.add(asset, fee)
        self.wallet.add(third, -amount)
        return amount, third

    def tell(self, order: KeptOrder, *trades: Trade) -> None:
        """Tell all who listen how *order* stands."""
        event = OrderChanged(order.pair, order.told(trades))
        for listener in tuple(self.listeners):
            listener(event)

    @property
    def orders(self) -> Iterable[KeptOrder]:
        """All orders, oldest first."""
        return self._orders.values()

    @property
    def transfers(self) -> Sequence[Transfer]:
        """What was brought in and taken out, oldest first."""
        return self._transfers

    def by_venue_id(self, pair: str, venue_order_id: VenueOrderId) -> KeptOrder | None:
        """Return the order of that id of the venue's."""
        order = self._orders.get(venue_order_id)
        return order if order is not None and order.pair == pair else None

    def by_number(self, venue_order_id: VenueOrderId) -> KeptOrder | None:
        """Return the order of that id of the venue's, on whichever market."""
        return self._orders.get(venue_order_id)

    def by_client_id(self, pair: str, order_id: OrderId) -> KeptOrder | None:
        """Return the order of that id of the client's: the one that rests, or else the newest."""
        orders = self._by_client_id.get((pair, order_id), [])
        return next((order for order in orders if order.venue_order_id in self.open), orders[-1] if orders else None)

    def trades(self, pair: str) -> list[Trade]:
        """Return all trades of *pair*, oldest first."""
        return self._trades.get(pair, [])

    def trade(self, order: KeptOrder, fill: Fill, number: int, fee: tuple[Decimal, str], rate: Decimal | None) -> Trade:
        """Return *fill* as the exchange books it, as trade *number* of the pair."""
        return Trade(
            trade_id=TradeId(str(number)),
            venue_order_id=order.venue_order_id,
            order_id=order.ticket.order_id,
            at=fill.at,
            side=order.ticket.side,
            price=fill.price,
            quantity=fill.quantity,
            fee=fee[0],
            fee_asset=fee[1],
            fee_rate=rate,
        )

    def balances(self) -> Mapping[str, Balance]:
        """Return what the account holds, by asset."""
        wallet = self.wallet
        return {asset: Balance(wallet.free(asset), wallet.locked(asset)) for asset in wallet.assets}

    def books(self) -> Books:
        """Return all that is known of the account."""
        return Books(
            orders=tuple(order.booked() for order in self._orders.values()),
            trades=tuple(self._all_trades),
            balances=self.balances(),
            transfers=tuple(self._transfers),
        )

    @exact
    def restore(
        self,
        orders: Iterable[KeptOrder],
        transfers: Iterable[Transfer],
        balances: Mapping[str, Balance],
        core_of: Callable[[str], MatchingCore],
    ) -> None:
        """Take up what was kept of an account that has just been opened: *orders* oldest first, those that rest too."""
        self.wallet.restore(balances)
        self._transfers.extend(transfers)
        for order in orders:
            self._orders[order.venue_order_id] = order
            self._by_client_id.setdefault((order.pair, order.ticket.order_id), []).append(order)
            self._all_trades.extend(BookedTrade(order.pair, trade) for trade in order.trades)
            ticket = order.ticket
            if order.status is VenueStatus.OPEN and ticket.price is not None:
                self.open[order.venue_order_id] = order
                core_of(order.pair).rest_again(
                    Order(
                        id=OrderId(order.venue_order_id),
                        side=ticket.side,
                        role=Role.BASE,
                        quantity=ticket.quantity,
                        price=ticket.price,
                    ),
                    BaseQty(ticket.quantity - order.executed),
                )
        self._all_trades.sort(key=lambda booked: (booked.trade.at, int(booked.trade.trade_id)))
        for booked in self._all_trades:
            self._trades.setdefault(booked.pair, []).append(booked.trade)

    def reset(self, holdings: Mapping[str, Decimal], at: datetime.datetime) -> None:
        """Forget all orders and trades, and hold *holdings*; what was is added to `past`."""
        self.past.append(self.books())
        self.resets += 1
        self.wallet = Wallet()
        for forgotten in (self._cores, self._orders, self._by_client_id, self._trades, self.open):
            forgotten.clear()
        self._all_trades.clear()
        self._transfers.clear()
        for asset, amount in holdings.items():
            self.transfer(asset, max(amount, ZERO), at)
