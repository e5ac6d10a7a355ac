"""The files of a SQLite database are taken away under a running worker: it acts on none that is not its own."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.kills.conftest import NewStage
from tests.kills.stage import Stage
from tests.kills.test_surroundings import ENGINE_RUNNING, ended, goes_on, stays_quiet
from tests.kills.together import together

GONE: Final = "the database file has been removed or replaced"


def database(stage: Stage) -> Path:
    """Return the database's file."""
    return Path(stage.url.database or "")


def beside(stage: Stage, end: str) -> Path:
    """Return a file that lies beside the database."""
    file = database(stage)
    return file.with_name(file.name + end)


def copied(stage: Stage) -> Path:
    """Return a whole copy of the database, beside it."""
    copy = beside(stage, ".copy")
    with closing(sqlite3.connect(database(stage))) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    return copy


async def is_refused(stage: Stage) -> None:
    """See that a second worker ends at once, because the first one runs."""
    second = stage.start_worker()
    await ended(stage, second, 60)
    assert second.code == ENGINE_RUNNING
    assert "another engine runs over this database" in second.lines


@together
async def test_f72_without_its_lock_file_a_worker_is_still_the_only_one(new_stage: NewStage) -> None:
    async with new_stage("sqlite") as stage:
        worker = stage.start_worker()
        await stage.until(stage.is_settled, "the deal is open")
        beside(stage, ".lock").unlink()
        await is_refused(stage)
        await stage.move("97.5")
        await stage.until(lambda: stage.has_used(1), "the first one is not disturbed")
        await is_refused(stage)
        await stage.check()
        assert not worker.has_ended


@together
async def test_f69_with_its_file_moved_away_a_worker_sends_nothing_and_goes_on_when_it_is_back(
    new_stage: NewStage,
) -> None:
    async with new_stage("sqlite") as stage:
        worker = stage.start_worker()
        await stage.until(stage.is_settled, "the deal is open")
        away = beside(stage, ".away")
        database(stage).rename(away)
        await stage.move("97.5")
        await stays_quiet(stage, worker, GONE)
        second = stage.start_worker()
        await ended(stage, second, 60)
        assert second.code != 0
        assert GONE in second.lines
        assert not database(stage).exists(), "nobody makes another one in its place"
        away.rename(database(stage))
        await stage.until(lambda: stage.has_used(1), "it has gone on by itself")
        await stage.check()


@pytest.mark.parametrize("is_locked", [True, False])
@together
async def test_f69_with_another_file_in_its_place_a_worker_sends_nothing_and_ends_in_peace(
    new_stage: NewStage, is_locked: bool
) -> None:
    async with new_stage("sqlite") as stage:
        worker = stage.start_worker()
        await stage.until(stage.is_settled, "the deal is open")
        await stage.store.close()  # it would miss its own file as well
        copy = copied(stage)
        for end in ("-wal", "-shm"):
            beside(stage, end).unlink()
        copy.replace(database(stage))
        await stage.move("97.5")
        await stays_quiet(stage, worker, GONE)
        if is_locked:
            await is_refused(stage)
            worker.send(signal.SIGTERM)
            await ended(stage, worker)
            assert worker.code == 0
        else:
            beside(stage, ".lock").unlink()  # a second one may start now: the first does nothing any more
        await goes_on(stage)


@pytest.mark.parametrize(
    ("ends", "number"),
    [
        (("-wal",), signal.SIGTERM),
        (("-wal", "-shm"), signal.SIGTERM),
        (("-shm",), signal.SIGTERM),
        (("-shm",), signal.SIGKILL),
    ],
)
@together
async def test_f69_with_its_log_taken_away_a_worker_sends_nothing_and_loses_nothing(
    new_stage: NewStage, ends: tuple[str, ...], number: int
) -> None:
    async with new_stage("sqlite") as stage:
        worker = stage.start_worker()
        await stage.until(stage.is_settled, "the deal is open")
        await stage.store.close()
        for end in ends:
            beside(stage, end).unlink()
        await stage.move("97.5")
        await stays_quiet(stage, worker, GONE)
        await is_refused(stage)
        worker.send(number)  # told to end, it takes what only its own log holds into the database
        await ended(stage, worker)
        await goes_on(stage)
