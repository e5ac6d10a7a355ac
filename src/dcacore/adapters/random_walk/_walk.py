"""One-minute candles whose price wanders by chance between two walls."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

import numpy as np

from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Market
from dcacore.ports.candles import Candles

YEAR: Final = 525_600
"""How many minutes a year of 365 days has."""

_MINUTE_MS: Final = 60_000
_START_MS: Final = 1_672_531_200_000  # 2023-01-01
_START_TICKS: Final = 3_000_000  # 30,000.00 for a tick of a cent
_STEPS: Final = 4  # a minute; enough for highs and lows of their own
_MINUTE_VOLATILITY: Final = 0.00125
_WALL: Final = math.log(1.2)


def random_walk(
    market: Market, rng: np.random.Generator, *, count: int = YEAR, start_ticks: int = _START_TICKS
) -> Candles:
    """Return *count* one-minute candles without gaps from 2023 on, on the tick grid of *market*.

    The logarithm of the price takes independent normal steps, and is reflected where the price is 1.2 times its
    start or a 1.2th of it, so that a bot sees rises and falls the whole year. The same generator gives the same
    candles. They start at *start_ticks*, by default 3,000,000: 30,000 for BTCUSDT.

    Raises:
        InvalidParameter: *count* or *start_ticks* is below 1.
    """
    if start_ticks < 1:
        raise InvalidParameter("start_ticks", start_ticks, "must be 1 or more")
    if count < 1:
        raise InvalidParameter("count", count, "must be 1 or more")
    steps = rng.normal(0, _MINUTE_VOLATILITY / math.sqrt(_STEPS), count * _STEPS)
    points = np.rint(start_ticks * np.exp(_reflected(np.cumsum(steps)))).reshape(count, _STEPS)
    points = np.maximum(points, 1)  # a price of few ticks may not round to none
    close = points[:, -1]
    opened = np.concatenate(([start_ticks], close[:-1]))
    return Candles(
        interval_ms=_MINUTE_MS,
        open_time=_START_MS + _MINUTE_MS * np.arange(count, dtype=np.int64),
        open=_prices(opened, market.tick_size),
        high=_prices(np.maximum(opened, points.max(axis=1)), market.tick_size),
        low=_prices(np.minimum(opened, points.min(axis=1)), market.tick_size),
        close=_prices(close, market.tick_size),
        volume=np.round(rng.exponential(10, count), 5),
        source="random walk",
    )


def _reflected(walk: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Fold what passes a wall back, as a ball between two of them would run."""
    return _WALL - np.abs((walk + _WALL) % (4 * _WALL) - 2 * _WALL)


def _prices(
    ticks: np.ndarray[tuple[int], np.dtype[np.float64]], tick_size: Decimal
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the doubles nearest to these multiples of the tick size, so that each prints as the decimal it means."""
    numerator, denominator = tick_size.as_integer_ratio()
    return ticks * numerator / denominator
