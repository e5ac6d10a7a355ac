"""The exchange's time: measured again when the last measurement is no good."""

from __future__ import annotations

import datetime

import pytest

from dcacore.adapters.binance.venue_clock import VenueClock
from dcacore.ports.errors import RateLimited, Unavailable
from tests.unit.simulated.clock import ManualClock

AHEAD = datetime.timedelta(seconds=3)


class Told:
    """Says what time it is after *latency*, or fails first."""

    def __init__(self, clock: ManualClock, latency: float = 0.2) -> None:
        self.clock = clock
        self.latency = latency
        self.asked = 0
        self.fails: list[Exception] = []

    async def __call__(self) -> datetime.datetime:
        self.asked += 1
        if self.fails:
            raise self.fails.pop(0)
        self.clock.pass_by(self.latency / 2)
        at = self.clock.now() + AHEAD
        self.clock.pass_by(self.latency / 2)
        return at


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def told(clock: ManualClock) -> Told:
    return Told(clock)


async def test_half_of_the_way_is_taken_off(clock: ManualClock, told: Told) -> None:
    time = VenueClock(clock, told)
    assert time.now() == clock.now()
    await time.refresh()
    assert time.offset == AHEAD
    assert time.latency == datetime.timedelta(seconds=0.2)
    assert time.now() == clock.now() + AHEAD


async def test_f54_it_is_measured_again_after_half_an_hour_and_on_doubt(clock: ManualClock, told: Told) -> None:
    time = VenueClock(clock, told)
    await time.refresh()
    clock.pass_by(1700)
    await time.refresh()
    assert told.asked == 1
    clock.pass_by(100)
    await time.refresh()
    assert told.asked == 2
    time.doubt()
    await time.refresh()
    assert told.asked == 3


async def test_f55_it_is_measured_again_when_the_machine_has_slept_or_its_clock_was_set(
    clock: ManualClock, told: Told
) -> None:
    time = VenueClock(clock, told)
    await time.refresh()
    clock.at += datetime.timedelta(hours=2)
    await time.refresh()
    assert told.asked == 2
    clock.at -= datetime.timedelta(seconds=5)
    await time.refresh()
    assert told.asked == 3


async def test_a_failure_is_tried_again_and_told_in_the_end(clock: ManualClock, told: Told) -> None:
    time = VenueClock(clock, told)
    told.fails = [Unavailable("no"), Unavailable("no")]
    await time.refresh()
    assert time.offset == AHEAD
    time.doubt()
    told.fails = [Unavailable("no")] * 3
    with pytest.raises(Unavailable):
        await time.refresh()


async def test_f52_a_ban_is_not_asked_against(clock: ManualClock, told: Told) -> None:
    time = VenueClock(clock, told)
    told.fails = [RateLimited(clock.now())] * 3
    with pytest.raises(RateLimited):
        await time.refresh()
    assert told.asked == 1


async def test_f54_an_answer_that_was_long_on_its_way_is_asked_for_again(clock: ManualClock, told: Told) -> None:
    time = VenueClock(clock, told)

    async def ask() -> datetime.datetime:
        if not told.asked:
            clock.pass_by(30)  # in the limiter's line, all of it before the request went out
        return await told()

    time._ask = ask
    await time.refresh()
    assert (time.offset, told.asked) == (AHEAD, 2)


async def test_f54_a_way_that_stays_long_is_better_than_no_time(clock: ManualClock) -> None:
    told = Told(clock, latency=6)
    time = VenueClock(clock, told)
    await time.refresh()
    assert (time.offset, told.asked) == (AHEAD, 3)


async def test_f55_a_clock_that_is_set_while_it_is_measured_is_measured_again(clock: ManualClock, told: Told) -> None:
    time = VenueClock(clock, told)

    async def ask() -> datetime.datetime:
        at = await told()
        if told.asked == 1:
            clock.at += datetime.timedelta(hours=1)
        return at

    time._ask = ask
    for _ in range(3):
        await time.refresh()
    assert told.asked == 2
