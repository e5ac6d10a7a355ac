"""A deal: from its base order to the sale of what it holds."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from enum import Enum
from typing import Final

import attrs

from dcacore.domain.books import Books, Result
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import DealId, OrderId
from dcacore.domain.ladder import Rung, build_ladder, sellable
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price, Quotient
from dcacore.domain.orders import Order, OrderState, Role, Side
from dcacore.domain.strategy import Strategy


class Exit(Enum):
    """Why a deal ends."""

    TAKE_PROFIT = "take_profit"
    TRAILING_TAKE_PROFIT = "trailing_take_profit"
    STOP_LOSS = "stop_loss"
    CLOSE = "close"  # the user ended the deal, or stopped the bot, and wants the coins sold
    CANCEL = "cancel"  # the user ended the deal, or stopped the bot, and keeps the coins
    RESET = "testnet_reset"  # the exchange, a testnet, has forgotten the deal's orders and its coins
    SOLD_BY_HAND = "sold_by_hand"  # the user has sold the coins himself, and says at which price


TAKER_WAIT: Final = datetime.timedelta(seconds=1)
"""How long stop loss and target wait for the answer to a safety order that should fill at once."""

AT_MARKET = {
    Exit.TRAILING_TAKE_PROFIT: Role.TAKE_PROFIT,
    Exit.STOP_LOSS: Role.STOP_LOSS,
    Exit.CLOSE: Role.CLOSE,
}
"""The exits that sell at market, each with the role of its order."""


@attrs.frozen(kw_only=True, slots=False)  # see `evolving`
class Deal:
    """One deal of a bot.

    Attributes:
        id: follows from the bot and the deal's number.
        number: counts the bot's deals from 1.
        strategy: the parameters, as they stood when the deal started or its user has changed them since.
        market: the pair's rules, as last read.
        fees: what the account pays, as read when the deal started.
        opened_at: when the base order was decided.
        opened_price: the market's price then.
        orders: all orders that exist or existed on the exchange, and those on their way, oldest first; once the
            deal has ended, those of which something has filled.
        attempts: how many order ids have been given out.
        takers_at: when a safety order was last planned where the market stood, so that it fills at once.
        books: sums over the fills.
        reference: what ladder and stop loss are measured from; None until the base order is over.
        rungs: the safety orders, as `build_ladder` gives them; empty until the base order is over.
        waiting: the rungs that have no order, nearest first.
        take_profit_price: the target; None until there is one.
        stop_loss_price: None without a stop loss, or before the base order has filled.
        retarget_at: when a safety order's partial fills will move the target, if nothing fills before.
        peak: the highest price since the trail was armed; None while it is not.
        has_moved: whether the price has been another than `opened_price` since.
        exit: why the deal is being ended; None while it is not.
        sold_at: quote per base that its user got for the coins which he sold by hand; None unless he says so.
        closed_at: when it ended; None while it is open.
        result: what came of it; None while it is open.
    """

    id: DealId
    number: int
    strategy: Strategy
    market: Market
    fees: Fees
    opened_at: datetime.datetime
    opened_price: Price
    orders: Mapping[OrderId, Order] = attrs.field(factory=dict)
    attempts: int = 0
    takers_at: datetime.datetime | None = None
    books: Books = attrs.field(factory=Books)
    reference: Quotient | None = None
    rungs: tuple[Rung, ...] = ()
    waiting: tuple[Rung, ...] = ()
    take_profit_price: Price | None = None
    stop_loss_price: Price | None = None
    retarget_at: datetime.datetime | None = None
    peak: Price | None = None
    has_moved: bool = False
    exit: Exit | None = None
    sold_at: Price | None = None
    closed_at: datetime.datetime | None = None
    result: Result | None = None

    @property
    def base_order(self) -> Order | None:
        """The order that opens the deal; None when it was refused."""
        return next((order for order in self.orders.values() if order.role is Role.BASE), None)

    @property
    def live_orders(self) -> tuple[Order, ...]:
        """The orders that may still fill."""
        return tuple([order for order in self.orders.values() if order.is_live])

    @property
    def filled_safety_orders(self) -> int:
        """How many safety orders have filled whole."""
        return sum(order.role is Role.SAFETY and not order.remaining for order in self.orders.values())

    @property
    def last_sell(self) -> Order | None:
        """The newest sell of which something has filled."""
        sells = (order for order in reversed(tuple(self.orders.values())) if order.side is Side.SELL and order.filled)
        return next(sells, None)

    @property
    def sellable(self) -> BaseQty:
        """What of the held base fits the step grid."""
        return sellable(self.market, self.books.net)

    @property
    def is_too_small_to_sell(self) -> bool:
        """Whether it holds too little for the market to take at its target; a safety order may lift it."""
        target = self.take_profit_price
        return self.closed_at is None and target is not None and not self.can_sell_at(target)

    @property
    def awaits_taker_until(self) -> datetime.datetime | None:
        """Until when stop loss and target wait for what a safety order brings that fills at once; None if none does."""
        if self.takers_at is None:
            return None
        is_asked = any(order.may_take and order.state is OrderState.PLANNED for order in self.orders.values())
        return self.takers_at + TAKER_WAIT if is_asked else None

    def rehung(self, strategy: Strategy, market: Market) -> Deal:
        """Return the deal under new parameters or rules, its ladder hung anew from the same reference.

        Orders that exist keep the number they were placed under. A rung waits when neither its number nor its place on
        the ladder has been used: when the market's minimum has moved the numbers, one may be left out, and none is
        placed twice.
        """
        if self.reference is None:
            return evolve(self, strategy=strategy, market=market)
        rungs = build_ladder(strategy, market, self.reference).rungs
        waiting = {rung.number for rung in self.waiting}
        used = [rung for rung in self.rungs if rung.number not in waiting]
        numbers, legs = {rung.number for rung in used}, {rung.leg for rung in used}
        numbers.update(
            order.rung for order in self.orders.values() if order.is_live or order.filled or not order.is_cancelling
        )
        left = tuple(rung for rung in rungs if rung.number not in numbers and rung.leg not in legs)
        return evolve(self, strategy=strategy, market=market, rungs=rungs, waiting=left)

    def can_sell_at(self, price: Price) -> bool:
        """Say whether what is held is enough for the market to take a sell at *price*."""
        return self.market.allows(price, self.sellable)
