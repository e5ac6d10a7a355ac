"""Several that write to one SQLite file: each in turn, and together onto the disk."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from sqlalchemy import event

from dcacore.adapters.sqlalchemy import SqlStore, sqlite_store
from dcacore.adapters.sqlalchemy._engines import tidy
from dcacore.adapters.sqlalchemy._writers import TIDIES_AFTER
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.adapters.system import SystemClock
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict, StoreUnavailable
from dcacore.ports.records import User

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@attrs.define
class Stage:
    """A database on whose disk commits take so long that others may join.

    Attributes:
        commits: how often something was stored.
    """

    store: SqlStore
    file: Path
    commits: int = 0

    def let_join(self, seconds: float) -> None:
        assert self.store._writers is not None
        self.store._writers.patience_s = seconds

    async def add(self, name: str, until: asyncio.Event | None = None, then: Exception | None = None) -> None:
        async with self.store.begin() as work:
            if until is not None:
                await until.wait()
            await work.users.add(User(id=UserId(name), email=f"{name}@example.com", created_at=NOON))
            if then is not None:
                raise then
            await work.commit()

    async def names(self) -> list[str]:
        async with self.store.begin(reads_only=True) as work:
            return sorted(user.id for user in await work.users.all())


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    file = tmp_path / "x.db"
    upgrade(f"sqlite:///{file}")
    store = sqlite_store(f"sqlite:///{file}", clock=SystemClock())
    made = Stage(store, file)

    @event.listens_for(store.engine.sync_engine, "commit")
    def note(_: object) -> None:
        made.commits += 1

    made.let_join(60)
    yield made
    await store.close()


async def begun(stage: Stage, *names: str) -> tuple[asyncio.Event, list[asyncio.Task[None]]]:
    """Return what lets the first one go on, and the tasks of all; the others wait for their turn."""
    go_on = asyncio.Event()
    tasks = [asyncio.create_task(stage.add(name, None if index else go_on)) for index, name in enumerate(names)]
    await asyncio.sleep(0)
    return go_on, tasks


async def first_done(stage: Stage, go_on: asyncio.Event) -> None:
    """Return when the first one is done, and has left what it did to those who wait."""
    assert stage.store._writers is not None
    go_on.set()
    while stage.store._writers._shared is None:  # noqa: ASYNC110  # the next one goes on in the very turn after
        await asyncio.sleep(0)


async def test_those_who_wait_share_one_sync(stage: Stage) -> None:
    go_on, tasks = await begun(stage, "a", "b", "c")
    go_on.set()
    await asyncio.gather(*tasks)
    assert (await stage.names(), stage.commits) == (["a", "b", "c"], 1)


async def test_one_alone_waits_for_nobody(stage: Stage) -> None:
    await stage.add("a")
    await stage.add("b")
    assert (await stage.names(), stage.commits) == (["a", "b"], 2)


async def test_nobody_waits_for_longer_than_the_last_commit_took(stage: Stage) -> None:
    stage.let_join(0)
    go_on, tasks = await begun(stage, "a", "b")
    go_on.set()
    await asyncio.gather(*tasks)
    assert (await stage.names(), stage.commits) == (["a", "b"], 2)


async def test_nobody_is_told_before_it_is_stored(stage: Stage) -> None:
    go_on, tasks = await begun(stage, "a")
    second = asyncio.Event()
    tasks.append(asyncio.create_task(stage.add("b", second)))
    await asyncio.sleep(0)
    await first_done(stage, go_on)
    assert (tasks[0].done(), await stage.names()) == (False, [])
    second.set()
    await asyncio.gather(*tasks)
    assert await stage.names() == ["a", "b"]


@pytest.mark.parametrize("fails", [1, 2])
async def test_what_one_gives_up_is_undone_alone(stage: Stage, fails: int) -> None:
    go_on, tasks = await begun(stage, "a")
    failures = {fails: ZeroDivisionError()}
    tasks += [asyncio.create_task(stage.add(f"b{number}", None, failures.get(number))) for number in (1, 2)]
    await asyncio.sleep(0)
    go_on.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(it) for it in outcomes].count(ZeroDivisionError) == 1
    assert (await stage.names(), stage.commits) == (["a", f"b{3 - fails}"], 1)


async def test_what_a_rule_forbids_one_is_undone_alone(stage: Stage) -> None:
    go_on, tasks = await begun(stage, "a", "a", "b")
    go_on.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[1], Conflict)
    assert (await stage.names(), stage.commits) == (["a", "b"], 1)


async def test_one_who_gives_up_waiting_for_its_turn_keeps_nobody_waiting(stage: Stage) -> None:
    go_on, tasks = await begun(stage, "a", "b")
    await first_done(stage, go_on)
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert tasks[0].exception() is None
    assert await stage.names() == ["a"]


async def test_what_is_done_is_stored_also_when_nobody_waits_for_it_any_more(stage: Stage) -> None:
    go_on, tasks = await begun(stage, "a")
    second = asyncio.Event()
    tasks.append(asyncio.create_task(stage.add("b", second)))
    await asyncio.sleep(0)
    await first_done(stage, go_on)
    tasks[0].cancel()
    await asyncio.wait({tasks[0]})
    second.set()
    await tasks[1]
    assert await stage.names() == ["a", "b"]


async def test_f70_when_the_database_undoes_it_all_everybody_learns_of_it(stage: Stage) -> None:
    """SQLite undoes a whole transaction by itself when the disk is full."""

    async def undo() -> None:
        async with stage.store.begin() as work:
            await work._session.connection.exec_driver_sql("ROLLBACK")
            raise StoreUnavailable("the disk is full")

    go_on, tasks = await begun(stage, "a")
    tasks += [asyncio.create_task(undo()), asyncio.create_task(stage.add("c"))]
    await asyncio.sleep(0)
    go_on.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(it) for it in outcomes] == [StoreUnavailable, StoreUnavailable, type(None)]
    assert await stage.names() == ["c"]


async def test_what_cannot_be_undone_alone_is_stored_for_nobody(stage: Stage) -> None:
    async def spoil() -> None:
        async with stage.store.begin() as work:
            await work.users.add(User(id=UserId("b"), email="b@example.com", created_at=NOON))
            await work._session.connection.exec_driver_sql("RELEASE sa_savepoint_1")
            raise ZeroDivisionError

    go_on, tasks = await begun(stage, "a")
    tasks.append(asyncio.create_task(spoil()))
    await asyncio.sleep(0)
    go_on.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(it) for it in outcomes] == [StoreUnavailable, ZeroDivisionError]
    assert (await stage.names(), stage.commits) == ([], 0)


async def test_what_cannot_be_stored_is_stored_for_nobody(stage: Stage) -> None:
    async def take_away() -> None:
        async with stage.store.begin() as work:
            stage.file.rename(stage.file.with_suffix(".gone"))
            await work.commit()

    go_on, tasks = await begun(stage, "a", "b")
    tasks.append(asyncio.create_task(take_away()))
    await asyncio.sleep(0)
    go_on.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(it) for it in outcomes] == [StoreUnavailable] * 3
    stage.file.with_suffix(".gone").rename(stage.file)
    assert await stage.names() == []


def in_the_file_alone(stage: Stage, folder: Path) -> int:
    """Return how many users the file holds without its log."""
    alone = folder / "alone.db"
    shutil.copy(stage.file, alone)
    with contextlib.closing(sqlite3.connect(alone)) as connection:
        (found,) = connection.execute("SELECT count(*) FROM user").fetchone()
    return int(found)


async def test_the_log_is_moved_into_the_file_by_nobody_who_writes(stage: Stage, tmp_path: Path) -> None:
    assert stage.store._writers is not None
    for number in range(TIDIES_AFTER - 1):
        await stage.add(f"{number}")
    assert in_the_file_alone(stage, tmp_path) == 0
    await stage.add("last")  # returns when it is stored in the log
    await stage.store._writers.close()
    assert in_the_file_alone(stage, tmp_path) == TIDIES_AFTER


async def test_while_somebody_reads_what_was_there_before_the_log_stays_and_nothing_fails(
    stage: Stage, tmp_path: Path
) -> None:
    assert stage.store._writers is not None
    async with stage.store.begin(reads_only=True) as work:
        assert await work.users.all() == ()
        for number in range(TIDIES_AFTER):
            await stage.add(f"{number}")
        await stage.store._writers.close()
        assert in_the_file_alone(stage, tmp_path) == 0
    assert len(await stage.names()) == TIDIES_AFTER


async def test_a_database_that_is_gone_when_the_log_is_to_be_moved_fails_nothing_else(stage: Stage) -> None:
    stage.file.rename(stage.file.with_suffix(".gone"))
    await tidy(stage.store.engine)
    stage.file.with_suffix(".gone").rename(stage.file)
    await stage.add("a")
    assert await stage.names() == ["a"]
