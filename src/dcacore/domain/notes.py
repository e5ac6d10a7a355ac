"""A note: one line of what happened to a bot, for its user."""

from __future__ import annotations

from enum import Enum
from typing import Final

import attrs

from dcacore.domain.ids import DealId, OrderId


class Level(Enum):
    """How much a line wants to be seen."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Kind(Enum):
    """What a note is about."""

    DEAL_OPENED = "deal_opened"
    DEAL_NOT_OPENED = "deal_not_opened"
    BASE_ORDER_FILLED = "base_order_filled"
    SAFETY_ORDER_FILLED = "safety_order_filled"
    EXTRA_BUY_PLACED = "extra_buy_placed"
    EXTRA_BUY = "extra_buy"
    SOLD = "sold"
    PARTIAL_FILL = "partial_fill"
    TARGET_MOVED = "target_moved"
    STOP_MOVED = "stop_moved"
    TAKE_PROFIT_PLACED = "take_profit_placed"
    TRAIL_ARMED = "trail_armed"
    TRAIL_HIT = "trail_hit"
    STOP_LOSS_HIT = "stop_loss_hit"
    DEAL_CLOSING = "deal_closing"
    DEAL_GOES_ON = "deal_goes_on"
    DEAL_CLOSED = "deal_closed"
    DEAL_CANCELLED = "deal_cancelled"
    COINS_MISSING = "coins_missing"
    DEAL_EDITED = "deal_edited"
    BOT_EDITED = "bot_edited"
    RULES_CHANGED = "rules_changed"
    WAITING_FOR_BALANCE = "waiting_for_balance"
    ATTENTION = "attention"
    ERROR = "error"
    RESUMED = "resumed"
    STARTED = "started"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"  # it stopped by itself
    ORDER_REFUSED = "order_refused"
    ORDER_HELD = "order_held"
    ORDER_LOST = "order_lost"
    ORDER_ENDED = "order_ended"
    ORDER_ADOPTED = "order_adopted"


NOTIFY: Final = frozenset(
    kind.value
    for kind in (
        Kind.DEAL_OPENED,
        Kind.SAFETY_ORDER_FILLED,
        Kind.DEAL_CLOSED,
        Kind.STOP_LOSS_HIT,
        Kind.WAITING_FOR_BALANCE,
        Kind.ATTENTION,
        Kind.ERROR,
        Kind.FINISHED,
    )
)
"""The kinds that a user is told of wherever he is, as far as he wishes."""

_LEVELS: Final = {
    Kind.STOP_LOSS_HIT: Level.WARNING,
    Kind.WAITING_FOR_BALANCE: Level.WARNING,
    Kind.COINS_MISSING: Level.WARNING,
    Kind.ATTENTION: Level.WARNING,
    Kind.ERROR: Level.ERROR,
    Kind.ORDER_REFUSED: Level.WARNING,
    Kind.ORDER_HELD: Level.WARNING,
    Kind.ORDER_LOST: Level.WARNING,
    Kind.ORDER_ENDED: Level.WARNING,
    Kind.ORDER_ADOPTED: Level.WARNING,
}


@attrs.frozen
class Note:
    """One thing that happened.

    Attributes:
        kind: what it is about, the value of a `Kind`.
        text: a sentence without its full stop.
        level: how much it wants to be seen.
        order_id: the order it is about.
        deal_id: the deal it is about.
    """

    kind: str
    text: str
    level: Level
    order_id: OrderId | None = None
    deal_id: DealId | None = None


def note(kind: Kind, text: str, *, deal_id: DealId | None = None, order_id: OrderId | None = None) -> Note:
    """Return the note at the level of its kind."""
    return Note(kind.value, text, _LEVELS.get(kind, Level.INFO), order_id, deal_id)
