"""A bot and a random walk, for tests of what is made out of a backtest."""

from __future__ import annotations

import random
from decimal import Decimal

import numpy as np

from dcacore.domain.market import Market
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles

MARKET = Market(
    pair="BTCUSDT",
    base_asset="BTC",
    quote_asset="USDT",
    tick_size=Decimal("0.01"),
    step_size=Decimal("0.00001"),
    min_notional=Decimal(5),
)

STRATEGY = Strategy(
    pair="BTCUSDT",
    base_order_size=Decimal(100),
    safety_order_size=Decimal(100),
    max_safety_orders=6,
    safety_order_volume_scale=Decimal("1.4"),
    price_deviation=Decimal("0.5"),
    take_profit=Decimal("0.7"),
)


def walk(seed: int, length: int = 600, interval_ms: int = 60_000) -> Candles:
    """Return candles of a random walk on the grid of `MARKET`."""
    rng = random.Random(seed)
    rows, price = [], 30_000.0
    for _ in range(length):
        path = [price]
        for _ in range(8):
            path.append(round(path[-1] * (1 + rng.gauss(0, 0.002)), 2))
        rows.append((path[0], max(path), min(path), path[-1]))
        price = path[-1]
    opens, highs, lows, closes = (np.array(column) for column in zip(*rows, strict=True))
    return Candles(
        interval_ms=interval_ms,
        open_time=np.arange(length, dtype=np.int64) * interval_ms + 1_600_041_600_000,
        open=opens,
        high=highs,
        low=lows,
        close=closes,
        volume=np.ones(length),
    )
