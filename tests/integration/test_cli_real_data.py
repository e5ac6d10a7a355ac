"""`dca backtest` over every real candle file: no crash, the same bytes twice, and every unit of money accounted for."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from dcacore.adapters.simulated.candle_ticks import coarsest_tick
from dcacore.bootstrap import read_candles
from dcacore.domain.money import exact

DCA = str(Path(sys.executable).with_name("dca"))
BOT = """
[bot]
pair = "PAIR"
base_order_size = "100"
safety_order_size = "100"
max_safety_orders = 8
safety_order_volume_scale = "1.4"
price_deviation = "1.0"
safety_order_step_scale = "1.2"
take_profit = "1.5"
[market]
base_asset = "BASE"
quote_asset = "QUOTE"
tick_size = "{tick}"
step_size = "0.00001"
min_notional = "5"
"""
FILES = [
    "binance-spot-BTCUSDT-1m-2021-04_2021-05.parquet",
    "binance-spot-BTCUSDT-5m-2020-12_2021-07.parquet",
    "binance-spot-BTCUSDT-5m-2022-08_2023-09.parquet",
    "binance-spot-DOGEUSDT-1m-2021-04_2021-05.parquet",
    "binance-spot-ETHUSDT-1m-2021-04_2021-05.parquet",
    "binance-spot-ETHUSDT-5m-2020-12_2021-07.parquet",
    "binance-spot-ETHUSDT-5m-2022-08_2023-09.parquet",
    "binance-spot-FTTUSDT-1m-2024-12_2025-01.parquet",
    "binance-spot-LUNAUSDT-1m-2022-05.parquet",
    "binance-spot-LUNAUSDT-5m-2020-12_2021-07.parquet",
    "binance-spot-SOLUSDT-3m-2022-08_2023-09.parquet",
    "binance-um-NEARUSDT-1m-2023-08_2023-10.parquet",
    "bitfinex-BTCUSD-1m-2017.parquet",
    "bitfinex-BTCUSD-1m-2018.parquet",
    "bitfinex-ETHUSD-1m-2018.parquet",
]


def run(*args: str, hash_seed: str) -> str:
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([DCA, "backtest", *args], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_candle_file_is_left_out(real_data: Path) -> None:
    assert sorted(path.name for path in real_data.glob("*.parquet")) == FILES


@pytest.mark.parametrize("name", FILES)
@exact
def test_a_real_market(real_data: Path, tmp_path: Path, name: str) -> None:
    candles = read_candles(real_data / name)
    tick = coarsest_tick([candles.open, candles.high, candles.low, candles.close])
    bot = tmp_path / "bot.toml"
    bot.write_text(BOT.format(tick=tick))
    max_gap = "0" if name == "binance-spot-LUNAUSDT-1m-2022-05.parquet" else "1d"
    args = (str(bot), "--data", str(real_data / name), "--max-gap", max_gap, "--json")

    text = run(*args, hash_seed="1")
    assert text == run(*args, "--csv", str(tmp_path / "tables"), hash_seed="2")

    report = json.loads(text)
    assert report["candles"] == len(candles)
    assert sum(Decimal(deal["profit"]) for deal in report["deals"]) == Decimal(report["profit"])
    orders = list(csv.DictReader((tmp_path / "tables" / "orders.csv").read_text().splitlines()))
    quote, base = Decimal(0), Decimal(0)
    for order in orders:
        sign = 1 if order["side"] == "buy" else -1
        quote -= sign * Decimal(order["notional"]) + Decimal(order["fee_quote"])
        base += sign * Decimal(order["filled"]) - Decimal(order["fee_base"])
    is_open = report["open_deal"] is not None
    spent = Decimal(report["open_deal"]["spent"]) if is_open else Decimal(0)
    net = Decimal(report["open_deal"]["net"]) if is_open else Decimal(0)
    assert quote == Decimal(report["profit"]) - Decimal(report["carried_cost"]) - spent
    assert base == net + Decimal(report["carried_quantity"])
    assert sum(Decimal(order["fee_quote"]) for order in orders) == Decimal(report["fees_quote"])
    assert sum(Decimal(order["fee_base"]) for order in orders) == Decimal(report["fees_base"])
    if is_open:
        last = Decimal(repr(float(candles.close[-1])))
        assert Decimal(report["open_deal"]["unrealized"]) == net * last - spent
