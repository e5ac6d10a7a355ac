"""Ranges of time as people name them: the last days, or days of the calendar by their own clocks."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from dcacore.application.zones import beginning_of
from dcacore.domain.errors import InvalidParameter

Moments = tuple[datetime.datetime, datetime.datetime]

LAST_DAYS: Final[Mapping[str, int]] = MappingProxyType({"7": 7, "30": 30, "90": 90, "365": 365})
"""By name of a range how many days before now it begins."""
OWN: Final = "own"
_DAY: Final = datetime.timedelta(days=1)


def range_of(name: str, first: str, last: str, zone: ZoneInfo, now: datetime.datetime) -> Moments:
    """Return from when to when *name* goes: the last days up to *now*, or from *first* to the end of *last*.

    Raises:
        InvalidParameter: there is no such range, a day is none, the last is before the first, or none has come yet.
    """
    if name in LAST_DAYS:
        return now - LAST_DAYS[name] * _DAY, now
    if name != OWN:
        raise InvalidParameter("range", None, "must be one of those in the list")
    begins, ends = _day("from", first), _day("to", last)
    if ends < begins:
        raise InvalidParameter("to", last, "must not lie before the first day")
    begin, end = beginning_of(begins, zone), beginning_of(ends + _DAY, zone)
    if begin >= now:
        raise InvalidParameter("from", first, "lies in the future: there are no candles yet")
    return begin, min(end, now)


def _day(field: str, text: str) -> datetime.date:
    try:
        day = datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidParameter(field, None, "must be a day such as 2026-04-30") from None
    if not 1970 < day.year < 9999:  # noqa: PLR2004  # the years that candles may have
        raise InvalidParameter(field, None, "must be a day such as 2026-04-30")
    return day
