"""A live engine on a stepped exchange makes the deals of a backtest, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

import attrs
import numpy as np
import pytest

from dcacore.adapters.candles import read_candles
from dcacore.adapters.random_walk import random_walk
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles
from tests.driving.agreeing import BOTS, BTC, CALM, TELLING, played, stepped

WEEK: Final = (np.datetime64("2021-04-19T18:00", "ms"), np.datetime64("2021-04-26T18:00", "ms"))
"""It has a crash in it and both outages of that spring, after which the price jumped."""


@pytest.mark.parametrize("every_point", [False, True])
@pytest.mark.parametrize("name", BOTS)
def test_a_live_engine_makes_the_deals_of_a_backtest_on_a_random_walk(name: str, *, every_point: bool) -> None:
    candles = random_walk(BTC, np.random.default_rng(5), count=720)
    strategy = Strategy(**{**CALM, **BOTS[name]})
    expected = played(strategy, candles)
    assert len(expected) > 1
    assert stepped(strategy, candles, every_point=every_point) == expected


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", BOTS)
def test_they_agree_where_every_other_candle_begins_with_a_gap(name: str, seed: int) -> None:
    candles = jumpy(seed, count=100)
    strategy = Strategy(**{**CALM, **BOTS[name]})
    expected = played(strategy, candles)
    assert expected
    for every_point in (False, True):
        assert stepped(strategy, candles, seed=str(seed), every_point=every_point) == expected


@pytest.mark.parametrize("balance", [350, 600])
@pytest.mark.parametrize("name", BOTS)
def test_they_agree_where_a_bot_waits_for_balance_now_and_then(name: str, balance: int) -> None:
    strategy = Strategy(**{**CALM, **BOTS[name]})
    candles = jumpy(3, count=100)
    expected = played(strategy, candles, balance=Decimal(balance))
    assert expected
    assert stepped(strategy, candles, balance=Decimal(balance)) == expected


def test_what_happens_at_once_may_happen_in_any_order() -> None:
    candles = jumpy(9, count=40)
    strategy = Strategy(**{**CALM, **BOTS["stop loss among safety orders"]})
    expected = played(strategy, candles)
    for seed in range(8):
        assert stepped(strategy, candles, seed=f"order {seed}") == expected


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.prove) if name in TELLING else name for name in BOTS]
)
def test_they_agree_on_a_real_week(name: str, real_data: Path) -> None:
    """Those that are left out here are played over the wire with every commit."""
    agree_on_a_real_week(name, real_data)


@pytest.mark.prove
@pytest.mark.parametrize("name", BOTS)
def test_they_agree_on_a_real_week_at_each_point_of_which_steps_stop(name: str, real_data: Path) -> None:
    agree_on_a_real_week(name, real_data, every_point=True)


def agree_on_a_real_week(name: str, real_data: Path, *, every_point: bool = False) -> None:
    candles = read_candles(real_data / "binance-spot-BTCUSDT-1m-2021-04_2021-05.parquet")
    begin, end = (int(at.astype(np.int64)) for at in WEEK)
    candles = part(candles, (candles.open_time >= begin) & (candles.open_time < end))
    assert len(candles) > 9_000
    strategy = Strategy(**{**CALM, **BOTS[name]})
    expected = played(strategy, candles)
    assert len(expected) > 6
    assert stepped(strategy, candles, every_point=every_point) == expected


def part(candles: Candles, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Candles:
    """Return some of *candles*."""
    columns = ("open_time", "open", "high", "low", "close", "volume")
    return attrs.evolve(candles, **{name: getattr(candles, name)[chosen] for name in columns})


def jumpy(seed: int, count: int) -> Candles:
    """Return candles of about 1 %, every other one after a jump of as much, that may go any way."""
    chance = Random(seed)
    rows: list[tuple[int, int, int, int]] = []
    price = 3_000_000
    for _ in range(count):
        opened = round(price * (1 + chance.choice([0, chance.gauss(0, 0.01)])))
        high, low = (round(opened * (1 + sign * abs(chance.gauss(0, 0.005)))) for sign in (1, -1))
        price = chance.randint(low, high)
        rows.append((opened, high, low, price))
    columns = [np.array(column) / 100 for column in zip(*rows, strict=True)]
    times = 1_600_000_020_000 + 60_000 * np.arange(count, dtype=np.int64)
    opened_at, highs, lows, closes = columns
    return Candles(
        interval_ms=60_000,
        open_time=times,
        open=opened_at,
        high=highs,
        low=lows,
        close=closes,
        volume=np.ones(count),
    )
