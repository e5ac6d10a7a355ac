"""An intent: one order that a bot wants, from the decision to the last fill, as it is kept in the database.

It says how far the order has come on the wire, where an `Order` says what it is to its deal. A client order id goes on
the wire at most once, ever: only a `PLANNED` intent may become `SENDING`, and what is `SENDING` when an engine starts
is `UNKNOWN`, to be asked for.
"""

from __future__ import annotations

import datetime
from enum import Enum
from typing import Final

import attrs

from dcacore.domain.errors import IllegalTransition
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId
from dcacore.domain.orders import Order
from dcacore.domain.venue import VenueOrderId


class IntentState(Enum):
    """How far an order has come on the wire."""

    PLANNED = "planned"  # decided and stored; nothing has been sent
    SENDING = "sending"  # marked before the wire: from here on it may exist
    UNKNOWN = "unknown"  # sent, or may have been, and the answer is missing
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"  # a definite no
    NOT_PLACED = "not_placed"  # never sent, or surely never arrived


_S = IntentState
ENDED: Final = frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED, _S.NOT_PLACED})
"""The states of an order that cannot change any more."""

INTENT_TRANSITIONS: Final[dict[IntentState, frozenset[IntentState]]] = {
    _S.PLANNED: frozenset({_S.SENDING, _S.REJECTED, _S.NOT_PLACED}),  # refused before the wire: no balance for it
    _S.SENDING: frozenset({_S.OPEN, _S.UNKNOWN, _S.REJECTED, _S.NOT_PLACED, _S.FILLED, _S.CANCELED, _S.EXPIRED}),
    _S.UNKNOWN: frozenset({_S.OPEN, _S.NOT_PLACED, _S.REJECTED, _S.FILLED, _S.CANCELED, _S.EXPIRED}),
    _S.OPEN: frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED}),
    # A fill that happened before the cancel came through may be told after it, and makes the order whole.
    _S.CANCELED: frozenset({_S.FILLED}),
    _S.EXPIRED: frozenset({_S.FILLED}),
    _S.FILLED: frozenset(),
    _S.REJECTED: frozenset(),
    # Proven absent by every rule, and there all the same (the proof trusts a deadline): what exists wins.
    _S.NOT_PLACED: frozenset({_S.OPEN, _S.FILLED, _S.CANCELED, _S.EXPIRED}),
}


@attrs.frozen(kw_only=True, slots=False)  # see `evolving`
class Intent:
    """One order on its way.

    Attributes:
        order: what was asked for, and what has filled.
        bot_id: whose it is.
        deal_id: the deal it belongs to.
        account_id: the account it trades on.
        pair: the market.
        state: how far it has come.
        planned_at: when it was decided.
        sent_at: the exchange's time that the request bears; None before SENDING.
        recv_window_ms: how long after `sent_at` the exchange may still take it.
        venue_order_id: the exchange's id; None until it is known.
        misses: how often in a row the exchange has said, late enough to count, that there is no such order.
        missed_at: when the first of those answers came.
        reason: why it was refused, or not placed.
    """

    order: Order
    bot_id: BotId
    deal_id: DealId
    account_id: AccountId
    pair: str
    state: IntentState = IntentState.PLANNED
    planned_at: datetime.datetime
    sent_at: datetime.datetime | None = None
    recv_window_ms: int = 0
    venue_order_id: VenueOrderId | None = None
    misses: int = 0
    missed_at: datetime.datetime | None = None
    reason: str = ""

    @property
    def id(self) -> OrderId:
        """The client order id."""
        return self.order.id

    @property
    def has_ended(self) -> bool:
        """Whether nothing can come of it any more."""
        return self.state in ENDED

    def moved(self, state: IntentState) -> Intent:
        """Return the intent in *state*.

        Raises:
            IllegalTransition: the table does not list it.
        """
        if state is self.state:
            return self
        if state not in INTENT_TRANSITIONS[self.state]:
            raise IllegalTransition(f"intent {self.id} is {self.state.value}", state.value)
        return evolve(self, state=state)
