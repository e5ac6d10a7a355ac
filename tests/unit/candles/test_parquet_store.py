"""The files of the local store: what they look like, what survives damage, what an interruption leaves."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from dcacore.adapters.candles import ParquetCandleStore, read_candles
from dcacore.adapters.candles._files import Disk, alone, parquet_bytes
from dcacore.adapters.candles._shelf import Shelf
from dcacore.ports.candle_store import Saved, Source
from dcacore.ports.candles import Candles
from dcacore.ports.errors import BadCandles, BadFile, NoCandles
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
    store.save("BTCUSDT", candles(ROWS[10:50], DAY), sources=SOURCES[:1])
    assert files(folder) == before


def test_another_file_with_the_same_candles_changes_the_manifest_alone(folder: Path) -> None:
    before = files(folder)
    store = ParquetCandleStore(folder.parents[1])
    other = Source(name="x", sha256="c" * 64, first=START, last=START)
    store.save("BTCUSDT", candles(ROWS[:10], DAY), sources=[other])
    after = files(folder)
    assert [name for name in after if after[name] != before[name]] == ["manifest.json"]
    assert store.sources("BTCUSDT", "1d") == (SOURCES[0], other, SOURCES[1])


@pytest.mark.parametrize("content", [None, b"PAR1"])
def test_the_sources_of_a_lost_month_have_to_come_in_again(folder: Path, content: bytes | None) -> None:
    path = folder / "BTCUSDT-1d-2021-05.parquet"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert ParquetCandleStore(folder.parents[1]).sources("BTCUSDT", "1d") == SOURCES[:1]


def test_a_damaged_month_is_named_and_the_others_stay(folder: Path) -> None:
    path = folder / "BTCUSDT-1d-2021-05.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    ways_out = "import its candles again with --replace, or delete that file and import them again"
    assert problems(folder) == [f"/BTCUSDT-1d-2021-05.parquet: is damaged or cut short (Parquet); {ways_out}"]
    store = ParquetCandleStore(folder.parents[1])
    with pytest.raises(BadFile, match=ways_out):
        store.load("BTCUSDT", "1d")
    with pytest.raises(BadFile, match=ways_out):
        store.save("BTCUSDT", candles(ROWS, DAY))
    assert len(store.load("BTCUSDT", "1d", None, START + 29 * DAY)) == 29


@pytest.mark.parametrize("content", [b"", b"PAR1", b"time,open\n"])
def test_a_damaged_month_is_replaced_when_that_is_asked_for(folder: Path, content: bytes) -> None:
    (folder / "BTCUSDT-1d-2021-05.parquet").write_bytes(content)
    store = ParquetCandleStore(folder.parents[1])
    assert store.save("BTCUSDT", OLD, replace=True) == Saved(added=0, replaced=31, unchanged=29)
    assert problems(folder) == []
    assert same(store.load("BTCUSDT", "1d"), OLD)


def test_a_damaged_month_is_replaced_only_by_all_that_it_held(folder: Path) -> None:
    path = folder / "BTCUSDT-1d-2021-05.parquet"
    path.write_bytes(b"x")
    store = ParquetCandleStore(folder.parents[1])
    with pytest.raises(BadFile) as refusal:
        store.save("BTCUSDT", candles(ROWS[:40], DAY), replace=True)
    assert refusal.value.reason == (
        "is damaged, and held candles from 2021-05-01 00:00 to 2021-05-31 00:00: import all of them with --replace, "
        "or delete that file and import what you have"
    )
    assert path.read_bytes() == b"x"
    path.unlink()
    store.save("BTCUSDT", candles(ROWS[:40], DAY))
    assert problems(folder) == []
    assert store.list()[0].rows == 40


def test_a_damaged_month_that_the_manifest_has_lost_stands_in_nobodys_way(folder: Path) -> None:
    (folder / "BTCUSDT-1d-2021-05.parquet").write_bytes(b"x")
    (folder / "manifest.json").unlink()
    store = ParquetCandleStore(folder.parents[1])
    store.save("BTCUSDT", candles(ROWS[:5], DAY))
    assert [problem.partition(";")[0] for problem in problems(folder)] == [
        "/BTCUSDT-1d-2021-05.parquet: not a known layout of candles: it begins with 'x'"
    ]
    assert store.save("BTCUSDT", OLD, replace=True) == Saved(added=0, replaced=31, unchanged=29)
    assert problems(folder) == []


def test_a_damaged_first_month_does_not_keep_weeks_from_being_saved(tmp_path: Path) -> None:
    week = 7 * DAY
    store = ParquetCandleStore(tmp_path)
    store.save("BTCUSDT", candles(rows(20, week), week))
    (tmp_path / "BTCUSDT" / "1w" / "BTCUSDT-1w-2021-04.parquet").write_bytes(b"x")
    with pytest.raises(BadCandles, match="is not on the grid of the stored 1w candles"):
        store.save("BTCUSDT", candles(rows(20, week, START + 30 * week + DAY), week))
    store.save("BTCUSDT", candles(rows(20, week), week), replace=True)
    assert len(store.load("BTCUSDT", "1w")) == 20


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
    april = "/BTCUSDT-1d-2021-04.parquet"
    Path(f"{folder}{april}").replace(folder / "BTCUSDT-1d-2021-06.parquet")
    assert problems(folder) == [
        "/BTCUSDT-1d-2021-06.parquet: it holds candles of 2021-04",
        "/BTCUSDT-1d-2021-06.parquet: the manifest does not have it; importing its candles again adds it",
        f"{april}: there is no such file, but the manifest has it; importing its candles again adds it",
    ]
    [entry] = ParquetCandleStore(folder.parents[1]).list()
    assert entry.problem.endswith("the files and the manifest differ; `dca data check BTCUSDT` says how")


MONTH = '{"rows": 1, "first": %s, "last": %s, "gaps": 0, "missing": 0, "sha256": "", "sources": []}'
MANIFESTS = [
    *("{", "[]", "[" * 100_000, '{"months": {"2021-04": {}}}', '{"months": {"2021-04": 1}}'),
    *(f'{{"months": {{"2021-04": {MONTH % times}}}}}' for times in [(START, 10**30), (-(10**18), START), (START, 0)]),
    *(f'{{"months": {{"{month}": {MONTH % (START, START)}}}}}' for month in ("2021-05", "2021-99", "../x", "")),
    None,
]


@pytest.mark.parametrize("content", MANIFESTS)
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


class Interrupted(Disk):
    """A disk whose user loses patience, or whose process is killed, at step *at*; a write stops halfway.

    Nothing is done any more by a process that was killed.
    """

    def __init__(self, at: int, *, killed: bool) -> None:
        self.left = at
        self.killed = killed

    def stops(self) -> bool:
        self.left -= 1
        return self.left == 0 or (self.killed and self.left < 0)

    def write(self, path: Path, data: bytes) -> None:
        if self.stops():
            if self.left == 0:
                path.write_bytes(data[: len(data) // 2])
            raise KeyboardInterrupt
        super().write(path, data)

    def rename(self, path: Path, place: Path) -> None:
        if self.stops():
            raise KeyboardInterrupt
        super().rename(path, place)

    def remove(self, path: Path) -> None:
        if self.stops():
            raise KeyboardInterrupt
        super().remove(path)

    def sync(self, folder: Path) -> None:
        if self.stops():
            raise KeyboardInterrupt
        super().sync(folder)


OLD = candles(ROWS, DAY)
NEW = candles([(*row[:5], row[5] + 1) for row in rows(100, DAY)], DAY)  # four months, two of them there already


def stopped_saves(root: Path, *, killed: bool, old: bool) -> Iterator[tuple[Path, bool]]:
    """Yield a store for each step at which a save of NEW over OLD can stop, and whether NEW should be there."""
    for at in count(1):
        folder = root / str(at)
        if old:
            ParquetCandleStore(folder).save("BTCUSDT", OLD, sources=SOURCES)
        manifest = folder / "BTCUSDT" / "1d" / "manifest.json"
        before = manifest.read_bytes() if old else None
        try:
            ParquetCandleStore(folder, disk=Interrupted(at, killed=killed)).save("BTCUSDT", NEW, replace=True)
        except KeyboardInterrupt:
            yield folder, manifest.exists() and manifest.read_bytes() != before
        else:
            return


def held(store: ParquetCandleStore) -> Candles | None:
    try:
        return store.load("BTCUSDT", "1d")
    except NoCandles:
        return None


@pytest.mark.parametrize("killed", [False, True], ids=["Ctrl-C", "killed"])
@pytest.mark.parametrize(
    ("first", "old"), [("load", True), ("list", True), ("check", True), ("save", True), ("list", False)]
)
def test_a_save_that_stops_anywhere_has_happened_or_has_not(
    tmp_path: Path, first: str, *, killed: bool, old: bool
) -> None:
    seen = []
    for folder, happened in stopped_saves(tmp_path, killed=killed, old=old):
        store = ParquetCandleStore(folder)
        expected = NEW if happened else OLD if old else None
        if first == "list":
            assert [(entry.rows, entry.problem) for entry in store.list()] == (
                [(len(expected), "")] if expected else []
            )
        elif first == "check" and expected:
            assert [(entry.rows, entry.problems) for entry in store.check("BTCUSDT")] == [(len(expected), ())]
        elif first == "save":
            store.save("BTCUSDT", NEW if happened or not old else OLD)  # nothing conflicts with what is there
            expected = expected or NEW
        found = held(store)
        assert found is None if expected is None else found is not None and same(found, expected)
        store.save("BTCUSDT", NEW, replace=True)
        assert same(store.load("BTCUSDT", "1d"), NEW)
        assert problems(folder / "BTCUSDT" / "1d") == []
        assert not list(folder.rglob("*.next"))
        seen.append(happened)
    assert seen == sorted(seen)
    assert seen.count(False) >= 6  # four months, the manifest, the folder and the manifest's rename
    assert seen.count(True) >= 5  # the folder and four renames


def test_a_reader_does_not_wait_for_a_save_that_has_not_happened(folder: Path) -> None:
    waiting = folder / ".BTCUSDT-1d-2021-05.parquet.next"
    waiting.write_text("half")
    with alone(folder):
        assert same(ParquetCandleStore(folder.parents[1]).load("BTCUSDT", "1d"), OLD)
    assert waiting.exists()
    ParquetCandleStore(folder.parents[1]).save("BTCUSDT", OLD)
    assert not waiting.exists()


def test_a_disk_that_refuses_leaves_the_store_as_it_was(folder: Path) -> None:
    class Full(Disk):
        def write(self, path: Path, data: bytes) -> None:
            if "2021-06" in path.name:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            super().write(path, data)

    before = files(folder)
    with pytest.raises(BadFile, match="cannot be written: No space left on device"):
        ParquetCandleStore(folder.parents[1], disk=Full()).save("BTCUSDT", NEW, replace=True)
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


def test_an_empty_manifest_is_no_shelf(folder: Path) -> None:
    for path in folder.glob("*.parquet"):
        path.unlink()
    (folder / "manifest.json").write_text('{"months": {}}')
    store = ParquetCandleStore(folder.parents[1])
    assert store.list() == ()
    with pytest.raises(NoCandles):
        store.check("BTCUSDT")


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    file = tmp_path / "candles"
    file.write_text("x")
    store = ParquetCandleStore(file)
    for attempt in (
        store.list,
        lambda: store.check("BTCUSDT"),
        lambda: store.load("BTCUSDT", "1d"),
        lambda: store.save("BTCUSDT", OLD),
    ):
        with pytest.raises(BadFile) as refusal:
            attempt()
        assert str(refusal.value) == f"{file}: is a file, where the folder of the candle store should be"


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
    (folder.parents[1] / "OTHER" / "1m").write_text("x")
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
