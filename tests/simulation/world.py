"""A world: an exchange, a database, and a program that acts for bots, dies, and is started again."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import traceback
from collections.abc import Coroutine, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any, Final

import attrs
import structlog

from dcacore.adapters.simulated.exchange import SimulatedExchange, SimulatedPrices
from dcacore.adapters.simulated.faults import Dice, FaultyExchange, FaultyPrices, Mischief, Plan
from dcacore.adapters.simulated.faults import Gate as Doorman
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.sqlalchemy import SqlStore
from dcacore.application.engine.engine import Engine
from dcacore.application.engine.ownership import SoleOwner
from dcacore.application.engine.surroundings import Surroundings
from dcacore.domain.bot import Bot
from dcacore.domain.ids import AccountId, BotId, RequestId, UserId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.domain.strategy import Strategy
from dcacore.ports.errors import StoreUnavailable
from dcacore.ports.exchange import Exchange
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, BotRecord, Environment, Request, RequestKind, User
from tests.simulation.clock import START, SeededIds, VirtualClock
from tests.simulation.database import EPOCH, Cables, Disk, GatedStore
from tests.simulation.gate import Crash, Gate, Trace
from tests.simulation.loop import PROCESS, Process, VirtualLoop, sealed
from tests.simulation.network import GatedExchange, GatedPrices, Lines, Manners

PREFIX: Final = f"dca{EPOCH}"
USER: Final = UserId("user")
STOPS_WITHIN_S: Final = 30
_SLIPPAGE: Final = Decimal("0.0005")


@attrs.define(eq=False)
class Running:
    """A process that runs: what it is made of."""

    process: Process
    gate: Gate
    cables: Cables
    engine: Engine
    prices: list[SimulatedPrices]
    task: asyncio.Task[None] | None = None


@attrs.define(eq=False, kw_only=True)
class World:
    """Everything.

    Attributes:
        seed: decides everything.
        dice: what fails.
        loop: the world's time.
        clock: the right time.
        machine: the time of the machine on which the program runs, right or wrong.
        venue: the exchange.
        door: what lets requests through to it.
        mischief: what happens on it.
        disk: the database.
        trace: every call.
        manners: how the program treats the exchange.
        violations: what must not have happened and has.
        running: the process, while there is one.
        starts: how many processes there have been.
        crash: where the next process is to die.
        first_calls: what the first process has called.
        is_ending: whether no process is started any more.
        prefix: what the ids of all orders of bots begin with.
    """

    seed: str
    dice: Dice
    loop: VirtualLoop
    clock: VirtualClock
    machine: VirtualClock
    venue: SimulatedVenue
    door: Doorman
    mischief: Mischief
    disk: Disk
    trace: Trace
    manners: Manners = attrs.field(factory=Manners)
    violations: list[str] = attrs.field(factory=list)
    running: Running | None = None
    starts: int = 0
    calls: int = 0
    crash: Crash | None = None
    first_calls: list[str] = attrs.field(factory=list)
    is_ending: bool = False
    prefix: str = PREFIX
    bots: dict[BotId, Strategy] = attrs.field(factory=dict)
    asked: int = 0
    retried: list[tuple[float, BotId]] = attrs.field(factory=list)
    started: list[float] = attrs.field(factory=list)
    has_ended: bool = False
    _user: SqlStore | None = None
    _ids: SeededIds = attrs.field(init=False)
    _chance: Random = attrs.field(init=False)
    _down: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self._ids = SeededIds(Random(f"{self.seed}/ids"))
        self._chance = Random(f"{self.seed}/network")

    @property
    def store(self) -> SqlStore:
        """The database, as the user's side of the program sees it."""
        if self._user is None:
            self._user, _ = self.disk.open(self.clock)
        return self._user

    # ------------------------------------------------------------------------------------------------- what there is

    async def found(self) -> None:
        """Store the user."""
        async with self.store.begin() as work:
            await work.users.add(User(id=USER, email="user@example.org", created_at=START))
            await work.commit()

    async def open_account(
        self, name: str, holdings: Mapping[str, Decimal], fees: Fees, *, pays_with: str | None = None
    ) -> AccountId:
        """Open an account, here and there."""
        account = AccountId(name)
        self.venue.open_account(account, holdings, fees, pays_with=pays_with)
        async with self.store.begin() as work:
            record = Account(id=account, user_id=USER, name=name, environment=Environment.PAPER, created_at=START)
            await work.accounts.add(record)
            await work.commit()
        return account

    async def add_bot(self, name: str, account: AccountId, market: Market, strategy: Strategy) -> BotId:
        """Store a new bot."""
        fees = self.venue.account(account).fees
        bot_id = BotId(name)
        bot = Bot(id=bot_id, strategy=strategy, market=market, fees=fees, order_prefix=PREFIX)
        record = BotRecord(bot=bot, user_id=USER, account_id=account, name=name, created_at=self.clock.now())
        async with self.store.begin() as work:
            await work.bots.add(record)
            await work.commit()
        self.bots[bot_id] = strategy
        return bot_id

    async def ask(self, bot_id: BotId, kind: RequestKind, **details: str) -> bool:
        """Ask something of a bot, as its user; say whether the database took it."""
        self.asked += 1
        request = Request(
            id=RequestId(f"r{self.asked:05}"), bot_id=bot_id, kind=kind, details=details, asked_at=self.clock.now()
        )
        if self.disk.is_gone or self.disk.is_full:
            return False
        try:
            async with self.store.begin() as work:
                await work.requests.add(request)
                await work.commit()
        except StoreUnavailable:
            return False  # the engine is writing
        self.disk.has_requests = True
        self.trace.note(f"user asks {bot_id} {kind.value} {details}")
        if kind in {RequestKind.RETRY, RequestKind.START}:
            self.retried.append((self.loop.time(), bot_id))
        if self.running is not None and self.running.process.is_alive:
            self.running.engine.poke()
        return True

    async def records(self) -> tuple[BotRecord, ...]:
        """Return the bots as they are stored."""
        async with self.store.begin(reads_only=True) as work:
            return await work.bots.load(tuple(self.bots))

    # ---------------------------------------------------------------------------------------------------- the program

    async def keep_running(self, *, least: float = 0.1, most: float = 60) -> None:
        """Start the program, and again whenever it has ended."""
        while not self.is_ending:
            self.start()
            await self._down.wait()
            self._down.clear()
            await asyncio.sleep(self._chance.uniform(least, most))

    def start(self) -> None:
        """Start the program."""
        self.starts += 1
        self.started.append(self.loop.time())
        process = Process(self.starts)
        gate = Gate(
            process=process,
            loop=self.loop,
            trace=self.trace,
            dice=self.dice,
            chance=self._chance,
            die=self.die,
            crash=self.crash,
        )
        self.crash = None
        if self.starts == 1:
            self.first_calls = gate.names
        inner, cables = self.disk.open(self.machine)
        self.disk.has_requests = True
        outside = contextvars.copy_context()
        streams: list[SimulatedPrices] = []

        def exchange(account: Account) -> Exchange:
            plain = SimulatedExchange(self.venue, account.id, self.clock)
            faulty = FaultyExchange(plain, self.clock, self.dice, self.door)
            return GatedExchange(faulty, gate, account.id, self.manners, outside, self.machine)

        def prices() -> Prices:
            streams.append(SimulatedPrices(self.venue))
            return GatedPrices(FaultyPrices(streams[-1], self.clock, self.dice), gate)

        name = f"engine-{self.starts}"
        store = GatedStore(inner, gate, self.disk)
        around = Surroundings(
            store=store, venues=Lines(gate, exchange, prices), clock=self.machine, ids=self._ids, name=name
        )
        context = contextvars.copy_context()
        context.run(PROCESS.set, process)
        engine: Engine = context.run(Engine, around, SoleOwner(store, name))
        self.running = Running(process, gate, cables, engine, streams)
        self.trace.note(f"start {self.starts}")
        self.running.task = self.loop.create_task(engine.run(), name=name, context=context)
        self.running.task.add_done_callback(self._ended, context=outside)

    def die(self, process: Process) -> None:
        """Let a process be dead."""
        running = self.running
        if running is None or running.process is not process:
            return
        process.is_alive = False
        self._clear_away(running)

    async def stop(self) -> None:
        """Stop the program as it should be stopped; it is started again unless the world ends."""
        running = self.running
        if running is None or running.task is None or running.process.is_paused:
            return
        self.trace.note("stop")
        began = self.loop.time()
        running.engine.stop()
        while self.running is running and running.process.is_alive:
            await asyncio.sleep(0.5)
            if self.loop.time() - began > STOPS_WITHIN_S:
                self.violations.append(f"the engine did not stop within {STOPS_WITHIN_S} s")
                self.die(running.process)

    def _ended(self, task: asyncio.Task[None]) -> None:
        running = self.running
        if running is None or running.task is not task:
            return
        exc = None if task.cancelled() else task.exception()
        if exc is not None and not isinstance(exc, StoreUnavailable):
            self.violations.append(f"the engine ended with {exc!r}")
        self.trace.note(f"ended {type(exc).__name__}")
        running.process.is_alive = False
        self._clear_away(running)

    def _clear_away(self, running: Running) -> None:
        running.cables.pull()
        for stream in running.prices:
            stream.close()
        for account in self.venue.accounts:
            listeners = self.venue.account(account).listeners
            listeners[:] = [it for it in listeners if getattr(it, "outlives_processes", False)]
        self.calls += running.gate.calls
        self.running = None
        self._down.set()

    # ----------------------------------------------------------------------------------------------------- a whole life

    def live(self, life: Coroutine[Any, Any, None]) -> None:
        """Let the world go through *life*, and clear it away."""
        self.loop.set_exception_handler(self._unhandled)
        with self._listening():
            try:
                with sealed():
                    self.loop.run_until_complete(life)
            finally:
                self.end()

    def end(self) -> None:
        """Clear the world away."""
        self.has_ended = True
        if self.running is not None:
            self.running.process.is_alive = False
            self.running.cables.pull()
        logger = logging.getLogger("sqlalchemy")
        level = logger.level
        logger.setLevel(logging.CRITICAL + 1)  # connections that were pulled out cannot be rolled back
        try:
            self.loop.bury()
            self.loop.close()
        finally:
            logger.setLevel(level)
            self.disk.remove()

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        exc = context.get("exception")
        where = context.get("task", context.get("future"))
        self.violations.append(f"unhandled: {context.get('message')} {exc!r} in {where}")

    @contextmanager
    def _listening(self) -> Iterator[None]:
        def hear(_: Any, level: str, event: MutableMapping[str, Any]) -> str:
            process = PROCESS.get()
            if not self.has_ended and (process is None or process.is_alive):
                self._hear(event)
            raise structlog.DropEvent

        before = structlog.get_config()
        structlog.configure(processors=[hear], cache_logger_on_first_use=False)
        try:
            yield
        finally:
            structlog.configure(**before)

    def _hear(self, event: MutableMapping[str, Any]) -> None:
        exc_info = event.pop("exc_info", None)
        text = " ".join(f"{name}={value}" for name, value in event.items())
        self.trace.note(f"log {text}")
        if exc_info:
            self.violations.append(f"logged: {text}\n{traceback.format_exc(limit=-6)}")


def new_world(seed: str, plan: Plan, *, is_told: bool = False) -> World:
    """Return an empty world."""
    loop = VirtualLoop(Random(f"{seed}/order"))
    clock = VirtualClock(loop)
    dice = Dice(Random(f"{seed}/dice"), plan)
    venue = SimulatedVenue(clock.now, slippage=_SLIPPAGE)
    return World(
        seed=seed,
        dice=dice,
        loop=loop,
        clock=clock,
        machine=VirtualClock(loop),
        venue=venue,
        door=Doorman(clock, dice),
        mischief=Mischief(venue, dice),
        disk=Disk(dice),
        trace=Trace(loop, is_told=is_told),
    )


def price_now(world: World, pair: str) -> Price:
    """Return where a market stands."""
    price = world.venue.price(pair)
    assert price is not None
    return price
