"""Backups and the way back, on both databases, and the lock that keeps a second engine out."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from dcacore.adapters.sqlalchemy import BadDatabaseUrl, open_store
from dcacore.adapters.sqlalchemy.backups import backup, restore
from dcacore.adapters.sqlalchemy.lock import EngineLock
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.domain.ids import BotId
from dcacore.ports.errors import BadFile, EngineRunning, StoreUnavailable
from tests.contract.databases import Database, PostgresServer, TestClock
from tests.contract.stored import ANN, BOB, entered, line, people, record, user


async def look(url: URL) -> tuple[str, int]:
    """Return the epoch, and how many users there are."""
    store = open_store(url, clock=TestClock())
    await store.check()
    epoch = await store.epoch()
    async with store.begin(reads_only=True) as work:
        users = len(await work.users.all())
    await store.close()
    return epoch, users


def leavings(folder: Path) -> list[Path]:
    """Return what was to be gone by now."""
    return [path for path in folder.rglob("*") if {".part", ".restoring", ".sql"} & set(path.suffixes)]


def url_of(database: Database) -> URL:
    assert database.url is not None
    return database.url


async def test_there_and_back(shared: Database, tmp_path: Path) -> None:
    url, file = url_of(shared), tmp_path / "backup.file"
    await people(shared.store, record(entered()))
    epoch, _ = await look(url)
    await asyncio.to_thread(backup, url, file)
    async with shared.store.begin() as work:
        await work.users.add(user(BOB))
        await work.commit()
    await shared.store.close()
    replaced = await asyncio.to_thread(restore, url, file)
    again, users = await look(url)
    assert (users, len(again), again != epoch) == (1, 6, True)
    store = open_store(url, clock=shared.clock)
    async with store.begin() as work:
        assert await work.bots.get(BotId("bot")) == record(entered())
        await work.users.add(user(BOB))
        await work.feed.add_activity([line("numbers go on")])
        await work.commit()
    await store.close()
    if shared.kind == "sqlite":
        assert replaced is not None
        assert await look(URL.create("sqlite", database=str(replaced))) == (epoch, 2)
    else:
        assert replaced is None
    assert leavings(tmp_path) == []


async def test_a_backup_is_whole_while_an_engine_writes(shared: Database, tmp_path: Path) -> None:
    await people(shared.store, record())

    async def write() -> None:
        for number in range(100):
            async with shared.store.begin() as work:
                await work.feed.add_activity([line(f"{number} a"), line(f"{number} b")])
                await work.commit()

    writing = asyncio.create_task(write())
    await asyncio.to_thread(backup, url_of(shared), tmp_path / "backup.file")
    await writing
    await shared.store.close()
    await asyncio.to_thread(restore, url_of(shared), tmp_path / "backup.file")
    store = open_store(url_of(shared), clock=shared.clock)
    async with store.begin() as work:
        assert len(await work.feed.activity(ANN, limit=1_000)) % 2 == 0
    await store.close()


def test_only_the_owner_may_read_a_backup(empty_url: URL, tmp_path: Path) -> None:
    upgrade(empty_url)
    backup(empty_url, tmp_path / "backup")
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0


def test_no_backup_is_overwritten(empty_url: URL, tmp_path: Path) -> None:
    upgrade(empty_url)
    (tmp_path / "backup").write_bytes(b"the one of yesterday")
    with pytest.raises(BadFile, match="is there already"):
        backup(empty_url, tmp_path / "backup")


def test_what_is_no_backup_is_refused(empty_url: URL, tmp_path: Path, postgres: PostgresServer) -> None:
    upgrade(empty_url)
    upgrade(sqlite := URL.create("sqlite", database=str(tmp_path / "other.db")))
    backup(sqlite, tmp_path / "sqlite")
    backup(postgres.url("filled"), tmp_path / "postgresql")
    (tmp_path / "text").write_text("hello")
    (tmp_path / "damaged").write_bytes((tmp_path / empty_url.get_backend_name()).read_bytes()[:3_000])
    with closing(sqlite3.connect(tmp_path / "recipes")) as recipes:
        recipes.execute("CREATE TABLE recipes (name)")
    wrong = "postgresql" if empty_url.get_backend_name() == "sqlite" else "sqlite"
    for name in (wrong, "text", "none", "damaged", "recipes"):
        with pytest.raises((BadFile, StoreUnavailable)) as refusal:
            restore(empty_url, tmp_path / name)
        assert "\n" not in str(refusal.value)
    upgrade(empty_url)


def test_a_backup_that_cannot_be_written(empty_url: URL, tmp_path: Path) -> None:
    upgrade(empty_url)
    with pytest.raises((BadFile, StoreUnavailable)) as refusal:
        backup(empty_url, tmp_path / "none" / "backup")
    assert str(tmp_path / "none" / "backup") in str(refusal.value)
    assert "cannot be written: " in str(refusal.value)
    if empty_url.get_backend_name() == "sqlite":
        assert f"there is no folder {tmp_path / 'none'}" in str(refusal.value)
        (tmp_path / "file").touch()
        with pytest.raises(BadFile, match="cannot be written"):
            backup(empty_url, tmp_path / "file" / "backup")


def test_a_full_disk_is_that_of_the_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(name: str, **named: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = real(name, **named)
        if ".part" in name:
            made.execute("PRAGMA max_page_count = 2")
        return made

    real = sqlite3.connect
    upgrade(url := f"sqlite:///{tmp_path / 'dca.db'}")
    monkeypatch.setattr("dcacore.adapters.sqlalchemy.sqlite_files.sqlite3.connect", connect)
    with pytest.raises(StoreUnavailable) as refusal:
        backup(url, tmp_path / "backup")
    assert str(refusal.value) == f"there is no room left for {tmp_path / 'backup'}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dca.db"]


def test_a_missing_database_has_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no such file"):
        backup(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_comes_back_where_no_database_is(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'dca.db'}")
    backup(f"sqlite:///{tmp_path / 'dca.db'}", tmp_path / "backup")
    assert restore(f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "backup") is None
    upgrade(f"sqlite:///{tmp_path / 'new.db'}")


async def test_nothing_is_restored_under_a_running_engine(shared: Database, tmp_path: Path) -> None:
    url, file = url_of(shared), tmp_path / "backup.file"
    await people(shared.store, record())
    await asyncio.to_thread(backup, url, file)
    if shared.kind == "sqlite":
        with EngineLock.take(url), pytest.raises(EngineRunning):
            restore(url, file)
        async with shared.store.begin(reads_only=True) as work:  # and not under a web server
            await work.users.all()
            with pytest.raises(StoreUnavailable, match="another program has the database open"):
                await asyncio.to_thread(restore, url, file)
    else:
        async with shared.store.begin() as work:
            await work.leases.take([BotId("bot")], "engine", timedelta(minutes=1))
            await work.commit()
        with pytest.raises(EngineRunning):
            await asyncio.to_thread(restore, url, file)


def test_one_engine_a_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'dca.db'}"
    with EngineLock.take(url) as lock:
        assert lock.file == tmp_path / "dca.db.lock"
        with pytest.raises(EngineRunning, match=rf"process {os.getpid()} holds dca\.db\.lock"):
            EngineLock.take(url)
    lock.release()
    EngineLock.take(url).release()


def test_the_file_of_the_lock_may_be_removed(tmp_path: Path) -> None:
    """It looks like something left over; a second engine is kept out all the same, by the database itself."""
    upgrade(url := f"sqlite:///{tmp_path / 'dca.db'}")
    with holding(url) as process:
        (tmp_path / "dca.db.lock").unlink()
        for _ in range(2):
            with pytest.raises(EngineRunning, match=rf"process {process.pid} holds dca\.db$"):
                EngineLock.take(url)
        (tmp_path / "dca.db.lock").unlink()
        with pytest.raises(EngineRunning):
            restore(url, tmp_path / "dca.db")
        process.kill()
    EngineLock.take(url).release()


def test_the_file_of_the_lock_may_be_removed_within_a_process(tmp_path: Path) -> None:
    upgrade(url := f"sqlite:///{tmp_path / 'dca.db'}")
    for _ in range(2):
        with EngineLock.take(url) as lock:
            lock.file.unlink()
            with pytest.raises(EngineRunning, match=rf"process {os.getpid()} holds dca\.db$"):
                EngineLock.take(url)


def test_a_holder_that_the_system_does_not_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(url := f"sqlite:///{tmp_path / 'dca.db'}")
    with holding(url) as process:
        (tmp_path / "dca.db.lock").unlink()
        for said in (None, "", "no such lines", "1: FLOCK ADVISORY WRITE 0 00:00:0 0 EOF"):
            monkeypatch.setattr("dcacore.adapters.sqlalchemy.lock._LOCKS", told := tmp_path / "locks")
            if said is not None:
                told.write_text(said)
            with pytest.raises(EngineRunning, match=r"database: another process holds dca\.db$"):
                EngineLock.take(url)
        process.kill()


async def test_neither_lock_disturbs_the_locks_of_sqlite(tmp_path: Path) -> None:
    """SQLite's locks go when any descriptor of the file is closed: so none is, and others see the database in use."""
    upgrade(url := f"sqlite:///{tmp_path / 'dca.db'}")
    store = open_store(url, clock=TestClock())
    await people(store)
    alone = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('PRAGMA journal_mode = DELETE')"

    def is_in_use() -> bool:
        done = subprocess.run(
            [sys.executable, "-c", alone, tmp_path / "dca.db"], capture_output=True, check=False, text=True
        )
        return "database is locked" in done.stderr

    with EngineLock.take(url) as lock:
        assert is_in_use()
        lock.file.unlink()
        with pytest.raises(EngineRunning):
            EngineLock.take(url)
        assert is_in_use()
    assert is_in_use()
    async with store.begin() as work:
        await work.users.add(user(BOB))
        await work.commit()
    await store.close()
    assert not is_in_use()


@contextmanager
def holding(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Yield another process that holds the lock."""
    holder = "import sys; from dcacore.adapters.sqlalchemy.lock import EngineLock; lock = EngineLock.take(sys.argv[1])"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{holder}; print('held', flush=True); input()", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'dca.db'}"
    with holding(url) as process:
        with pytest.raises(EngineRunning, match=f"process {process.pid} "):
            EngineLock.take(url)
        process.kill()
    EngineLock.take(url).release()


def test_where_no_lock_can_be(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        EngineLock.take(f"sqlite:///{tmp_path / 'none' / 'dca.db'}")
    with pytest.raises(BadDatabaseUrl):
        EngineLock.take("postgresql://localhost/dca")
