"""The database of the settings: opening it, keeping others out, and looking after its file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dcacore.adapters.sqlalchemy import database_url, open_store
from dcacore.adapters.sqlalchemy.backups import backup, restore
from dcacore.adapters.sqlalchemy.lock import EngineLock
from dcacore.adapters.sqlalchemy.schema import current, head, upgrade
from dcacore.ports.errors import StoreError

if TYPE_CHECKING:
    from dcacore.ports.clock import Clock
    from dcacore.ports.store import Store

__all__ = ["backup", "current", "engine_lock", "head", "opened", "restore", "sqlite_file", "upgrade"]


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database; None for a server.

    Raises:
        BadDatabaseUrl: it is no address of a database.
    """
    where = database_url(url)
    return Path(where.database or "") if where.get_backend_name() == "sqlite" else None


@asynccontextmanager
async def opened(url: str, clock: Clock, *, may_create: bool) -> AsyncIterator[Store]:
    """Yield the database, its schema checked.

    Args:
        url: where it lies.
        clock: what leases are measured by, where the database has no clock.
        may_create: whether a SQLite database that is not there yet is made.

    Raises:
        SchemaMismatch: its schema is older or newer than this program, with what to do.
        StoreError: it cannot be used.
    """
    file = sqlite_file(url)
    if file is not None and _is_new(file):
        if not may_create:
            raise StoreError(
                f"there is no database {file} yet: run dca db upgrade, or make a user with dca user create"
            )
        if not file.parent.is_dir():
            raise StoreError(f"there is no folder {file.parent} for the database")
        await asyncio.to_thread(upgrade, url)
    store = open_store(url, clock=clock)
    try:
        await store.check()
        yield store
    finally:
        await store.close()


def _is_new(file: Path) -> bool:
    try:
        return file.stat().st_size == 0
    except OSError:
        return True


@contextmanager
def engine_lock(url: str) -> Iterator[bool]:
    """Hold the right to be the only engine over a SQLite database; yield whether there is such a right.

    Raises:
        EngineRunning: another process holds it.
        StoreUnavailable: the lock's file cannot be made.
    """
    if sqlite_file(url) is None:
        yield False
        return
    with EngineLock.take(url):
        yield True
