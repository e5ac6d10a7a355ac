"""What happened, for people: the feed of activity with filters and pages, and notifications with what is unread."""

from __future__ import annotations

import attrs

from dcacore.application.refusals import NotFound
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.clock import Clock
from dcacore.ports.readings import HIGHEST, LineFilter
from dcacore.ports.records import Activity, Notification
from dcacore.ports.store import Store, Work

PAGE = 50
_MOST = 500


@attrs.frozen(kw_only=True)
class ActivityPage:
    """Lines of activity, newest first.

    Attributes:
        lines: these.
        names: the names of the bots that they speak of.
        before: what to ask with for the lines behind these; None when these are the last.
    """

    lines: tuple[Activity, ...]
    names: dict[BotId, str]
    before: int | None


@attrs.frozen(kw_only=True)
class NotificationPage:
    """Notifications, newest first.

    Attributes:
        notifications: these.
        names: the names of the bots that they speak of.
        unread: how many the user has not read, in all.
        before: what to ask with for those behind these; None when these are the last.
    """

    notifications: tuple[Notification, ...]
    names: dict[BotId, str]
    unread: int
    before: int | None


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
    return ActivityPage(
        lines=lines[:limit], names=names, before=lines[limit - 1].number if len(lines) > limit else None
    )


async def notifications(
    store: Store, user_id: UserId, *, limit: int = PAGE, before: int | None = None
) -> NotificationPage:
    """Return a page of a user's notifications."""
    limit = _bounded(limit)
    async with store.begin(reads_only=True) as work:
        names = await _names(work, user_id)
        found = await work.feed.notifications(user_id, limit=limit + 1, before=_in_reach(before))
        pulse = await work.feed.pulse(user_id)
    behind = found[limit - 1].number if len(found) > limit else None
    return NotificationPage(notifications=found[:limit], names=names, unread=pulse.unread, before=behind)


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
