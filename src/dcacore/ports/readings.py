"""What pages ask a database for, and what it answers: pages of deals, sums by day, filters of the feed."""

from __future__ import annotations

import datetime
from enum import Enum
from typing import Final

import attrs

from dcacore.domain.ids import BotId
from dcacore.domain.money import QuoteAmount
from dcacore.domain.story import Level
from dcacore.ports.records import DealRecord, Environment

HIGHEST: Final = 2**63 - 1
"""No row has a higher number, and no database can be asked for one."""


class DealState(Enum):
    """How a deal stands."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@attrs.frozen(kw_only=True)
class DealQuery:
    """Which deals are wanted, the newest first: open ones, then by the time they closed.

    Attributes:
        bot_ids: of which bots.
        states: how they stand; nothing is any.
        since: only those that closed at that time or later; None is without limit. It leaves open ones in.
        until: only those that closed before, and no open ones; None is without limit.
        limit: how many at most.
        skip: leave out so many first; for pages.
    """

    bot_ids: tuple[BotId, ...]
    states: frozenset[DealState] = frozenset(DealState)
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    limit: int = 25
    skip: int = 0


@attrs.frozen(kw_only=True)
class DealPage:
    """Some of the deals that fit.

    Attributes:
        deals: these.
        total: how many fit in all.
    """

    deals: tuple[DealRecord, ...]
    total: int


@attrs.frozen
class Offset:
    """How far a time zone's clocks are ahead of UTC from a moment on.

    Attributes:
        since: from when on; the first one of several counts before, too.
        ahead: how far; less than a day either way.
    """

    since: datetime.datetime
    ahead: datetime.timedelta


@attrs.frozen(kw_only=True)
class DayProfit:
    """What a bot's deals brought that closed on one day of a time zone.

    Attributes:
        bot_id: which bot.
        day: which day, by the zone's clocks.
        deals: how many closed, cancelled ones not counted.
        won: how many of them made a profit.
        profit: what they brought, in the bot's quote asset.
    """

    bot_id: BotId
    day: datetime.date
    deals: int
    won: int
    profit: QuoteAmount


@attrs.frozen(kw_only=True)
class LineFilter:
    """Which lines of activity are wanted; what is None or empty does not matter.

    Attributes:
        bot_id: of which bot.
        levels: how loud.
        kinds: of which kinds.
        environment: where it happened; lines that belong nowhere are left out then.
        since: at that time or later.
        until: before that time.
    """

    bot_id: BotId | None = None
    levels: frozenset[Level] = frozenset()
    kinds: frozenset[str] = frozenset()
    environment: Environment | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None


@attrs.frozen(kw_only=True)
class Pulse:
    """By what can be seen, cheaply, that there is something new for a user.

    Attributes:
        line: the number of the newest line of activity; 0 before the first.
        notification: the number of the newest notification; likewise.
        unread: how many notifications have not been read.
    """

    line: int
    notification: int
    unread: int
