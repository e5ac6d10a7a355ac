from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.live import Cli, copy_of, make_history


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in an empty folder, without a database."""
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path)


@pytest.fixture
def ready(cli: Cli) -> Cli:
    """The command line over a database with one user of the tier PRO, who has an account on paper."""
    cli.good("user", "create", "anna@example.com", "--tier", "PRO")
    cli.good("account", "add", "paper")
    return cli


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database in which deals have been traded; see `make_history`."""
    folder = tmp_path_factory.mktemp("history")
    make_history(folder)
    return folder


@pytest.fixture
def traded(history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line over a database in which deals have been traded, as anna."""
    monkeypatch.chdir(tmp_path)
    cli = copy_of(history, tmp_path)
    cli.environment["DCA_USER"] = "anna@example.com"
    return cli
