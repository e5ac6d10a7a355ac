"""Curves for charts, candle by candle, and how to thin them. Floats: the statistics are the exact figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from dcacore.backtest.player import Mark
from dcacore.domain.market import FeeAsset, Fees
from dcacore.domain.money import QuoteAmount
from dcacore.ports.candle_rules import Column
from dcacore.ports.candles import Candles, Times
from dcacore.ports.intervals import DAY_MS, INTERVALS

Indices = npt.NDArray[np.int64]

_FEWEST_POINTS: Final = 4
_MONDAY: Final = 4 * DAY_MS
_WEEK: Final = 7 * DAY_MS
_TOO_ROUND: Final = 6  # rather an odd length than a sixth of the detail
_ROUND: Final = (
    *(seconds * 1_000 for seconds in (5, 15, 30)),
    *(length for length in INTERVALS.values() if length < DAY_MS),
    *(days * DAY_MS for days in (1, 2, 7, 14, 28, 56, 112, 364)),
)


@attrs.frozen(kw_only=True, eq=False)
class Candlesticks:
    """What is drawn of candles: a candlestick for each stretch of *length_ms* with any, oldest first.

    Attributes:
        length_ms: how long a stretch is.
        start: when the first candle of each opens, in Unix milliseconds.
        end: when its last candle ends.
        open: the open of its first candle.
        high: its highest high.
        low: its lowest low.
        close: the close of its last candle.
    """

    length_ms: int
    start: Times
    end: Times
    open: Column
    high: Column
    low: Column
    close: Column

    @classmethod
    def of(cls, candles: Candles, most: int) -> Candlesticks:
        """Return the candlesticks of *candles*, as long as it takes for no more than *most* (2 or more) to fit in.

        That is one candle, or a round time that begins where clocks and calendars have it in UTC, weeks on Mondays;
        where no round time does, so many candles.
        """
        times, interval = candles.open_time, candles.interval_ms
        least = -(-(int(times[-1] - times[0]) + interval) // (most * interval)) * interval
        for length in (each for each in (interval, *_ROUND) if least <= each < _TOO_ROUND * least):
            stretches = (times - (_MONDAY if length >= _WEEK else 0)) // length
            if not length % interval and stretches[-1] - stretches[0] < most:
                return cls._cut(candles, stretches, length)
        return cls._cut(candles, (times - times[0]) // least, least)

    @classmethod
    def _cut(cls, candles: Candles, stretches: Times, length_ms: int) -> Candlesticks:
        edges = np.flatnonzero(np.diff(stretches, prepend=stretches[0] - 1))
        last = np.append(edges[1:], len(candles)) - 1
        return cls(
            length_ms=length_ms,
            start=candles.open_time[edges],
            end=candles.open_time[last] + candles.interval_ms,
            open=candles.open[edges],
            high=np.maximum.reduceat(candles.high, edges),
            low=np.minimum.reduceat(candles.low, edges),
            close=candles.close[last],
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.start)


def equity(marks: Sequence[Mark], candles: Candles) -> Column:
    """Return profit so far plus unrealized at each candle's close, in quote."""
    if not marks:
        return np.zeros(len(candles))
    starts = np.array([mark.index for mark in marks], dtype=np.int64)
    lengths = np.diff(starts, append=len(candles))
    booked = np.repeat([float(mark.booked) for mark in marks], lengths)
    net = np.repeat([float(mark.net) for mark in marks], lengths)
    curve = np.zeros(len(candles))
    curve[starts[0] :] = booked + net * candles.close[starts[0] :]
    return curve


def drawdown(curve: Column) -> Column:
    """Return how far *curve* lies below its earlier peak, as 0 or less; the first peak is 0, before it."""
    peaks = np.maximum(np.maximum.accumulate(curve), 0)
    return np.asarray(curve - peaks, dtype=np.float64)


def buy_and_hold(max_funds: QuoteAmount, candles: Candles, fees: Fees) -> Column:
    """Return what *max_funds* bought at the first open as a taker would have made by each candle's close, in quote."""
    funds, fee = float(max_funds), float(fees.fee_taker)
    kept = 1 - fee if fees.fee_asset is FeeAsset.RECEIVED else 1 / (1 + fee)
    return np.asarray(funds * (kept * candles.close / candles.open[0] - 1), dtype=np.float64)


def thin(values: Column, most: int) -> Indices:
    """Return at most *most* (4 or more) indices: the first, the last, and each bucket's lowest and highest value."""
    length = len(values)
    if length <= most:
        return np.arange(length, dtype=np.int64)
    edges = bucket_edges(length, (max(most, _FEWEST_POINTS) - 2) // 2)
    lowest = _first_equal(values, np.minimum.reduceat(values, edges), edges)
    highest = _first_equal(values, np.maximum.reduceat(values, edges), edges)
    return np.unique(np.concatenate([[0], lowest, highest, [length - 1]]))


def bucket_edges(length: int, buckets: int) -> Indices:
    """Return where each of at most *buckets* stretches, about as long as each other, of *length* items begins."""
    count = min(length, buckets)
    return np.arange(count, dtype=np.int64) * length // count


def _first_equal(values: Column, wanted: Column, edges: Indices) -> Indices:
    """Return the first index in each bucket at which the bucket's wanted value stands."""
    lengths = np.diff(edges, append=len(values))
    hits = np.flatnonzero(values == np.repeat(wanted, lengths))
    buckets = np.searchsorted(edges, hits, side="right")
    return np.asarray(hits[np.unique(buckets, return_index=True)[1]], dtype=np.int64)
