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
