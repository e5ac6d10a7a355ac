"""Every layout is recognised and read to the same candles."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from dcacore.adapters.candles import read_candles
from tests.unit.candles.market import START, Row, candles, iso, lines, plain, rows, same

ARCHIVE_NAMES = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,x,ignore"


def archive(row: Row, per_ms: int = 1) -> str:
    time, *values = row
    close_time = (time + 60_000) * per_ms - 1
    return ",".join(
        [str(time * per_ms), *(f"{value:.8f}" for value in values), str(close_time), "9.1", "4", "2", "1", "0"]
    )


def in_unit(factor: float) -> Callable[[Row], str]:
    return lambda row: ",".join([str(int(row[0] * factor)), *map(repr, row[1:])])


def with_time(form: str) -> Callable[[Row], str]:
    return lambda row: ",".join([iso(row[0], form), *map(repr, row[1:])])


def download(row: Row, factor: float = 1) -> str:
    time, *prices, volume = row
    return ",".join([str(int(time * factor)), iso(time), "BTC/USDT", *map(repr, prices), repr(volume), "12345.6", "7"])


def coinapi(row: Row) -> str:
    time, *prices, volume = row
    form = "%Y-%m-%dT%H:%M:%S.0000000Z"
    return ",".join([iso(time, form), iso(time + 60_000, form), "", "", *map(repr, prices), repr(volume), "7"])


DOWNLOAD_NAMES = "Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount"
COINAPI_NAMES = (
    "time_period_start,time_period_end,time_open,time_close,price_open,price_high,price_low,price_close,"
    "volume_traded,trades_count"
)
MADE = rows()
TEXTS = {
    "Binance archive": lines(MADE, archive),
    "Binance archive, with names": lines(MADE, archive, ARCHIVE_NAMES),
    "Binance archive, microseconds": lines(MADE, lambda row: archive(row, 1000)),
    "Binance REST": b"[" + b",".join(b'["' + archive(row).replace(",", '","').encode() + b'"]' for row in MADE) + b"]",
    "ccxt": str([list(row) for row in MADE]).encode(),
    "ccxt, over several lines": str([list(row) for row in MADE]).replace("],", "],\n ").encode(),
    "ccxt, with much white space": str([list(row) for row in MADE])
    .replace(", ", " ,\t\r\n    ")
    .replace("[", " [ ")
    .replace("]", " ] ")
    .encode(),
    "times as text in JSON": str([[iso(row[0]), *map(str, row[1:]), *[""] * 6] for row in MADE])
    .replace("'", '"')
    .encode(),
    "Bitfinex": str([[t, o, c, h, low, v] for t, o, h, low, c, v in MADE]).encode(),
    "CryptoDataDownload": b"https://www.CryptoDataDownload.com\n" + lines(MADE[::-1], download, DOWNLOAD_NAMES),
    "CryptoDataDownload, no address": lines(MADE[::-1], download, DOWNLOAD_NAMES),
    "CryptoDataDownload, seconds": lines(MADE[::-1], lambda row: download(row, 1e-3), DOWNLOAD_NAMES.lower()),
    "TradingView, seconds": lines(MADE, in_unit(1e-3), "time,open,high,low,close,Volume"),
    "TradingView, ISO": lines(MADE, with_time("%Y-%m-%dT%H:%M:%SZ"), "time,open,high,low,close,Volume"),
    "TradingView, doubled names": lines(
        MADE, lambda row: plain(row) + ",1,2,", "time,open,high,low,close,Volume,Volume MA,Plot,Plot"
    ),
    "CoinAPI": lines(MADE, coinapi, COINAPI_NAMES),
    "Kaiko": lines(MADE, plain),
    "Kaiko, with counts": lines(MADE, lambda row: f"{row[0]},3,{plain(row).split(',', 1)[1]},100.5"),
    "cryptoarchive": lines(
        MADE, lambda row: f"{row[0] // 1000}|{plain(row).split(',', 1)[1].replace(',', '|')}|1.0|2.0|3.0|4"
    ),
    "basana": lines(MADE, with_time("%Y-%m-%d %H:%M:%S"), "datetime,open,high,low,close,volume"),
    "open_time, with a zone": lines(MADE, with_time("%Y-%m-%d %H:%M:%S+00:00"), "open_time,open,high,low,close,volume"),
    "timestamp, nanoseconds": lines(MADE, in_unit(1e6), "timestamp,open,high,low,close,volume"),
    "date, no seconds": lines(MADE, with_time("%Y-%m-%d %H:%M"), "Date,Open,High,Low,Close,Volume"),
    "other order of names": lines(
        MADE, lambda r: f"{r[5]},{r[4]},{r[3]},{r[2]},{r[1]},{r[0]}", "volume,close,low,high,open,time"
    ),
    "semicolons": lines(MADE, plain, "time,open,high,low,close,volume").replace(b",", b";"),
    "byte order mark": b"\xef\xbb\xbf" + lines(MADE, plain, "time,open,high,low,close,volume"),
    "Windows line ends": lines(MADE, plain, "time,open,high,low,close,volume").replace(b"\n", b"\r\n"),
    "line ends of old Macs": lines(MADE, plain, "time,open,high,low,close,volume").replace(b"\n", b"\r"),
    "line ends of old Macs, no names": lines(MADE, plain).replace(b"\n", b"\r"),
    "line ends of all kinds": lines(MADE, plain, "time,open,high,low,close,volume").replace(b"\n", b"\r", 9),
    "blank lines above the names": b"\n \t\n\n" + lines(MADE, plain, "time,open,high,low,close,volume"),
    "blank lines above the names, Windows": b"\r\n\r\n"
    + lines(MADE, plain, "time,open,high,low,close,volume").replace(b"\n", b"\r\n"),
    "blank lines, no names": b"\n \n" + lines(MADE, plain).replace(b"\n", b"\n\n"),
    "CryptoDataDownload, blank lines": b"\nhttps://www.CryptoDataDownload.com\n\n"
    + lines(MADE[::-1], download, DOWNLOAD_NAMES),
    "quotes": lines(
        MADE, lambda row: '"' + plain(row).replace(",", '","') + '"', '"time","open","high","low","close","volume"'
    ),
    "times with a point": lines(MADE, lambda row: plain(row).replace(",", ".0,", 1), "time,open,high,low,close,volume"),
}


@pytest.mark.parametrize("layout", TEXTS)
def test_text(layout: str, tmp_path: Path) -> None:
    file = tmp_path / "candles.txt"
    file.write_bytes(TEXTS[layout])
    assert same(read_candles(file), candles(MADE))


@pytest.mark.parametrize("layout", ["Binance archive", "ccxt", "Bitfinex", "cryptoarchive"])
def test_gzip_and_zip(layout: str, tmp_path: Path) -> None:
    packed = tmp_path / "candles.gz"
    packed.write_bytes(gzip.compress(TEXTS[layout]))
    assert same(read_candles(packed), candles(MADE))
    archived = tmp_path / "candles.zip"
    with zipfile.ZipFile(archived, "w") as file:
        file.writestr("folder/", "")
        file.writestr("folder/candles.csv", TEXTS[layout])
    assert same(read_candles(str(archived)), candles(MADE))


def arrow_table(time: pa.Array, name: str) -> pa.Table:
    made = candles(MADE)
    return pa.table(
        {name: time} | {column: getattr(made, column) for column in ("open", "high", "low", "close", "volume")}
    )


TIMES = [row[0] for row in MADE]
ARROW = {
    "our own": ("open_time", pa.array(TIMES, pa.int64())),
    "freqtrade, ns": ("date", pa.array([t * 10**6 for t in TIMES], pa.timestamp("ns", "UTC"))),
    "freqtrade, ms": ("date", pa.array(TIMES, pa.timestamp("ms", "UTC"))),
    "no zone": ("timestamp", pa.array([t * 1000 for t in TIMES], pa.timestamp("us"))),
    "seconds": ("time", pa.array([t // 1000 for t in TIMES], pa.uint32())),
    "text": ("datetime", pa.array([iso(t) for t in TIMES])),
}


@pytest.mark.parametrize("kind", ARROW)
def test_parquet_and_feather(kind: str, tmp_path: Path) -> None:
    name, time = ARROW[kind]
    table = arrow_table(time, name)
    parquet.write_table(table, tmp_path / "candles.parquet", row_group_size=7)
    feather.write_feather(table, tmp_path / "candles.feather", chunksize=11)
    assert same(read_candles(tmp_path / "candles.parquet"), candles(MADE))
    assert same(read_candles(tmp_path / "candles.feather"), candles(MADE))


def test_decimal_and_text_prices_are_rounded_correctly(tmp_path: Path) -> None:
    table = arrow_table(pa.array(TIMES), "open_time")
    texts = [f"{value:.8f}" for value in table["open"].to_pylist()]
    decimals = pa.array([Decimal(text) for text in texts], pa.decimal128(38, 8))
    for column in (pa.array(texts), decimals):
        parquet.write_table(table.set_column(1, "open", column), tmp_path / "candles.parquet")
        assert same(read_candles(tmp_path / "candles.parquet"), candles(MADE))


def test_days_and_weeks(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    for interval, days in (("1d", 1), ("3d", 3), ("1w", 7)):
        made = rows(30, days * 86_400_000, START + 3 * 86_400_000)
        file.write_bytes(lines(made, with_time("%Y-%m-%d"), "date,open,high,low,close,volume"))
        assert same(read_candles(file), candles(made, days * 86_400_000))
        assert same(read_candles(file, interval=interval), candles(made, days * 86_400_000))


def test_a_missing_volume_is_zero_in_tradingview(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_bytes(lines(MADE, lambda row: plain(row).rsplit(",", 1)[0], "time,open,high,low,close"))
    read = read_candles(file)
    assert not read.volume.any()
    assert read.close.tolist() == [row[4] for row in MADE]


def test_an_offset_is_taken_into_account(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_bytes(lines(MADE, with_time("%Y-%m-%dT%H:%M:%S+02:00"), "time,open,high,low,close,volume"))
    assert int(read_candles(file).open_time[0]) == START - 2 * 3_600_000


def test_lean_takes_the_day_from_the_name(tmp_path: Path) -> None:
    data = lines(MADE, lambda row: ",".join([str(row[0] - START), *map(repr, row[1:])]))
    archived = tmp_path / "20210402_trade.zip"
    with zipfile.ZipFile(archived, "w") as file:
        file.writestr("20210402_btcusd_minute_trade.csv", data)
    assert same(read_candles(archived), candles(MADE))
    with zipfile.ZipFile(archived, "w") as file:
        file.writestr("btcusd.csv", data)
    assert same(read_candles(archived), candles(MADE))


def test_flat_candles_read_alike_in_either_order(tmp_path: Path) -> None:
    flat: list[Row] = [(row[0], 5.5, 5.5, 5.5, 5.5, 0.0) for row in MADE]
    file = tmp_path / "candles.json"
    file.write_text(str([list(row) for row in flat]))
    assert same(read_candles(file), candles(flat))


def test_text_is_rounded_to_the_nearest_double(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    texts = [f"{whole}.{part:012d}" for whole, part in generator.integers(1, 10**12, (2000, 2)).tolist()]
    file = tmp_path / "candles.csv"
    body = "".join(f"{START + n * 60_000},{text},{text},{text},{text},0\n" for n, text in enumerate(texts))
    file.write_text("time,open,high,low,close,volume\n" + body)
    assert read_candles(file).open.tolist() == [float(text) for text in texts]


def test_several_files_are_put_in_order_and_shared_rows_merged(tmp_path: Path) -> None:
    parts = [MADE[30:], MADE[:20], MADE[15:35]]
    files = []
    for place, part in enumerate(parts):
        buffer = io.BytesIO(lines(part, plain))
        files.append(tmp_path / f"{place}.csv")
        files[-1].write_bytes(buffer.getvalue())
    read = read_candles(*files)
    assert same(read, candles(MADE))
    assert read.source == f"{files[1]} and 2 more"


def test_one_candle_needs_its_interval_said(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_bytes(lines(MADE[:1], plain))
    assert same(read_candles(file, interval="1m"), candles(MADE[:1]))
    other = tmp_path / "other.csv"
    other.write_bytes(lines(MADE[1:], plain))
    assert same(read_candles(file, other), candles(MADE))


def test_a_repeated_row_counts_once(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_bytes(lines([*MADE[:10], *MADE[9:]], plain))
    assert same(read_candles(file), candles(MADE))
