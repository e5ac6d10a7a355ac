"""Every candle file of the folder of real data is read as its table says; each layout in the ecosystem's own files."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest

from dcacore.adapters.candles import ParquetCandleStore, read_candle_files, read_candles
from dcacore.ports.candles import Candles, gaps
from dcacore.ports.errors import BadFile
from dcacore.ports.intervals import interval_name
from dcacore.ports.times import utc_text
from tests.unit.candles.market import same

SAMPLES = "importer-samples"

# file: interval, rows, first, last, missing candles, gaps
TABLE = {
    "bitfinex-BTCUSD-1m-2017.parquet": ("1m", 505209, "2017-01-01 00:00", "2017-12-31 23:59", 20391, 14203),
    "bitfinex-BTCUSD-1m-2018.parquet": ("1m", 520499, "2018-01-01 00:00", "2018-12-31 23:59", 5101, 3992),
    "bitfinex-ETHUSD-1m-2018.parquet": ("1m", 508048, "2018-01-01 00:00", "2018-12-31 23:59", 17552, 13302),
    "binance-spot-LUNAUSDT-1m-2022-05.parquet": ("1m", 18400, "2022-05-01 00:00", "2022-05-31 23:59", 26240, 1),
    "LUNAUSDT-1m-2022-05.zip": ("1m", 18400, "2022-05-01 00:00", "2022-05-31 23:59", 26240, 1),
    "binance-um-NEARUSDT-1m-2023-08_2023-10.parquet": ("1m", 132480, "2023-08-01 00:00", "2023-10-31 23:59", 0, 0),
    "binance-spot-BTCUSDT-1m-2021-04_2021-05.parquet": ("1m", 61272, "2021-04-02 00:00", "2021-05-14 20:25", 434, 2),
    "binance-spot-ETHUSDT-1m-2021-04_2021-05.parquet": ("1m", 61273, "2021-04-02 00:00", "2021-05-14 20:26", 434, 2),
    "binance-spot-DOGEUSDT-1m-2021-04_2021-05.parquet": ("1m", 61272, "2021-04-02 00:00", "2021-05-14 20:25", 434, 2),
    "binance-spot-BTCUSDT-5m-2020-12_2021-07.parquet": ("5m", 65741, "2020-12-01 00:00", "2021-07-17 21:05", 177, 6),
    "binance-spot-ETHUSDT-5m-2020-12_2021-07.parquet": ("5m", 65742, "2020-12-01 00:00", "2021-07-17 21:10", 177, 6),
    "binance-spot-LUNAUSDT-5m-2020-12_2021-07.parquet": ("5m", 65743, "2020-12-01 00:00", "2021-07-17 21:15", 177, 6),
    "binance-spot-BTCUSDT-5m-2022-08_2023-09.parquet": ("5m", 121739, "2022-08-01 00:00", "2023-09-27 18:10", 16, 1),
    "binance-spot-ETHUSDT-5m-2022-08_2023-09.parquet": ("5m", 121743, "2022-08-01 00:00", "2023-09-27 18:30", 16, 1),
    "binance-spot-SOLUSDT-3m-2022-08_2023-09.parquet": ("3m", 202919, "2022-08-01 00:00", "2023-09-27 19:12", 26, 1),
    "binance-spot-FTTUSDT-1m-2024-12_2025-01.parquet": ("1m", 43199, "2024-12-26 20:12", "2025-01-25 20:10", 0, 0),
    f"{SAMPLES}/freqtrade-XRP_ETH-1m.feather": ("1m", 2469, "2019-10-11 00:00", "2019-10-13 11:19", 1091, 676),
    f"{SAMPLES}/freqtrade-UNITTEST_BTC-5m.feather": ("5m", 5760, "2018-01-10 04:55", "2018-01-30 04:50", 0, 0),
    f"{SAMPLES}/freqtrade-BTC_USDT-1h.json": ("1h", 5482, "2020-12-01 00:00", "2021-07-17 20:00", 11, 6),
    f"{SAMPLES}/binance-um-header-NEARUSDT-1m-2023-08-first2880.csv": (
        *("1m", 2880, "2023-08-01 00:00", "2023-08-02 23:59", 0, 0),
    ),
    f"{SAMPLES}/binanceus-BTCUSDT-1m-2023-03-01_2023-03-21.csv.gz": (
        *("1m", 30240, "2023-03-01 00:00", "2023-03-21 23:59", 0, 0),
    ),
    f"{SAMPLES}/binanceus-BTCUSDC-1m-2023-03-01_2023-03-21.csv.gz": (
        *("1m", 30240, "2023-03-01 00:00", "2023-03-21 23:59", 0, 0),
    ),
    f"{SAMPLES}/basana-binance_btcusdt_day_2020.csv": ("1d", 366, "2020-01-01 00:00", "2020-12-31 00:00", 0, 0),
    f"{SAMPLES}/bitfinex-raw-BTCUSD-2018-12-15T14.json": ("1m", 120, "2018-12-15 14:00", "2018-12-15 15:59", 0, 0),
    f"{SAMPLES}/lean-coinbase-minute-btcusd-20171217_trade.zip": (
        *("1m", 1440, "2017-12-17 00:00", "2017-12-17 23:59", 0, 0),
    ),
}

NO_CANDLES = {
    f"{SAMPLES}/freqtrade-XRP_ETH-trades.parquet": "these are trades, not candles",
    "binance-spot-BTCUSDT-trades-2024-08-08T2354.csv.gz": "these are trades, not candles",
    "binance-spot-ETHUSDT-trades-2024-08-08T2354.csv.gz": "these are trades, not candles",
    "binance-spot-BTCUSDT-wsframes-2024-08-08T2354.txt.gz": "not a known layout of candles",
    "README.md": "not a known layout of candles",
}


@pytest.mark.parametrize("name", TABLE)
def test_the_table(real_data: Path, name: str) -> None:
    interval, count, first, last, missing, holes = TABLE[name]
    read = read_candles(real_data / name)
    found = gaps(read)
    assert (interval_name(read.interval_ms), len(read)) == (interval, count)
    assert (utc_text(int(read.open_time[0])), utc_text(int(read.open_time[-1]))) == (first, last)
    assert (sum(gap.missing for gap in found), len(found)) == (missing, holes)


@pytest.mark.parametrize("name", NO_CANDLES)
def test_what_is_no_candle_file(real_data: Path, name: str) -> None:
    with pytest.raises(BadFile, match=NO_CANDLES[name]):
        read_candles(real_data / name)


def test_no_file_is_left_out(real_data: Path) -> None:
    files = {str(path.relative_to(real_data)) for path in real_data.rglob("*") if path.is_file()}
    assert files <= TABLE.keys() | NO_CANDLES.keys() | {"SHA256SUMS"}


def test_the_archive_and_its_parquet_are_equal(real_data: Path) -> None:
    archive = read_candles(real_data / "LUNAUSDT-1m-2022-05.zip")
    assert same(archive, read_candles(real_data / "binance-spot-LUNAUSDT-1m-2022-05.parquet"))


def test_the_same_market_in_other_layouts_is_equal(real_data: Path) -> None:
    near = read_candles(real_data / "binance-um-NEARUSDT-1m-2023-08_2023-10.parquet")
    sample = read_candles(real_data / SAMPLES / "binance-um-header-NEARUSDT-1m-2023-08-first2880.csv")
    assert same(part(near, 0, 2880), sample)
    year = read_candles(real_data / "bitfinex-BTCUSD-1m-2018.parquet")
    raw = read_candles(real_data / SAMPLES / "bitfinex-raw-BTCUSD-2018-12-15T14.json")
    start = int(np.searchsorted(year.open_time, raw.open_time[0]))
    assert same(part(year, start, start + len(raw)), raw)


def test_two_years_in_one(real_data: Path) -> None:
    both = read_candles(real_data / "bitfinex-BTCUSD-1m-2018.parquet", real_data / "bitfinex-BTCUSD-1m-2017.parquet")
    assert len(both) == 505209 + 520499
    assert (np.diff(both.open_time) > 0).all()


@pytest.mark.parametrize("name", ["bitfinex-ETHUSD-1m-2018.parquet", "binance-spot-SOLUSDT-3m-2022-08_2023-09.parquet"])
def test_through_the_store_and_back(real_data: Path, tmp_path: Path, name: str) -> None:
    read, sources = read_candle_files(real_data / name)
    store = ParquetCandleStore(tmp_path)
    assert store.save("PAIR", read, sources=sources).added == len(read)
    assert same(store.load("PAIR", interval_name(read.interval_ms)), read)
    [checked] = store.check("PAIR")
    assert (checked.problems, checked.gaps) == ((), gaps(read))


def part(candles: Candles, start: int, stop: int) -> Candles:
    columns = {name: getattr(candles, name)[start:stop] for name in ("open", "high", "low", "close", "volume")}
    return attrs.evolve(candles, open_time=candles.open_time[start:stop], **columns)
