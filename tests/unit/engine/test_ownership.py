"""Who acts for which bot: fair shares, what the dead leave behind, and an engine that cannot renew."""

from __future__ import annotations

import asyncio
import datetime
import math
import random
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NoReturn, TypeVar

import attrs
import pytest
import structlog

from dcacore.adapters.memory import MemoryStore
from dcacore.application.engine.engine import Engine
from dcacore.application.engine.ownership import USUAL_PACE, LeaseOwner
from dcacore.application.engine.surroundings import Surroundings
from dcacore.bootstrap.paper import HOLDINGS, InProcessPaper
from dcacore.domain.bot import Phase
from dcacore.domain.ids import BotId
from dcacore.ports.errors import LeaseLost, StoreUnavailable, Unavailable
from dcacore.ports.exchange import Exchange
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment, Lease, RequestKind
from dcacore.ports.store import Store, Work
from tests.contract.stored import bot, people, record, request
from tests.simulation.clock import SeededIds, VirtualClock
from tests.simulation.loop import VirtualLoop
from tests.strategies import MARKET
from tests.unit.simulated.clock import ManualClock

T = TypeVar("T")
TAKEN_OVER_WITHIN_S = 45


def names(count: int) -> list[BotId]:
    return [BotId(f"b{number:02}") for number in range(count)]


# ------------------------------------------------------------------------------------------------ leases, by themselves


@attrs.define
class Fleet:
    """Engines that only claim, and let go at once of what they are not to have."""

    store: Store
    clock: ManualClock
    wanted: list[BotId]
    owners: dict[str, LeaseOwner] = attrs.field(factory=dict)
    acts_for: dict[str, set[BotId]] = attrs.field(factory=dict)

    def join(self, name: str) -> LeaseOwner:
        owner = self.owners[name] = LeaseOwner(self.store, name)
        self.acts_for[name] = set()
        return owner

    async def look(self, name: str) -> set[BotId]:
        """Let an engine renew and claim, as it does now and then; return what it acts for."""
        claimed = await self.owners[name].claim(self.wanted)
        await self.owners[name].release(tuple(self.acts_for[name] - claimed.keys()))
        self.acts_for[name] = set(claimed)
        return self.acts_for[name]

    async def pass_by(self, seconds: float) -> None:
        """Let time pass, with every engine looking as often as it does."""
        for _ in range(math.ceil(seconds / USUAL_PACE.look_every_s)):
            self.clock.pass_by(USUAL_PACE.look_every_s)
            for name in self.owners:
                await self.look(name)

    def die(self, name: str) -> set[BotId]:
        """Let an engine end without a word; return what it acted for."""
        del self.owners[name]
        return self.acts_for.pop(name)

    def expect_shared_out(self) -> None:
        """See that every bot has one engine, and that none has more than its share."""
        held = [bot_id for bots in self.acts_for.values() for bot_id in bots]
        assert sorted(held) == self.wanted
        share = math.ceil(len(self.wanted) / len(self.owners))
        assert all(len(bots) <= share for bots in self.acts_for.values()), self.acts_for


@pytest.fixture
async def fleet(request: pytest.FixtureRequest) -> Fleet:
    clock, wanted = ManualClock(), names(getattr(request, "param", 7))
    store = MemoryStore(clock)
    await people(store, *(record(bot(name)) for name in wanted))
    return Fleet(store, clock, wanted)


@pytest.mark.parametrize("engines", [2, 3])
@pytest.mark.parametrize("fleet", [1, 2, 6, 7, 20], indirect=True)
async def test_several_engines_share_the_bots_evenly(fleet: Fleet, engines: int) -> None:
    for number in range(engines):
        fleet.join(f"e{number}")
    await fleet.pass_by(30)
    fleet.expect_shared_out()


async def test_a_single_engine_has_them_all_at_once(fleet: Fleet) -> None:
    fleet.join("one")
    assert await fleet.look("one") == set(fleet.wanted)


async def test_a_new_engine_gets_its_share_as_the_others_let_go(fleet: Fleet) -> None:
    fleet.join("one")
    await fleet.pass_by(10)
    fleet.join("two")
    assert await fleet.look("two") == set()  # it is all taken; but now the other knows of it
    await fleet.pass_by(20)
    fleet.expect_shared_out()
    fleet.join("three")
    await fleet.pass_by(40)
    fleet.expect_shared_out()


async def test_what_an_engine_keeps_beyond_its_share_is_its_own_until_it_has_let_go(fleet: Fleet) -> None:
    one, two = fleet.join("one"), fleet.join("two")
    await fleet.look("one")
    await fleet.look("two")
    kept = await one.claim(fleet.wanted)
    assert len(kept) == 4
    fleet.clock.pass_by(29)  # the engine still waits for answers of the other three bots
    await one.claim(fleet.wanted)
    fleet.clock.pass_by(29)
    assert await two.claim(fleet.wanted) == {}
    await one.release([bot_id for bot_id in fleet.wanted if bot_id not in kept])
    assert len(await two.claim(fleet.wanted)) == 3


async def test_f72_the_bots_of_a_dead_engine_are_taken_over_within_45_seconds(fleet: Fleet) -> None:
    fleet.join("one")
    fleet.join("two")
    await fleet.pass_by(30)
    left = fleet.die("one")
    assert left
    at = fleet.clock.monotonic()
    while left - fleet.acts_for["two"]:
        await fleet.pass_by(USUAL_PACE.look_every_s)
        assert fleet.clock.monotonic() - at <= TAKEN_OVER_WITHIN_S
    fleet.expect_shared_out()


async def test_a_lease_that_is_given_back_is_free_at_once(fleet: Fleet) -> None:
    one, two = fleet.join("one"), fleet.join("two")
    await one.claim(fleet.wanted[:1])
    assert await two.claim(fleet.wanted[:1]) == {}
    await one.release(fleet.wanted[:1])
    await one.release(fleet.wanted[:1])
    assert list(await two.claim(fleet.wanted[:1])) == fleet.wanted[:1]


async def test_an_engine_that_leaves_has_no_share_and_no_bots(fleet: Fleet) -> None:
    one = fleet.join("one")
    fleet.join("two")
    await fleet.pass_by(20)
    fleet.die("one")
    await one.leave()
    assert await fleet.look("two") == set(fleet.wanted)


async def test_a_lease_that_another_has_taken_is_not_renewed(fleet: Fleet) -> None:
    one, two = fleet.join("one"), fleet.join("two")
    before = await one.claim(fleet.wanted)
    fleet.clock.pass_by(31)
    assert len(await two.claim(fleet.wanted)) == 7  # the first has not been heard of for too long to count
    assert await one.claim(fleet.wanted) == {}
    for lease in before.values():
        assert lease is not None
        with pytest.raises(LeaseLost):
            async with fleet.store.begin(lease):
                pytest.fail("the work must not begin")


@pytest.mark.parametrize("fleet", [1, 5], indirect=True)
async def test_eight_racers_have_one_winner_a_bot(fleet: Fleet) -> None:
    racers = [LeaseOwner(fleet.store, f"racer{number}") for number in range(8)]
    claims = await asyncio.gather(*(racer.claim(fleet.wanted) for racer in racers))
    won = [bot_id for claim in claims for bot_id in claim]
    assert len(won) == len(set(won))
    async with fleet.store.begin(reads_only=True) as work:
        held = {lease.bot_id: lease.owner for lease in await work.leases.held()}
    assert held == {bot_id: f"racer{number}" for number, claim in enumerate(claims) for bot_id in claim}


async def test_two_claims_of_one_engine_at_a_time_do_not_undo_each_other(fleet: Fleet) -> None:
    slow = SlowStore(fleet.store)
    owner = LeaseOwner(slow, "one")
    claims = await asyncio.gather(owner.claim(fleet.wanted), owner.claim(fleet.wanted), owner.claim(fleet.wanted))
    assert all(set(claim) == set(fleet.wanted) for claim in claims)
    fleet.clock.pass_by(20)
    assert set(await owner.claim(fleet.wanted)) == set(fleet.wanted)
    fleet.clock.pass_by(20)  # beyond the first lease: it was renewed
    assert await fleet.join("two").claim(fleet.wanted) == {}


async def test_a_lease_that_could_not_be_given_back_is_still_known(fleet: Fleet) -> None:
    store = SlowStore(fleet.store)
    owner = LeaseOwner(store, "one")
    await owner.claim(fleet.wanted)
    store.fails = True
    with pytest.raises(StoreUnavailable):
        await owner.release(fleet.wanted)
    store.fails = False
    await owner.release(fleet.wanted)
    assert set(await fleet.join("two").claim(fleet.wanted)) != set()


@attrs.define
class SlowStore(Store):
    """A store whose works take a moment to begin, and now and then do not, or hang."""

    inner: Store
    fails: bool = False
    hangs: bool = False

    def begin(self, lease: Lease | None = None, *, reads_only: bool = False) -> AbstractAsyncContextManager[Work]:
        return self._begin(lease, reads_only=reads_only)

    @asynccontextmanager
    async def _begin(self, lease: Lease | None, *, reads_only: bool) -> AsyncIterator[Work]:
        if self.fails:
            raise StoreUnavailable("the database cannot be reached")
        if self.hangs:
            await asyncio.Event().wait()
        async with self.inner.begin(lease, reads_only=reads_only) as work:
            await asyncio.sleep(0)
            yield work

    async def check(self) -> None:
        await self.inner.check()

    async def epoch(self) -> str:
        return await self.inner.epoch()

    async def close(self) -> None:
        await self.inner.close()


# ------------------------------------------------------------------------------------------------ engines under leases


class LockedPaper(InProcessPaper):
    """A paper exchange that can be locked up: then nobody gets to his account, or to prices."""

    is_locked = False
    has_prices = True

    async def exchange(self, account: Account) -> Exchange:
        if self.is_locked:
            raise Unavailable("not now")
        return await super().exchange(account)

    async def prices(self, environment: Environment) -> Prices:
        if not self.has_prices:
            raise Unavailable("not now")
        return await super().prices(environment)


@attrs.define
class Stage:
    """Engines over one database in memory, in virtual time, each with a connection of its own to cut."""

    loop: VirtualLoop
    clock: VirtualClock
    store: MemoryStore
    paper: LockedPaper
    stores: dict[str, SlowStore] = attrs.field(factory=dict)
    engines: dict[str, Engine] = attrs.field(factory=dict)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def pass_by(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def join(self, name: str) -> Engine:
        store = self.stores[name] = SlowStore(self.store)
        ids = SeededIds(random.Random(name))
        around = Surroundings(store=store, venues=self.paper, clock=self.clock, ids=ids, name=name)
        engine = self.engines[name] = Engine(around, LeaseOwner(store, name))
        self.loop.create_task(engine.run())
        return engine

    async def start_bots(self, count: int) -> None:
        await people(self.store, *(record(bot(name, max_safety_orders=0)) for name in names(count)))
        await self.ask(count, RequestKind.START)

    async def ask(self, count: int, kind: RequestKind, **details: str) -> None:
        async with self.store.begin() as work:
            for name in names(count):
                await work.requests.add(request(f"{kind.value} {name}", name, kind=kind, details=details))
            await work.commit()

    async def held(self) -> dict[str, set[BotId]]:
        """Return which engine has which leases."""
        found: dict[str, set[BotId]] = {}
        async with self.store.begin(reads_only=True) as work:
            for lease in await work.leases.held():
                found.setdefault(lease.owner, set()).add(lease.bot_id)
        return found


def hear_nothing(*_: object) -> NoReturn:
    raise structlog.DropEvent


@pytest.fixture
def stage() -> Iterator[Stage]:
    logs_before = structlog.get_config()
    structlog.configure(processors=[hear_nothing], cache_logger_on_first_use=False)
    loop = VirtualLoop(random.Random(1))
    clock = VirtualClock(loop)
    paper = LockedPaper([(MARKET, 100)], {**HOLDINGS, "XYZ": HOLDINGS["USDT"]}, clock)
    stage = Stage(loop, clock, MemoryStore(clock), paper)
    stage.run(stage.start_bots(4))
    yield stage
    loop.bury()
    loop.close()
    structlog.configure(**logs_before)


def test_two_engines_share_running_bots(stage: Stage) -> None:
    one, two = stage.join("one"), stage.join("two")
    stage.pass_by(60)
    assert len(one.runners) == len(two.runners) == 2
    assert stage.run(stage.held()) == {"one": set(one.runners), "two": set(two.runners)}
    assert {runner.bot.phase for runner in (*one.runners.values(), *two.runners.values())} == {Phase.IN_POSITION}


def test_the_lease_of_a_stopped_bot_is_given_back(stage: Stage) -> None:
    one = stage.join("one")
    stage.pass_by(20)
    assert len(one.runners) == 4

    stage.run(stage.ask(4, RequestKind.STOP, sell="true"))
    stage.pass_by(60)
    assert not one.runners
    assert stage.run(stage.held()) == {}


@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_an_engine_that_could_not_renew_for_20_seconds_acts_for_none(stage: Stage, how: str) -> None:
    one = stage.join("one")
    stage.pass_by(25)
    assert len(one.runners) == 4
    setattr(stage.stores["one"], how, True)
    stage.pass_by(USUAL_PACE.give_up_after_s + 1)
    assert not [runner for runner in one.runners.values() if not runner.is_closing and not runner.is_over]
    two = stage.join("two")
    stage.pass_by(15)
    assert len(two.runners) == 4


def test_an_engine_whose_database_comes_back_acts_again(stage: Stage) -> None:
    one = stage.join("one")
    stage.pass_by(20)
    stage.stores["one"].fails = True
    stage.pass_by(25)
    assert not one.runners
    stage.stores["one"].fails = False
    stage.pass_by(60)
    assert len(one.runners) == 4
    assert all(runner.is_reconciled for runner in one.runners.values())


def test_bots_that_could_not_be_taken_up_yet_go_to_the_engine_that_can(stage: Stage) -> None:
    stage.paper.is_locked = True
    stage.join("one")
    stage.pass_by(25)
    assert stage.run(stage.held()) == {"one": set(names(4))}
    stage.join("two")
    stage.pass_by(60)
    stage.paper.is_locked = False
    stage.pass_by(60)
    assert {name: len(bots) for name, bots in stage.run(stage.held()).items()} == {"one": 2, "two": 2}
    assert {name: len(engine.runners) for name, engine in stage.engines.items()} == {"one": 2, "two": 2}


def test_f73_a_bot_that_was_anothers_meanwhile_is_taken_up_anew(stage: Stage) -> None:
    one = stage.join("one")
    stage.pass_by(20)
    before = dict(one.runners)

    async def run_out_and_change_hands() -> None:
        async with stage.store.begin() as work:  # as another engine would have, that has died since
            held = await work.leases.held()
            await work.leases.renew(held, datetime.timedelta(seconds=-1))
            await work.leases.take([lease.bot_id for lease in held], "other", datetime.timedelta(seconds=-1))
            await work.commit()

    stage.run(run_out_and_change_hands())
    stage.pass_by(30)
    assert set(one.runners) == set(before)
    for bot_id, runner in one.runners.items():
        assert before[bot_id].is_over
        assert runner.lease is not None
        assert runner.lease.token == 3
        assert runner.is_reconciled


@pytest.mark.parametrize("is_told", [True, False])
def test_a_bot_that_is_still_starting_is_let_go_of(stage: Stage, is_told: bool) -> None:
    stage.paper.has_prices = False
    one = stage.join("one")
    stage.pass_by(5)
    assert {runner.bot.phase for runner in one.runners.values()} == {Phase.STARTING}
    if is_told:
        one.stop()
    else:
        stage.stores["one"].fails = True
    stage.pass_by(25)
    assert stage.run(stage.held()) == {}
    if not is_told:
        assert not one.runners
