"""SQLite databases as files: copies that are whole although the original is in use, and names beside it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from dcacore.adapters.sqlalchemy._errors import translated
from dcacore.adapters.sqlalchemy._file import uri, why
from dcacore.ports.errors import BadFile, StoreUnavailable

SQLITE_MAGIC: Final = b"SQLite format 3\0"
_BUSY_S: Final = 30


def free_name(file: Path, what: str) -> Path:
    """Return a name beside *file* that is not taken, such as dca.db.before-0002."""
    name, number = file.with_name(f"{file.name}.{what}"), 1
    while name.exists():
        number += 1
        name = file.with_name(f"{file.name}.{what}-{number}")
    return name


def copy_database(source: Path, target: Path) -> None:
    """Copy a database, also one in use, into the new file *target*: checked, synced, and there only when it is whole.

    Raises:
        BadFile: the source is not there or damaged; or the target is there already, or cannot be written.
        StoreUnavailable: the source cannot be read, or there is no room for the copy.
    """
    if not source.is_file():
        raise BadFile(str(source), "there is no such file")
    if target.exists():
        raise BadFile(str(target), "is there already")
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        _copy_pages(source, part, target)
        sync(part)
        part.rename(target)
        sync(target.parent)
    except OSError as error:  # of the target: what the system says of the source comes from SQLite, in its own words
        raise BadFile(str(target), f"cannot be written: {why(error, target)}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _copy_pages(source: Path, part: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(uri(source), uri=True, timeout=_BUSY_S)) as original,
            closing(sqlite3.connect(uri(part), uri=True)) as copy,
        ):
            original.execute("PRAGMA schema_version")  # what is wrong with the source is its own
            original.backup(copy)  # all pages in one step: whoever writes meanwhile writes into the log
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            refuse_damaged(copy, source)
    except sqlite3.Error as error:
        if "full" in str(error):
            raise StoreUnavailable(f"there is no room left for {target}") from error
        raise translated(error) from error


def refuse_damaged(connection: sqlite3.Connection, file: Path) -> None:
    """See that the database is in order.

    Raises:
        BadFile: it is not.
    """
    if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        raise BadFile(str(file), "the database is damaged")


def sync(path: Path) -> None:
    """Have the file, or the folder's list of names, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
