"""`dca db`: schema, backups, and the way back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dcacore.adapters.sqlalchemy.lock import EngineLock
from dcacore.adapters.sqlalchemy.schema import head
from tests.integration.live import CALM, Cli


def test_a_database_is_made_and_brought_up_to_date(cli: Cli) -> None:
    assert cli.good("db", "current") == f"The database is empty; dca db upgrade brings it to revision {head()}.\n"
    assert cli.json("db", "current") == {"revision": None, "wanted": head(), "is_current": False}
    assert not Path("app.db").exists()
    assert cli.good("db", "upgrade") == f"The database is at revision {head()}.\n"
    assert cli.json("db", "upgrade") == {"revision": head(), "saved": None}
    assert cli.good("db", "current") == f"The database is at revision {head()}, as it should be.\n"


def test_another_schema_is_refused_with_what_to_do(ready: Cli) -> None:
    with closing(sqlite3.connect("app.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert "install the newer one" in ready.refused("bot", "list")
    assert "install the newer one" in ready.refused("db", "upgrade")
    assert "install the newer one" in ready.refused("db", "current")
    Path("app.db").write_bytes(b"no database at all, and long enough to be read as one" * 100)
    assert ready.refused("bot", "list") == "the file is no SQLite database"


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DROP TABLE day_total", "a migration was interrupted"),
        ("DELETE FROM alembic_version", "its revision is missing (alembic_version)"),
    ],
)
def test_a_schema_that_is_not_whole_is_not_as_it_should_be(ready: Cli, statement: str, why: str) -> None:
    with closing(sqlite3.connect("app.db")) as connection:
        connection.execute(statement)
        connection.commit()
    for command in (("db", "current"), ("db", "upgrade"), ("bot", "list")):
        assert ready.refused(*command) == f"the database is not whole: {why}; restore a backup"


def test_a_folder_that_is_missing_is_said(ready: Cli) -> None:
    assert ready.refused("db", "backup", "none/copy.db") == ("none/copy.db: cannot be written: there is no folder none")
    ready.environment["DATABASE_URL"] = "sqlite:///none/app.db"
    assert ready.refused("db", "upgrade") == "the database none/app.db cannot be made: there is no folder none"
    assert not Path("none").exists()


def test_a_database_that_was_moved_is_not_made_anew(ready: Cli) -> None:
    Path("app.db").rename("away.db")
    assert "app.db yet: run dca db upgrade" in ready.refused("bot", "list")
    assert not Path("app.db").exists()


def test_a_backup_comes_back(ready: Cli) -> None:
    assert ready.good("db", "backup", "copy.db") == "The database is in copy.db.\n"
    assert "is there already" in ready.refused("db", "backup", "copy.db")
    ready.good("bot", "create", CALM, "--account", "paper")
    told = ready.json("db", "restore", "copy.db")
    assert ready.json("bot", "list") == {"bots": []}
    assert Path(told["replaced"]).exists()
    assert "cannot be read" in ready.refused("db", "restore", "none.db")
    with EngineLock.take(ready.url):
        assert "another engine runs" in ready.refused("db", "restore", "copy.db")


def test_an_address_that_is_none(cli: Cli) -> None:
    cli.environment["DATABASE_URL"] = "postgresql://anna:canary-word@/"
    assert "canary" not in cli.refused("db", "current")
