"""Connections that SQLAlchemy takes for aiosqlite's."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from dcacore.adapters.sqlalchemy.inline import Connection, inline_connection, threaded_connection


@pytest.fixture(params=[inline_connection, threaded_connection], ids=["inline", "threaded"])
async def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Connection:
    made: Connection = await request.param(str(tmp_path / "x.db"))
    return made


async def test_sqlalchemy_works_with_them(connection: Connection) -> None:
    async def give() -> Connection:
        return connection

    engine = create_async_engine("sqlite+aiosqlite:///x", async_creator=give)
    async with engine.begin() as working:
        await working.execute(text("CREATE TABLE x (n INTEGER PRIMARY KEY, t TEXT)"))
        await working.execute(text("INSERT INTO x (t) VALUES (:t)"), [{"t": "a"}, {"t": "b"}])
        assert (await working.execute(text("SELECT t FROM x ORDER BY n"))).scalars().all() == ["a", "b"]
        assert (await working.execute(text("UPDATE x SET t = 'c'"))).rowcount == 2
    async with engine.connect() as working:
        await working.execute(text("DELETE FROM x"))
        await working.rollback()
        assert (await working.execute(text("SELECT count(*) FROM x WHERE t REGEXP 'c'"))).scalar() == 2
    await engine.dispose()
    await connection.close()
    with pytest.raises(sqlite3.ProgrammingError):
        connection.raw.execute("SELECT 1")


async def test_inline_means_in_the_calling_task(tmp_path: Path) -> None:
    """Nothing else runs while a statement does, so that a simulation is the same in every run."""
    connection = await inline_connection(str(tmp_path / "x.db"))
    threads = threading.active_count()
    ran: list[str] = []
    asyncio.get_running_loop().call_soon(ran.append, "something else")
    cursor = connection.cursor()
    await cursor.execute("SELECT 1")
    assert (await cursor.fetchall(), await cursor.fetchall()) == ([(1,)], [])
    assert (ran, threading.active_count()) == ([], threads)
    await connection.close()


async def test_a_connection_may_be_dropped(connection: Connection) -> None:
    connection.stop()
    connection.stop()
    await connection.close()


async def test_what_cannot_be_stored_is_undone(connection: Connection) -> None:
    for statement in (
        "PRAGMA foreign_keys = ON",
        "CREATE TABLE a (n PRIMARY KEY)",
        "CREATE TABLE b (n REFERENCES a (n) DEFERRABLE INITIALLY DEFERRED)",
        "BEGIN",
        "INSERT INTO b VALUES (1)",
    ):
        await connection.cursor().execute(statement)
    with pytest.raises(sqlite3.IntegrityError):
        await connection.commit()
    assert not connection.raw.in_transaction
    await connection.close()


async def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    for connect in (inline_connection, threaded_connection):
        with pytest.raises(sqlite3.OperationalError):
            await connect(str(tmp_path / "none" / "x.db"))


class Counted(ThreadPoolExecutor):
    """A thread that counts what it is sent."""

    sent = 0

    def submit(self, *args: Any, **named: Any) -> Future[Any]:
        self.sent += 1
        return super().submit(*args, **named)


def connected(file: Path, timeout: float = 5) -> tuple[Connection, Counted]:
    pool = Counted(1)
    raw = sqlite3.connect(file, timeout=timeout, isolation_level=None, check_same_thread=False)
    return Connection(raw, pool), pool


async def test_a_write_takes_one_way_through_the_thread(tmp_path: Path) -> None:
    connection, pool = connected(tmp_path / "x.db")
    connection.raw.execute("CREATE TABLE x (n)")
    await connection.cursor().execute("BEGIN IMMEDIATE")
    await connection.cursor().execute("INSERT INTO x VALUES (1)")
    await connection.commit()
    await connection.rollback()
    assert pool.sent == 1
    await connection.cursor().execute("BEGIN IMMEDIATE")
    await connection.cursor().execute("INSERT INTO x VALUES (2)")
    await connection.rollback()
    assert connection.raw.execute("SELECT n FROM x").fetchall() == [(1,)]
    await connection.close()


async def test_a_lock_that_another_holds_is_waited_for_in_the_thread(tmp_path: Path) -> None:
    connection, pool = connected(tmp_path / "x.db")
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = asyncio.create_task(connection.cursor().execute("BEGIN IMMEDIATE"))
    await asyncio.sleep(0)
    assert (pool.sent, begun.done()) == (1, False)
    other.execute("ROLLBACK")
    await begun
    assert connection.raw.in_transaction
    await connection.close()
    other.close()


async def test_a_lock_that_stays_with_another_is_given_up_after_the_time_that_was_set(tmp_path: Path) -> None:
    connection, _ = connected(tmp_path / "x.db", timeout=0.05)
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await connection.cursor().execute("BEGIN IMMEDIATE")
    assert connection.raw.execute("PRAGMA busy_timeout").fetchone() == (50,)
    await connection.close()
    other.close()


async def test_what_goes_on_in_the_thread_after_nobody_waits_is_undone_too(tmp_path: Path) -> None:
    connection, pool = connected(tmp_path / "x.db")
    goes_on = threading.Event()

    def begin() -> None:
        goes_on.wait(10)
        connection.raw.execute("BEGIN IMMEDIATE")

    given_up = asyncio.create_task(connection.run(begin))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait({given_up})
    undone = asyncio.create_task(connection.rollback())
    await asyncio.sleep(0)
    goes_on.set()
    await undone
    assert (connection.raw.in_transaction, pool.sent) == (False, 2)
    await connection.close()


@pytest.mark.parametrize("way", ["close", "stop"])
@pytest.mark.parametrize("connect", [inline_connection, threaded_connection])
async def test_one_that_is_closed_keeps_nobody_from_the_lock(tmp_path: Path, connect: Any, way: str) -> None:
    """SQLite ends a closed connection, and its transaction, only when the last of its statements is gone."""
    connection = await connect(str(tmp_path / "x.db"), isolation_level=None)
    cursor = connection.cursor()
    for statement in ("CREATE TABLE x (n)", "BEGIN IMMEDIATE", "INSERT INTO x VALUES (1)"):
        await cursor.execute(statement)
    read = connection.raw.execute("VALUES (1), (2)")  # given up in the middle
    pool = connection._pool
    if way == "close":
        await connection.close()
    else:
        connection.stop()
    if pool is not None:
        await asyncio.to_thread(pool.shutdown)
    other = sqlite3.connect(tmp_path / "x.db", timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert other.execute("SELECT n FROM x").fetchall() == []
    other.close()
    assert read is not None  # it is still there
