"""Curves for charts, candle by candle, and how to thin them. Floats: the statistics are the exact figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dcacore.backtest.player import Mark
from dcacore.domain.market import FeeAsset, Fees
from dcacore.domain.money import QuoteAmount
from dcacore.ports.candle_rules import Column
from dcacore.ports.candles import Candles

Indices = npt.NDArray[np.int64]

_FEWEST_POINTS = 4


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
