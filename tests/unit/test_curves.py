from __future__ import annotations

import itertools
from decimal import Decimal

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcacore.backtest import curves
from dcacore.backtest.run import backtest
from dcacore.domain.market import FeeAsset, Fees
from dcacore.ports.candle_rules import Column
from dcacore.ports.candles import Candles
from dcacore.ports.intervals import DAY_MS
from tests.unit.played import MARKET, STRATEGY, walk

MINUTE = 60_000


@pytest.mark.parametrize("fee_asset", list(FeeAsset))
@pytest.mark.parametrize("seed", range(5))
def test_curves_agree_with_the_exact_statistics(seed: int, fee_asset: FeeAsset) -> None:
    candles, fees = walk(seed), Fees(fee_asset=fee_asset)
    strategy = attrs.evolve(STRATEGY, stop_loss=Decimal(seed % 2 * 4))
    report = backtest(strategy, MARKET, fees, candles)
    curve = curves.equity(report.marks, candles)
    unrealized = report.open_deal.unrealized if report.open_deal is not None else Decimal(0)
    assert curve[-1] == pytest.approx(float(report.profit + unrealized), abs=1e-6)
    assert -curves.drawdown(curve).min() == pytest.approx(float(report.statistics.max_drawdown), abs=1e-6)
    held = curves.buy_and_hold(report.statistics.max_funds, candles, fees)
    assert held[-1] == pytest.approx(float(report.statistics.buy_and_hold), abs=1e-6)


def test_a_fall_before_the_first_profit_counts_from_zero() -> None:
    assert curves.drawdown(np.array([-2.0, 3.0, 1.0])).tolist() == [-2.0, 0.0, -2.0]


def test_a_bot_that_never_stood_in_the_market_is_a_flat_line() -> None:
    assert curves.equity((), walk(1, 3)).tolist() == [0.0, 0.0, 0.0]


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=400).map(np.array),
    st.integers(min_value=4, max_value=60),
)
def test_thinning_keeps_the_ends_and_every_buckets_extremes(values: Column, most: int) -> None:
    kept = curves.thin(values, most)
    assert 0 < len(kept) <= max(most, 4)
    assert (np.diff(kept) > 0).all()
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    assert values[kept].min() == values.min()
    assert values[kept].max() == values.max()
    if len(values) > most:
        edges = [*curves.bucket_edges(len(values), (most - 2) // 2), len(values)]
        for start, end in itertools.pairwise(edges):
            inside = values[kept[(kept >= start) & (kept < end)]]
            assert (inside.min(), inside.max()) == (values[start:end].min(), values[start:end].max())


def test_a_short_series_is_kept_whole() -> None:
    assert curves.thin(np.array([3.0, 1.0, 2.0]), 4).tolist() == [0, 1, 2]


def _minutes(count: int, *, start: int = 0, interval_ms: int = 60_000) -> Candles:
    steps = np.arange(count, dtype=np.float64)
    close = 1_000 + np.abs(steps % 97 - 48)
    opens = np.append(close[:1], close[:-1])
    return Candles(
        interval_ms=interval_ms,
        open_time=np.arange(count, dtype=np.int64) * interval_ms + start,
        open=opens,
        high=np.maximum(opens, close) + steps % 7,
        low=np.minimum(opens, close) - steps % 5,
        close=close,
        volume=np.ones(count),
    )


@pytest.mark.parametrize(
    ("count", "interval_ms", "length_ms"),
    [
        (1, MINUTE, MINUTE),
        (400, MINUTE, MINUTE),
        (401, MINUTE, 3 * MINUTE),
        (1_440, MINUTE, 5 * MINUTE),
        (31 * 1_440, MINUTE, 120 * MINUTE),
        (365 * 1_440, MINUTE, DAY_MS),
        (401, 1_000, 5_000),
        (4 * 365, DAY_MS, 7 * DAY_MS),
        (20 * 365, DAY_MS, 28 * DAY_MS),
        (801, 7 * MINUTE, 21 * MINUTE),  # no round time holds whole candles
    ],
)
def test_candlesticks_are_of_the_shortest_round_time_that_fits(count: int, interval_ms: int, length_ms: int) -> None:
    start = 1_609_718_400_000  # a Monday
    sticks = curves.Candlesticks.of(_minutes(count, start=start, interval_ms=interval_ms), 400)
    assert sticks.length_ms == length_ms
    assert 0 <= len(sticks) - -(-count * interval_ms // length_ms) <= 1
    assert len(set((sticks.start[1:] % length_ms).tolist())) <= 1


@given(st.integers(1, 3_000), st.integers(0, 10**12), st.integers(2, 60), st.integers(0, 2**32))
def test_candlesticks_hold_every_candle_once(count: int, start: int, most: int, seed: int) -> None:
    whole = _minutes(count, start=start // MINUTE * MINUTE)
    kept = np.random.default_rng(seed).random(count) < 0.7
    kept[0] = True
    names = ("open_time", "open", "high", "low", "close", "volume")
    candles = attrs.evolve(whole, **{name: getattr(whole, name)[kept] for name in names})
    sticks = curves.Candlesticks.of(candles, most)
    assert len(sticks) <= most
    assert (sticks.start[1:] >= sticks.end[:-1]).all()
    assert (sticks.end - sticks.start <= sticks.length_ms).all()
    told = 0
    for place, (start_ms, end_ms) in enumerate(zip(sticks.start, sticks.end, strict=True)):
        inside = (candles.open_time >= start_ms) & (candles.open_time < end_ms)
        told += int(inside.sum())
        assert sticks.open[place] == candles.open[inside][0]
        assert sticks.high[place] == candles.high[inside].max()
        assert sticks.low[place] == candles.low[inside].min()
        assert sticks.close[place] == candles.close[inside][-1]
    assert told == len(candles)


def test_weeks_begin_on_mondays_and_a_gap_has_no_candlestick() -> None:
    whole = _minutes(900, start=1_609_459_200_000, interval_ms=DAY_MS)  # a Friday
    away = np.abs(np.arange(900) - 450) > 50
    names = ("open_time", "open", "high", "low", "close", "volume")
    candles = attrs.evolve(whole, **{name: getattr(whole, name)[away] for name in names})
    sticks = curves.Candlesticks.of(candles, 400)
    assert sticks.length_ms == 7 * DAY_MS
    assert (sticks.end[0] - sticks.start[0]) // DAY_MS == 3
    assert (((sticks.start // DAY_MS + 3) % 7 == 0).sum()) >= len(sticks) - 2
    [gap] = np.flatnonzero(sticks.start[1:] > sticks.end[:-1])
    assert (sticks.start[gap + 1] - sticks.end[gap]) // DAY_MS == 101
