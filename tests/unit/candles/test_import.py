"""`dca data`, and the use case below it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from dcacli.data import data
from dcacli.errors import OneLineErrors
from dcacore.adapters.candles import MemoryCandleStore, read_candle_files
from dcacore.application.candles import Named, import_candles, named
from tests.unit.candles.market import START, candles, lines, plain, rows, same

MADE = rows()


@click.group(cls=OneLineErrors)
def dca() -> None:
    pass


dca.add_command(data)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "BTCUSDT-1m-2021-04.csv"
    path.write_bytes(lines(MADE, plain))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def at_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)


def run(folder: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(dca, ["data", *map(str, arguments)], env={"DATA_DIR": str(folder)}, prog_name="dca")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["BTCUSDT-1m-2021-04.zip"], Named(pair="BTCUSDT", interval="1m")),
        (["a/BTCUSDT-1m-2021-04.zip", "b/BTCUSDT-1m-2021-05-01.csv"], Named(pair="BTCUSDT", interval="1m")),
        (["binance-spot-BTCUSDT-5m-2020-12_2021-07.parquet"], Named(pair="BTCUSDT", interval="5m")),
        (["BTCUSDT-1mo-2021-04.zip"], Named(pair="BTCUSDT", interval="1mo")),
        (["BTCUSDT-7m-2021-04.zip"], Named(pair="BTCUSDT", interval=None)),
        (["BTCUSDT-1m-2021-04.zip", "ETHUSDT-1m-2021-04.zip"], Named(pair=None, interval="1m")),
        (["BTCUSDT-1m-2021-04.zip", "other.csv"], Named(pair=None, interval=None)),
        (["BTC_USDT-5m.feather"], Named(pair=None, interval=None)),
    ],
)
def test_names_of_files(names: list[str], expected: Named) -> None:
    assert named(names) == expected


def test_the_use_case(file: Path) -> None:
    store = MemoryCandleStore()
    done = import_candles(store, read_candle_files, [str(file)], pair="ETHUSDT", interval=None)
    assert (done.pair, done.interval, done.saved.added) == ("ETHUSDT", "1m", 50)
    assert same(store.load("ETHUSDT", "1m"), candles(MADE))


def test_import_list_check(file: Path, folder: Path) -> None:
    first = run(folder, "import", file)
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout == "BTCUSDT 1m: 50 candles from 2021-04-02 00:00 to 2021-04-02 00:49: 50 new\nno gaps\n"
    assert "all there already, nothing changed" in run(folder, "import", file).stdout
    assert run(folder, "list").stdout.splitlines()[1].split() == [
        *("BTCUSDT", "1m", "50", "2021-04-02", "00:00", "2021-04-02", "00:49")
    ]
    assert run(folder, "check", "BTCUSDT").stdout == "BTCUSDT 1m: 50 candles, no gaps\n"


def test_json(file: Path, folder: Path) -> None:
    file.write_bytes(lines([row for place, row in enumerate(MADE) if place not in {4, 5}], plain))
    gap = {"after_ms": START + 180_000, "missing": 2, "resumes_ms": START + 360_000}
    gaps = {"gaps": 1, "missing": 2, "longest_gap": gap}
    last = MADE[-1][0]
    assert json.loads(run(folder, "import", file, "--json").stdout) == {
        "pair": "BTCUSDT",
        "interval": "1m",
        "candles": 48,
        "from_ms": START,
        "to_ms": last,
        "added": 48,
        "replaced": 0,
        "unchanged": 0,
        **gaps,
    }
    assert json.loads(run(folder, "list", "--json").stdout) == {
        "candles": [
            {"pair": "BTCUSDT", "interval": "1m", "candles": 48, "from_ms": START, "to_ms": last, "problem": None}
        ]
    }
    assert json.loads(run(folder, "check", "BTCUSDT", "--json").stdout) == {
        "pair": "BTCUSDT",
        "intervals": [{"interval": "1m", "candles": 48, "problems": [], **gaps, "gap_list": [gap]}],
    }


def test_replace(file: Path, folder: Path) -> None:
    run(folder, "import", file)
    file.write_bytes(lines([*MADE[:-1], (*MADE[-1][:5], 77.0)], plain))
    refused = run(folder, "import", file)
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"dca: {file}: the candle of 2021-04-02 00:49 ")
    assert refused.stderr.endswith(
        "has volume 77.0, but the store has 7.625; to take the new values ask for it with --replace\n"
    )
    assert "1 replaced, 49 there already" in run(folder, "import", file, "--replace").stdout


def test_nothing_there(folder: Path) -> None:
    assert run(folder, "list").stdout.startswith(f"There are no candles in {folder}.")
    assert json.loads(run(folder, "list", "--json").stdout) == {"candles": []}
    missing = run(folder, "check", "BTCUSDT")
    assert (missing.exit_code, missing.stderr) == (1, f"dca: {folder}: there are no candles of BTCUSDT\n")
    assert not folder.exists()


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["check", "BTCUSDT"]])
def test_a_file_is_no_data_dir(file: Path, command: list[str]) -> None:
    refused = run(file, *command)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"dca: {file}: is a file, where the folder of the candle store should be\n"


def test_damage(file: Path, folder: Path) -> None:
    run(folder, "import", file)
    [month] = folder.glob("*/*/*.parquet")
    month.write_bytes(month.read_bytes()[:100])
    checked = run(folder, "check", "BTCUSDT")
    assert (checked.exit_code, checked.stderr) == (1, "dca: BTCUSDT: 1 problem found\n")
    assert f"problem: {month}: is damaged or cut short (Parquet)" in checked.stdout
    refused = run(folder, "import", file)
    assert refused.exit_code == 1
    assert "; import its candles again with --replace, or delete that file" in refused.stderr
    assert "50 replaced" in run(folder, "import", file, "--replace").stdout
    assert run(folder, "check", "BTCUSDT").exit_code == 0
    (month.parent / "manifest.json").write_text("{")
    assert "is damaged; importing its candles again makes a new one" in run(folder, "list").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["import"], 2, "Missing argument 'FILE...'"),
        (["import", "other.csv"], 2, "give it with --pair"),
        (["import", "missing.csv", "--pair", "BTCUSDT"], 1, "dca: missing.csv: there is no such file\n"),
        (["import", "x.csv", "--pair", "../x"], 1, "dca: pair = ../x: must be uppercase letters and digits"),
        (["import", "BTCUSDT-1m-2021-04.csv", "--interval", "9m"], 1, "dca: interval = 9m: must be one of"),
        (["check"], 2, "Missing argument 'PAIR'"),
        (["list", "--unknown"], 2, "No such option"),
    ],
)
def test_refusals(at_the_file: None, folder: Path, arguments: list[str], code: int, message: str) -> None:
    refused = run(folder, *arguments)
    assert refused.exit_code == code
    assert message in refused.stderr
    assert "Traceback" not in refused.output
    assert not folder.exists()


def test_candles_of_the_future_are_refused(file: Path, folder: Path) -> None:
    file.write_bytes(lines(rows(start=START + 3_000_000 * 60_000_00), plain))
    refused = run(folder, "import", file)
    assert refused.exit_code == 1
    assert "row 1: " in refused.stderr
    assert "lies in the future" in refused.stderr


@pytest.mark.parametrize("command", ["import", "list", "check"])
def test_help_has_an_example(folder: Path, command: str) -> None:
    assert f"Example:\n    dca data {command}" in run(folder, command, "--help").stdout.replace("  Example", "Example")


def test_a_reader_that_went_away_is_no_error(file: Path, folder: Path) -> None:
    run(folder, "import", file)
    script = "from tests.unit.candles.test_import import dca; dca(['data', 'list'], prog_name='dca')"
    reader, writer = os.pipe()
    os.close(reader)
    environment = os.environ | {"DATA_DIR": str(folder)}
    ended = subprocess.run(
        [sys.executable, "-c", script], stdout=writer, stderr=subprocess.PIPE, env=environment, check=False
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_an_interruption_is_quiet() -> None:
    @dca.command("interrupted")
    def interrupted() -> None:
        raise KeyboardInterrupt

    ended = CliRunner().invoke(dca, ["interrupted"])
    assert (ended.exit_code, ended.output) == (130, "")


def test_help_loads_neither_numpy_nor_pyarrow() -> None:
    script = "import sys, dcacli.data; print([name for name in ('numpy', 'pyarrow', 'rich') if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"


def test_importing_the_reader_does_not_load_pyarrow() -> None:
    script = "import sys, dcacore.adapters.candles; print('pyarrow' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "False\n"
