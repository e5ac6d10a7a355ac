"""Candles as every part of the library hands them around: one array a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from dcacore.ports.candle_rules import COLUMNS, Column, possible, what_is_wrong
from dcacore.ports.errors import BadCandles, BadFile

Times = npt.NDArray[np.int64]

_LAST_MS: Final = 253_402_300_799_999


@attrs.frozen(kw_only=True, eq=False)
class Candles:
    """Candles of one pair and one interval, oldest first.

    All arrays are of one length. Rows are strictly increasing in time and lie on the interval's grid; a missing
    row means that the exchange has no candle there, and is never filled.

    Attributes:
        interval_ms: length of one candle in milliseconds.
        open_time: start of each candle in Unix milliseconds, UTC.
        open: first price, quote per base; a double that prints back to the exchange's decimals.
        high: highest price.
        low: lowest price.
        close: last price.
        volume: traded base asset.
        source: what the candles were read from, for messages.

    Raises:
        BadCandles: a row that no market can have made, or that does not come after the one before it.
        BadFile: the columns are not of one length, or not of numbers; the interval is not above 0.
    """

    interval_ms: int
    open_time: Times
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column
    source: str = "candles"

    def __attrs_post_init__(self) -> None:
        if self.interval_ms <= 0:
            raise BadFile(self.source, f"the interval is {self.interval_ms} ms, it must be above 0")
        kinds = {"open_time": np.int64, **dict.fromkeys(COLUMNS, np.float64)}
        for name, kind in kinds.items():
            column = getattr(self, name)
            if not isinstance(column, np.ndarray) or column.dtype != kind or column.shape != self.open_time.shape:
                raise BadFile(self.source, f"{name} must be an array of {np.dtype(kind)}, as long as open_time")
        fits = possible(self)
        if not fits.all():
            place = int(np.argmin(fits))
            raise BadCandles(self.source, place + 1, what_is_wrong(self, place))
        steps = np.diff(self.open_time)
        if len(steps) and not steps.min() > 0:
            raise BadCandles(self.source, int(np.argmax(steps <= 0)) + 2, "is not later than the row before it")
        if len(self) and not 0 <= int(self.open_time[0]) <= int(self.open_time[-1]) <= _LAST_MS:
            raise BadFile(self.source, "its times are not Unix milliseconds of the years 1970 to 9999")

    def __len__(self) -> int:
        return len(self.open_time)


@attrs.frozen(kw_only=True)
class Gap:
    """Candles that the exchange does not have: a halt, or minutes without a trade.

    Attributes:
        after: open time of the last candle before the gap, Unix milliseconds.
        missing: how many candles are not there.
        resumes: open time of the first candle after the gap, Unix milliseconds.
    """

    after: int
    missing: int
    resumes: int


def gaps(candles: Candles) -> tuple[Gap, ...]:
    """Return the gaps inside *candles*, oldest first; nothing before the first candle or after the last counts."""
    steps = np.diff(candles.open_time)
    before = np.flatnonzero(steps != candles.interval_ms)
    missing = steps[before] // candles.interval_ms - 1
    return tuple(
        Gap(after=after, missing=count, resumes=resumes)
        for after, count, resumes in zip(
            candles.open_time[before].tolist(),
            missing.tolist(),
            candles.open_time[before + 1].tolist(),
            strict=True,
        )
    )


def joined(parts: Sequence[Candles]) -> Candles:
    """Return *parts*, at least one, of one interval and each later than the one before, as one.

    Raises:
        BadCandles: they are in another order, or overlap.
    """
    if len(parts) == 1:
        return parts[0]
    columns: dict[str, Column] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return Candles(
        interval_ms=parts[0].interval_ms,
        open_time=np.concatenate([part.open_time for part in parts]),
        source=f"{parts[0].source} and {len(parts) - 1} more",
        **columns,
    )
