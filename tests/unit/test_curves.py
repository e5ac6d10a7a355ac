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
from tests.unit.played import MARKET, STRATEGY, walk


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
