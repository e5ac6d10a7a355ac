"""Which files of the archive cover a range of time, and what of it stays uncovered."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from dcacore.domain.errors import InvalidParameter
from dcacore.ports.candle_archive import Piece
from dcacore.ports.candle_store import known_pair
from dcacore.ports.intervals import DAY_MS, interval_ms
from dcacore.ports.times import utc_text

Range = tuple[int, int]
"""Unix milliseconds: from the first, up to but not including the second."""

_EPOCH: Final = datetime.date(1970, 1, 1)
_UNPUBLISHED_MS: Final = 35 * DAY_MS
"""So long after its end a month may not be in the archive yet: it is due on the first Monday, and can be late."""


@attrs.frozen(kw_only=True)
class Wanted:
    """Which candles are to be downloaded.

    Attributes:
        pair: the trading pair, such as BTCUSDT.
        interval: the interval's name, such as 1m.
        from_ms: candles that open at this time or later, Unix milliseconds; there are none before 1970.
        to_ms: and before this one; what lies in the future is not waited for.
    """

    pair: str
    interval: str
    from_ms: int
    to_ms: int

    def until(self, now_ms: int) -> Wanted:
        """Return what of it can be had at *now_ms*.

        Raises:
            InvalidParameter: the pair or interval is none, the range is empty, or it begins in the future.
        """
        known_pair(self.pair)
        interval_ms(self.interval)
        if self.from_ms >= self.to_ms:
            raise InvalidParameter("from", utc_text(self.from_ms), f"must lie before the end, {utc_text(self.to_ms)}")
        if self.from_ms >= now_ms:
            raise InvalidParameter("from", utc_text(self.from_ms), "lies in the future: there are no candles yet")
        return attrs.evolve(self, from_ms=max(self.from_ms, 0), to_ms=min(self.to_ms, now_ms))


def pieces(wanted: Wanted) -> Iterator[tuple[Piece, ...]]:
    """Yield for each month of *wanted* the files to look for, oldest first.

    A month that is wanted whole is one file; of any other there is one file a day that is wanted whole. For intervals
    of more than a day the archive has no daily files (binance-public-data, `DAILY_INTERVALS`).
    """
    month = _day(wanted.from_ms).replace(day=1)
    while _ms(month) < wanted.to_ms:
        after = _month_after(month)
        if wanted.from_ms <= _ms(month) and _ms(after) <= wanted.to_ms:
            yield (_piece(wanted, f"{month:%Y-%m}", month, after),)
        elif days := _days(wanted, max(wanted.from_ms, _ms(month)), min(wanted.to_ms, _ms(after))):
            yield days
        month = after


def days_instead(wanted: Wanted, missing: Piece, now_ms: int) -> tuple[Piece, ...]:
    """Return the daily files to look for when the archive does not have *missing*.

    There are none for a day, nor for a month that ended long ago: the archive would have it.
    """
    is_unpublished = missing.is_month and now_ms - missing.ends < _UNPUBLISHED_MS
    return _days(wanted, missing.begins, missing.ends) if is_unpublished else ()


def uncovered(wanted: Range, covered: Iterable[Range]) -> Iterator[Range]:
    """Yield the parts of *wanted* that lie in none of *covered*, oldest first."""
    at, end = wanted
    for begins, ends in sorted(covered):
        if at < begins:
            yield at, min(begins, end)
        at = max(at, ends)
        if at >= end:
            return
    yield at, end


def _days(wanted: Wanted, from_ms: int, to_ms: int) -> tuple[Piece, ...]:
    if interval_ms(wanted.interval) > DAY_MS:
        return ()
    first, last = -(-from_ms // DAY_MS), to_ms // DAY_MS
    days = (_EPOCH + datetime.timedelta(days=number) for number in range(first, last))
    return tuple(_piece(wanted, f"{day:%Y-%m-%d}", day, day + datetime.timedelta(days=1)) for day in days)


def _piece(wanted: Wanted, period: str, begins: datetime.date, ends: datetime.date) -> Piece:
    return Piece(pair=wanted.pair, interval=wanted.interval, period=period, begins=_ms(begins), ends=_ms(ends))


def _day(time_ms: int) -> datetime.date:
    return _EPOCH + datetime.timedelta(days=time_ms // DAY_MS)


def _ms(day: datetime.date) -> int:
    return (day - _EPOCH).days * DAY_MS


def _month_after(month: datetime.date) -> datetime.date:
    return (month + datetime.timedelta(days=31)).replace(day=1)
