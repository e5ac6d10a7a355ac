"""Days by the clocks of a user's time zone."""

from __future__ import annotations

import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dcacore.domain.errors import InvalidParameter
from dcacore.ports.readings import Offset

NO_PLACES: Final = frozenset({"localtime", "posixrules", "Factory"})
"""What some machines keep among the time zones: what they mean hangs on the machine."""
_STEP = datetime.timedelta(hours=6)
_LEAST = datetime.timedelta(seconds=1)


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of that name, such as Europe/Berlin.

    Raises:
        InvalidParameter: there is none.
    """
    try:
        found = None if name in NO_PLACES else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found = None
    if found is None:
        shown = name if name.isprintable() else None
        raise InvalidParameter("time zone", shown, "must be one of the tz database, such as Europe/Berlin")
    return found


def day_of(at: datetime.datetime, zone: ZoneInfo) -> datetime.date:
    """Return which day it is there."""
    return at.astimezone(zone).date()


def beginning_of(day: datetime.date, zone: ZoneInfo) -> datetime.datetime:
    """Return the moment at which the day begins there, in UTC."""
    return datetime.datetime.combine(day, datetime.time(), zone).astimezone(datetime.UTC)


def offsets(zone: ZoneInfo, first: datetime.date, last: datetime.date) -> tuple[Offset, ...]:
    """Return how far the zone's clocks are ahead of UTC from before *first* until after *last*, change by change."""
    day = datetime.timedelta(days=1)
    at, end = beginning_of(first, zone) - day, beginning_of(last, zone) + 2 * day
    found = [Offset(at, _ahead(at, zone))]
    while at < end:
        following = at + _STEP
        if _ahead(following, zone) != found[-1].ahead:
            change = _change(at, following, zone)
            found.append(Offset(change, _ahead(change, zone)))
        at = following
    return tuple(found)


def _ahead(at: datetime.datetime, zone: ZoneInfo) -> datetime.timedelta:
    return at.astimezone(zone).utcoffset() or datetime.timedelta()


def _change(before: datetime.datetime, after: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    """Return the first second in between at which the clocks show something else than *before*."""
    old = _ahead(before, zone)
    while after - before > _LEAST:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle <= before:
            break
        if _ahead(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after
