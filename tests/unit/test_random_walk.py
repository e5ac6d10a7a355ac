"""The market made of chance: the same seed makes the same candles, and they are candles."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from dcacore.adapters.random_walk import random_walk
from dcacore.adapters.simulated.candle_ticks import to_ticks
from dcacore.backtest.run import backtest
from dcacore.bootstrap import market_of, read_bot
from dcacore.bootstrap import random_walk as seeded
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Market

CENTS = Market(pair="AB", base_asset="A", quote_asset="B", tick_size="0.01", step_size="0.001")


@pytest.mark.parametrize("tick", ["0.01", "0.0000001", "0.25", "3", "1000"])
def test_the_candles_are_sound_on_any_grid(tick: str) -> None:
    market = Market(pair="AB", base_asset="A", quote_asset="B", tick_size=tick, step_size="0.001")
    walk = random_walk(market, np.random.default_rng(3), count=5_000)
    ticks = to_ticks(walk, market)
    assert len(walk) == 5_000
    assert ticks.open[0] == 3_000_000
    assert (np.diff(walk.open_time) == 60_000).all()
    assert (ticks.open[1:] == ticks.close[:-1]).all()
    assert (ticks.high >= np.maximum(ticks.open, ticks.close)).all()
    assert (ticks.low <= np.minimum(ticks.open, ticks.close)).all()
    assert (walk.volume >= 0).all()


def test_no_price_is_out_of_bounds() -> None:
    walk = random_walk(CENTS, np.random.default_rng(0))
    assert walk.low.min() >= 25_000
    assert walk.high.max() <= 36_000


def test_the_same_seed_makes_the_same_candles() -> None:
    one, same, other = (random_walk(CENTS, np.random.default_rng(seed), count=100) for seed in (1, 1, 2))
    for column in ("open_time", "open", "high", "low", "close", "volume"):
        assert (getattr(one, column) == getattr(same, column)).all()
    assert (one.close != other.close).any()


def test_a_year_keeps_the_example_busy() -> None:
    bot = read_bot("examples/btc-calm.toml")
    market = market_of(bot)
    report = backtest(bot.strategy, market, bot.fees, seeded(market, 7))
    fills = sum(len(order.fills) for closed in report.deals for order in closed.deal.orders.values())
    assert report.candles == 525_600
    assert 1_200 < fills < 1_800
    assert report.profit > Decimal(0)


def test_no_candles_are_no_market() -> None:
    with pytest.raises(InvalidParameter, match="count = 0: must be 1 or more"):
        random_walk(CENTS, np.random.default_rng(0), count=0)
