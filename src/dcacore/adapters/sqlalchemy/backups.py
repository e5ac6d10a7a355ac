"""Copies of a database, and the way back. Both block: call them off the event loop.

A database that comes back is older than the exchange: orders have been placed since whose ids it does not know. It
therefore gets a new epoch, which is part of every order id, so that no id is ever issued twice.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from dcacore.adapters.sqlalchemy import postgres_files
from dcacore.adapters.sqlalchemy._errors import translated
from dcacore.adapters.sqlalchemy._urls import database_url
from dcacore.adapters.sqlalchemy.lock import EngineLock
from dcacore.adapters.sqlalchemy.sqlite_files import SQLITE_MAGIC, copy_database, free_name, refuse_damaged, sync
from dcacore.ports.errors import BadFile, StoreUnavailable

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


def new_epoch() -> str:
    """Return six characters that no database has had before."""
    return "".join(secrets.choice(_LETTERS) for _ in range(6))


def backup(url: str | URL, file: Path) -> None:
    """Write the database into the new file *file*; an engine may run meanwhile.

    Raises:
        BadFile: *file* is there already or cannot be written, or there is no database.
        StoreUnavailable: the database cannot be read, or there is no room.
    """
    where = database_url(url)
    if where.get_backend_name() == "sqlite":
        copy_database(Path(where.database or ""), file)
    else:
        postgres_files.dump(where, file)


def restore(url: str | URL, file: Path) -> Path | None:
    """Replace the database by what *file* holds, with a new epoch. No program may have it open.

    Returns:
        Where the replaced SQLite database lies now; None when there was none, and with PostgreSQL.

    Raises:
        BadFile: *file* is not a backup of this kind of database, or is damaged.
        EngineRunning: an engine runs over the database.
        StoreUnavailable: another program has it open, or it cannot be written.
    """
    where = database_url(url)
    is_sqlite = where.get_backend_name() == "sqlite"
    _refuse_other_kinds(file, SQLITE_MAGIC if is_sqlite else postgres_files.MAGIC)
    if not is_sqlite:
        postgres_files.load(where, file, new_epoch())
        return None
    with EngineLock.take(where):
        return _restore_sqlite(Path(where.database or ""), file)


def _refuse_other_kinds(file: Path, magic: bytes) -> None:
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(SQLITE_MAGIC))
    except OSError as error:
        raise BadFile(str(file), f"cannot be read: {error.strerror}") from error
    if begins.startswith(magic):
        return
    if begins.startswith(postgres_files.MAGIC):
        raise BadFile(str(file), "is a backup of a PostgreSQL database, and DATABASE_URL names a SQLite file")
    if begins.startswith(SQLITE_MAGIC):
        raise BadFile(str(file), "is a backup of a SQLite database, and DATABASE_URL names a PostgreSQL server")
    raise BadFile(str(file), "is no backup of a database")


def _restore_sqlite(database: Path, file: Path) -> Path | None:
    made = free_name(database, "restoring")
    copy_database(file, made)
    try:
        with closing(sqlite3.connect(made)) as copy:
            refuse_damaged(copy, file)
            try:
                copy.execute("UPDATE meta SET epoch = ?", [new_epoch()])
                copy.commit()
            except sqlite3.OperationalError as error:
                raise BadFile(str(file), "is a SQLite database, but not one of this program") from error
        replaced = _set_aside(database)
        made.rename(database)
        sync(database.parent)
    except (sqlite3.Error, OSError) as error:
        raise translated(error) from error
    finally:
        made.unlink(missing_ok=True)
    return replaced


def _set_aside(database: Path) -> Path | None:
    """Move the database out of the way with all that its log holds; nobody may have it open."""
    if not database.exists() or not database.stat().st_size:
        return None
    try:
        with closing(sqlite3.connect(database, timeout=1)) as old:
            old.execute("PRAGMA journal_mode = DELETE")  # works the log in, and only for one who is alone
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise StoreUnavailable("another program has the database open; end it first") from error
        # A damaged database is kept as it is: that is what restoring is for.
    replaced = free_name(database, "replaced")
    for end in ("", "-wal", "-shm"):
        part = database.with_name(database.name + end)
        if part.exists():
            os.replace(part, replaced.with_name(replaced.name + end))  # noqa: PTH105  # as it stands: same folder
    return replaced
