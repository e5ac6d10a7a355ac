"""The command `dca` as a whole: its list of commands, its help, its exit codes, and what it imports."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dcacli.main import COMMANDS, main

HEAVY = ("numpy", "pyarrow", "rich", "jinja2", "dcacore.backtest")


def commands(group: click.Group, *path: str) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += commands(command, *path, name)
    return found


EVERY = commands(main)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    module, attribute, line = COMMANDS[name]
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.help is not None
    assert command.help.splitlines()[0] == line


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _ in EVERY])
def test_every_command_has_help_with_an_example(path: tuple[str, ...], command: click.Command) -> None:
    done = CliRunner().invoke(main, [*path, "--help"], prog_name="dca")
    assert done.exit_code == 0
    assert f"Usage: dca {' '.join(path)}" in done.output
    assert "Example:\n    dca " in done.output
    assert all(not isinstance(option, click.Option) or option.help for option in command.params)


def test_help_and_version() -> None:
    done = CliRunner().invoke(main, ["--help"], prog_name="dca")
    assert done.exit_code == 0
    assert all(f"  {name} " in done.output for name in COMMANDS)
    assert "Example:\n    dca ladder" in done.output
    assert CliRunner().invoke(main, ["--version"]).output == f"dca, version {metadata.version('dcabot')}\n"


@pytest.mark.parametrize("args", [["ladd"], ["--nope"], []])
def test_wrong_usage(args: list[str]) -> None:
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def imported_by(*args: str) -> set[str]:
    """Return which of the slow modules a command imports."""
    code = "import sys\nfrom dcacli.main import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    return {name for name in HEAVY if name in done.stderr.split()}


def test_help_imports_nothing_slow() -> None:
    assert imported_by("--help") == set()


def test_a_ladder_imports_no_candles() -> None:
    assert imported_by("ladder", "examples/btc-calm.toml", "--price", "30000") == {"rich"}
    assert imported_by("ladder", "examples/btc-calm.toml", "--price", "30000", "--json") == set()


def test_the_installed_command() -> None:
    dca = Path(sys.executable).with_name("dca")
    done = subprocess.run([dca, "ladder", "missing.toml", "--price", "1"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "dca: missing.toml: cannot be read: No such file or directory\n"


LADDER = "ladder examples/btc-calm.toml --price 30000"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("args", [LADDER, f"{LADDER} --json", "--help", "ladder --help", "--version"])
def test_a_full_disk_is_one_line(args: str) -> None:
    dca = Path(sys.executable).with_name("dca")
    done = subprocess.run(["sh", "-c", f"{dca} {args} >/dev/full"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "dca: the output cannot be written: No space left on device\n"


def test_a_closed_output_is_no_traceback() -> None:
    dca = Path(sys.executable).with_name("dca")
    done = subprocess.run(["sh", "-c", f"{dca} {LADDER} >&-"], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_a_file_of_settings_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("DATA_DIR=from-file\n")
    dca = Path(sys.executable).with_name("dca")
    environment = {name: value for name, value in os.environ.items() if name != "DATA_DIR"}

    def data_list(**more: str) -> str:
        done = subprocess.run(
            [dca, "data", "list"], capture_output=True, text=True, check=True, env={**environment, **more}
        )
        return done.stdout + done.stderr

    assert "from-file" in data_list()
    assert "from-shell" in data_list(DATA_DIR="from-shell")


def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("# settings\n= nothing\n")
    done = CliRunner().invoke(main, ["data", "list"])
    assert (done.exit_code, done.stderr) == (1, "dca: .env: line 2 is no NAME=value\n")


def test_settings_that_are_no_text_are_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"\xff\xfe=1")
    done = CliRunner().invoke(main, ["data", "list"])
    assert (done.exit_code, done.stderr) == (1, "dca: .env: cannot be read as text\n")
