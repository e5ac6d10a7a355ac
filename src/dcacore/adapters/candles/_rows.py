"""Candle rows as they stand in a file, and the rules that every row must keep."""

from __future__ import annotations

from typing import Final, Self

import attrs
import numpy as np
import numpy.typing as npt

from dcacore.ports.candle_rules import Column, possible, what_is_wrong
from dcacore.ports.candles import Candles, Times
from dcacore.ports.errors import BadCandles, BadFile
from dcacore.ports.times import utc_text

COLUMNS: Final = ("open", "high", "low", "close", "volume")


@attrs.frozen(kw_only=True, eq=False)
class Rows:
    """Rows of one file.

    Attributes:
        file: the file's name, for messages.
        number: the number of each row in the file, the first candle being 1.
        time: open time of each row in Unix milliseconds.
        open: first price; likewise `high`, `low`, `close` and the `volume`.
    """

    file: str
    number: Times
    time: Times
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    def __len__(self) -> int:
        return len(self.time)

    def take(self, which: slice | npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Self:
        """Return only the rows *which*, in that order."""
        return attrs.evolve(
            self,
            number=self.number[which],
            time=self.time[which],
            **{name: getattr(self, name)[which] for name in COLUMNS},
        )

    def refuse(self, place: int, reason: str) -> BadCandles:
        """Return the error that says that the row at *place* is wrong."""
        return BadCandles(self.file, int(self.number[place]), reason)

    def candles(self, interval_ms: int, source: str) -> Candles:
        """Return the rows as candles."""
        return Candles(
            interval_ms=interval_ms,
            open_time=self.time,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            source=source,
        )


def rows_of(candles: Candles) -> Rows:
    """Return *candles* as rows, numbered from 1."""
    return Rows(
        file=candles.source,
        number=np.arange(1, len(candles) + 1, dtype=np.int64),
        time=candles.open_time,
        **{name: getattr(candles, name) for name in COLUMNS},
    )


def refuse_impossible(rows: Rows) -> None:
    """Refuse rows that no market can have made.

    Raises:
        BadCandles: the first such row, with the rule that it breaks.
        BadFile: there are no rows.
    """
    if not len(rows):
        raise BadFile(rows.file, "holds no candles")
    fits = possible(rows)
    if fits.all():
        return
    place = int(np.argmin(fits))
    wrong = len(fits) - int(np.count_nonzero(fits))
    hint = ""
    if wrong > max(1, len(fits) // 2):
        hint = f"; so it is with {wrong} of {len(fits)} rows, the columns may stand in another order"
    raise rows.refuse(place, what_is_wrong(rows, place) + hint)


def refuse_future(rows: Rows, now_ms: int) -> None:
    """Refuse rows that open after *now_ms*, Unix milliseconds.

    Raises:
        BadCandles: the first such row in the file.
    """
    late = rows.time > now_ms
    if late.any():
        place = int(np.flatnonzero(late)[np.argmin(rows.number[late])])
        raise rows.refuse(place, f"{utc_text(int(rows.time[place]))} lies in the future")


def in_order(rows: Rows) -> Rows:
    """Return *rows* oldest first: turned round if the file has the newest first, and each time once.

    A row that repeats the one before it, with the same values, is left out.

    Raises:
        BadCandles: the rows are in no order, or one time has two different candles.
    """
    steps = np.diff(rows.time)
    if np.count_nonzero(steps < 0) > np.count_nonzero(steps > 0):
        rows = rows.take(slice(None, None, -1))
        steps = np.diff(rows.time)
    if (steps > 0).all():
        return rows
    back = np.flatnonzero(steps < 0)
    if len(back):
        raise _out_of_order(rows, int(back[0]) + 1)
    return once(rows, np.flatnonzero(steps == 0) + 1)


def once(rows: Rows, repeats: npt.NDArray[np.intp]) -> Rows:
    """Return *rows* without those at *repeats*, each of which has the time of the row before it.

    Raises:
        BadCandles: one of them has other values than the row before it.
    """
    same = np.ones(len(repeats), dtype=np.bool_)
    for name in COLUMNS:
        column: Column = getattr(rows, name)
        same &= column[repeats] == column[repeats - 1]
    if not same.all():
        place = int(repeats[np.argmin(same)])
        one, other = sorted((int(rows.number[place - 1]), int(rows.number[place])))
        raise BadCandles(
            rows.file,
            other,
            f"{utc_text(int(rows.time[place]))} is also the time of row {one}, with other values",
        )
    keep = np.ones(len(rows), dtype=np.bool_)
    keep[repeats] = False
    return rows.take(keep)


def _out_of_order(rows: Rows, place: int) -> BadCandles:
    # The row before is the odd one out when the file is in order without it, but not without this one.
    time = rows.time
    in_order_without_this = place + 1 >= len(rows) or time[place + 1] > time[place - 1]
    in_order_without_last = place < 2 or time[place] > time[place - 2]  # noqa: PLR2004
    odd = place - 1 if in_order_without_last and not in_order_without_this else place
    other = place if odd != place else place - 1
    return rows.refuse(
        odd,
        f"{utc_text(int(time[odd]))} is out of order next to {utc_text(int(time[other]))} of row {rows.number[other]}",
    )
