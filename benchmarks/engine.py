"""What the live engine costs: a tick that fires nothing, a decision with its transaction, a restart, an idle bot."""

from __future__ import annotations

import asyncio
import datetime
import gc
import os
import random
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median

import attrs
import structlog
from rich.table import Table

from dcacore.adapters.simulated.exchange import SimulatedExchange, SimulatedPrices
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.sqlalchemy import SqlStore, sqlite_store
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.adapters.system import RandomIds, SystemClock
from dcacore.application.engine.engine import Engine
from dcacore.application.engine.feed import Feed
from dcacore.application.engine.ownership import SoleOwner
from dcacore.application.engine.runner import Runner
from dcacore.application.engine.surroundings import Surroundings
from dcacore.application.engine.triggers import Seen, Triggers
from dcacore.domain.bot import Bot, Phase
from dcacore.domain.events import PriceSeen
from dcacore.domain.ids import AccountId, BotId, RequestId, UserId
from dcacore.domain.intents import IntentState
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.domain.strategy import Strategy
from dcacore.domain.watch import watches
from dcacore.ports.prices import Prices, Tick
from dcacore.ports.records import Account, BotRecord, Environment, Request, RequestKind, User
from dcacore.ports.venues import Venues

MARKET = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)
STRATEGY = Strategy(
    pair="BTCUSDT",
    base_order_size="100",
    safety_order_size="100",
    max_safety_orders=4,
    price_deviation="2",
    take_profit="1.5",
    stop_loss="20",
)
PRICE = Price(Decimal(30000))
USER, ACCOUNT = UserId("user"), AccountId("account")
MANY, IDLE = 300, 10_000
"""Making their deals takes long, and not the restart, of which each bot takes its share: 1,000 take as much each."""


@attrs.define
class Simulation(Venues):
    """One simulated venue as every account's exchange."""

    venue: SimulatedVenue
    clock: SystemClock
    opened: SimulatedPrices | None = None

    async def exchange(self, account: Account) -> SimulatedExchange:
        """Return the account's exchange."""
        return SimulatedExchange(self.venue, account.id, self.clock)

    async def prices(self, _: Environment) -> Prices:
        """Return the venue's prices."""
        if self.opened is None:
            self.opened = SimulatedPrices(self.venue)
        return self.opened

    async def forget(self, account: Account) -> None:
        """Do nothing: no key is kept."""


def bot(number: int, prefix: str) -> Bot:
    """Return a bot that has never run."""
    return Bot(
        id=BotId(f"bot{number:05}"), strategy=STRATEGY, market=MARKET, fees=Fees(), order_prefix=prefix, price=PRICE
    )


async def filled_store(folder: Path, clock: SystemClock, bots: int) -> SqlStore:
    """Return a SQLite database with so many bots, each asked to start."""
    url = f"sqlite:///{folder / 'bench.db'}"
    upgrade(url)
    store = sqlite_store(url, clock=clock)
    prefix, now = "dca" + await store.epoch(), clock.now()
    async with store.begin() as work:
        await work.users.add(User(id=USER, email="bench@example.com", created_at=now))
        await work.accounts.add(
            Account(id=ACCOUNT, user_id=USER, name="paper", environment=Environment.PAPER, created_at=now)
        )
        for number in range(bots):
            record = BotRecord(
                bot=bot(number, prefix), user_id=USER, account_id=ACCOUNT, name=f"bot {number}", created_at=now
            )
            await work.bots.add(record)
            await work.requests.add(
                Request(id=RequestId(f"r{number}"), bot_id=record.bot.id, kind=RequestKind.START, asked_at=now)
            )
        await work.commit()
    return store


@asynccontextmanager
async def engine_over(store: SqlStore, venue: SimulatedVenue, clock: SystemClock) -> AsyncIterator[Engine]:
    """Yield an engine that runs."""
    around = Surroundings(store=store, venues=Simulation(venue, clock), clock=clock, ids=RandomIds(), name="benchmark")
    engine = Engine(around, SoleOwner(store, "benchmark"))
    running = asyncio.ensure_future(engine.run())
    yield engine
    engine.stop()
    await running


async def until_in_position(engine: Engine, bots: int) -> None:
    """Return when so many bots hold coins, all their orders rest, and nothing is on its way."""
    while True:
        runners = tuple(engine.runners.values())
        up = [it for it in runners if it.is_reconciled and it.bot.phase is Phase.IN_POSITION]
        orders = STRATEGY.max_safety_orders + 1
        calm = [it for it in up if sum(order.state is IntentState.OPEN for order in it.unsettled) == orders]
        if len(calm) == bots:
            return
        await asyncio.sleep(0.02)


async def restart(folder: Path) -> tuple[float, float]:
    """Return wall and CPU seconds until bots with open deals manage them again after a restart."""
    clock = SystemClock()
    venue = SimulatedVenue(clock.now)
    venue.list_pair(MARKET, PRICE, most_open=10**6)
    venue.open_account(ACCOUNT, {"USDT": Decimal(10) ** 7}, Fees())
    store = await filled_store(folder, clock, MANY)
    async with engine_over(store, venue, clock) as engine:
        await until_in_position(engine, MANY)
    wall, cpu = time.perf_counter(), time.process_time()
    async with engine_over(store, venue, clock) as engine:
        await until_in_position(engine, MANY)
        taken = time.perf_counter() - wall, time.process_time() - cpu
    await store.close()
    return taken


async def decision(folder: Path) -> tuple[float, float, float]:
    """Return CPU and wall milliseconds of one decision with its transaction, and wall milliseconds of one fsync."""
    clock = SystemClock()
    venue = SimulatedVenue(clock.now)
    venue.list_pair(MARKET, PRICE)
    venue.open_account(ACCOUNT, {"USDT": Decimal(10) ** 7}, Fees())
    store = await filled_store(folder, clock, 1)
    cpu, wall = [], []
    async with engine_over(store, venue, clock) as engine:
        await until_in_position(engine, 1)
        (runner,) = engine.runners.values()
        start = runner.bot
        falling = PriceSeen(clock.now(), Price(Decimal(23000)))  # through the stop loss: the exit is planned
        for _ in range(200):
            runner.bot = start
            runner.on_turn = lambda _, __: None
            begun, begun_cpu = time.perf_counter(), time.process_time()
            await runner.turn(falling)
            cpu.append(time.process_time() - begun_cpu)
            wall.append(time.perf_counter() - begun)
        runner.is_over = True
    await store.close()
    return median(cpu) * 1e3, median(wall) * 1e3, bare_fsync(folder) * 1e3


def bare_fsync(folder: Path) -> float:
    """Return the median seconds of a small write that is synced to disk."""
    taken = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(200):
            begun = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return median(taken)


class NoPrices(Prices):
    """A stream that nothing comes of."""

    def now(self) -> datetime.datetime:
        """Return the machine's time."""
        return SystemClock().now()

    async def watch(self, pair: str) -> None:
        """Do nothing."""


async def ticks() -> tuple[float, float, float]:
    """Return microseconds of a tick that fires nothing, of a loop over all bots, and KiB of memory of an idle bot."""
    clock = SystemClock()
    around = Surroundings(
        store=None,  # type: ignore[arg-type]  # nothing here is stored
        venues=None,  # type: ignore[arg-type]  # and nothing sent
        clock=clock,
        ids=RandomIds(),
        name="benchmark",
    )
    feed = Feed(around, Environment.PAPER, NoPrices(), lambda _, __: None)  # type: ignore[abstract]  # never read
    triggers = await feed.watch(MARKET.pair)
    bots = idle_bots(around)
    rng = random.Random(7)
    for number, runner in enumerate(bots):
        level = Price(Decimal(20000 + rng.randrange(5000)))
        triggers.put(runner.bot.id, attrs.evolve(watches(runner.bot), falls_to=level), PRICE)
        if number == 0:
            triggers.last = Seen(PRICE, clock.now())
    seen = [Tick(MARKET.pair, Price(PRICE + rng.randrange(100)), clock.now()) for _ in range(2_000)]
    begun = time.process_time()
    for tick in seen:
        feed.hear(tick)
    indexed = (time.process_time() - begun) / len(seen)
    levels = [(Price(Decimal(20000)), Price(Decimal(40000))) for _ in bots]
    begun = time.process_time()
    for tick in seen[:50]:
        assert tick.price is not None
        for falls, rises in levels:
            if tick.price <= falls or tick.price >= rises:
                raise AssertionError
    looped = (time.process_time() - begun) / 50
    return indexed * 1e6, looped * 1e6, idle_memory(around)


def idle_bots(around: Surroundings) -> list[Runner]:
    """Return runners of bots that wait for their price."""
    made = []
    for number in range(IDLE):
        strategy = attrs.evolve(STRATEGY)
        idle = attrs.evolve(
            bot(number, "dcabenchm"), strategy=strategy, phase=Phase.MONITORING, market=attrs.evolve(MARKET)
        )
        record = BotRecord(
            bot=idle, user_id=USER, account_id=ACCOUNT, name=f"bot {number}", created_at=around.clock.now()
        )
        runner = Runner(
            around,
            record,
            Environment.PAPER,
            {},
            None,
            price=lambda _: None,
            at_once=lambda _, intent: intent,
            on_turn=lambda _, __: None,
            on_break=lambda _, __: None,
        )
        made.append(runner)
    return made


def idle_memory(around: Surroundings) -> float:
    """Return KiB that an idle bot takes: its runner, its state, its place in the index."""
    gc.collect()
    tracemalloc.start()
    bots, triggers = idle_bots(around), Triggers(last=Seen(PRICE, around.clock.now()))
    for runner in bots:
        triggers.put(runner.bot.id, watches(runner.bot), PRICE)
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / len(bots) / 1024


def measure() -> Table:
    """Return what was measured, with the goals beside it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    table = Table("what", "measured", "goal", title="the live engine")
    indexed, looped, memory = asyncio.run(ticks())
    table.add_row(f"a tick over {IDLE:,} bots that fires nothing", f"{indexed:.1f} us CPU", "20")
    table.add_row("the same by a loop over all bots", f"{looped:.0f} us CPU", "")
    table.add_row("memory of an idle bot", f"{memory:.1f} KiB", "20")
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall, fsync = asyncio.run(decision(Path(folder)))
    table.add_row("a decision with its transaction, SQLite", f"{cpu:.2f} ms CPU", "3.3")
    table.add_row("", f"{wall:.2f} ms wall; a bare fsync {fsync:.2f} ms", "")
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = asyncio.run(restart(Path(folder)))
    table.add_row(
        f"{MANY:,} bots with open deals after a restart", f"{wall:.1f} s wall, {cpu:.1f} s CPU", "3 s (1,000: 10 s)"
    )
    return table
