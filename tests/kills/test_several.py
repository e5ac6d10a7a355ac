"""Several workers over one PostgreSQL database: shares, take-overs, and a worker that wakes up too late."""

from __future__ import annotations

import json
import signal
import time
from typing import Final

import pytest

from tests.kills.conftest import NewStage
from tests.kills.programs import Orders, Program
from tests.kills.stage import Stage
from tests.kills.together import together
from tests.kills.traps import Spot

TAKEN_OVER_WITHIN_S: Final = 45
TTL_S: Final = 9.0
TOO_LATE_S: Final = 6
"""By then the exchange does not take a request any more that was signed before."""


async def held(stage: Stage, program: Program) -> int:
    """Return for how many bots a worker has the lease."""
    async with stage.store.begin(reads_only=True) as work:
        leases = await work.leases.held()
    return sum(lease.owner.split(":")[-2] == str(program.process.pid) for lease in leases)


@together
async def test_f72_two_workers_share_the_bots_and_one_takes_over_from_the_other(new_stage: NewStage) -> None:
    async with new_stage("postgresql", bots=4) as stage:
        workers = [stage.start_worker(), stage.start_worker()]

        async def are_shared() -> bool:
            return [await held(stage, it) for it in workers] == [2, 2]

        await stage.until(stage.is_settled, "all deals are open")
        await stage.until(are_shared, "each worker acts for two bots")
        workers[0].send(signal.SIGKILL)
        killed_at = time.monotonic()
        await stage.move("97.5")

        async def are_taken_over() -> bool:
            return await held(stage, workers[1]) == 4

        took = await stage.until(are_taken_over, "the other has taken over")
        await stage.until(lambda: stage.has_used(1), "it acts for all of them")
        acted = time.monotonic() - killed_at
        assert took <= TAKEN_OVER_WITHIN_S
        assert acted <= TAKEN_OVER_WITHIN_S
        await stage.check()


async def wake_up_too_late(stage: Stage, spot: Spot, *, ignores_leases: bool = False) -> None:
    """Let a worker stand still until another has its bot, and see that it does no harm when it wakes up."""
    sleeper = stage.start_trapped(Orders(spot=spot, ttl_s=TTL_S, ignores_leases=ignores_leases))

    async def stands_still() -> bool:
        stat = f"/proc/{sleeper.process.pid}/stat"
        with open(stat) as file:  # noqa: ASYNC230, PTH123  # it is no real file
            return file.read().rpartition(")")[2].split()[0] == "T"

    await stage.until(stands_still, f"it stands still at {spot}")
    stopped_at = time.monotonic()
    other = stage.start_trapped(Orders(ttl_s=TTL_S, ignores_leases=ignores_leases))

    async def is_too_late() -> bool:
        return await held(stage, other) == 1 and time.monotonic() - stopped_at > TOO_LATE_S

    await stage.until(is_too_late, "the other has the bot", 60)
    slept_through = len(sleeper.lines)
    sleeper.send(signal.SIGCONT)
    await stage.until(stage.is_settled, "the other has opened the deal")
    assert await held(stage, sleeper) == 0
    written = [line for line in map(json.loads, sleeper.lines[slept_through:].splitlines()) if "stored" in line]
    assert not written, f"it wrote when it woke up: {written}"
    await stage.check()
    other.send(signal.SIGKILL)

    async def acts_again() -> bool:
        return await held(stage, sleeper) == 1

    await stage.until(acts_again, "it may act for bots again", 60)
    await stage.move("97.5")
    await stage.until(lambda: stage.has_used(1), "it does")
    await stage.check()


@pytest.mark.parametrize(
    "spot",
    [
        Spot("begin", 8, signal.SIGSTOP),
        Spot("commit", 8, signal.SIGSTOP),
        Spot("place", 1, signal.SIGSTOP),
        Spot("sent", 1, signal.SIGSTOP),
        Spot("placed", 2, signal.SIGSTOP),
    ],
    ids=str,
)
@together
async def test_f73_a_worker_that_wakes_up_too_late_does_no_harm(new_stage: NewStage, spot: Spot) -> None:
    async with new_stage("postgresql") as stage:
        await wake_up_too_late(stage, spot)


@together
async def test_f73_without_the_check_of_leases_it_does_harm(new_stage: NewStage) -> None:
    async with new_stage("postgresql") as stage:
        with pytest.raises(AssertionError, match=r"it wrote when it woke up|exists twice|bought twice|still not"):
            await wake_up_too_late(stage, Spot("place", 1, signal.SIGSTOP), ignores_leases=True)
