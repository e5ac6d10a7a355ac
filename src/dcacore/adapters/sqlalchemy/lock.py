"""One engine a SQLite database: exclusive locks of the operating system, held for life and gone with the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqlalchemy import URL

from dcacore.adapters.sqlalchemy._urls import BadDatabaseUrl, database_url
from dcacore.ports.errors import EngineRunning, StoreUnavailable

_LOCKS: Final = Path("/proc/locks")

_kept: Final[dict[tuple[int, int], int]] = {}
"""Databases that were locked once, by device and number, and open for as long as this process lives.

To close one would drop the locks that SQLite holds on it in this process: those of POSIX go with any descriptor of the
file that is closed. The one that is taken here (flock) is none of them, and neither is in the other's way.
"""
_held: Final[set[int]] = set()
"""The descriptors among them that an engine of this process has locked now."""


class EngineLock:
    """The exclusive locks on the database, and on a file beside it that names the holder.

    The file beside it stays; only the locks say anything. It may be removed by somebody who takes it for left over; the
    lock on the database itself still keeps a second engine out.
    """

    def __init__(self, handle: int, file: Path, database: int | None = None) -> None:
        self._handle: int | None = handle
        self._database = database
        self.file = file

    @classmethod
    def take(cls, url: str | URL) -> Self:
        """Return the lock, held.

        Raises:
            EngineRunning: another process holds it.
            StoreUnavailable: the file beside the database cannot be made, or the database not be opened.
            BadDatabaseUrl: it is not the address of a SQLite file.
        """
        where = database_url(url)
        if where.get_backend_name() != "sqlite" or not where.database:
            raise BadDatabaseUrl("only a SQLite database has an engine's lock beside it")
        database = Path(where.database).absolute()
        file = database.with_name(f"{database.name}.lock")
        handle = _take_beside(file)
        try:
            locked = _take_database(database)
        except BaseException:
            os.close(handle)
            raise
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        return cls(handle, file, locked)

    def release(self) -> None:
        """Give the lock back. Twice is as good as once."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        if self._database is not None:
            fcntl.flock(self._database, fcntl.LOCK_UN)
            _held.discard(self._database)
        os.ftruncate(handle, 0)
        os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _take_beside(file: Path) -> int:
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"{file.name} cannot be opened beside the database: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        os.close(handle)
        raise _running(holder, file) from error
    return handle


def _take_database(file: Path) -> int | None:
    """Lock the database itself, and return its descriptor; None where there is no database yet."""
    try:
        found = file.stat()
        handle = _kept.get((found.st_dev, found.st_ino))
        if handle is None:
            handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            found = os.fstat(handle)
            _kept[found.st_dev, found.st_ino] = handle
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailable(f"the database file cannot be opened: {error.strerror}") from error
    if handle in _held:  # by this process
        raise _running(str(os.getpid()), file)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise _running(_holder(found), file) from error
    _held.add(handle)
    return handle


def _running(holder: str, file: Path) -> EngineRunning:
    who = f"process {holder}" if holder.isdigit() and holder != "0" else "another process"
    return EngineRunning(f"another engine runs over this database: {who} holds {file.name}")


def _holder(database: os.stat_result) -> str:
    """Return the process that holds the lock on *database*, as far as this system tells; else nothing."""
    device = f"{os.major(database.st_dev):02x}:{os.minor(database.st_dev):02x}:{database.st_ino}"
    with contextlib.suppress(OSError, ValueError):
        for line in _LOCKS.read_text("ascii").splitlines():
            _, kind, _, _, process, where, *_ = line.split()
            if (kind, where) == ("FLOCK", device):
                return process
    return ""
