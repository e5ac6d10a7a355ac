"""What the exchange is heard to say of an order, turned into reports that a deal understands.

Answers, account events, questions and comparisons all end here: the same word heard twice, late or out of order changes
nothing the second time, what is over stays over, and an order ends for its deal only when all of its fills are booked.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Final, assert_never

import attrs

from dcacore.domain.events import Accepted, Canceled, Expired, Filled, Lost, Refusal, Refused, Report
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import OrderId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.market import Market
from dcacore.domain.money import BaseQty, exact
from dcacore.domain.orders import OrderState
from dcacore.domain.venue import Trade, VenueOrder, VenueStatus

PROOF_MARGIN: Final = datetime.timedelta(seconds=15)
"""How long after a request's deadline "no such order" begins to count: the matching engine's 10 s, and 5 s besides."""
PROOF_MISSES: Final = 3
"""How many such answers in a row prove that an order was not placed ..."""
PROOF_SPREAD: Final = datetime.timedelta(seconds=5)
"""... when they are spread over at least so long."""


@attrs.frozen
class Found:
    """The exchange has the order: this is how it stands, with the trades that are known of it."""

    order: VenueOrder
    trades: tuple[Trade, ...] = ()

    @property
    def order_id(self) -> OrderId:
        """Our id of it."""
        return self.order.order_id


@attrs.frozen
class Missed:
    """The exchange was asked at *at* (its time) and knew no such order, and no trade or open order bears the id."""

    order_id: OrderId
    at: datetime.datetime


@attrs.frozen
class Declined:
    """The order was definitely not placed: refused by the exchange, or not sent for want of something."""

    order_id: OrderId
    refusal: Refusal
    reason: str


@attrs.frozen
class Unanswered:
    """The order was sent, or may have been, and there is no answer."""

    order_id: OrderId


News = Found | Missed | Declined | Unanswered


@attrs.frozen
class Heard:
    """What came of a piece of news.

    Attributes:
        intent: the intent after it.
        reports: what its deal is to be told, fills first.
        trades: those of the reports' fills, to be booked.
        lacks_fills: whether more has filled than the known trades tell: its trades must be asked for.
    """

    intent: Intent
    reports: tuple[Report, ...] = ()
    trades: tuple[Trade, ...] = ()
    lacks_fills: bool = False


def proof_begins(intent: Intent) -> datetime.datetime | None:
    """Return from when on (the exchange's time) answers count that know no such order; None for what never went out."""
    if intent.sent_at is None:
        return None
    return intent.sent_at + datetime.timedelta(milliseconds=intent.recv_window_ms) + PROOF_MARGIN


@exact
def hear(intent: Intent, news: News, market: Market) -> Heard:
    """Return what *news* means for *intent*, whose market is *market*."""
    match news:
        case Found():
            return _found(intent, news, market)
        case _ if intent.has_ended:
            return Heard(intent)
        case Missed():
            return _missed(intent, news)
        case Unanswered():
            return _unanswered(intent)
        case Declined():
            return _declined(intent, news)
        case _:
            assert_never(news)


def _unanswered(intent: Intent) -> Heard:
    if intent.state is not IntentState.SENDING:
        return Heard(intent)
    return Heard(intent.moved(IntentState.UNKNOWN), (Lost(intent.id),))


def _declined(intent: Intent, news: Declined) -> Heard:
    if intent.state is IntentState.OPEN:
        return Heard(intent)  # it exists, whatever that answer says
    is_unsent = news.refusal in {Refusal.NOT_PLACED, Refusal.NOT_TRIED}
    state = IntentState.NOT_PLACED if is_unsent else IntentState.REJECTED
    refused = Refused(intent.id, news.refusal, news.reason)
    return Heard(evolve(intent.moved(state), reason=news.reason), (refused,))


def _missed(intent: Intent, news: Missed) -> Heard:
    begins = proof_begins(intent)
    if begins is None or news.at <= begins or intent.state is IntentState.PLANNED:
        return Heard(intent)
    first = intent.missed_at
    if first is None or news.at < first:  # none so far, or by a clock that has been set back since
        return Heard(evolve(intent, misses=1, missed_at=news.at))
    missed = evolve(intent, misses=intent.misses + 1)
    if missed.misses < PROOF_MISSES or news.at - first < PROOF_SPREAD:
        return Heard(missed)
    if intent.state is IntentState.OPEN:
        gone = evolve(missed.moved(IntentState.CANCELED), reason="the exchange no longer knows the order")
        return Heard(gone, (Canceled(intent.id, intent.order.filled),))
    reason = "it never reached the exchange"
    absent = evolve(missed.moved(IntentState.NOT_PLACED), reason=reason)
    return Heard(absent, (Refused(intent.id, Refusal.NOT_PLACED, reason),))


def forget(intent: Intent) -> Intent:
    """Return the intent of an order that an emptied exchange has forgotten, so that it is not asked for any more."""
    if intent.has_ended:
        return intent
    return evolve(intent.moved(IntentState.CANCELED), reason="the testnet has been reset")


_ENDS: Final = {
    VenueStatus.FILLED: IntentState.FILLED,
    VenueStatus.CANCELED: IntentState.CANCELED,
    VenueStatus.EXPIRED: IntentState.EXPIRED,
    VenueStatus.REJECTED: IntentState.EXPIRED,  # taken in first, so it is no refusal to its deal
}


def _found(intent: Intent, news: Found, market: Market) -> Heard:
    venue = news.order
    trades = tuple(_new_trades(intent, (*venue.trades, *news.trades)))
    fills = tuple(Filled(intent.id, trade.fill(market)) for trade in trades)
    order = intent.order
    for filled in fills:
        order = order.with_fill(filled.fill)
    known = evolve(intent, venue_order_id=venue.venue_order_id, misses=0, missed_at=None, order=order)
    if order.filled < venue.executed:  # its end is told when the rest of its fills is known
        opened, accepted = _accepted(known)
        return Heard(opened, (*accepted, *fills), trades, lacks_fills=True)
    state = _ENDS.get(venue.status)
    if order.state is OrderState.FILLED:
        state = IntentState.FILLED
    if state is None or known.has_ended:
        if state is IntentState.FILLED and known.state in {IntentState.CANCELED, IntentState.EXPIRED}:
            known = known.moved(state)
        opened, accepted = _accepted(known)
        return Heard(opened, (*accepted, *fills), trades)
    if state is IntentState.FILLED:
        # The fills themselves tell the deal; one that says FILLED and has filled less than was ordered is an end too.
        if order.state is OrderState.FILLED:
            return Heard(known.moved(state), fills, trades)
        state = IntentState.EXPIRED
    executed = BaseQty(max(order.filled, venue.executed))
    end = Canceled(intent.id, executed) if state is IntentState.CANCELED else Expired(intent.id, executed)
    return Heard(known.moved(state), (*fills, end), trades)


def _accepted(intent: Intent) -> tuple[Intent, tuple[Report, ...]]:
    if intent.state not in {IntentState.SENDING, IntentState.UNKNOWN}:
        return intent, ()
    return intent.moved(IntentState.OPEN), (Accepted(intent.id),)


def _new_trades(intent: Intent, trades: Iterable[Trade]) -> Iterable[Trade]:
    seen = {fill.trade_id for fill in intent.order.fills}
    for trade in trades:
        if trade.trade_id not in seen:
            seen.add(trade.trade_id)
            yield trade
