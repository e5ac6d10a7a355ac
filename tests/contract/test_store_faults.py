"""What stores say when something is wrong with the database, and that they go on when it is right again."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from dcacore.adapters.sqlalchemy import open_store, postgres_store, sqlite_store
from dcacore.adapters.sqlalchemy._engines import Creator
from dcacore.adapters.sqlalchemy.inline import Connection, inline_connection, threaded_connection
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.domain.ids import BotId
from dcacore.ports.errors import SchemaMismatch, StoreError, StoreUnavailable
from dcacore.ports.store import Store, Work
from tests.contract.databases import CANARY, Database, PostgresServer, TestClock, start_server
from tests.contract.stored import ANN, BOB, bot, line, people, record, user

FILLS_THE_DISK = """
import asyncio, resource, sys
from dcacore.adapters.sqlalchemy import sqlite_store
from dcacore.ports.errors import StoreUnavailable
from tests.contract.databases import TestClock
from tests.contract.stored import people, record, line

async def run(url):
    store = sqlite_store(url, clock=TestClock())
    await people(store, record())
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, unlimited[1]))
    said = None
    for _ in range(50):
        try:
            async with store.begin() as work:
                await work.feed.add_activity([line("x" * 5_000)] * 5)
                await work.commit()
        except StoreUnavailable as error:
            said = str(error)
            break
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    async with store.begin() as work:
        before = len(await work.feed.activity("ann", limit=1_000))
        await work.feed.add_activity([line("room again")])
        await work.commit()
    async with store.begin(reads_only=True) as work:
        assert len(await work.feed.activity("ann", limit=1_000)) == before + 1
    await store.close()
    print(before % 5, said)

import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
asyncio.run(run(sys.argv[1]))
"""


def take_away_log(file: Path) -> None:
    for end in ("-wal", "-shm"):
        Path(f"{file}{end}").unlink()


def take_away(file: Path) -> None:
    """Move *file* out of its place."""
    file.rename(file.with_name("away"))


def put_back(file: Path) -> None:
    """Move it there again."""
    file.with_name("away").rename(file)


def move(files: list[Path], folder: Path) -> None:
    """Move *files* into *folder*."""
    folder.mkdir(exist_ok=True)
    for file in files:
        file.rename(folder / file.name)


def names(folder: Path) -> set[str]:
    """Return what lies in *folder*."""
    return {path.name for path in folder.iterdir()}


async def add_bob(store: Store) -> None:
    async with store.begin() as work:
        await work.users.add(user(BOB))
        await work.commit()


@pytest.fixture
async def sqlite_file(tmp_path: Path) -> Path:
    upgrade(f"sqlite:///{tmp_path / 'dca.db'}")
    return tmp_path / "dca.db"


async def test_a_locked_database_is_waited_for_and_then_refused(sqlite_file: Path) -> None:
    store = sqlite_store(f"sqlite:///{sqlite_file}", clock=TestClock(), busy_timeout=0.05)
    await people(store)
    locker = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE')"
    process = subprocess.Popen(  # noqa: ASYNC220  # starting takes no time worth a thread
        [sys.executable, "-c", f"{locker}; print('locked', flush=True); input()", str(sqlite_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(StoreUnavailable, match=r"^the database is locked by another program$"):
            await add_bob(store)
        async with store.begin(reads_only=True) as work:
            assert len(await work.users.all()) == 1
        process.communicate(b"\n")
    await add_bob(store)
    await store.close()


def test_a_full_disk_is_said_and_gone_when_there_is_room(sqlite_file: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", FILLS_THE_DISK, f"sqlite:///{sqlite_file}"],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    whole, _, said = done.stdout.strip().partition(" ")
    assert whole == "0", "a transaction was stored in part"
    assert "disk" in said
    with closing(sqlite3.connect(sqlite_file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "dca.db").write_bytes(b"not a database at all" * 1_000)
    store = sqlite_store(f"sqlite:///{tmp_path / 'dca.db'}", clock=TestClock())
    with pytest.raises(StoreUnavailable, match="no SQLite database"):
        await store.check()
    await store.close()


async def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    store = sqlite_store(f"sqlite:///{tmp_path / 'none' / 'dca.db'}", clock=TestClock())
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await add_bob(store)
    await store.close()


GONE = "the database file has been removed or replaced: stop the program"


@pytest.mark.parametrize("connect", [inline_connection, threaded_connection])
@pytest.mark.parametrize("all_of_it", [True, False], ids=["with its log", "alone"])
async def test_a_file_that_is_taken_away_stops_everything_until_it_is_back(
    sqlite_file: Path, tmp_path: Path, connect: Creator, all_of_it: bool
) -> None:
    store = sqlite_store(f"sqlite:///{sqlite_file}", clock=TestClock(), async_creator=connect)
    await people(store)
    parts = ["dca.db", "dca.db-wal", "dca.db-shm"] if all_of_it else ["dca.db"]
    assert names(tmp_path) >= set(parts)
    move([tmp_path / part for part in parts], away := tmp_path / "away")
    for reads_only in (False, True):
        with pytest.raises(StoreUnavailable, match=GONE):
            async with store.begin(reads_only=reads_only):
                pytest.fail("it has begun")
    for asked in (store.check, store.epoch):
        with pytest.raises(StoreUnavailable, match=GONE):
            await asked()
    await store.engine.dispose()  # all its connections are new
    with pytest.raises(StoreUnavailable, match=GONE):
        await add_bob(store)
    assert "dca.db" not in names(tmp_path)
    move([away / part for part in parts], tmp_path)
    await add_bob(store)
    await store.close()


async def test_what_was_begun_before_the_file_was_deleted_is_not_stored(sqlite_file: Path) -> None:
    store = sqlite_store(f"sqlite:///{sqlite_file}", clock=TestClock())
    await people(store)
    work: Work
    async with store.begin() as work:
        await work.users.add(user(BOB))
        take_away(sqlite_file)
        with pytest.raises(StoreUnavailable, match=GONE):
            await work.commit()
    put_back(sqlite_file)
    async with store.begin(reads_only=True) as work:
        assert [one.id for one in await work.users.all()] == [ANN]
    await store.close()


async def test_another_file_in_the_place_of_the_first_is_not_used(sqlite_file: Path, tmp_path: Path) -> None:
    upgrade(f"sqlite:///{(other := tmp_path / 'other.db')}")
    store = sqlite_store(f"sqlite:///{sqlite_file}", clock=TestClock())
    await people(store)
    take_away(sqlite_file)
    take_away_log(sqlite_file)  # or SQLite would play it into the other one
    other.rename(sqlite_file)
    with pytest.raises(StoreUnavailable, match=GONE):
        await add_bob(store)
    await store.close()
    async with store.begin(reads_only=True) as work:  # opened anew, it takes what lies there
        assert await work.users.all() == ()
    await store.close()


async def test_a_file_that_is_replaced_while_it_is_opened(sqlite_file: Path, tmp_path: Path) -> None:
    async def connect(file: str, **named: Any) -> Any:
        take_away(sqlite_file)
        shutil.copy(other, sqlite_file)
        opened.append(await inline_connection(file, **named))
        return opened[-1]

    upgrade(f"sqlite:///{(other := tmp_path / 'other.db')}")
    opened: list[Connection] = []
    store = sqlite_store(f"sqlite:///{sqlite_file}", clock=TestClock(), async_creator=connect)
    with pytest.raises(StoreUnavailable, match=GONE):
        await add_bob(store)
    assert opened[0]._connection is None
    await store.close()


async def test_no_connection_makes_a_file(tmp_path: Path) -> None:
    store = sqlite_store(f"sqlite:///{tmp_path / 'dca.db'}", clock=TestClock())
    with pytest.raises(SchemaMismatch, match="there is no database file yet; run dca db upgrade"):
        await add_bob(store)
    assert names(tmp_path) == set()
    await store.close()


async def test_a_name_that_an_address_cannot_hold_as_it_is(tmp_path: Path) -> None:
    (folder := tmp_path / "a?mode=rwc#b%20ä").mkdir()
    url = URL.create("sqlite", database=str(folder / "d c?.db"))
    upgrade(url)
    store = sqlite_store(url, clock=TestClock())
    await people(store)
    await store.close()
    assert names(folder) == {"d c?.db"}
    assert (folder / "d c?.db").stat().st_mode & 0o777 == 0o600


async def test_tables_that_are_missing_are_said_whatever_is_asked(empty_url: URL) -> None:
    store = open_store(empty_url, clock=TestClock())
    with pytest.raises(SchemaMismatch, match="dca db upgrade"):
        await add_bob(store)
    with pytest.raises(SchemaMismatch, match="dca db upgrade"):
        await store.epoch()
    await store.close()


async def test_a_server_that_does_not_answer() -> None:
    store = postgres_store(f"postgresql://dca:{CANARY}@127.0.0.1:1/dca")
    with pytest.raises(StoreUnavailable) as refusal:
        await store.check()
    assert str(refusal.value) == "the database cannot be reached: no server answers at that host and port"
    await store.close()


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"database": "none"}, "there is no such database on the server"),
        ({"username": "nobody-here"}, "there is no such user on the database server"),
        ({"host": "none.invalid"}, "the database cannot be reached: its server's name is not known"),
        ({"query": {"sslmode": "require"}}, "the database server offers no encryption, which DATABASE_URL demands"),
    ],
    ids=["database", "user", "host", "encryption"],
)
async def test_why_a_server_lets_nobody_in(postgres: PostgresServer, named: dict[str, Any], sentence: str) -> None:
    url = postgres.url("postgres").set(**named)
    store = postgres_store(url)
    with pytest.raises(StoreUnavailable) as refusal:
        await store.check()
    await store.close()
    assert str(refusal.value) == sentence
    with pytest.raises(StoreUnavailable) as refusal:
        await asyncio.to_thread(upgrade, url)
    assert str(refusal.value) == sentence


async def test_a_server_that_comes_back() -> None:
    server = start_server()
    try:
        upgrade(server.url(server.new_database()))
        store = postgres_store(server.url("db1"))
        await people(store)
        server.stop()
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await add_bob(store)
        server.start()
        await add_bob(store)
        async with store.begin() as work:
            await work.users.all()
            server.stop()
            with pytest.raises(StoreUnavailable):
                await work.users.save(user(BOB, password_hash="x"))
        server.start()
        async with store.begin() as work:
            assert len(await work.users.all()) == 2
        await store.close()
    finally:
        server.stop()
        server.forget()


async def test_a_work_that_is_cancelled_leaves_no_trace_and_no_lock(database: Database) -> None:
    await people(database.store)
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.store.begin() as work:
            await work.users.add(user(BOB))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await add_bob(database.store)


async def test_works_of_one_process_wait_for_each_other(shared: Database) -> None:
    await people(shared.store, record())
    other = shared.another()

    async def add(number: int) -> None:
        async with (shared.store if number % 2 else other).begin() as work:
            await work.feed.add_activity([line(str(number))])
            await work.commit()

    await asyncio.gather(*(add(number) for number in range(40)))
    async with other.begin() as work:
        assert {one.text for one in await work.feed.activity(ANN)} == {str(number) for number in range(40)}
    await other.close()


async def test_nothing_secret_is_said(shared: Database) -> None:
    await people(shared.store, record(bot("bot")))
    assert CANARY not in repr(shared.store)
    with pytest.raises(StoreError) as refusal:
        async with shared.store.begin() as work:
            await work.users.add(user(BOB, email="ann@example.com", password_hash="canary-hash"))
    shown = "".join(str(error) for error in (refusal.value, refusal.value.__cause__))
    assert "canary" not in shown
    async with shared.store.begin(reads_only=True) as work:
        assert await work.bots.get(BotId("bot")) is not None
