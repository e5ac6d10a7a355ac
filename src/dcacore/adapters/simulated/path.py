"""How a candle is walked through: the path of prices that stands for it."""

from __future__ import annotations

from enum import Enum


class Path(Enum):
    """In which order a candle's extremes are met."""

    NEAREST = "nearest"  # the one nearer to the open first; the high when both are as near
    HIGH_FIRST = "high_first"
    LOW_FIRST = "low_first"


def turning_points(path: Path, opened: int, high: int, low: int, close: int) -> tuple[int, int, int]:
    """Return where the three legs of a candle end that begins at *opened*; all prices in ticks.

    From one candle's close to the next one's open the price jumps; along each leg it moves continuously.
    """
    is_high_first = high - opened <= opened - low if path is Path.NEAREST else path is Path.HIGH_FIRST
    return (high, low, close) if is_high_first else (low, high, close)
