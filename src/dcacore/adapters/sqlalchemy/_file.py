"""The file of a SQLite database, as this process knows it: never made in passing, and never another one unnoticed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from dcacore.ports.errors import SchemaMismatch, StoreUnavailable

GONE: Final = (
    "the database file has been removed or replaced: stop the program, put the file back or restore a backup, and"
    " start it again"
)


def uri(file: Path) -> str:
    """Return what SQLite opens *file* by, and does not make it by when it is missing."""
    return f"{file.absolute().as_uri()}?mode=rw"


def make(file: Path) -> None:
    """Make the file of a database, empty, if it is not there; only its owner may read it, as it holds password hashes.

    Raises:
        StoreUnavailable: it cannot be made, and why.
    """
    if file.with_name(f"{file.name}-wal").exists() and not file.exists():
        raise StoreUnavailable(GONE)  # SQLite would take its log for the new one's, and empty it
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreUnavailable(f"the database {file} cannot be made: {why(error, file)}") from error


def why(error: OSError, file: Path) -> str:
    """Return what hinders the system from writing *file*."""
    missing = isinstance(error, FileNotFoundError) and not file.parent.is_dir()
    return f"there is no folder {file.parent}" if missing else str(error.strerror)


class DatabaseFile:
    """The file that a store is over: once opened, that one and no other.

    A file that was deleted lives on, without a name, for those who have it open: what they store there is lost, and a
    second program finds the name free. So its name is looked up before each transaction, and again before it is stored.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._log_files = (f"{self.path}-wal", f"{self.path}-shm")
        self._seen: tuple[int, int] | None = None
        self._log: tuple[tuple[int, int], ...] | None = None
        self._connections = 0

    def check(self) -> None:
        """See that the file is there, and the one that was there at first.

        Raises:
            SchemaMismatch: there was none at any time.
            StoreUnavailable: it has been removed or replaced, or cannot be reached.
        """
        try:
            found = os.stat(self.path)  # noqa: PTH116  # before every transaction: the quickest there is
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self._missing() from error
        except OSError as error:
            raise StoreUnavailable(f"the database file cannot be opened: {error.strerror}") from error
        is_now = (found.st_dev, found.st_ino)
        self._seen = self._seen or is_now
        if is_now != self._seen or (self._log is not None and self._log_now() != self._log):
            raise StoreUnavailable(GONE)

    def connected(self) -> None:
        """Note SQLite's log, once a connection has it open: it stays in its place for as long as one has.

        A log that was deleted lives on for those who have it open, as the file itself would, and so do their locks: a
        second program begins another, and neither sees what the other stores.
        """
        self._connections += 1
        self._log = self._log or self._log_now()

    def disconnected(self) -> None:
        """Note that a connection is closed; the last one takes the log with it."""
        self._connections -= 1
        if not self._connections:
            self._log = None

    def _log_now(self) -> tuple[tuple[int, int], ...] | None:
        try:
            return tuple([(it.st_dev, it.st_ino) for it in map(os.stat, self._log_files)])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"the database file cannot be opened: {error.strerror}") from error

    def forget(self) -> None:
        """Take whatever lies there next for the file."""
        self._seen = None

    def _missing(self) -> SchemaMismatch | StoreUnavailable:
        if self._seen is not None:
            return StoreUnavailable(GONE)
        if not self.path.parent.is_dir():
            return StoreUnavailable(f"the database file cannot be opened: there is no folder {self.path.parent}")
        return SchemaMismatch("there is no database file yet; run dca db upgrade")
