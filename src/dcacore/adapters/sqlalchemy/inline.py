"""SQLite connections that SQLAlchemy takes for aiosqlite's, and that cost less.

aiosqlite sends every small step (cursor, execute, fetch, close) through its thread: four round trips a statement, each
dearer than the statement. Here only what may take long goes there, and once: waiting for the write lock while another
process has it, reading, deleting, and the commit, which waits for the disk. Taking a lock that is free, or an insert or
update inside of a transaction, which changes pages in memory, takes some 30 microseconds, and is called in the task
itself.

With `inline_connection` everything is. A simulation that has to be the same in every run needs that.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final, Self, TypeVar

T = TypeVar("T")
Rows = list[tuple[Any, ...]]

_QUICK: Final = ("INSERT", "UPDATE", "SAVEPOINT", "RELEASE", "ROLLBACK TO")
_LOCKS: Final = "BEGIN IMMEDIATE"


class Cursor:
    """A cursor whose rows have been fetched when `execute` returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor = connection.raw.cursor()
        self._rows: Rows = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def description(self) -> Any:
        """The columns, as the DBAPI has them; None when there are none."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """How many rows the last statement touched."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The number of the row inserted last."""
        return self._cursor.lastrowid

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> Self:
        """Carry out *statement* and fetch what it finds."""

        def run() -> Rows:
            self._cursor.execute(statement, values)
            return self._cursor.fetchall() if self._cursor.description else []

        is_done = statement == _LOCKS and self._connection.lock_if_free()
        if not is_done:
            self._rows = run() if self._is_quick(statement) else await self._connection.run(run)
        return self

    async def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> Self:
        """Carry out *statement* once for each of *values*."""
        if self._is_quick(statement):
            self._cursor.executemany(statement, values)
        else:
            await self._connection.run(lambda: self._cursor.executemany(statement, values))
        return self

    def _is_quick(self, statement: str) -> bool:
        return statement.startswith(_QUICK) and self._connection.raw.in_transaction

    async def fetchall(self) -> Rows:
        """Return the rows, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Let go of the rows; the statement itself has ended long since."""
        self._rows = []


class Connection:
    """A connection to SQLite.

    Attributes:
        raw: the connection of sqlite3; nothing but `run` touches it while it works.
    """

    def __init__(self, raw: sqlite3.Connection, pool: ThreadPoolExecutor | None) -> None:
        self.raw = raw
        self._pool = pool
        self._begun = self._ended = 0  # calls in the thread: one goes on there when nobody waits for it any more
        self._connection: sqlite3.Connection | None = raw  # SQLAlchemy looks here whether it is still open

    async def run(self, call: Callable[[], T]) -> T:
        """Return what *call* returns, run in this connection's own thread if it has one."""
        if self._pool is None:
            return call()

        def counted() -> T:
            try:
                return call()
            finally:
                self._ended += 1

        self._begun += 1
        return await asyncio.get_running_loop().run_in_executor(self._pool, counted)

    @property
    def _is_idle(self) -> bool:
        return self._begun == self._ended

    def lock_if_free(self) -> bool:
        """Begin a transaction that writes, if that can be done at once; say whether it was."""
        if self._pool is None or not self._is_idle:
            return False
        (patience,) = self.raw.execute("PRAGMA busy_timeout").fetchone()
        self.raw.execute("PRAGMA busy_timeout = 0")
        try:
            self.raw.execute(_LOCKS)
        except sqlite3.OperationalError:
            return False  # whatever it is: who waits for it is told
        finally:
            self.raw.execute(f"PRAGMA busy_timeout = {patience}")
        return True

    def cursor(self) -> Cursor:
        """Return a new cursor."""
        return Cursor(self)

    async def create_function(self, *args: Any, **named: Any) -> None:
        """Offer a function to SQL."""
        await self.run(lambda: self.raw.create_function(*args, **named))

    async def commit(self) -> None:
        """Store what has been done, or else undo it: SQLite leaves a transaction open that it could not store."""

        def run() -> None:
            try:
                self.raw.commit()
            except sqlite3.Error:
                self.raw.rollback()
                raise

        await self.run(run)

    async def rollback(self) -> None:
        """Undo what has been done; a pool says so once more after a commit, and then there is nothing to undo."""
        if self.raw.in_transaction or not self._is_idle:
            await self.run(self.raw.rollback)

    async def close(self) -> None:
        """Let go of the file. Twice is as good as once."""
        if self._connection is None:
            return
        self._connection = None
        await self.run(self._end)
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    def stop(self) -> None:
        """Let go of the file without waiting for it."""
        if self._connection is None:
            return
        self._connection = None
        if self._pool is None:
            self._end()
        else:
            self._pool.submit(self._end)
            self._pool.shutdown(wait=False)

    def _end(self) -> None:
        """Undo what has not been stored, and close.

        SQLite itself undoes it only when no statement is left: what was given up in the middle may keep one, and with
        it the lock, until Python looks for garbage.
        """
        try:
            if self.raw.in_transaction:
                self.raw.rollback()
        finally:
            self.raw.close()


async def inline_connection(file: str, *args: Any, **named: Any) -> Connection:
    """Return a connection to *file* that runs everything in the calling task, and blocks the loop while it does."""
    return Connection(_open(file, *args, **named), None)


async def threaded_connection(file: str, *args: Any, **named: Any) -> Connection:
    """Return a connection to *file* with a thread of its own."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
    try:
        raw = await asyncio.get_running_loop().run_in_executor(pool, lambda: _open(file, *args, **named))
    except BaseException:
        pool.shutdown(wait=False)
        raise
    return Connection(raw, pool)


def _open(file: str, *args: Any, **named: Any) -> sqlite3.Connection:
    raw: sqlite3.Connection = sqlite3.connect(file, *args, **{**named, "check_same_thread": False})
    return raw
