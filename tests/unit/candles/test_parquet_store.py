"""The files of the local store: what they look like, what survives damage, what an interruption leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from dcacore.adapters.candles import ParquetCandleStore, read_candles
from dcacore.adapters.candles._files import parquet_bytes, write_whole
from dcacore.adapters.candles._shelf import Shelf
from dcacore.ports.candle_store import Source
from dcacore.ports.errors import BadFile
from tests.unit.candles.market import START, candles, rows, same

DAY = 86_400_000
ROWS = rows(60, DAY)  # 2021-04-02 to 2021-05-31
SOURCES = (
    Source(name="april.csv", sha256="a" * 64, first=START, last=START + 28 * DAY),
    Source(name="may.csv", sha256="b" * 64, first=START + 29 * DAY, last=START + 59 * DAY),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ParquetCandleStore(tmp_path).save("BTCUSDT", candles(ROWS, DAY), sources=SOURCES)
    return tmp_path / "BTCUSDT" / "1d"


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir() if path.name != ".lock"
    }


def problems(folder: Path) -> list[str]:
    [checked] = ParquetCandleStore(folder.parents[1]).check("BTCUSDT")
    return [problem.replace(str(folder), "") for problem in checked.problems]


def test_the_tree_and_the_manifest(folder: Path) -> None:
    assert sorted(files(folder)) == ["BTCUSDT-1d-2021-04.parquet", "BTCUSDT-1d-2021-05.parquet", "manifest.json"]
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert (manifest["version"], manifest["pair"], manifest["interval"]) == (1, "BTCUSDT", "1d")
    april = manifest["months"]["2021-04"]
    assert (april["rows"], april["first"], april["last"], april["gaps"]) == (29, START, START + 28 * DAY, 0)
    assert [source["name"] for source in april["sources"]] == ["april.csv"]
    assert [source["name"] for source in manifest["months"]["2021-05"]["sources"]] == ["may.csv"]


def test_the_columns(folder: Path) -> None:
    file = parquet.ParquetFile(folder / "BTCUSDT-1d-2021-04.parquet")
    assert file.schema_arrow.names == ["open_time", "open", "high", "low", "close", "volume"]
    assert not any(field.nullable for field in file.schema_arrow)
    assert file.num_row_groups == 1
    time = file.metadata.row_group(0).column(0)
    assert (time.compression, time.physical_type) == ("ZSTD", "INT64")
    assert "DELTA_BINARY_PACKED" in time.encodings


def test_saving_the_same_again_touches_no_file(folder: Path) -> None:
    before = files(folder)
    store = ParquetCandleStore(folder.parents[1])
    store.save("BTCUSDT", candles(ROWS, DAY), sources=SOURCES)
    store.save("BTCUSDT", candles(ROWS[10:50], DAY), sources=[Source(name="x", sha256="c", first=START, last=START)])
    assert files(folder) == before


def test_a_damaged_month_is_named_and_the_others_stay(folder: Path) -> None:
    path = folder / "BTCUSDT-1d-2021-05.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    assert problems(folder) == ["/BTCUSDT-1d-2021-05.parquet: is damaged or cut short (Parquet)"]
    store = ParquetCandleStore(folder.parents[1])
    with pytest.raises(BadFile, match="damaged"):
        store.load("BTCUSDT", "1d")
    with pytest.raises(BadFile, match="damaged"):
        store.save("BTCUSDT", candles(ROWS, DAY))
    assert len(store.load("BTCUSDT", "1d", None, START + 29 * DAY)) == 29


def test_a_single_wrong_bit_is_noticed_on_loading(folder: Path) -> None:
    path = folder / "BTCUSDT-1d-2021-04.parquet"
    data = bytearray(path.read_bytes())
    closes = parquet.ParquetFile(path).metadata.row_group(0).column(4)
    data[closes.data_page_offset + closes.total_compressed_size // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadFile, match="damaged"):
        ParquetCandleStore(folder.parents[1]).load("BTCUSDT", "1d")


def test_a_changed_month_is_noticed(folder: Path, tmp_path: Path) -> None:
    other = ParquetCandleStore(tmp_path / "other")
    other.save("BTCUSDT", candles(ROWS[5:25], DAY))
    name = "BTCUSDT-1d-2021-04.parquet"
    (folder / name).write_bytes((tmp_path / "other" / "BTCUSDT" / "1d" / name).read_bytes())
    [problem] = problems(folder)
    assert problem == (
        f"/{name}: it was changed after the import, and has 20 candles from 2021-04-07 00:00; "
        "the manifest says 29 from 2021-04-02 00:00"
    )


def test_a_month_under_another_name_is_noticed(folder: Path) -> None:
    (folder / "BTCUSDT-1d-2021-04.parquet").replace(folder / "BTCUSDT-1d-2021-06.parquet")
    assert problems(folder) == [
        "/BTCUSDT-1d-2021-06.parquet: it holds candles of 2021-04",
        "/BTCUSDT-1d-2021-06.parquet: the manifest does not have it; importing its candles again adds it",
        "/BTCUSDT-1d-2021-04.parquet: there is no such file, but the manifest has it",
    ]
    [entry] = ParquetCandleStore(folder.parents[1]).list()
    assert entry.problem.endswith("the files and the manifest differ; `dca data check BTCUSDT` says how")


@pytest.mark.parametrize("content", ["{", "[]", '{"months": {"2021-04": {}}}', '{"months": {"2021-04": 1}}', None])
def test_a_lost_manifest_is_made_again_by_the_next_import(folder: Path, content: str | None) -> None:
    manifest = folder / "manifest.json"
    if content is None:
        manifest.unlink()
    else:
        manifest.write_text(content)
        assert "/manifest.json: is damaged; importing its candles again makes a new one" in problems(folder)
    store = ParquetCandleStore(folder.parents[1])
    assert store.list()[0].problem
    assert same(store.load("BTCUSDT", "1d"), candles(ROWS, DAY))
    store.save("BTCUSDT", candles(ROWS[:5], DAY))
    assert problems(folder) == []
    assert store.list()[0].rows == 60


def test_an_interrupted_write_leaves_the_old_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    before = files(folder)
    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(folder / "BTCUSDT-1d-2021-04.parquet", b"half")
    assert files(folder) == before


def test_an_import_that_stopped_between_two_months_is_finished_by_the_next(folder: Path) -> None:
    store = ParquetCandleStore(folder.parents[1])
    longer = candles(rows(100, DAY), DAY)
    stopped_after = Shelf(folder=folder, pair="BTCUSDT", interval="1d")
    manifest = (folder / "manifest.json").read_bytes()
    store.save("BTCUSDT", longer)
    (folder / "manifest.json").write_bytes(manifest)
    stopped_after.path("2021-07").unlink()
    assert len(problems(folder)) == 1
    store.save("BTCUSDT", longer)
    assert problems(folder) == []
    assert same(store.load("BTCUSDT", "1d"), longer)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT").write_text("a file where a folder should be")
    with pytest.raises(BadFile, match="cannot be written: "):
        ParquetCandleStore(tmp_path).save("BTCUSDT", candles(ROWS, DAY))


def test_imports_at_the_same_time_lose_nothing(folder: Path) -> None:
    script = (
        "import sys; from dcacore.adapters.candles import ParquetCandleStore;"
        "from tests.unit.candles.market import candles, rows; place = int(sys.argv[1]);"
        "[ParquetCandleStore(sys.argv[2]).save('BTCUSDT', candles(rows(150)[n : n + 1])) for n in range(place, 150, 3)]"
    )
    root = str(folder.parents[1])
    running = [subprocess.Popen([sys.executable, "-c", script, str(place), root]) for place in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert same(ParquetCandleStore(root).load("BTCUSDT", "1m"), candles(rows(150)))


def test_strangers_in_the_folder_are_left_alone(folder: Path) -> None:
    (folder.parents[1] / "notes.txt").write_text("x")
    (folder.parents[1] / "OTHER" / "9m").mkdir(parents=True)
    (folder / ".BTCUSDT-1d-2021-04.parquet.x.part").write_text("x")
    assert [entry.pair for entry in ParquetCandleStore(folder.parents[1]).list()] == ["BTCUSDT"]
    assert problems(folder) == []


prices = st.floats(min_value=5e-324, max_value=1.7e308)
row_values = st.tuples(st.lists(prices, min_size=4, max_size=4), st.floats(0, 1.7e308))


@given(values=st.lists(row_values, min_size=1, max_size=11))
def test_any_doubles_come_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[list[float], float]]
) -> None:
    ordered = [(*sorted(four), volume) for four, volume in values]
    made = candles(
        [(START + place * DAY, o, high, low, c, v) for place, (low, o, c, high, v) in enumerate(ordered)], DAY
    )
    file = tmp_path_factory.getbasetemp() / "doubles.parquet"
    file.write_bytes(parquet_bytes(made))
    assert same(read_candles(file, interval="1d"), made)
