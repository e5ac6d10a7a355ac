"""What may come in. Each event is a fact with its time; deciding on one twice changes nothing the second time."""

from __future__ import annotations

import datetime
from enum import Enum

import attrs

from dcacore.domain.ids import OrderId
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Fill


class Refusal(Enum):
    """Why an order was not taken."""

    BALANCE = "balance"  # the account has not enough for it
    NOT_TRIED = "not_tried"  # a buy before it in the same decision did not fit, so it was not sent
    NOT_PLACED = "not_placed"  # its answer was lost, and the exchange has been found to have no such order
    RULE = "rule"  # anything else: a filter, a halted market, missing rights


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


Report = Accepted | Filled | Canceled | Expired | Refused | Lost


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
    """The user wants no new deal; an open one is managed to its end."""

    at: datetime.datetime
    price: Price | None = None


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
class AttentionNeeded:
    """The books and the exchange differ in a way that only the user can judge: nothing is placed until a retry."""

    at: datetime.datetime
    reason: str
    price: Price | None = None


@attrs.frozen
class PriceSeen:
    """The market stands at *price*; a new high or low since the last event is told by an event of its own."""

    at: datetime.datetime
    price: Price


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


Request = StartRequested | PauseRequested | StopRequested | RetryRequested
"""What a user may ask of a bot."""

Event = Request | EngineStarted | Ready | AttentionNeeded | PriceSeen | TimePassed | RetryDue | Reported
