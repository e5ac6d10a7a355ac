"""kill -9 at every step of trading: the next engine goes on, and nothing is sent twice or lost."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import Final

import pytest

from dcacore.domain.bot import Phase
from dcacore.ports.records import RequestKind
from tests.kills.conftest import NewStage
from tests.kills.programs import Orders, Program
from tests.kills.stage import Stage
from tests.kills.together import together
from tests.kills.traps import POINTS, Spot

ENDS_WITHIN_S: Final = 15
AT_ONCE: Final = 10


async def play(stage: Stage, spot: Spot) -> bool:
    """Trade until the trap has killed the engine, then let `dca worker` trade on; return whether it ever got there.

    A deal is opened with three safety orders; one of them fills, so that the take profit moves.
    """
    engine = stage.start_trapped(Orders(spot=spot))

    async def is_open() -> bool:
        return engine.has_ended or await stage.is_settled()

    async def is_averaged() -> bool:
        return engine.has_ended or await stage.has_used(1)

    await stage.until(is_open, f"the deal is open ({spot})")
    if not engine.has_ended:
        await stage.move("97.5")
        await stage.until(is_averaged, f"one safety order has filled ({spot})")
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
    await ends_well(stage, worker)
    return was_killed


async def ends_well(stage: Stage, worker: Program) -> None:
    """See that a worker ends when it is told to."""
    worker.send(signal.SIGTERM)

    async def has_ended() -> bool:
        return worker.has_ended

    await stage.until(has_ended, "the worker has ended", ENDS_WITHIN_S)
    assert worker.code == 0


@pytest.mark.parametrize(
    ("kind", "spot"),
    [
        ("sqlite", Spot("begin", 4)),
        ("sqlite", Spot("commit", 5)),
        ("sqlite", Spot("committed", 5)),
        ("sqlite", Spot("place", 1)),
        ("sqlite", Spot("sent", 1)),
        ("sqlite", Spot("placed", 3)),
        ("sqlite", Spot("cancel", 1)),
        ("sqlite", Spot("cancelled", 1)),
        ("postgresql", Spot("committed", 6)),
        ("postgresql", Spot("place", 2)),
        ("postgresql", Spot("sent", 3)),
    ],
    ids=str,
)
@together
async def test_f65_f66_killed_in_the_middle_of_trading(new_stage: NewStage, kind: str, spot: Spot) -> None:
    async with new_stage(kind) as stage:
        assert await play(stage, spot)


@pytest.mark.parametrize("spot", [Spot("cancel", 2), Spot("sent", 6)], ids=str)
@together
async def test_f67_killed_while_it_stops_a_bot_the_next_one_stops_it(new_stage: NewStage, spot: Spot) -> None:
    async with new_stage("sqlite") as stage:
        engine = stage.start_trapped(Orders(spot=spot))
        await stage.until(stage.is_settled, "the deal is open")
        await stage.ask(RequestKind.STOP, sell="true")

        async def is_killed() -> bool:
            return engine.has_ended

        async def has_stopped() -> bool:
            return all(it.bot.phase is Phase.STOPPED for it in await stage.records())

        await stage.until(is_killed, f"it is killed at {spot}")
        assert engine.code == -signal.SIGKILL
        assert not await has_stopped()
        worker = stage.start_worker()
        await stage.until(has_stopped, "the bot has stopped")
        await stage.check()
        assert not [it for it in (await stage.books()).orders if it.order.status.value == "open"]
        await ends_well(stage, worker)


async def sweep(new_stage: NewStage, kind: str) -> Counter[str]:
    """Kill at the first, second, third ... time at each point, until a whole game is played; return how often."""
    kills: Counter[str] = Counter()
    room = asyncio.Semaphore(AT_ONCE)

    async def at(point: str) -> None:
        is_killed = True
        while is_killed:
            async with room, new_stage(kind) as stage:
                is_killed = await play(stage, Spot(point, kills[point] + 1))
            kills[point] += is_killed

    async with asyncio.TaskGroup() as group:
        for point in POINTS:
            group.create_task(at(point))
    return kills


@pytest.mark.prove
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_f65_f66_killed_at_every_step_of_opening_and_averaging_a_deal(new_stage: NewStage, kind: str) -> None:
    kills = await sweep(new_stage, kind)
    assert min(kills[point] for point in POINTS) > 0, kills
