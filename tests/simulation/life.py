"""One simulated life: some hours of everything going wrong, then calm, then the checks."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Final

import attrs

from dcacore.adapters.simulated.faults import Plan
from dcacore.domain.ids import BotId
from dcacore.domain.market import FeeAsset, Fees
from dcacore.domain.money import Price
from dcacore.ports.errors import StoreUnavailable
from tests.simulation.faults import MachineFault, swarm
from tests.simulation.invariants import check_file, check_memory, check_world
from tests.simulation.ledger import BotLedger, Watcher
from tests.simulation.liveness import await_life
from tests.simulation.loop import Livelock
from tests.simulation.market import MARKETS, Walk
from tests.simulation.user import User, any_strategy
from tests.simulation.world import World, new_world

TICK_S: Final = 3.0
MISCHIEF_S: Final = 10.0
CALM_S: Final = 600.0
STILL_S: Final = 90.0
LEFT_ALONE_S: Final = 60.0
LOOK_EVERY_S: Final = 20.0
MOST_VIOLATIONS: Final = 20
_ACCOUNTS: Final = (
    ("main", Fees(), None, {"USDT": Decimal(4000)}),
    ("second", Fees(fee_asset=FeeAsset.QUOTE), None, {"USDT": Decimal(1500)}),
    ("third", Fees(), "BNB", {"USDT": Decimal(3000), "BNB": Decimal("0.02")}),
)


@attrs.frozen
class Outcome:
    """What came of a life.

    Attributes:
        seed: decided everything.
        violations: what must not have happened and has.
        hits: how often each kind of fault has struck.
        digest: of the trace.
        lines: the last lines of the trace.
        orders: how many orders the exchange took.
        calls: how many calls of ports there were.
        crashes: how many processes there were beside the first.
        deals: how many deals ended.
    """

    seed: int
    violations: tuple[str, ...]
    hits: Counter[Enum]
    digest: str
    lines: tuple[str, ...]
    orders: int
    calls: int
    starts: int
    deals: int


def simulate(seed: int, hours: float = 1, *, plan: Plan | None = None, is_told: bool = False) -> Outcome:
    """Return what comes of the life that *seed* decides."""
    world = new_world(str(seed), swarm(Random(f"{seed}/plan")) if plan is None else plan, is_told=is_told)
    life = _Life(world, hours)
    try:
        world.live(life.run())
    except Livelock as exc:
        world.violations.append(f"livelock: {exc}")
    return Outcome(
        seed=seed,
        violations=tuple(dict.fromkeys(world.violations)),
        hits=world.dice.hits,
        digest=world.trace.digest,
        lines=tuple(world.trace.lines),
        orders=world.venue.orders_taken,
        calls=world.trace.calls,
        starts=world.starts,
        deals=life.deals,
    )


@attrs.define(eq=False)
class _Life:
    world: World
    hours: float
    deals: int = 0
    _is_still: bool = False
    _ledgers: dict[BotId, BotLedger] = attrs.field(factory=dict)

    async def run(self) -> None:
        world, chance = self.world, Random(f"{self.world.seed}/bots")
        await self._build(chance)
        user = User(world, Random(f"{world.seed}/user"), self._ledgers)
        going_on = [self._start(world.keep_running()), self._start(self._move_markets())]
        in_chaos = [self._start(work) for work in (user.live(), self._make_mischief(), self._break_machine())]
        await asyncio.sleep(self.hours * 3600)
        await self._calm_down(in_chaos, user)
        await check_world(world)
        await check_file(world)
        world.is_ending = True
        await world.stop()
        for task in going_on:
            task.cancel()
        self.deals = sum([record.lifetime.deals for record in await world.records()])

    def _start(self, work: object) -> asyncio.Task[None]:
        return self.world.loop.create_task(work)  # type: ignore[arg-type]

    async def _build(self, chance: Random) -> None:
        world = self.world
        for market, start in MARKETS:
            world.venue.list_pair(market, Price(Decimal(str(start)).quantize(market.tick_size)))
        await world.found()
        bases = {market.pair: market.base_asset for market, _ in MARKETS}
        accounts = []
        for name, fees, pays_with, holdings in chance.sample(_ACCOUNTS, 2):
            account = await world.open_account(name, holdings, fees, pays_with=pays_with)
            watcher = Watcher(bases, self._violate)
            world.venue.listen(account, watcher)
            accounts.append((account, watcher))
        for number in range(chance.randint(3, 6)):
            account, watcher = chance.choice(accounts)
            market = chance.choice(MARKETS)[0]
            strategy = any_strategy(chance, market.pair)
            bot_id = await world.add_bot(f"bot{number}aaaa", account, market, strategy)
            watcher.bots[bot_id] = self._ledgers[bot_id] = BotLedger(strategy.resting_limit)

    def _violate(self, what: str) -> None:
        self.world.trace.note(f"violation {what}")
        self.world.violations.append(f"{what}, at {self.world.loop.time():.1f} s")

    async def _move_markets(self) -> None:
        world = self.world
        walks = [Walk(market, start, Random(f"{world.seed}/{market.pair}")) for market, start in MARKETS]
        while True:
            await asyncio.sleep(TICK_S)
            for walk in walks:
                if self._is_still:
                    price = world.venue.price(walk.market.pair)
                    assert price is not None
                    world.venue.move(walk.market.pair, price)
                else:
                    world.venue.move(walk.market.pair, walk.next(is_calm=world.dice.is_calm))

    async def _make_mischief(self) -> None:
        while True:
            await asyncio.sleep(MISCHIEF_S)
            self.world.mischief.step()
            if self.world.loop.time() % 300 < MISCHIEF_S:
                await self._look_into_memory()

    async def _look_into_memory(self) -> None:
        if not self.world.disk.is_gone:
            try:
                await check_memory(self.world)
            except StoreUnavailable:
                return

    async def _break_machine(self) -> None:
        world, dice = self.world, self.world.dice
        while True:
            await asyncio.sleep(dice.within(0.5, 1.5) * MISCHIEF_S)
            running = world.running
            if not (world.disk.is_gone or world.disk.is_full):
                if dice.strikes(MachineFault.DATABASE_GONE):
                    world.disk.is_gone = True
                    world.loop.call_later(dice.within(5, 240), self._mend_disk)
                elif dice.strikes(MachineFault.DISK_FULL):
                    world.disk.is_full = True
                    world.loop.call_later(dice.within(5, 240), self._mend_disk)
            if world.machine.ahead_s == 0 and dice.strikes(MachineFault.CLOCK_JUMP):
                size = dice.random.choice((2, 20, 600, 3600))
                world.machine.ahead_s = dice.within(-size, size)
                world.loop.call_later(dice.within(5, 180), self._mend_clock)
            if running is None or running.process.is_paused:
                continue
            if dice.strikes(MachineFault.PAUSE):
                running.process.is_paused = True
                world.loop.call_later(dice.within(1, 90), world.loop.resume, running.process)
            elif dice.strikes(MachineFault.CRASH):
                world.trace.note("crash")
                world.die(running.process)
            elif dice.strikes(MachineFault.RESTART):
                await world.stop()

    def _mend_disk(self) -> None:
        self.world.disk.is_gone = self.world.disk.is_full = False

    def _mend_clock(self) -> None:
        self.world.machine.ahead_s = 0.0

    async def _calm_down(self, in_chaos: list[asyncio.Task[None]], user: User) -> None:
        world = self.world
        world.trace.note("calm")
        for task in in_chaos:
            task.cancel()
        await asyncio.wait(in_chaos)
        for task in in_chaos:
            if not task.cancelled() and (exc := task.exception()) is not None:
                raise exc
        world.dice.is_calm = True
        self._mend_disk()
        self._mend_clock()
        if world.running is not None and world.running.process.is_paused:
            world.loop.resume(world.running.process)
        world.mischief.calm()
        await asyncio.sleep(LEFT_ALONE_S)
        await await_life(world, LOOK_EVERY_S)
        for pause in (60.0, 30.0, 60.0, 60.0, 120.0):
            await asyncio.sleep(pause)
            await user.make_good()
            await user.retry_all()
        await asyncio.sleep(CALM_S - 330 - STILL_S)
        self._is_still = True
        await asyncio.sleep(STILL_S)
