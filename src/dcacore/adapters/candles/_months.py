"""Candles by calendar month (UTC), the pieces in which they are stored."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np

from dcacore.adapters.candles._rows import COLUMNS
from dcacore.ports.candles import Candles, Times


def month_of(time_ms: int) -> str:
    """Return the month of *time_ms* as `YYYY-MM`."""
    return str(np.datetime64(time_ms, "ms").astype("datetime64[M]"))


def month_range(month: str) -> tuple[int, int]:
    """Return when *month* begins and when the next one does, in Unix milliseconds."""
    start = np.datetime64(month, "M")
    begins, ends = (int(edge.astype("datetime64[ms]").astype(np.int64)) for edge in (start, start + 1))
    return begins, ends


def by_month(candles: Candles) -> Iterator[tuple[str, Candles]]:
    """Yield each month that has candles, oldest first, and its candles."""
    months = candles.open_time.astype("datetime64[ms]").astype("datetime64[M]")
    starts = np.flatnonzero(np.concatenate([[True], months[1:] != months[:-1]]))
    for start, stop in zip(starts, [*starts[1:], len(candles)], strict=True):
        columns = {name: getattr(candles, name)[start:stop] for name in COLUMNS}
        times: Times = candles.open_time[start:stop]
        yield str(months[start]), attrs.evolve(candles, open_time=times, **columns)
