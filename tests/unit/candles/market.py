"""A small market to write candle files of: fifty one-minute candles that differ in every column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dcacore.ports.candles import Candles

MINUTE: Final = 60_000
START: Final = 1_617_321_600_000  # 2021-04-02 00:00

Row = tuple[int, float, float, float, float, float]


def rows(count: int = 50, step: int = MINUTE, start: int = START) -> list[Row]:
    """Return *count* candles as (open time in ms, open, high, low, close, volume)."""
    made = []
    for place in range(count):
        first = round(100 + 0.37 * ((place * 7) % 11), 2)
        last = round(100 + 0.41 * ((place * 5) % 13), 2)
        high, low = round(max(first, last) + 0.15, 2), round(min(first, last) - 0.25, 2)
        made.append((start + place * step, first, high, low, last, round(1.5 + place / 8, 3)))
    return made


def candles(made: Sequence[Row], interval_ms: int = MINUTE) -> Candles:
    """Return *made* as candles."""
    columns: list[NDArray[np.float64]] = [np.array([row[place] for row in made]) for place in range(1, 6)]
    first, high, low, last, volume = columns
    time = np.array([row[0] for row in made], dtype=np.int64)
    return Candles(
        interval_ms=interval_ms,
        open_time=time,
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume,
        source="made",
    )


def lines(made: Sequence[Row], form: Callable[[Row], str], header: str = "") -> bytes:
    """Return *made* as text, one line each by *form*, below *header*."""
    return "".join(f"{line}\n" for line in ([header] if header else []) + [form(row) for row in made]).encode()


def plain(row: Row) -> str:
    """Return *row* as comma separated values, its time in milliseconds."""
    return ",".join(map(repr, row))


def iso(time_ms: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return *time_ms* in UTC by the strftime pattern *form*."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime(form)


def same(one: Candles, other: Candles) -> bool:
    """Return whether two sets of candles are equal to the last bit."""
    names = ("open_time", "open", "high", "low", "close", "volume")
    equal = all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names)
    return equal and one.interval_ms == other.interval_ms
