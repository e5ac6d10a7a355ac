"""A worker is told to end, is one too many, its disk is full, its database is locked or gone."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from dcacore.adapters.sqlalchemy.schema import upgrade
from tests.contract.databases import start_server
from tests.kills.conftest import NewStage
from tests.kills.programs import Orders, Program
from tests.kills.stage import Stage
from tests.kills.together import together
from tests.kills.traps import Spot

ENDS_WITHIN_S: Final = 15
ENGINE_RUNNING: Final = 3
QUIET_S: Final = 8
DISK_BYTES: Final = 8 * 2**20


async def ended(stage: Stage, program: Program, within_s: float = ENDS_WITHIN_S) -> float:
    """Wait for a program's end, and return how long it took."""

    async def has_ended() -> bool:
        return program.has_ended

    return await stage.until(has_ended, "it has ended", within_s)


async def goes_on(stage: Stage) -> None:
    """See that a new worker takes everything up, and that nothing was lost or doubled."""
    worker = stage.start_worker()
    await stage.until(worker.has_started, "the next worker runs")
    await stage.until(lambda: stage.has_used(1), "it has taken everything up")
    await stage.check()


async def stays_quiet(stage: Stage, program: Program, sign: str) -> None:
    """See that a program tells of *sign*, and sends no order then."""

    async def is_told() -> bool:
        return sign in program.lines

    await stage.until(is_told, f"the log says: {sign}", 60)
    before = len((await stage.books()).orders)
    await asyncio.sleep(QUIET_S)  # that nothing happens takes time to see
    assert len((await stage.books()).orders) == before
    assert not program.has_ended


# ---------------------------------------------------------------------------------------------------------- told to end


@together
async def test_f68_told_to_end_with_an_order_on_its_way_it_waits_for_the_answer(new_stage: NewStage) -> None:
    async with new_stage("sqlite") as stage:
        engine = stage.start_trapped(Orders(spot=Spot("sent", 2, signal.SIGTERM)))
        await stage.until(engine.has_started, "the engine runs")
        await ended(stage, engine, 60)
        assert engine.code == 0
        assert len((await stage.books()).orders) >= 2
        states = {intent.state.value for it in await stage.records() for intent in await stage.intents(it)}
        assert not states & {"sending", "unknown"}, states
        await stage.move("97.5")
        await goes_on(stage)


@together
async def test_f68_told_to_end_while_the_exchange_does_not_answer_it_ends_in_time(new_stage: NewStage) -> None:
    async with new_stage("sqlite") as stage:
        worker = stage.start_worker()
        await stage.until(stage.is_settled, "the deal is open")
        await stage.move("97.5")  # the take profit is being moved ...
        stage.venue.kill(signal.SIGSTOP)  # ... and in the middle of it nobody answers any more
        await asyncio.sleep(0.5)
        worker.send(signal.SIGTERM)
        began = time.monotonic()
        await asyncio.to_thread(worker.process.join, 60)  # nothing else of the stage can be looked at meanwhile
        took = time.monotonic() - began
        stage.venue.kill(signal.SIGCONT)
        assert worker.code == 0, worker.lines[-2000:]
        assert took <= ENDS_WITHIN_S
        await goes_on(stage)


# ----------------------------------------------------------------------------------------------- the exchange is killed


@together
async def test_f65_the_exchange_is_killed_while_bots_open_deals_and_average_them(new_stage: NewStage) -> None:
    async with new_stage("sqlite", bots=4) as stage:
        engine = stage.start_trapped(Orders())
        await stage.until(engine.has_started, "the engine runs")

        async def has_orders() -> bool:
            return len((await stage.books()).orders) >= 6

        await stage.until(has_orders, "some of their orders are placed", poll_s=0.01)
        await killed_and_back(stage)
        await stage.until(stage.is_settled, "the deals are open")
        await stage.check()
        await stage.move("97.5")  # take profits are being moved ...
        await killed_and_back(stage)  # ... and in the middle of it nobody is there any more
        await stage.until(lambda: stage.has_used(1), "everything rests again")
        await stage.check()
        assert not engine.has_ended


async def killed_and_back(stage: Stage) -> None:
    """Kill the exchange, and wait until the engine has started it again."""
    before = stage.venue.pid
    stage.venue.kill()

    async def is_back() -> bool:
        return stage.venue.pid != before

    await stage.until(is_back, "the engine has started the exchange again", 60)


# --------------------------------------------------------------------------------------------------------- one too many


@together
async def test_f72_a_second_worker_over_the_same_file_is_refused(new_stage: NewStage) -> None:
    async with new_stage("sqlite") as stage:
        worker = stage.start_worker()
        await stage.until(worker.has_started, "the worker runs")
        environment = {**os.environ, "DATABASE_URL": stage.settings.database_url, "DATA_DIR": stage.settings.data_dir}
        command = Path(sys.executable).with_name("dca")
        second = await asyncio.create_subprocess_exec(
            command, "worker", env=environment, cwd=stage.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        told, complaint = await asyncio.wait_for(second.communicate(), 60)
        assert second.returncode == ENGINE_RUNNING
        assert told == b""
        assert complaint.decode().splitlines()[-1] == (
            f"dca: another engine runs over this database: process {worker.process.pid} holds dca.db.lock"
        )
        await stage.until(stage.is_settled, "the first one is not disturbed")
        await stage.check()


# -------------------------------------------------------------------------------------------------------- a full disk


@contextmanager
def full_disk(stage: Stage, worker: Program) -> Iterator[None]:
    """Leave no room where the database is, as far as this user may."""
    disk = stage.folder / "disk"
    if os.path.ismount(disk):
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        yield
        filler.unlink()
        return
    assert worker.process.pid is not None
    largest = max(file.stat().st_size for file in stage.folder.glob("dca.db*"))
    before = resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    yield
    resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Yield a folder on a small disk of its own; without the right to make one, a usual one."""
    disk = folder / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)]
    mounted = (
        os.geteuid() == 0 and subprocess.run(["mount", *options], check=False, capture_output=True).returncode == 0
    )
    try:
        if mounted:  # the exchange's books are not to be in want of room
            (disk / "dca.db.paper").symlink_to(folder / "books")
        yield disk if mounted else folder
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


@together
async def test_f70_with_a_full_disk_it_sends_nothing_and_goes_on_when_there_is_room(new_stage: NewStage) -> None:
    async with new_stage("sqlite", disk=small_disk) as stage:
        worker = stage.start_worker()
        await stage.until(stage.is_settled, "the deal is open")
        with full_disk(stage, worker):
            await stage.move("97.5")
            await stays_quiet(stage, worker, "disk")
        await stage.until(lambda: stage.has_used(1), "it has gone on by itself")
        await stage.check()
        worker.send(signal.SIGTERM)
        await ended(stage, worker)
        assert worker.code == 0
        connection = sqlite3.connect(stage.url.database or "")
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


# ------------------------------------------------------------------------------------------- a database out of reach


@together
async def test_f69_with_a_locked_database_it_sends_nothing_and_goes_on_when_it_is_free(new_stage: NewStage) -> None:
    async with new_stage("sqlite") as stage:
        worker = stage.start_worker()
        await stage.until(stage.is_settled, "the deal is open")
        connection = sqlite3.connect(stage.url.database or "", isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        await stage.move("97.5")
        await stays_quiet(stage, worker, "locked by another program")
        connection.execute("ROLLBACK")
        connection.close()
        await stage.until(lambda: stage.has_used(1), "it has gone on by itself")
        await stage.check()


@together
async def test_f71_with_its_server_gone_it_sends_nothing_and_goes_on_when_it_is_back(new_stage: NewStage) -> None:
    server = await asyncio.to_thread(start_server)
    try:
        server.execute("CREATE DATABASE gone")
        await asyncio.to_thread(upgrade, server.url("gone"))
        async with new_stage("postgresql", url=make_url(server.url("gone"))) as stage:
            worker = stage.start_worker()
            await stage.until(stage.is_settled, "the deal is open")
            await asyncio.to_thread(server.stop)
            await stage.move("97.5")
            await stays_quiet(stage, worker, "the database")
            await asyncio.to_thread(server.start)
            await stage.until(lambda: stage.has_used(1), "it has gone on by itself")
            await stage.check()
    finally:
        await asyncio.to_thread(server.stop)
        shutil.rmtree(server.folder, ignore_errors=True)
