"""The matching core: one account's orders on one market whose price somebody else moves.

Synchronous and without a clock of its own. Orders fill against the price and never against each other: a limit order
fills whole at its own price when the price comes to it, and an order that is placed where the market stands already
fills at once. All reports are those of `dcacore.domain.events`.
"""

from __future__ import annotations

import datetime
from decimal import Decimal

import attrs

from dcacore.adapters.simulated.wallet import Wallet
from dcacore.domain.events import Accepted, Canceled, Expired, Filled, Refusal, Refused, Report
from dcacore.domain.ids import OrderId, TradeId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import (
    NO_BASE,
    ZERO,
    BaseQty,
    Price,
    QuoteAmount,
    ceil_to,
    exact,
    floor_to,
    plain,
)
from dcacore.domain.orders import Fill, Order, Side


@attrs.define
class Resting:
    """An order that waits for its price.

    Attributes:
        order: as it was placed.
        price: its limit.
        left: what has not filled, in base.
        reserved: what of the wallet it holds, in quote for a buy and in base for a sell.
    """

    order: Order
    price: Price
    left: BaseQty
    reserved: Decimal


@attrs.define(kw_only=True)
class MatchingCore:
    """One account on one market.

    Attributes:
        market: the pair's rules; an order that breaks one is refused.
        fees: what the account pays.
        wallet: what the account holds; shared by its markets.
        slippage: how far a market order's price moves against it, as a fraction.
        at: the time that fills bear; whoever moves the price sets it.
        price: where the market stands; None before the first price.
        is_halted: a halted market takes no orders and fills none; cancels work.
    """

    market: Market
    fees: Fees
    wallet: Wallet
    slippage: Decimal = ZERO
    at: datetime.datetime
    price: Price | None = None
    is_halted: bool = False
    _resting: dict[OrderId, Resting] = attrs.field(factory=dict, init=False)
    _trades: int = attrs.field(default=0, init=False)
    _known_best: tuple[Price | None, Price | None] | None = attrs.field(default=None, init=False)

    @property
    def best_buy(self) -> Price | None:
        """The highest price at which a buy rests."""
        return self._best()[0]

    @property
    def best_sell(self) -> Price | None:
        """The lowest price at which a sell rests."""
        return self._best()[1]

    def _best(self) -> tuple[Price | None, Price | None]:
        if self._known_best is None:
            resting = self._resting.values()
            self._known_best = (
                max([rest.price for rest in resting if rest.order.side is Side.BUY], default=None),
                min([rest.price for rest in resting if rest.order.side is Side.SELL], default=None),
            )
        return self._known_best

    @property
    def reserved_quote(self) -> QuoteAmount:
        """What resting buys hold, their fees in quote included."""
        held = (rest.reserved for rest in self._resting.values() if rest.order.side is Side.BUY)
        return QuoteAmount(sum(held, ZERO))

    @property
    def resting(self) -> tuple[Order, ...]:
        """The orders that rest, oldest first, as they were placed."""
        return tuple(rest.order for rest in self._resting.values())

    @exact
    def place(self, order: Order, found: BaseQty | None = None) -> tuple[Report, ...]:
        """Take an order and return what came of it: accepted, filled at once, or refused.

        A market order finds all that it wants, or no more than *found*: then the rest of it expires.
        """
        broken = self._broken_rule(order)
        if broken is not None or self.price is None:
            return (Refused(order.id, Refusal.RULE, broken or "the market has no price yet"),)
        takes = order.price is None or self.takes(order.side, order.price)
        price = self._taker_price(order, self.price) if takes else order.price or self.price
        rate = self.fees.fee_taker if takes else self.fees.fee_maker
        asset, needed = self._needs(order.side, price, order.quantity, rate)
        free = self.wallet.free(asset)
        if needed > free:
            lacks = f"needs {plain(needed)} {asset}, {plain(free)} {asset} is free"
            return (Refused(order.id, Refusal.BALANCE, lacks),)
        if takes:
            if found is not None and order.price is None and found < order.quantity:
                filled = (self._fill(order, price, found, rate),) if found else ()
                return (*filled, Expired(order.id, found))
            return (self._fill(order, price, order.quantity, rate),)
        self.wallet.lock(asset, needed)
        self._resting[order.id] = Resting(order, price, order.quantity, needed)
        self._known_best = None
        return (Accepted(order.id),)

    @exact
    def rest_again(self, order: Order, left: BaseQty) -> None:
        """Let an order rest of which *left* has not filled, and for which the wallet has locked what it holds."""
        if order.price is not None:
            needed = self._needs(order.side, order.price, left, self.fees.fee_maker)[1]
            self._resting[order.id] = Resting(order, order.price, left, needed)
            self._known_best = None

    @exact
    def cancel(self, order_id: OrderId) -> tuple[Report, ...]:
        """Take a resting order off; nothing is returned when none of that id rests (it filled, or never was)."""
        rest = self._resting.pop(order_id, None)
        if rest is None:
            return ()
        self._known_best = None
        self._release(rest, rest.reserved)
        return (Canceled(order_id, BaseQty(rest.order.quantity - rest.left)),)

    @exact
    def reduce(self, order_id: OrderId, quantity: BaseQty) -> None:
        """Lower a resting order to *quantity*, which is above what has filled of it; its place in the queue stays.

        Raises:
            KeyError: no such order rests.
        """
        rest = self._resting[order_id]
        rest.left = BaseQty(rest.left - rest.order.quantity + quantity)
        rest.order = attrs.evolve(rest.order, quantity=quantity)
        still = self._needs(rest.order.side, rest.price, rest.left, self.fees.fee_maker)[1]
        self._release(rest, rest.reserved - still)

    def takes(self, side: Side, price: Price) -> bool:
        """Say whether an order with this limit would fill at once."""
        return self.price is not None and (price >= self.price if side is Side.BUY else price <= self.price)

    @exact
    def move_to(self, price: Price) -> tuple[Report, ...]:
        """Bring the price to *price* and fill every order that it has reached, at its own limit price.

        Buys fill from the highest price down, sells from the lowest up, those of one price in the order in which
        they were placed. So a jump is one call; a continuous move is one call for each price at which orders rest.
        """
        self.price = price
        best_buy, best_sell = self._best()
        is_reached = (best_buy is not None and price <= best_buy) or (best_sell is not None and price >= best_sell)
        if self.is_halted or not is_reached:
            return ()
        reached = [
            rest
            for rest in self._resting.values()
            if (price <= rest.price if rest.order.side is Side.BUY else price >= rest.price)
        ]
        reached.sort(key=lambda rest: -rest.price if rest.order.side is Side.BUY else rest.price)
        return tuple(self._fill_resting(rest, rest.left) for rest in reached)

    @exact
    def fill_in_part(self, order_id: OrderId, quantity: BaseQty) -> tuple[Report, ...]:
        """Fill *quantity*, at most what is left, of a resting order at its limit price, wherever the market stands."""
        rest = self._resting.get(order_id)
        return () if rest is None else (self._fill_resting(rest, min(quantity, rest.left)),)

    def _broken_rule(self, order: Order) -> str | None:
        market, price = self.market, order.price if order.price is not None else self.price
        if self.is_halted:
            return f"{market.pair} is halted"
        if order.id in self._resting:
            return "an order with this id rests already"
        if order.price is not None and (order.price <= 0 or order.price % market.tick_size):
            return f"the price {plain(order.price)} is not a multiple of the tick size {plain(market.tick_size)}"
        if order.quantity <= 0 or order.quantity % market.step_size:
            return f"the quantity {plain(order.quantity)} is not a multiple of the step size {plain(market.step_size)}"
        if price is not None and not market.allows(price, order.quantity):
            least = f"{plain(market.min_quantity)} {market.base_asset} and {plain(market.min_notional)}"
            return f"{plain(order.quantity)} at {plain(price)} is below the least of {least} {market.quote_asset}"
        return None

    def _taker_price(self, order: Order, price: Price) -> Price:
        if order.price is not None or not self.slippage:
            return price
        if order.side is Side.BUY:
            return Price(ceil_to(price * (1 + self.slippage), self.market.tick_size))
        return Price(floor_to(price * (1 - self.slippage), self.market.tick_size))

    def _needs(self, side: Side, price: Price, quantity: BaseQty, rate: Decimal) -> tuple[str, Decimal]:
        if side is Side.SELL:
            return self.market.base_asset, quantity
        return self.market.quote_asset, price * quantity + self.fees.of_buy(price, quantity, rate)[1]

    def _fill_resting(self, rest: Resting, quantity: BaseQty) -> Report:
        rest.left = BaseQty(rest.left - quantity)
        if rest.left:
            rate = self.fees.fee_maker
            still = self._needs(rest.order.side, rest.price, rest.left, rate)[1]
            self._release(rest, rest.reserved - still)
        else:
            del self._resting[rest.order.id]
            self._known_best = None
            self._release(rest, rest.reserved)
        return self._fill(rest.order, rest.price, quantity, self.fees.fee_maker)

    def _release(self, rest: Resting, amount: Decimal) -> None:
        asset = self.market.quote_asset if rest.order.side is Side.BUY else self.market.base_asset
        self.wallet.lock(asset, -amount)
        rest.reserved -= amount

    def _fill(self, order: Order, price: Price, quantity: BaseQty, rate: Decimal) -> Report:
        notional = price * quantity
        if order.side is Side.BUY:
            base_fee, quote_fee = self.fees.of_buy(price, quantity, rate)
            self.wallet.add(self.market.quote_asset, -notional - quote_fee)
            self.wallet.add(self.market.base_asset, quantity - base_fee)
        else:
            base_fee, quote_fee = NO_BASE, self.fees.of_sell(price, quantity, rate)
            self.wallet.add(self.market.base_asset, -quantity)
            self.wallet.add(self.market.quote_asset, notional - quote_fee)
        self._trades += 1
        fill = Fill(
            trade_id=TradeId(str(self._trades)),
            at=self.at,
            price=price,
            quantity=quantity,
            base_fee=base_fee,
            quote_fee=quote_fee,
        )
        return Filled(order.id, fill)
