"""Connections that SQLAlchemy takes for aiosqlite's."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

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
