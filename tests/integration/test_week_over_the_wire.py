"""A bot that trades over the wire makes the deals of a backtest, to the last digit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pytest

from dcacore.adapters.candles import read_candles
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles
from tests.driving.agreeing import BOTS, BTC, CALM, played
from tests.driving.test_agreement import WEEK, part
from tests.integration.wired import wired
from tests.strategies import USUAL_FEES

Span = tuple[np.datetime64, np.datetime64]
MINUTES: Final = "binance-spot-BTCUSDT-1m-2021-04_2021-05.parquet"
HOURS: Final = (np.datetime64("2021-04-23T00:00", "ms"), np.datetime64("2021-04-23T04:00", "ms"))
"""The crash of that week."""
FIVE_MINUTES: Final = "binance-spot-BTCUSDT-5m-2022-08_2023-09.parquet"
YEAR: Final = (np.datetime64("2022-09-01T00:00", "ms"), np.datetime64("2023-09-01T00:00", "ms"))


@pytest.mark.parametrize("name", ["two active, rounded up", "trailing, stop loss"])
def test_they_agree_on_a_few_hours(name: str, real_data: Path, tmp_path: Path) -> None:
    agree(name, candles_of(real_data / MINUTES, HOURS), tmp_path, at_least=5)


@pytest.mark.prove
@pytest.mark.parametrize("name", BOTS)
def test_they_agree_on_a_week(name: str, real_data: Path, tmp_path: Path) -> None:
    agree(name, candles_of(real_data / MINUTES, WEEK), tmp_path, at_least=7)


@pytest.mark.prove
def test_they_agree_on_a_year(real_data: Path, tmp_path: Path) -> None:
    agree("stop loss", candles_of(real_data / FIVE_MINUTES, YEAR), tmp_path, at_least=100)


def agree(name: str, candles: Candles, folder: Path, *, at_least: int) -> None:
    strategy = Strategy(**{**CALM, **BOTS[name]})
    expected = played(strategy, candles)
    assert len(expected) >= at_least
    assert wired(strategy, candles, BTC, USUAL_FEES, folder) == expected


def candles_of(file: Path, span: Span) -> Candles:
    candles = read_candles(file)
    begin, end = (int(at.astype(np.int64)) for at in span)
    return part(candles, (candles.open_time >= begin) & (candles.open_time < end))
