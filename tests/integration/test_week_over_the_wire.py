"""A bot that trades over the wire makes the deals of a backtest, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pytest

from dcacore.adapters.candles import read_candles
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles
from tests.driving.agreeing import BOTS, BTC, CALM, TELLING, played
from tests.driving.stage import RICH
from tests.driving.test_agreement import WEEK, part
from tests.integration.wired import wired
from tests.strategies import USUAL_FEES

Span = tuple[np.datetime64, np.datetime64]
MINUTES: Final = "binance-spot-BTCUSDT-1m-2021-04_2021-05.parquet"
FIVE_MINUTES: Final = "binance-spot-BTCUSDT-5m-2022-08_2023-09.parquet"
CRASH: Final = (np.datetime64("2021-04-23T01:00", "ms"), np.datetime64("2021-04-23T03:00", "ms"))
YEAR: Final = (np.datetime64("2022-09-01T00:00", "ms"), np.datetime64("2023-09-01T00:00", "ms"))
MEMORY: Final = Path("/dev/shm")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder for a database: in memory where there is such a place, as each commit waits for the disk."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=MEMORY) as made:
        yield Path(made)


@pytest.mark.parametrize(
    "name", [name if name in TELLING else pytest.param(name, marks=pytest.mark.prove) for name in BOTS]
)
def test_they_agree_on_a_week(name: str, real_data: Path, folder: Path) -> None:
    agree(name, candles_of(real_data / MINUTES, WEEK), folder, at_least=7)


def test_they_agree_where_the_bot_waits_for_balance(real_data: Path, folder: Path) -> None:
    agree("stop loss", candles_of(real_data / MINUTES, CRASH), folder, at_least=10, balance=Decimal(350))


@pytest.mark.prove
def test_they_agree_on_a_year(real_data: Path, folder: Path) -> None:
    agree("stop loss", candles_of(real_data / FIVE_MINUTES, YEAR), folder, at_least=1000)


def agree(name: str, candles: Candles, folder: Path, *, at_least: int, balance: Decimal | None = None) -> None:
    strategy = Strategy(**{**CALM, **BOTS[name]})
    expected = played(strategy, candles, balance=balance)
    assert len(expected) >= at_least
    has = RICH if balance is None else balance
    assert wired(strategy, candles, BTC, USUAL_FEES, folder, balance=has) == expected


def candles_of(file: Path, span: Span) -> Candles:
    candles = read_candles(file)
    begin, end = (int(at.astype(np.int64)) for at in span)
    return part(candles, (candles.open_time >= begin) & (candles.open_time < end))
