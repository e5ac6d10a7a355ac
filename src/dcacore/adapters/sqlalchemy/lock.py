"""One engine a SQLite database: an exclusive lock of the operating system, held for life and gone with the process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL

from dcacore.adapters.sqlalchemy._urls import BadDatabaseUrl, database_url
from dcacore.ports.errors import EngineRunning, StoreUnavailable


class EngineLock:
    """The exclusive lock on a file beside the database. The file stays; only the lock says anything."""

    def __init__(self, handle: int, file: Path) -> None:
        self._handle: int | None = handle
        self.file = file

    @classmethod
    def take(cls, url: str | URL) -> Self:
        """Return the lock, held.

        Raises:
            EngineRunning: another process holds it.
            StoreUnavailable: the file cannot be made.
            BadDatabaseUrl: it is not the address of a SQLite file.
        """
        where = database_url(url)
        if where.get_backend_name() != "sqlite" or not where.database:
            raise BadDatabaseUrl("only a SQLite database has an engine's lock beside it")
        file = Path(f"{where.database}.lock").absolute()
        try:
            handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"{file.name} cannot be opened beside the database: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            os.close(handle)
            who = f"process {holder}" if holder.isdigit() else "another process"
            raise EngineRunning(f"another engine runs over this database: {who} holds {file.name}") from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        return cls(handle, file)

    def release(self) -> None:
        """Give the lock back. Twice is as good as once."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.ftruncate(handle, 0)
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
