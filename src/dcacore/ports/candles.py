"""Candles as every part of the library hands them around: one array a column."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Column = npt.NDArray[np.float64]


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
    """

    interval_ms: int
    open_time: Times
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column
    source: str = "candles"

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
