"""An order of a deal: what was asked for, what the exchange said of it, and what filled."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final

import attrs

from dcacore.domain.errors import IllegalTransition
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import OrderId, TradeId
from dcacore.domain.money import NO_BASE, NO_QUOTE, BaseQty, Price, QuoteAmount
from dcacore.domain.roles import Role

__all__ = ["ORDER_TRANSITIONS", "Fill", "Order", "OrderState", "OrderStep", "Role", "Side"]


class Side(Enum):
    """Whether an order buys or sells the base asset."""

    BUY = "buy"
    SELL = "sell"


class OrderState(StrEnum):
    """How far an order has come."""

    PLANNED = "planned"  # decided; the exchange has not answered yet
    UNKNOWN = "unknown"  # sent, and the answer was lost: it may exist
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUSED = "refused"  # the exchange, or the check before it, said no: it never existed


class OrderStep(StrEnum):
    """What can be learned of an order."""

    ACCEPTED = "accepted"
    LOST = "lost"
    REFUSED = "refused"
    FILLED_IN_PART = "filled_in_part"
    FILLED_WHOLE = "filled_whole"
    CANCELED = "canceled"
    EXPIRED = "expired"


_S, _T = OrderState, OrderStep
ORDER_TRANSITIONS: Final[dict[tuple[OrderState, OrderStep], OrderState]] = {
    (_S.PLANNED, _T.ACCEPTED): _S.OPEN,
    (_S.PLANNED, _T.LOST): _S.UNKNOWN,
    (_S.PLANNED, _T.REFUSED): _S.REFUSED,
    (_S.PLANNED, _T.FILLED_IN_PART): _S.OPEN,  # a fill may overtake the answer to the order
    (_S.PLANNED, _T.FILLED_WHOLE): _S.FILLED,
    (_S.PLANNED, _T.CANCELED): _S.CANCELED,
    (_S.PLANNED, _T.EXPIRED): _S.EXPIRED,  # a market order that found nobody
    (_S.UNKNOWN, _T.ACCEPTED): _S.OPEN,
    (_S.UNKNOWN, _T.LOST): _S.UNKNOWN,
    (_S.UNKNOWN, _T.REFUSED): _S.REFUSED,  # the exchange was asked until it was sure to have no such order
    (_S.UNKNOWN, _T.FILLED_IN_PART): _S.OPEN,
    (_S.UNKNOWN, _T.FILLED_WHOLE): _S.FILLED,
    (_S.UNKNOWN, _T.CANCELED): _S.CANCELED,
    (_S.UNKNOWN, _T.EXPIRED): _S.EXPIRED,
    (_S.OPEN, _T.ACCEPTED): _S.OPEN,  # told again
    (_S.OPEN, _T.LOST): _S.OPEN,  # the answer was lost, but a stream had told already
    (_S.OPEN, _T.FILLED_IN_PART): _S.OPEN,
    (_S.OPEN, _T.FILLED_WHOLE): _S.FILLED,
    (_S.OPEN, _T.CANCELED): _S.CANCELED,
    (_S.OPEN, _T.EXPIRED): _S.EXPIRED,
    # What is over stays over, whatever comes late ...
    (_S.FILLED, _T.ACCEPTED): _S.FILLED,
    (_S.FILLED, _T.LOST): _S.FILLED,
    (_S.FILLED, _T.CANCELED): _S.FILLED,
    (_S.FILLED, _T.EXPIRED): _S.FILLED,
    (_S.CANCELED, _T.ACCEPTED): _S.CANCELED,
    (_S.CANCELED, _T.LOST): _S.CANCELED,
    (_S.CANCELED, _T.CANCELED): _S.CANCELED,
    (_S.CANCELED, _T.EXPIRED): _S.CANCELED,  # one source says canceled, another expired
    (_S.EXPIRED, _T.ACCEPTED): _S.EXPIRED,
    (_S.EXPIRED, _T.LOST): _S.EXPIRED,
    (_S.EXPIRED, _T.EXPIRED): _S.EXPIRED,
    (_S.EXPIRED, _T.CANCELED): _S.EXPIRED,
    # ... except that a fill which happened before the cancel may be told after it.
    (_S.CANCELED, _T.FILLED_IN_PART): _S.CANCELED,
    (_S.CANCELED, _T.FILLED_WHOLE): _S.FILLED,
    (_S.EXPIRED, _T.FILLED_IN_PART): _S.EXPIRED,
    (_S.EXPIRED, _T.FILLED_WHOLE): _S.FILLED,
    (_S.REFUSED, _T.REFUSED): _S.REFUSED,
}


@attrs.frozen(kw_only=True)
class Fill:
    """A trade that filled an order, in whole or in part.

    Attributes:
        trade_id: the exchange's id of it; a fill counts once, whoever tells it how often.
        at: when, in UTC.
        price: quote per base.
        quantity: base.
        base_fee: what of the base asset was kept as fee.
        quote_fee: the fee in quote, or the worth in quote of a fee in a third asset.
    """

    trade_id: TradeId
    at: datetime.datetime
    price: Price
    quantity: BaseQty
    base_fee: BaseQty = NO_BASE
    quote_fee: QuoteAmount = NO_QUOTE

    @property
    def notional(self) -> QuoteAmount:
        """What was paid or received, in quote, fees aside."""
        return QuoteAmount(self.price * self.quantity)


@attrs.frozen(kw_only=True, slots=False)  # see `evolving`
class Order:
    """One order of a deal.

    Attributes:
        id: names it from before it is sent; no second order ever bears it.
        side: buy or sell.
        role: what it is for.
        rung: which safety order it is, from 1; 0 for other roles.
        price: the limit price; None is a market order.
        quantity: base, as ordered.
        state: how far it has come.
        fills: what has filled, in the order in which it was told.
        filled: sum of the fills' quantities.
        executed: what the exchange says has filled of an order that ended before it was whole; None until then.
        is_cancelling: whether a cancel has been asked for.
        may_take: whether its limit price had been reached already when it was planned, so that it fills at once.
    """

    id: OrderId
    side: Side
    role: Role
    quantity: BaseQty
    price: Price | None = None
    rung: int = 0
    state: OrderState = OrderState.PLANNED
    fills: tuple[Fill, ...] = ()
    filled: BaseQty = NO_BASE
    executed: BaseQty | None = None
    is_cancelling: bool = False
    may_take: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it may still fill, or has fills that nobody has told yet."""
        if self.executed is not None:
            return self.executed > self.filled
        return self.state is OrderState.OPEN or self.state is OrderState.PLANNED or self.state is OrderState.UNKNOWN

    @property
    def remaining(self) -> BaseQty:
        """What has not filled, in base."""
        return BaseQty(self.quantity - self.filled)

    @property
    def notional(self) -> QuoteAmount:
        """Sum of price x quantity over its fills."""
        return QuoteAmount(sum((fill.notional for fill in self.fills), Decimal(0)))

    @property
    def base_fee(self) -> BaseQty:
        """Sum of its fees in base."""
        return BaseQty(sum((fill.base_fee for fill in self.fills), Decimal(0)))

    @property
    def quote_fee(self) -> QuoteAmount:
        """Sum of its fees in quote."""
        return QuoteAmount(sum((fill.quote_fee for fill in self.fills), Decimal(0)))

    def has(self, trade_id: TradeId) -> bool:
        """Say whether the fill *trade_id* has been counted."""
        return any(fill.trade_id == trade_id for fill in self.fills)

    def learned(self, step: OrderStep) -> Order:
        """Return the order after *step*.

        Raises:
            IllegalTransition: the table does not list the step for this state.
        """
        state = self._after(step)
        return self if state is self.state else evolve(self, state=state)

    def ended(self, step: OrderStep, executed: BaseQty) -> Order:
        """Return the order after the exchange has said that it ended with *executed* filled.

        Raises:
            IllegalTransition: the table does not list the step for this state.
        """
        return evolve(self, state=self._after(step), executed=executed)

    def _after(self, step: OrderStep) -> OrderState:
        state = ORDER_TRANSITIONS.get((self.state, step))
        if state is None:
            raise IllegalTransition(f"order {self.id} is {self.state.value}", step.value)
        return state

    def with_fill(self, fill: Fill) -> Order:
        """Return the order with *fill* counted.

        Raises:
            IllegalTransition: the order was refused, so nothing of it can fill; or it fills more than was ordered.
        """
        filled = BaseQty(self.filled + fill.quantity)
        if filled > self.quantity:
            raise IllegalTransition(f"order {self.id} of {self.quantity}", f"filling {filled}")
        step = OrderStep.FILLED_WHOLE if filled == self.quantity else OrderStep.FILLED_IN_PART
        return evolve(self, state=self._after(step), fills=(*self.fills, fill), filled=filled)
