"""What may come in. Each event is a fact with its time; deciding on one twice changes nothing the second time."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import Enum

import attrs

from dcacore.domain.bot import Cure
from dcacore.domain.ids import DealId, OrderId
from dcacore.domain.limits import Limits
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.numbers import Number, above, as_number, rule
from dcacore.domain.orders import Fill, Order
from dcacore.domain.strategy import Strategy


class Refusal(Enum):
    """Why an order was not taken."""

    BALANCE = "balance"  # the account has not enough for it
    NOT_TRIED = "not_tried"  # a buy before it in the same decision did not fit, so it was not sent
    NOT_PLACED = "not_placed"  # its answer was lost, and the exchange has been found to have no such order
    HALTED = "halted"  # the pair, or the account, does not trade now
    HELD = "held"  # it is taken when the market has come nearer, or there is room: it is tried again later
    RULE = "rule"  # anything else: a filter, missing rights


@attrs.frozen
class Accepted:
    """The exchange has the order, and it rests."""

    order_id: OrderId


@attrs.frozen
class Filled:
    """An order filled, in whole or in part."""

    order_id: OrderId
    fill: Fill


@attrs.frozen
class Canceled:
    """An order was taken off; *executed* is what the exchange says had filled of it by then."""

    order_id: OrderId
    executed: BaseQty


@attrs.frozen
class Expired:
    """The exchange ended an order that had not filled whole, such as a market order without enough to trade with.

    *executed* is what did fill.
    """

    order_id: OrderId
    executed: BaseQty


@attrs.frozen
class Refused:
    """The order was definitely not placed."""

    order_id: OrderId
    refusal: Refusal
    reason: str


@attrs.frozen
class Lost:
    """The order was sent and no answer came: it may exist."""

    order_id: OrderId


@attrs.frozen
class Adopted:
    """The exchange has an order of this deal that the deal does not know: what was stored is older than the exchange.

    It joins the deal as open; its fills and its end are told by reports of their own.
    """

    order: Order

    @property
    def order_id(self) -> OrderId:
        """Which order it is."""
        return self.order.id


Report = Accepted | Filled | Canceled | Expired | Refused | Lost | Adopted


@attrs.frozen
class StartRequested:
    """The user wants the bot to run; one that stood still is checked and reconciled first."""

    at: datetime.datetime
    price: Price | None = None


@attrs.frozen
class EngineStarted:
    """The engine takes up a bot that was not stopped when it went down: checks and reconciliation come next."""

    at: datetime.datetime
    price: Price | None = None


@attrs.frozen
class Ready:
    """The checks and the reconciliation of a starting bot are done."""

    at: datetime.datetime
    price: Price | None = None


@attrs.frozen
class PauseRequested:
    """No new deal is wanted; an open one is managed to its end.

    Attributes:
        at: when.
        price: the last price.
        reason: why, where it is not the user's wish; empty when it is.
    """

    at: datetime.datetime
    price: Price | None = None
    reason: str = ""


@attrs.frozen
class StopRequested:
    """The user ends the bot and an open deal with it: its coins are sold at market, or kept."""

    at: datetime.datetime
    price: Price | None = None
    sell: bool = False


@attrs.frozen
class RetryRequested:
    """The user has seen to the trouble: the bot goes on."""

    at: datetime.datetime
    price: Price | None = None


@attrs.frozen
class CloseDealRequested:
    """The user wants what the open deal holds sold at market now; the bot goes on as wanted.

    Attributes:
        deal_id: the deal that is meant; None is the open one, whichever it is.
    """

    at: datetime.datetime
    price: Price | None = None
    deal_id: DealId | None = None


@attrs.frozen
class CancelDealRequested:
    """The user wants the open deal's orders taken off, and keeps its coins; the bot goes on as wanted.

    Attributes:
        deal_id: the deal that is meant; None is the open one, whichever it is.
    """

    at: datetime.datetime
    price: Price | None = None
    deal_id: DealId | None = None


@attrs.frozen(kw_only=True)
class CloseAsSoldRequested:
    """The user has sold by hand what the open deal holds: its orders come off, and it is booked as sold at that price.

    Attributes:
        sold_at: quote per base, after fees.
        deal_id: the deal that is meant; None is the open one, whichever it is.

    Raises:
        InvalidParameter: *sold_at* is no number above 0.
    """

    at: datetime.datetime
    price: Price | None = None
    sold_at: Decimal = attrs.field(converter=as_number, validator=rule(above(0)))
    deal_id: DealId | None = None


@attrs.frozen(kw_only=True)
class AddFundsRequested:
    """The user wants the open deal to buy for *amount* quote more, at market.

    Attributes:
        deal_id: the deal that is meant; None is the open one, whichever it is.

    Raises:
        InvalidParameter: the amount is no number above 0.
    """

    at: datetime.datetime
    price: Price | None = None
    amount: Decimal = attrs.field(converter=as_number, validator=rule(above(0)))
    deal_id: DealId | None = None


@attrs.frozen(kw_only=True)
class EditDealRequested:
    """The user changes the open deal's own parameters; what is None stays.

    Attributes:
        deal_id: the deal that is meant; None is the open one, whichever it is.
    """

    at: datetime.datetime
    price: Price | None = None
    take_profit: Number | None = None
    stop_loss: Number | None = None
    trailing_deviation: Number | None = None
    max_safety_orders: Number | None = None
    active_safety_orders: Number | None = None
    deal_id: DealId | None = None


@attrs.frozen(kw_only=True)
class EditBotRequested:
    """The user changes the bot's parameters: an open deal keeps its own.

    Attributes:
        market: the rules of the new pair, when the pair changes.
    """

    at: datetime.datetime
    price: Price | None = None
    strategy: Strategy
    market: Market | None = None


@attrs.frozen(kw_only=True)
class RulesRead:
    """What the exchange says now of the bot's pair, and of what its account pays there.

    Attributes:
        limits: how far orders may go; None where it sets no limits.
    """

    at: datetime.datetime
    price: Price | None = None
    market: Market
    fees: Fees
    limits: Limits | None = None


@attrs.frozen
class AttentionNeeded:
    """Something has come up that keeps the bot from going on: nothing is placed until it is cured, or a retry."""

    at: datetime.datetime
    reason: str
    price: Price | None = None
    cure: Cure = Cure.USER


@attrs.frozen(kw_only=True)
class CoinsMissing:
    """The account holds a little less than its deals: what is missing of this one is written off.

    Attributes:
        deal_id: the deal that bears it.
        gone: base that has left it by no order, all told.
    """

    at: datetime.datetime
    price: Price | None = None
    deal_id: DealId
    gone: BaseQty


@attrs.frozen(kw_only=True)
class ExchangeReset:
    """The exchange has been emptied, as testnets are: it has neither the deal's orders any more nor its coins."""

    at: datetime.datetime
    price: Price | None = None
    deal_id: DealId


@attrs.frozen
class Failed:
    """Something went wrong that nobody had foreseen: nothing is placed until a retry."""

    at: datetime.datetime
    reason: str
    price: Price | None = None


@attrs.frozen
class PricesSilent:
    """Nothing has been heard of the market for so long that the last price says nothing any more."""

    at: datetime.datetime
    price: None = None


@attrs.frozen
class Cured:
    """What a trouble waits for has come: the trouble ends if that is its cure."""

    at: datetime.datetime
    cure: Cure
    price: Price | None = None


@attrs.frozen
class PriceSeen:
    """The market stands at *price*; a new high or low since the last event is told by an event of its own.

    Attributes:
        made_at: the exchange's time of it, by which one is known that a buy has overtaken on its way; None where what
            happens is told in its order.
    """

    at: datetime.datetime
    price: Price
    made_at: datetime.datetime | None = None


@attrs.frozen
class TimePassed:
    """A time that the bot watches has come."""

    at: datetime.datetime
    price: Price | None = None


@attrs.frozen
class RetryDue:
    """What the bot waits to try again may be tried: the price has changed, or 60 s have passed for a balance."""

    at: datetime.datetime
    price: Price | None = None


@attrs.frozen
class Reported:
    """What the exchange said since the last event. The bot acts once for all of it, at *price*."""

    at: datetime.datetime
    price: Price | None
    reports: tuple[Report, ...]


DealRequest = CloseDealRequested | CancelDealRequested | CloseAsSoldRequested | AddFundsRequested | EditDealRequested
"""What a user may ask of an open deal; `NotNow` when there is none, or it is not the one that is meant."""

Request = StartRequested | PauseRequested | StopRequested | RetryRequested | EditBotRequested | DealRequest
"""What a user may ask of a bot."""

Told = (
    EngineStarted | Ready | AttentionNeeded | CoinsMissing | ExchangeReset | Failed | Cured | PricesSilent | RulesRead
)
"""What an engine tells of itself and of the exchange."""

Event = Request | Told | PriceSeen | TimePassed | RetryDue | Reported
