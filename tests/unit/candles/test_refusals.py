"""What no market can have made is refused, with the file, the row and the reason."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather, parquet

from dcacore.adapters.candles import read_candles
from dcacore.adapters.candles._bytes import file_bytes, unpack
from dcacore.domain.errors import DcaError, InvalidParameter
from dcacore.ports.errors import BadCandles, BadFile
from tests.unit.candles.market import MINUTE, START, Row, lines, plain, rows

NAMES = "open_time,open,high,low,close,volume"
MADE = rows()
AT = 20  # the place that is broken: row 21


def broken(**changes: object) -> bytes:
    """Return the market as CSV, with some columns of row 21 replaced."""
    table: list[dict[str, object]] = [dict(zip(NAMES.split(","), row, strict=True)) for row in MADE]
    table[AT] |= changes
    return "\n".join([NAMES, *(",".join(map(str, row.values())) for row in table)]).encode()


ROW = MADE[AT]
BROKEN: dict[str, tuple[dict[str, object], str]] = {
    "high below close": ({"high": 103.5}, "high 103.5 is below close 103.69"),
    "high below open only": ({"open": 150.0}, "high 103.84 is below open 150.0"),
    "low above open": ({"low": 102.97}, "low 102.97 is above open 102.96"),
    "price zero": ({"low": 0}, "low is 0.0, a price must be above 0"),
    "price negative": ({"low": -3}, "low is -3.0, a price must be above 0"),
    "NaN": ({"close": "NaN"}, "close is empty or not a number"),
    "empty": ({"open": ""}, "open is empty or not a number"),
    "infinite": ({"high": "inf"}, "high is inf, not a finite number"),
    "too large": ({"high": "1e999"}, "high is inf, not a finite number"),
    "volume negative": ({"volume": -1}, "volume is -1.0, it cannot be below 0"),
    "volume infinite": ({"volume": "1e999"}, "volume is inf, not a finite number"),
    "a word": ({"close": "abc"}, "close 'abc' is no number"),
    "full-width digits": ({"low": "１２"}, "low '１２' is no number"),
    "comma in a number": ({"open": "1,5"}, "has 7 fields, the first row has 6"),
    "off the grid": ({"open_time": ROW[0] + 1_000}, "2021-04-02 00:20:01 is not on the grid of 1m"),
    "off by a millisecond": ({"open_time": ROW[0] + 1}, "2021-04-02 00:20:00.001 is not on the grid of 1m"),
    "the time before": ({"open_time": MADE[AT - 1][0]}, "is also the time of row 20, with other values"),
    "far too early": ({"open_time": START - MINUTE}, "2021-04-01 23:59 is out of order"),
    "far too late": ({"open_time": START + 90 * MINUTE}, "2021-04-02 01:30 is out of order next to"),
    "time empty": ({"open_time": ""}, "the time is empty"),
    "time a word": ({"open_time": "x"}, "the time 'x' cannot be read"),
    "time too large": ({"open_time": "9" * 25}, "is no whole number, or too large"),
    "time with an exponent": ({"open_time": "1e25"}, "the time 1e+25 is no whole number, or too large"),
    "time negative": ({"open_time": -5}, "the time -5 is below 0"),
    "time in seconds": ({"open_time": ROW[0] // 1000}, "is not in ms as the others are"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_one_broken_row(case: str, tmp_path: Path) -> None:
    changes, reason = BROKEN[case]
    file = tmp_path / "candles.csv"
    file.write_bytes(broken(**changes))
    with pytest.raises(BadCandles) as refusal:
        read_candles(file)
    assert (refusal.value.file, refusal.value.row) == (str(file), AT + 1)
    assert reason in refusal.value.reason
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("case", BROKEN)
def test_the_row_is_counted_from_the_top_of_a_file_that_has_the_newest_first(case: str, tmp_path: Path) -> None:
    changes, _ = BROKEN[case]
    names, *body = broken(**changes).decode().split("\n")
    file = tmp_path / "candles.csv"
    file.write_text("\n".join([names, *reversed(body)]))
    with pytest.raises(BadCandles) as refusal:
        read_candles(file)
    # Of two rows with the same time, the one further down is refused.
    assert refusal.value.row == len(MADE) - AT + (case == "the time before")


def test_now_bounds_the_times(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_bytes(lines(MADE, plain))
    read_candles(file, now_ms=MADE[-1][0])
    with pytest.raises(BadCandles, match="row 50: 2021-04-02 00:49 lies in the future"):
        read_candles(file, now_ms=MADE[-1][0] - 1)


def test_wrong_order_of_columns(tmp_path: Path) -> None:
    file = tmp_path / "candles.json"
    file.write_text(str([[t, low, o, c, h, v] for t, o, h, low, c, v in MADE]))
    with pytest.raises(BadCandles, match="columns may stand in another order") as refusal:
        read_candles(file)
    assert refusal.value.row == 1


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (0, 1, 4, 2, 3, 5)], ids=["ccxt", "Bitfinex"])
def test_one_bad_row_does_not_change_the_order_of_columns(order: tuple[int, ...], tmp_path: Path) -> None:
    made = [*MADE[:AT], (ROW[0], ROW[1], 1.0, *ROW[3:]), *MADE[AT + 1 :]]
    file = tmp_path / "candles.json"
    file.write_text(str([[row[place] for place in order] for row in made]))
    with pytest.raises(BadCandles, match=r"row 21: high 1\.0 is below open"):
        read_candles(file)


def test_mixed_intervals(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_bytes(lines([*MADE[:31], *rows(20, 5 * MINUTE, START + 30 * MINUTE)[1:]], plain))
    with pytest.raises(BadCandles, match=r"row 31: from here 13 candles lie 5m apart, .*: mixed intervals"):
        read_candles(file)
    file.write_bytes(lines(rows(30, 60 * MINUTE), plain))
    with pytest.raises(BadCandles, match="row 1: from here 13 candles lie 1h apart, but the interval is 1m"):
        read_candles(file, interval="1m")
    other = tmp_path / "other.csv"
    other.write_bytes(lines(MADE, plain))
    with pytest.raises(BadCandles, match="row 1: from here") as refusal:
        read_candles(other, file)
    assert refusal.value.file == str(file)


def test_a_longer_interval_than_the_rows_have(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_bytes(lines(MADE, plain))
    with pytest.raises(BadCandles, match="row 2: 2021-04-02 00:01 is not on the grid of 5m"):
        read_candles(file, interval="5m")


def test_intervals_that_there_are_not(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_bytes(lines(MADE, plain))
    for interval in ("1M", "1mo"):
        with pytest.raises(InvalidParameter, match="months have no fixed length"):
            read_candles(file, interval=interval)
    with pytest.raises(InvalidParameter, match="interval = 7m: must be one of 1s, 1m"):
        read_candles(file, interval="7m")
    file.write_bytes(lines(rows(10, 90_000), plain))
    with pytest.raises(BadFile, match="candles lie 90 s apart or more, which is no interval"):
        read_candles(file)
    file.write_bytes(lines(MADE[:1], plain))
    with pytest.raises(BadFile, match="one candle does not show its interval"):
        read_candles(file)
    with pytest.raises(InvalidParameter, match="at least one"):
        read_candles()


def test_files_that_contradict_each_other(tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_bytes(lines(MADE[:30], plain))
    other.write_bytes(b"\n".join(broken(volume=9).split(b"\n")[16:]))
    with pytest.raises(BadCandles) as refusal:
        read_candles(other, one)
    assert refusal.value.file == str(other)
    assert refusal.value.row == AT + 1 - 15
    assert refusal.value.reason == f"row 6: 2021-04-02 00:20 has other values in row 21 of {one}"


def zipped(*members: str, method: int = zipfile.ZIP_STORED) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", method) as file:
            for member in members:
                file.writestr(member, lines(MADE, plain))

    return write


def cut(make: Callable[[Path], object], keep: float = 0.6) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        make(path)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])

    return write


def as_parquet(**columns: object) -> Callable[[Path], None]:
    table = {name: [row[place] for row in MADE] for place, name in enumerate(NAMES.split(","))}
    return lambda path: parquet.write_table(pa.table(table | columns), path)


def as_feather(path: Path) -> None:
    feather.write_feather(pa.table({"open_time": [1], "open": [1.0]}), path)


def text(content: str | bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, "there is no such file"),
    "directory": (lambda path: path.mkdir(), "is a directory, not a file"),
    "empty": (text(""), "is empty"),
    "blank": (text(" \n\n"), "holds nothing"),
    "names only": (text(NAMES + "\n"), "holds no candles"),
    "names and blank lines": (text(NAMES + "\n\n \n"), "holds no candles"),
    "no end of a field": (text('"' + "x" * 200_000), "not a known layout of candles: its first line cannot be read"),
    "time far too large": (text("1e25,1,1,1,1,1\n"), "row 1: the time 1e+25 is no whole number, or too large"),
    "no rows in JSON": (text("[]"), "holds no candles"),
    "no rows in Parquet": (
        lambda path: parquet.write_table(
            pa.table({name: pa.array([], pa.float64()) for name in NAMES.split(",")}), path
        ),
        "holds no candles",
    ),
    "Parquet cut short": (cut(as_parquet()), "is damaged or cut short (Parquet)"),
    "zip cut short": (cut(zipped("a.csv")), "is damaged or cut short (zip)"),
    "gzip cut short": (
        cut(lambda path: path.write_bytes(gzip.compress(lines(MADE, plain)))),
        "is damaged or cut short (gzip)",
    ),
    "JSON cut short": (text(str([list(row) for row in MADE])[:-30]), "is cut short: the JSON array does not end"),
    "zip with another method": (zipped("a.csv", method=zipfile.ZIP_LZMA), "is not packed with deflate (zip)"),
    "feather cut short": (text(b"ARROW1\0\0" + b"\1" * 50), "is damaged or cut short (feather)"),
    "two in a zip": (zipped("a.csv", "b.csv"), "the zip must hold one file and holds 2"),
    "none in a zip": (zipped(), "the zip must hold one file and holds 0"),
    "empty in a gzip": (lambda path: path.write_bytes(gzip.compress(b"")), "holds nothing"),
    "prose": (text("To whom it may concern\n"), "not a known layout of candles: it begins with 'To whom"),
    "unknown width": (text("1,2,3\n"), "not a known layout of candles: it begins with '1,2,3'"),
    "objects in JSON": (text('[{"open": 1}]'), "JSON candles are arrays in an array"),
    "a space in a number in JSON": (text("[[1617321600000, 1 2, 12, 12, 12, 1]]"), "row 1: open '1 2' is no number"),
    "nested JSON": (text("[[1,[2],3]]"), "the JSON array is damaged"),
    "not UTF-8": (text(b"time,open\xff\xfe,high\n"), "neither a known binary format nor UTF-8 text"),
    "zero bytes": (text(b"\0\0\0\0\n"), "not a known layout of candles"),
    "no volume": (text("date,open,high,low,close\n"), "not a known layout of candles"),
    "archive trades": (
        text("3735683259,61837.63,0.02,1236.75,1723161255342,True,True\n"),
        "these are trades, not candles",
    ),
    "trades with names": (text("id,price,qty,quote_qty,time\n1,2,3,4,5\n"), "these are trades, not candles"),
    "trades in JSON": (text('[[1,"2",null,"buy",3,4,12]]'), "these are trades, not candles"),
    "other columns": (
        lambda path: parquet.write_table(pa.table({"a": [1], "b": [2]}), path),
        "not a known layout of candles: its columns are a, b",
    ),
    "odd names": (
        lambda path: parquet.write_table(pa.table({"a\nb": [1], "c": [2]}), path),
        "its columns are 'a\\nb', c",
    ),
    "trades in Parquet": (
        lambda path: parquet.write_table(
            pa.table({"timestamp": [1], "price": [2.0], "amount": [3.0], "cost": [6.0]}), path
        ),
        "these are trades, not candles",
    ),
    "too few digits": (as_parquet(low=pa.array([1.0] * 50, pa.float32())), "column low holds float, too few digits"),
    "words in Parquet": (as_parquet(low=["x"] * 50), "column low holds string, and not only numbers"),
    "no times in Parquet": (as_parquet(open_time=[True] * 50), "the time column holds bool, which is no time"),
    "seconds that no millisecond counts": (
        lambda path: feather.write_feather(
            pa.table({name: [1.0] for name in NAMES.split(",")} | {"open_time": pa.array([2**62], pa.timestamp("s"))}),
            path,
        ),
        "row 1: the time 4611686018427387904 s is too large",
    ),
    "no date for LEAN": (text("0,1,1,1,1,1\n60000,1,1,1,1,1\n"), "no date YYYYMMDD is in its name"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_cannot_be_used(case: str, tmp_path: Path) -> None:
    make, reason = FILES[case]
    file = tmp_path / "candles"
    make(file)
    with pytest.raises(BadFile) as refusal:
        read_candles(file)
    assert refusal.value.file == str(file)
    assert reason in refusal.value.reason
    assert "\n" not in str(refusal.value)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    data = lines(MADE, plain)
    zipped("a.csv", method=zipfile.ZIP_DEFLATED)(tmp_path / "a.zip")
    for packed in (gzip.compress(data), (tmp_path / "a.zip").read_bytes(), gzip.compress(gzip.compress(data))):
        assert unpack("a", packed, len(data)).data == data
        with pytest.raises(BadFile, match=r"a: holds more than .* GiB: hand it in in pieces"):
            unpack("a", packed, len(data) - 1)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "a/b", "\udcff"])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(BadFile):
        read_candles(f"{tmp_path}/{name}")


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(BadFile, match=r"/dev/zero: holds more than 0\.5 GiB"):
        file_bytes("/dev/zero", 1 << 29)


@pytest.mark.parametrize("write", [parquet.write_table, feather.write_feather])
def test_columns_that_unpack_to_too_much_are_refused(write: Callable[[pa.Table, Path], object], tmp_path: Path) -> None:
    nothing = pa.nulls((2 << 30) // 48 + 1)
    write(pa.table(dict.fromkeys(NAMES.split(","), nothing)), tmp_path / "candles")
    with pytest.raises(BadFile, match="holds more than 2 GiB"):
        read_candles(tmp_path / "candles")


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "feather"])
def test_a_refusal_leaves_no_workers_behind(kind: str, tmp_path: Path) -> None:
    """Threads of Arrow that are at work while the interpreter shuts down abort the process."""
    file = tmp_path / "candles"
    {
        "csv": text(broken(close="x")),
        "json": text(str([list(row) for row in MADE[::2] + MADE])),
        "parquet": as_parquet(low=["x"] * 50),
        "feather": as_feather,
    }[kind](file)
    script = (
        "import os, sys, pyarrow.csv, pyarrow.parquet, pyarrow.compute;"
        "from dcacore.adapters.candles import read_candles; from dcacore.ports.errors import BadFile\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "try: read_candles(sys.argv[1])\n"
        "except BadFile: print(len(os.listdir('/proc/self/task')) - before)"
    )
    left = subprocess.check_output([sys.executable, "-c", script, str(file)], text=True)
    assert int(left) <= 1  # Arrow's CSV reader always reads ahead on one, which holds no memory of Python's


def test_an_empty_value_in_parquet_names_its_row(tmp_path: Path) -> None:
    file = tmp_path / "candles.parquet"
    as_parquet(close=[None if place == AT else 100.0 for place in range(50)])(file)
    with pytest.raises(BadCandles, match="row 21: close is empty"):
        read_candles(file)


def ruin(row: Row, column: int, how: str) -> tuple[object, ...]:
    ruined: list[object] = list(row)
    high, low = row[2], row[3]
    ruined[column] = {
        "nothing": "",
        "word": "x",
        "nan": "nan",
        "infinite": "inf",
        "negative": -1,
        "too high": high + 1 if column != 2 else low - 0.01,
        "too low": low - 1 if column != 3 else high + 0.01,
    }[how]
    return tuple(ruined)


@given(
    place=st.integers(0, 49),
    column=st.integers(1, 4),
    how=st.sampled_from(["nothing", "word", "nan", "infinite", "negative", "too high", "too low"]),
    as_json=st.booleans(),
)
def test_any_ruined_row_is_named(
    tmp_path_factory: pytest.TempPathFactory, place: int, column: int, how: str, as_json: bool
) -> None:
    made: list[tuple[object, ...]] = list(MADE)
    made[place] = ruin(MADE[place], column, how)
    file = tmp_path_factory.getbasetemp() / "ruined"
    if as_json:
        file.write_text("[" + ",".join("[" + ",".join(f'"{value}"' for value in row) + "]" for row in made) + "]")
    else:
        file.write_text("\n".join([NAMES, *(",".join(map(str, row)) for row in made)]))
    with pytest.raises(BadCandles) as refusal:
        read_candles(file)
    assert refusal.value.row == place + 1


@given(
    data=st.binary(max_size=300),
    magic=st.sampled_from([b"", b"PAR1", b"ARROW1", b"PK\x03\x04", b"\x1f\x8b", b"[[", b"1,"]),
)
def test_any_bytes_are_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes, magic: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "noise"
    file.write_bytes(magic + data)
    with pytest.raises(DcaError) as refusal:
        read_candles(file)
    assert "\n" not in str(refusal.value)


@given(data=st.data(), packed=st.sampled_from(["parquet", "zip", "gzip", "json", "csv"]))
def test_any_damage_is_refused_in_one_line_or_leaves_candles(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, packed: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "damaged"
    {
        "parquet": as_parquet(),
        "zip": zipped("a.csv"),
        "gzip": text(gzip.compress(lines(MADE, plain))),
        "json": text(str([list(row) for row in MADE])),
        "csv": text(lines(MADE, plain, NAMES)),
    }[packed](file)
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
    try:
        read_candles(file)
    except DcaError as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017  (a byte in a digit leaves good candles: that is no failure)
