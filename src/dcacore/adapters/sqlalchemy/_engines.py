"""Connections as this library wants them: what SQLite and PostgreSQL are told when one is made."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from dcacore.adapters.sqlalchemy import inline
from dcacore.adapters.sqlalchemy._file import DatabaseFile, uri
from dcacore.adapters.sqlalchemy._urls import BadDatabaseUrl
from dcacore.ports.errors import StoreError

Creator = Callable[..., Awaitable[Any]]

READS: Final = "dca_reads"
"""The execution option of a transaction that only reads."""
_OPTIONS: Final = {"preserve_rowcount": True}  # how many rows an upsert has touched, also where it inserted
_READERS: Final = 4
_LONGEST_LOG: Final = 16_384
"""Pages after which whoever writes moves the log into the file after all: `tidy` has not come to it."""
_SETTINGS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    f"wal_autocheckpoint = {_LONGEST_LOG}",
)
_POSTGRES: Final = (
    "-c timezone=UTC -c synchronous_commit=on"
    # A process that stands still in the middle of a transaction must not hold its rows against the others.
    " -c idle_in_transaction_session_timeout=10000"
)
_RECYCLE_S: Final = 1800


def sqlite_engine(file: DatabaseFile, *, busy_timeout: float, async_creator: Creator | None = None) -> AsyncEngine:
    """Return connections to a SQLite file: every commit synced to disk, foreign keys on, readers never in the way.

    The file has to be there: none of them makes it.
    """
    creator = async_creator or inline.threaded_connection

    async def connect() -> Any:
        file.check()
        connection = await creator(uri(file.path), uri=True, timeout=busy_timeout, isolation_level=None)
        try:
            file.check()  # it may have been replaced just now
        except BaseException:
            await connection.close()
            raise
        return connection

    engine = create_async_engine(
        "sqlite+aiosqlite:///file",
        async_creator=connect,
        hide_parameters=True,
        execution_options=_OPTIONS,
        pool_size=1,
        max_overflow=_READERS,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def tell(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for setting in _SETTINGS:
            cursor.execute(f"PRAGMA {setting}")
        cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")  # it opens the log
        cursor.close()
        file.connected()

    @event.listens_for(engine.sync_engine, "close")
    def note(_connection: object, _record: object) -> None:
        file.disconnected()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: one that read first could find itself unable to write (SQLITE_BUSY).
        reads = connection.get_execution_options().get(READS, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


async def tidy(engine: AsyncEngine) -> None:
    """Move SQLite's log into the file, as far as nobody reads it, while others go on writing.

    Where it fails nothing is lost: what is stored stays in the log, and the next time finds it there.
    """
    with contextlib.suppress(SQLAlchemyError, sqlite3.Error, StoreError):
        async with engine.connect() as connection:
            held: inline.Connection | None = (await connection.get_raw_connection()).driver_connection
            if held is not None:
                raw = held.raw
                await held.run(lambda: raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())


def postgres_engine(url: URL, *, pool_size: int) -> AsyncEngine:
    """Return connections to a PostgreSQL server that are tried before each use and renewed every half hour."""
    try:
        return create_async_engine(
            url,
            hide_parameters=True,
            execution_options=_OPTIONS,
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            pool_recycle=_RECYCLE_S,
            pool_size=pool_size,
            max_overflow=pool_size,
            connect_args={"connect_timeout": 10, "options": _POSTGRES},
        )
    except (ArgumentError, ImportError) as error:
        raise BadDatabaseUrl("PostgreSQL needs the package's extra: pip install dcabot[postgres]") from error
