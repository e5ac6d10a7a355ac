"""What happened, for people: the feed of activity with filters and pages, and notifications with what is unread."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

import attrs

from dcacore.application.analytics import Choice, bounds
from dcacore.application.refusals import NotFound
from dcacore.application.zones import day_of, zone_of
from dcacore.domain.ids import BotId, UserId
from dcacore.domain.notes import Kind
from dcacore.ports.clock import Clock
from dcacore.ports.readings import HIGHEST, LineFilter
from dcacore.ports.records import Activity, Environment, Notification
from dcacore.ports.store import Store, Work

PAGE: Final = 50
_MOST: Final = 500
KINDS: Final = (
    *sorted(kind.value for kind in Kind),
    "account_heard",
    "account_silent",
    "bot_silent",
    "ladder_warning",
    "live_confirmed",
    "price_silent",
)
"""What a line can be about."""


@attrs.frozen(kw_only=True)
class ActivityPage:
    """Lines of activity, newest first.

    Attributes:
        lines: these.
        names: the names of the user's bots.
        environments: where the user's accounts are.
        before: what to ask with for the lines behind these; None when these are the last.
    """

    lines: tuple[Activity, ...]
    names: dict[BotId, str]
    environments: tuple[Environment, ...] = ()
    before: int | None


@attrs.frozen(kw_only=True)
class NotificationPage:
    """Notifications, newest first.

    Attributes:
        notifications: these.
        names: the names of the user's bots.
        places: where each of them trades.
        unread: how many the user has not read, in all.
        before: what to ask with for those behind these; None when these are the last.
    """

    notifications: tuple[Notification, ...]
    names: dict[BotId, str]
    places: dict[BotId, Environment] = attrs.field(factory=dict)
    unread: int
    before: int | None


@attrs.frozen
class Day:
    """What happened on one day of a time zone.

    Attributes:
        day: which day.
        lines: what happened, newest first.
    """

    day: datetime.date
    lines: tuple[Activity, ...]


def by_day(lines: Iterable[Activity], zone: ZoneInfo) -> tuple[Day, ...]:
    """Return lines, newest first, by the days of a zone; a day on which nothing happened is left out."""
    return tuple(Day(day, tuple(it)) for day, it in itertools.groupby(lines, lambda line: day_of(line.at, zone)))


def on_days(
    wanted: LineFilter, first: datetime.date | None, last: datetime.date | None, zone: str = "UTC"
) -> LineFilter:
    """Return the filter narrowed to the days from *first* to *last*, by the clocks of *zone*; None is without limit.

    Raises:
        InvalidParameter: there is no such time zone, or the last day lies before the first or out of the calendar.
    """
    since, until = bounds(Choice(first=first, last=last), zone_of(zone))
    return attrs.evolve(wanted, since=since, until=until)


async def activity(
    store: Store, user_id: UserId, wanted: LineFilter | None = None, *, limit: int = PAGE, before: int | None = None
) -> ActivityPage:
    """Return a page of a user's activity.

    Raises:
        NotFound: the filter names a bot that is not this user's.
    """
    wanted, limit = wanted or LineFilter(), _bounded(limit)
    async with store.begin(reads_only=True) as work:
        names = await _names(work, user_id)
        if wanted.bot_id is not None and wanted.bot_id not in names:
            raise NotFound("bot", wanted.bot_id)
        lines = await work.feed.lines(user_id, wanted, limit=limit + 1, before=_in_reach(before))
        environments = {account.environment for account in await work.accounts.of(user_id)}
    return ActivityPage(
        lines=lines[:limit],
        names=names,
        environments=tuple(sorted(environments, key=lambda it: it.value)),
        before=lines[limit - 1].number if len(lines) > limit else None,
    )


async def newest(store: Store, user_id: UserId) -> int:
    """Return the number of the user's newest line; 0 before the first."""
    async with store.begin(reads_only=True) as work:
        return (await work.feed.pulse(user_id)).line


async def come_since(store: Store, user_id: UserId, wanted: LineFilter, after: int) -> tuple[int, int]:
    """Return how many lines that are wanted have come behind the number *after*, `PAGE` at most, and the newest of all.

    All is of one moment: what comes later has a higher number than the newest.
    """
    async with store.begin(reads_only=True) as work:
        found = await work.feed.lines(user_id, wanted, limit=PAGE)
        pulse = await work.feed.pulse(user_id)
    return sum(line.number > after for line in found), pulse.line


async def notifications(
    store: Store, user_id: UserId, *, limit: int = PAGE, before: int | None = None
) -> NotificationPage:
    """Return a page of a user's notifications."""
    limit = _bounded(limit)
    async with store.begin(reads_only=True) as work:
        records = await work.bots.of(user_id)
        accounts = {account.id: account.environment for account in await work.accounts.of(user_id)}
        found = await work.feed.notifications(user_id, limit=limit + 1, before=_in_reach(before))
        pulse = await work.feed.pulse(user_id)
    behind = found[limit - 1].number if len(found) > limit else None
    return NotificationPage(
        notifications=found[:limit],
        names={record.bot.id: record.name for record in records},
        places={record.bot.id: accounts[record.account_id] for record in records},
        unread=pulse.unread,
        before=behind,
    )


async def unread(store: Store, user_id: UserId) -> int:
    """Return how many notifications the user has not read."""
    async with store.begin(reads_only=True) as work:
        return (await work.feed.pulse(user_id)).unread


async def mark_read(store: Store, clock: Clock, user_id: UserId, *, number: int | None = None) -> int:
    """Note that the user has read all notifications, or that one; return how many are unread then.

    One that is another user's, or that there is not, changes nothing.
    """
    async with store.begin() as work:
        await work.feed.mark_read(user_id, clock.now(), number=_in_reach(number))
        left = (await work.feed.pulse(user_id)).unread
        await work.commit()
    return left


async def _names(work: Work, user_id: UserId) -> dict[BotId, str]:
    return {record.bot.id: record.name for record in await work.bots.of(user_id)}


def _in_reach(number: int | None) -> int | None:
    return None if number is None else max(0, min(number, HIGHEST))


def _bounded(limit: int) -> int:
    return max(1, min(limit, _MOST))
