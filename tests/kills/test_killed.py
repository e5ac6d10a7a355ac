"""kill -9 at every step of trading: the next engine goes on, and nothing is sent twice or lost."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter

import pytest

from tests.kills.conftest import NewStage
from tests.kills.programs import Orders, Program
from tests.kills.stage import Stage
from tests.kills.traps import POINTS, Spot


async def play(stage: Stage, spot: Spot) -> bool:
    """Trade until the trap has killed the engine, then let `dca worker` trade on; return whether it ever got there.

    A deal is opened with three safety orders; one of them fills, so that the take profit moves.
    """
    engine = stage.start_trapped(Orders(spot=spot))

    async def opened() -> bool:
        return engine.has_ended or await stage.is_settled()

    async def averaged() -> bool:
        return engine.has_ended or await stage.has_used(1)

    await stage.until(opened, f"the deal is open ({spot})")
    if not engine.has_ended:
        await stage.move("97.5")
        await stage.until(averaged, f"one safety order has filled ({spot})")
    was_killed = engine.has_ended
    if was_killed:
        assert engine.code == -signal.SIGKILL, f"{spot}: {engine.lines[-2000:]}"
    engine.end()
    worker = stage.start_worker()
    await stage.until(worker.has_started, f"the worker has started ({spot})")
    await stage.until(stage.is_settled, f"the deal is open again ({spot})")
    await stage.move("97.5")
    await stage.until(lambda: stage.has_used(1), f"one safety order has filled in the end ({spot})")
    await stage.check()
    worker.send(signal.SIGTERM)
    await stage.until(lambda: ended(worker), "the worker has ended", 20)
    assert worker.code == 0
    return was_killed


async def ended(program: Program) -> bool:
    return program.has_ended


async def sweep(new_stage: NewStage, kind: str, points: tuple[str, ...], at_once: int) -> Counter[str]:
    """Kill at the first, second, third ... time at each point, until a whole game is played; return how often."""
    kills: Counter[str] = Counter()

    async def one(point: str, number: int) -> bool:
        async with new_stage(kind) as stage:
            return await play(stage, Spot(point, number))

    async def at(point: str) -> None:
        number = 1
        while True:
            async with room:
                if not await one(point, number):
                    return
            kills[point] += 1
            number += 1

    room = asyncio.Semaphore(at_once)
    async with asyncio.TaskGroup() as group:
        for point in points:
            group.create_task(at(point))
    return kills


@pytest.mark.prove
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_f65_killed_at_every_step_of_opening_and_averaging_a_deal(new_stage: NewStage, kind: str) -> None:
    kills = await sweep(new_stage, kind, POINTS, at_once=8)
    assert all(kills[point] for point in POINTS), kills
