"""Two days of candles in the store, for backtests to be played over."""

from __future__ import annotations

from typing import Final

import numpy as np

from dcacore import bootstrap
from dcacore.bootstrap.app import App
from dcacore.bootstrap.fetching import folder_of
from dcacore.ports.candles import Candles
from dcacore.ports.records import Environment
from tests.web.desk import MARKET

BEGAN_MS: Final = 1_704_067_200_000
RANGE: Final = {"source": "live", "range": "own", "from": "2024-01-01", "to": "2024-01-02", "interval": "1m"}
"""What is typed to play over them."""


def store_two_days(app: App) -> None:
    """Keep 1 and 2 January 2024 of BTCUSDT, of a seeded walk, as if they were Binance's."""
    walk = bootstrap.random_walk(MARKET, 4)
    columns = {name: getattr(walk, name)[: 2 * 1440] for name in ("open", "high", "low", "close", "volume")}
    times = BEGAN_MS + np.arange(2 * 1440, dtype=np.int64) * 60_000
    candles = Candles(interval_ms=60_000, open_time=times, **columns)
    bootstrap.candle_store(folder_of(app, Environment.LIVE)).save("BTCUSDT", candles)
