"""A stage for one fault: an engine over a simulated exchange, in virtual time, and a script of what goes wrong.

Everything on it is synchronous: `run` lets time pass, the rest looks or acts between two moments.
"""

from __future__ import annotations

import asyncio
import contextvars
import datetime
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from decimal import Decimal
from random import Random
from typing import Any, Final, TypeVar

import attrs
import structlog

from dcacore.adapters.fernet import FernetSecrets, generate_key
from dcacore.adapters.memory import MemoryStore
from dcacore.adapters.simulated.books import BookedOrder, Books
from dcacore.adapters.simulated.exchange import SimulatedExchange
from dcacore.adapters.simulated.hands import Hand, Staff
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.application import accounts
from dcacore.application.engine.engine import Engine
from dcacore.application.engine.ownership import LeaseOwner, Ownership, SoleOwner
from dcacore.application.engine.surroundings import Surroundings
from dcacore.application.telling import Post
from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal
from dcacore.domain.ids import OWN_PREFIX, AccountId, BotId, OrderId, RequestId, UserId, parse_order_id
from dcacore.domain.intents import Intent
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import ZERO, BaseQty, Price, exact
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.strategy import Strategy
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId, VenueStatus
from dcacore.ports.errors import BadCredentials, OutcomeUnknown, RateLimited, Rejected, StoreUnavailable
from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing, StreamLost, StreamOpened
from dcacore.ports.prices import Prices, Tick
from dcacore.ports.records import (
    Account,
    Activity,
    BotRecord,
    Environment,
    Lease,
    Notification,
    Reconciliation,
    Request,
    RequestKind,
    User,
)
from dcacore.ports.secrets import ApiKey
from dcacore.ports.store import Store, Work
from dcacore.ports.venues import Venues
from tests.simulation.clock import START, SeededIds, VirtualClock
from tests.simulation.loop import PROCESS, Process, VirtualLoop
from tests.strategies import FREE, MARKET, strategy

T = TypeVar("T")
USER: Final = UserId("user")
ACCOUNT: Final = AccountId("account")
BOT: Final = BotId("bot")
HUNDRED: Final = Decimal(100)
HEARTBEAT_S: Final = 5
DEAD_KEY: Final = BadCredentials("Invalid API-key, IP, or permissions for action.")

Carry = Callable[[], Awaitable[Any]]
Act = Callable[[Carry], Awaitable[Any]]
"""What happens in the place of a call; it may carry the call out, sooner or later, or not at all."""


async def lost_request(_: Carry) -> Any:
    """The request never arrives."""
    raise OutcomeUnknown("the exchange did not answer in time")


async def lost_reply(carry: Carry) -> Any:
    """The request is carried out, and nobody hears of it."""
    await carry()
    raise OutcomeUnknown("the exchange did not answer in time")


def late_request(arrives_after: float, given_up_after: float) -> Act:
    """The sender gives up before the request arrives."""

    async def act(carry: Carry) -> Any:
        async def arrive() -> None:
            await asyncio.sleep(arrives_after)
            await carry()

        outside = contextvars.Context()
        arriving = asyncio.get_running_loop().create_task(arrive(), context=outside)
        arriving.add_done_callback(lambda task: task.exception())  # nobody is there any more to hear of it
        await asyncio.sleep(given_up_after)
        raise OutcomeUnknown("the exchange did not answer in time")

    return act


def refused(exc: Exception) -> Act:
    """The exchange answers with an error, and nothing is carried out."""

    async def act(_: Carry) -> Any:
        raise exc

    return act


def slow(before: float = 0, after: float = 0) -> Act:
    """The request is long on its way, or its answer is."""

    async def act(carry: Carry) -> Any:
        await asyncio.sleep(before)
        answer = await carry()
        await asyncio.sleep(after)
        return answer

    return act


def answered(change: Callable[[Any], Any]) -> Act:
    """The answer is another than it should be."""

    async def act(carry: Carry) -> Any:
        return change(await carry())

    return act


def any_subject(_: Any) -> bool:
    """Let a line of the script stand for whatever the call is about."""
    return True


def of_role(*roles: Role) -> Callable[[Any], bool]:
    """Let a line of the script stand for orders of these roles alone, known by the order or by its id."""

    def is_of(subject: Any) -> bool:
        parsed = parse_order_id(subject.id if isinstance(subject, Order) else str(subject))
        return parsed is not None and parsed.role in roles

    return is_of


@attrs.define(eq=False, repr=False)
class Line:
    """One line of a script: what happens to the next *times* calls of *name* about what *when* accepts."""

    name: str
    act: Act
    times: float
    when: Callable[[Any], bool]


@attrs.define(eq=False, repr=False)
class ScriptedExchange(Exchange):
    """One account, through a wire that a script disturbs.

    Attributes:
        asked: every request, with its time: what the exchange's doorman sees.
        refusals: when orders were refused.
        tamper: what becomes of an account event on its way.
        drift: by how much what is taken for the exchange's time is wrong.
    """

    stage: Stage
    account: AccountId
    asked: list[tuple[float, str]] = attrs.field(factory=list)
    refusals: list[float] = attrs.field(factory=list)
    tamper: Callable[[AccountEvent], Iterable[AccountEvent]] = attrs.field(default=lambda event: [event])
    drift: datetime.timedelta = datetime.timedelta(0)
    lines: list[Line] = attrs.field(factory=list)
    _inner: SimulatedExchange = attrs.field(init=False)
    _listeners: list[asyncio.Queue[AccountEvent | Exception]] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._inner = SimulatedExchange(self.stage.venue, self.account, self.stage.clock)

    def on(self, name: str, act: Act, *, times: float = 1, when: Callable[[Any], bool] = any_subject) -> Line:
        """Let *act* take the place of the next *times* calls of *name* ("*": of any)."""
        line = Line(name, act, times, when)
        self.lines.append(line)
        return line

    def requests(self, name: str, since: float = 0) -> list[float]:
        """Return when requests of *name* were made ("*": any)."""
        return [at for at, what in self.asked if at >= since and name in {what, "*"}]

    async def _call(self, name: str, subject: Any, carry: Callable[[], Awaitable[T]]) -> T:
        await self.stage.pass_point(f"{name} before")
        self.asked.append((self.stage.loop.time(), name))
        try:
            answer: T = await self._answer(name, subject, carry)
        except (Rejected, RateLimited, BadCredentials):
            if name == "place":
                self.refusals.append(self.stage.loop.time())
            raise
        await self.stage.pass_point(f"{name} after")
        return answer

    async def _answer(self, name: str, subject: Any, carry: Carry) -> Any:
        for line in self.lines:
            if line.name in {name, "*"} and line.times > 0 and line.when(subject):
                line.times -= 1
                return await line.act(carry)
        return await carry()

    def now(self) -> datetime.datetime:
        return self._inner.now() + self.drift

    async def listing(self, pair: str) -> Listing:
        return await self._call("listing", pair, lambda: self._inner.listing(pair))

    async def reload_rules(self, pair: str) -> None:
        await self._inner.reload_rules(pair)

    async def fees(self, pair: str) -> Fees:
        return await self._call("fees", pair, lambda: self._inner.fees(pair))

    async def price(self, pair: str) -> Price | None:
        return await self._call("price", pair, lambda: self._inner.price(pair))

    async def balances(self) -> Mapping[str, Balance]:
        return await self._call("balances", None, self._inner.balances)

    async def place(
        self, pair: str, order: Order, *, sent_at: datetime.datetime, recv_window: datetime.timedelta
    ) -> VenueOrder:
        return await self._call(
            "place", order, lambda: self._inner.place(pair, order, sent_at=sent_at, recv_window=recv_window)
        )

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        await self._call("cancel", order_id, lambda: self._inner.cancel(pair, order_id))

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        return await self._call(
            "find",
            order_id or venue_order_id,
            lambda: self._inner.find(pair, order_id=order_id, venue_order_id=venue_order_id),
        )

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        return await self._call(
            "trades", venue_order_id, lambda: self._inner.trades(pair, venue_order_id=venue_order_id, after=after)
        )

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        return await self._call("open_orders", pair, lambda: self._inner.open_orders(pair))

    def events(self) -> AsyncIterator[AccountEvent]:
        queue: asyncio.Queue[AccountEvent | Exception] = asyncio.Queue()
        self._listeners.append(queue)
        leave = self.stage.venue.listen(self.account, self._heard)
        self._say(StreamOpened())

        async def told() -> AsyncIterator[AccountEvent]:
            try:
                while True:
                    event = await queue.get()
                    if isinstance(event, Exception):
                        raise event
                    yield event
            finally:
                self._listeners.remove(queue)
                leave()

        return told()

    def _heard(self, event: AccountEvent) -> None:
        for told in self.tamper(event):
            self._say(told)

    def _say(self, event: AccountEvent | Exception) -> None:
        for queue in self._listeners:
            queue.put_nowait(event)

    def lose_stream(self) -> None:
        """Let account events stop coming, and the adapter say so."""
        self.tamper = deaf
        self._say(StreamLost("the connection was closed"))

    def open_stream(self) -> None:
        """Let account events come again, and the adapter say so."""
        self.tamper = lambda event: [event]
        self._say(StreamOpened())

    def break_stream(self, exc: Exception) -> None:
        """Let the iterator of account events end with an error, as it never should."""
        self._say(exc)

    def repeat(self, event: AccountEvent) -> None:
        """Tell an event, whatever the exchange has done."""
        self._say(event)


def deaf(_: AccountEvent) -> Iterable[AccountEvent]:
    """No account event arrives."""
    return []


@attrs.define(eq=False, repr=False)
class ScriptedPrices(Prices):
    """The prices of the venue, as long as they are not silent.

    Attributes:
        is_silent: whether no tick comes, not even an empty one.
    """

    stage: Stage
    is_silent: bool = False
    _watched: set[str] = attrs.field(factory=set, init=False)
    _readers: list[asyncio.Queue[Tick | Exception]] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.stage.venue.price_listeners.append(self._moved)

    def now(self) -> datetime.datetime:
        return self.stage.venue.now()

    async def watch(self, pair: str) -> None:
        price = self.stage.venue.price(pair)
        self._watched.add(pair)
        if not self.is_silent:
            self.say(Tick(pair, price, self.stage.clock.now()))

    async def unwatch(self, pair: str) -> None:
        self._watched.discard(pair)

    def ticks(self) -> AsyncIterator[Tick]:
        queue: asyncio.Queue[Tick | Exception] = asyncio.Queue()
        self._readers.append(queue)
        for pair in sorted(self._watched & set(self.stage.venue.pairs)):
            queue.put_nowait(Tick(pair, self.stage.venue.price(pair), self.stage.clock.now()))

        async def told() -> AsyncIterator[Tick]:
            try:
                while True:
                    tick = await queue.get()
                    if isinstance(tick, Exception):
                        raise tick
                    yield tick
            finally:
                self._readers.remove(queue)

        return told()

    def say(self, tick: Tick | Exception) -> None:
        """Tell a tick, true or not, or let the stream end with an error."""
        for queue in self._readers:
            queue.put_nowait(tick)

    async def beat(self) -> None:
        """Tell now and then that the stream is alive."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for pair in sorted(self._watched):
                if not self.is_silent:
                    self.say(Tick(pair, None, self.stage.clock.now()))

    def _moved(self, pair: str, price: Price, at: datetime.datetime) -> None:
        if pair in self._watched and not self.is_silent:
            self.say(Tick(pair, price, at))


@attrs.define(eq=False, repr=False)
class ScriptedVenues(Venues):
    """Opens the stage's exchange.

    Attributes:
        fails: what is raised instead of opening an account, as long as it is there.
        secrets: what encrypts the accounts' keys.
        keyed: the exchange accounts that keys open, by the key's public half.
        opened: the keys that are in use.
    """

    stage: Stage
    fails: dict[AccountId, Exception] = attrs.field(factory=dict)
    secrets: FernetSecrets = attrs.field(factory=lambda: FernetSecrets(generate_key()))
    keyed: dict[str, AccountId] = attrs.field(factory=dict)
    opened: list[str] = attrs.field(factory=list)

    async def exchange(self, account: Account) -> Exchange:
        if account.id in self.fails:
            raise self.fails[account.id]
        key = self._key(account)
        self.opened.append(key)
        return self.stage.wire(self.keyed.get(key, account.id), key)

    async def prices(self, environment: Environment) -> Prices:
        return self.stage.prices

    async def forget(self, account: Account) -> None:
        self.opened.remove(self._key(account))

    def _key(self, account: Account) -> str:
        return "" if account.api_key is None else self.secrets.decrypt(account.id, account.api_key).key


@attrs.define(eq=False, repr=False)
class ScriptedStore(Store):
    """The database of one engine, which may be away, refuse to commit, or leave it open whether it did.

    Attributes:
        inner: the database.
        is_away: whether nothing reaches it.
        is_full: whether it can be read and not written.
        commits_fail: how many commits fail, one after the other, before they do anything ...
        commits_unsure: ... and how many afterwards, when all is stored.
        broken: bots that cannot be read.
    """

    stage: Stage
    inner: Store
    is_away: bool = False
    is_full: bool = False
    commits_fail: int = 0
    commits_unsure: int = 0
    broken: dict[BotId, Exception] = attrs.field(factory=dict)

    def begin(self, lease: Lease | None = None, *, reads_only: bool = False) -> AbstractAsyncContextManager[Work]:
        return self._work(lease, reads_only=reads_only)

    @asynccontextmanager
    async def _work(self, lease: Lease | None, *, reads_only: bool) -> AsyncIterator[Work]:
        if self.is_away:
            raise StoreUnavailable("the database cannot be reached")
        async with AsyncExitStack() as stack:
            inner = await stack.enter_async_context(self.inner.begin(lease, reads_only=reads_only))
            yield _ScriptedWork(self, inner, stack, reads_only=reads_only)

    async def check(self) -> None:
        if self.is_away:
            raise StoreUnavailable("the database cannot be reached")
        await self.inner.check()

    async def epoch(self) -> str:
        return await self.inner.epoch()

    async def close(self) -> None:
        await self.inner.close()


class _ScriptedWork:
    """One transaction; it dies outside of it, so that nothing stays locked, as when a process ends."""

    def __init__(self, store: ScriptedStore, inner: Work, stack: AsyncExitStack, *, reads_only: bool) -> None:
        self._store = store
        self._inner = inner
        self._stack = stack
        self._reads_only = reads_only

    def __getattr__(self, name: str) -> Any:
        if name == "bots" and self._store.broken:
            return _BrokenBots(self._inner.bots, self._store.broken)
        return getattr(self._inner, name)

    async def commit(self) -> None:
        store = self._store
        if self._reads_only:
            return
        if store.stage.would_die("commit before"):
            await self._stack.aclose()
        await store.stage.pass_point("commit before")
        if store.is_away or store.is_full:
            raise StoreUnavailable("there is no room left on the database's disk")
        if store.commits_fail:
            store.commits_fail -= 1
            raise StoreUnavailable("the database is locked by another program")
        await self._inner.commit()
        if store.commits_unsure:
            store.commits_unsure -= 1
            raise StoreUnavailable("the connection to the database was lost")
        if store.stage.would_die("commit after"):
            await self._stack.aclose()
        await store.stage.pass_point("commit after")


@attrs.define
class _BrokenBots:
    _inner: Any
    _broken: dict[BotId, Exception]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def load(self, bot_ids: Iterable[BotId]) -> tuple[BotRecord, ...]:
        wanted = tuple(bot_ids)
        for bot_id in wanted:
            if bot_id in self._broken:
                raise self._broken[bot_id]
        records: tuple[BotRecord, ...] = await self._inner.load(wanted)
        return records


@attrs.define(eq=False, repr=False)
class Running:
    """An engine that runs, and the process that it is in."""

    engine: Engine
    process: Process
    store: ScriptedStore
    task: asyncio.Task[None]


@attrs.define(eq=False, repr=False, kw_only=True)
class Stage:
    """The stage.

    Attributes:
        seed: decides in which order things happen that happen at once.
        slippage: of market orders.
        clock: the right time ...
        machine: ... and that of the machine on which engines run, right or wrong.
        store: the database itself; engines reach it through `ScriptedStore`.
        dies_at: says at which of an engine's calls, by number and name, its process dies.
        points: the calls so far.
        logged: what has been logged.
        unforeseen: exceptions that nobody caught, or that were logged with their traceback.
        post: how engines write mail; None where they write none.
        is_checked: whether database and exchange must agree in the end.
    """

    seed: str = "stage"
    slippage: Decimal = ZERO
    loop: VirtualLoop = attrs.field(init=False)
    clock: VirtualClock = attrs.field(init=False)
    machine: VirtualClock = attrs.field(init=False)
    venue: SimulatedVenue = attrs.field(init=False)
    store: Store = attrs.field(init=False)
    prices: ScriptedPrices = attrs.field(init=False)
    venues: ScriptedVenues = attrs.field(init=False)
    wires: dict[tuple[AccountId, str], ScriptedExchange] = attrs.field(factory=dict, init=False)
    engines: list[Running] = attrs.field(factory=list, init=False)
    dies_at: Callable[[int, str], bool] | None = attrs.field(default=None, init=False)
    points: list[str] = attrs.field(factory=list, init=False)
    logged: list[dict[str, Any]] = attrs.field(factory=list, init=False)
    unforeseen: list[str] = attrs.field(factory=list, init=False)
    post: Post | None = attrs.field(default=None, init=False)
    is_checked: bool = attrs.field(default=True, init=False)
    log_fails: bool = attrs.field(default=False, init=False)
    _asked: int = attrs.field(default=0, init=False)
    _ids: SeededIds = attrs.field(init=False)
    _logs_before: dict[str, Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.loop = VirtualLoop(Random(self.seed))
        self.loop.set_exception_handler(self._unhandled)
        self.clock = VirtualClock(self.loop)
        self.machine = VirtualClock(self.loop)
        self.venue = SimulatedVenue(
            lambda: START + datetime.timedelta(seconds=self.loop.time()), slippage=self.slippage
        )
        self.store = MemoryStore(self.clock)
        self.prices = ScriptedPrices(self)
        self.venues = ScriptedVenues(self)
        self._ids = SeededIds(Random(self.seed))
        self.loop.create_task(self.prices.beat())
        self._logs_before = structlog.get_config()
        structlog.configure(processors=[self._hear], cache_logger_on_first_use=False)

    # --------------------------------------------------------------------------------------------- what is on stage

    def list_pair(self, market: Market = MARKET, price: str = "100") -> None:
        """Open a market."""
        self.venue.list_pair(market, Price(Decimal(price)))

    def open_account(
        self,
        account: AccountId = ACCOUNT,
        *,
        fees: Fees = FREE,
        pays_with: str | None = None,
        environment: Environment = Environment.PAPER,
        key: str | None = None,
        **holdings: str,
    ) -> None:
        """Open an account with these holdings, 10,000 XYZ unless they say otherwise, and store it."""
        amounts = {"XYZ": "10000", **holdings}
        self.venue.open_account(
            account, {asset: Decimal(amount) for asset, amount in amounts.items()}, fees, pays_with=pays_with
        )
        cipher = None if key is None else self.venues.secrets.encrypt(account, ApiKey(key, "secret"))
        record = Account(
            id=account, user_id=USER, name=account, environment=environment, api_key=cipher, created_at=START
        )

        async def add() -> None:
            async with self.store.begin() as work:
                if await work.users.get(USER) is None:
                    await work.users.add(User(id=USER, email="user@example.org", created_at=START))
                await work.accounts.add(record)
                await work.commit()

        self.do(add())

    def add_bot(
        self, name: str = BOT, *, account: AccountId = ACCOUNT, market: Market = MARKET, **changes: Any
    ) -> BotId:
        """Store a bot, that of `tests.strategies` but for *changes*."""
        bot_id = BotId(name)

        async def add() -> None:
            parameters: Strategy = strategy(**{"pair": market.pair, **changes})
            fees = self.venue.account(account).fees
            prefix = OWN_PREFIX + await self.store.epoch()
            bot = Bot(id=bot_id, strategy=parameters, market=market, fees=fees, order_prefix=prefix)
            record = BotRecord(bot=bot, user_id=USER, account_id=account, name=name, created_at=self.clock.now())
            async with self.store.begin() as work:
                await work.bots.add(record)
                await work.commit()

        self.do(add())
        return bot_id

    def wire(self, account: AccountId = ACCOUNT, key: str = "") -> ScriptedExchange:
        """Return the way to an account that a key opens."""
        if (account, key) not in self.wires:
            self.wires[account, key] = ScriptedExchange(self, account)
        return self.wires[account, key]

    @property
    def hand(self) -> Hand:
        """The account's owner at the exchange's own site."""
        return Hand(self.venue, ACCOUNT)

    @property
    def staff(self) -> Staff:
        """Those who run the exchange."""
        return Staff(self.venue)

    # ---------------------------------------------------------------------------------------------------- the engine

    def start_engine(self, name: str = "engine", *, is_leased: bool = False) -> Running:
        """Start an engine in a process of its own."""
        process = Process(len(self.engines) + 1)
        store = ScriptedStore(self, self.store)
        around = Surroundings(
            store=store, venues=self.venues, clock=self.machine, ids=self._ids, name=name, post=self.post
        )
        ownership: Ownership = LeaseOwner(store, name) if is_leased else SoleOwner(store, name)
        context = contextvars.copy_context()
        context.run(PROCESS.set, process)
        engine: Engine = context.run(Engine, around, ownership)
        task = self.loop.create_task(engine.run(), name=name, context=context)
        self.engines.append(Running(engine, process, store, task))
        return self.engines[-1]

    @property
    def running(self) -> Running:
        """The engine that was started last."""
        return self.engines[-1]

    def start(self, *bot_ids: str, after: float = 2) -> None:
        """Start an engine if none runs, let users start these bots ("bot" if none is named), and wait a moment."""
        if not any(running.process.is_alive and not running.task.done() for running in self.engines):
            self.start_engine()
        for bot_id in bot_ids or (BOT,):
            self.ask(RequestKind.START, bot_id)
        self.run(after)

    def stop_engine(self, running: Running | None = None, within: float = 15) -> None:
        """Stop an engine as it should be stopped."""
        running = running or self.running
        running.engine.stop()
        self.do(asyncio.wait_for(asyncio.shield(running.task), within))

    def kill(self, running: Running | None = None) -> None:
        """Let an engine's process be dead from now on: nothing of it ever runs again."""
        running = running or self.running
        running.process.is_alive = False
        for account in self.venue.accounts:
            self.venue.account(account).listeners.clear()

    def pause(self, running: Running | None = None) -> None:
        """Let a process stand still."""
        (running or self.running).process.is_paused = True

    def resume(self, running: Running | None = None) -> None:
        """Let a process that stood still go on."""
        self.loop.resume((running or self.running).process)

    def die_after(self, calls: int) -> None:
        """Let an engine's process die at the call that it makes after so many from now on."""
        fatal = len(self.points) + calls
        self.dies_at = lambda count, _: count == fatal

    def start_again(self) -> None:
        """Start an engine in place of the one that has died."""
        assert not self.running.process.is_alive, "it has made too few calls to die"
        self.run(3)
        self.start_engine()

    def would_die(self, name: str) -> bool:
        """Say whether the process of whoever asks dies at this call, which has not been counted yet."""
        return self.dies_at is not None and PROCESS.get() is not None and self.dies_at(len(self.points), name)

    async def pass_point(self, name: str) -> None:
        """Go on, or be dead."""
        dies = self.would_die(name)
        self.points.append(name)
        process = PROCESS.get()
        if dies and process is not None:
            self.dies_at = None
            self.kill(next(it for it in self.engines if it.process is process))
        if process is not None and not process.is_alive:
            await self.loop.create_future()

    # ------------------------------------------------------------------------------------------------------ doing

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what *work* returns."""
        return self.loop.run_until_complete(work)

    def run(self, seconds: float = 1) -> None:
        """Let time pass."""
        self.do(asyncio.sleep(seconds))

    def skip(self, days: float) -> None:
        """Let days pass in which nothing runs."""
        assert not any(running.process.is_alive for running in self.engines)
        self.loop._now += days * 86_400

    def move(self, price: str, pair: str = MARKET.pair, after: float = 0.5) -> None:
        """Bring the market to *price*, and wait a moment."""
        self.venue.move(pair, Price(Decimal(price)))
        self.run(after)

    def ask(self, kind: RequestKind, bot_id: str = BOT, after: float = 0, **details: str) -> RequestId:
        """Ask something of a bot as its user, and wait."""
        request = self.do(self.asked(kind, bot_id, **details))
        for running in self.engines:
            running.engine.poke()
        self.run(after)
        return request

    async def asked(self, kind: RequestKind, bot_id: str, **details: str) -> RequestId:
        """Store what a user asks of a bot."""
        self._asked += 1
        request = Request(
            id=RequestId(f"request{self._asked:04}"),
            bot_id=BotId(bot_id),
            kind=kind,
            details=details,
            asked_at=self.clock.now(),
        )

        async with self.store.begin() as work:
            await work.requests.add(request)
            await work.commit()
        return request.id

    def replace_key(self, key: str) -> Account:
        """Give the account another key, as its user."""
        return self.do(
            accounts.replace_key(
                self.store,
                self.venues,
                self.clock,
                self.venues.secrets,
                user_id=USER,
                named=ACCOUNT,
                api_key=ApiKey(key, "secret"),
            )
        )

    def revoke(self, key: str) -> None:
        """Let a key of the account open nothing any more."""
        wire = self.wire(ACCOUNT, key)
        wire.on("*", refused(DEAD_KEY), times=10_000)
        wire.break_stream(DEAD_KEY)

    # ---------------------------------------------------------------------------------------------------- looking

    def bot(self, bot_id: str = BOT) -> Bot:
        """Return a bot as it is stored."""

        async def get() -> BotRecord | None:
            async with self.store.begin(reads_only=True) as work:
                return await work.bots.get(BotId(bot_id))

        record = self.do(get())
        assert record is not None
        return record.bot

    def deal(self, bot_id: str = BOT) -> Deal:
        """Return a bot's open deal."""
        deal = self.bot(bot_id).deal
        assert deal is not None, "there is no open deal"
        return deal

    def deal_or_none(self, bot_id: str = BOT) -> Deal | None:
        """Return a bot's open deal, if there is one."""
        return self.bot(bot_id).deal

    def ended(self, bot_id: str = BOT) -> tuple[Deal, ...]:
        """Return a bot's deals that have ended, oldest first."""

        async def get() -> tuple[Deal, ...]:
            async with self.store.begin(reads_only=True) as work:
                return tuple(record.deal for record in await work.deals.of([BotId(bot_id)]))

        return tuple(deal for deal in reversed(self.do(get())) if deal.closed_at is not None)

    def intents(self, bot_id: str = BOT) -> tuple[Intent, ...]:
        """Return all orders of a bot's open deal as they are stored, refused ones too."""

        async def get() -> tuple[Intent, ...]:
            async with self.store.begin(reads_only=True) as work:
                return await work.intents.of_deal(self_deal)

        self_deal = self.deal(bot_id).id
        return self.do(get())

    def intent(self, order_id: OrderId) -> Intent | None:
        """Return an order as it is stored."""

        async def get() -> Intent | None:
            async with self.store.begin(reads_only=True) as work:
                return await work.intents.get(order_id)

        return self.do(get())

    def request(self, request_id: RequestId) -> Request:
        """Return a request as it is stored."""

        async def get() -> Request | None:
            async with self.store.begin(reads_only=True) as work:
                return await work.requests.get(request_id)

        request = self.do(get())
        assert request is not None
        return request

    def activity(self) -> tuple[Activity, ...]:
        """Return what the user can read, oldest first."""

        async def get() -> tuple[Activity, ...]:
            async with self.store.begin(reads_only=True) as work:
                return await work.feed.activity(USER, limit=1000)

        return tuple(reversed(self.do(get())))

    def notifications(self) -> tuple[Notification, ...]:
        """Return what the user is told of, oldest first."""

        async def get() -> tuple[Notification, ...]:
            async with self.store.begin(reads_only=True) as work:
                return await work.feed.notifications(USER, limit=1000)

        return tuple(reversed(self.do(get())))

    def reconciliations(self, account: AccountId = ACCOUNT) -> tuple[Reconciliation, ...]:
        """Return what comparisons have found, oldest first."""

        async def get() -> tuple[Reconciliation, ...]:
            async with self.store.begin(reads_only=True) as work:
                return await work.feed.reconciliations(account, limit=1000)

        return tuple(reversed(self.do(get())))

    def refused_per_hour(self, account: AccountId = ACCOUNT) -> int:
        """Return how many orders the exchange has refused in the last hour, whosever they were."""
        wire = self.wire(account)
        return len([at for at in wire.refusals if at > self.loop.time() - 3600])

    def trouble(self, bot_id: str = BOT) -> str | None:
        """Return what kind of trouble a bot has."""
        trouble = self.bot(bot_id).trouble
        return None if trouble is None else trouble.kind.value

    def books(self, account: AccountId = ACCOUNT) -> Books:
        """Return the exchange's own books."""
        return self.venue.books(account)

    def orders(self, *roles: Role, bot_id: str | None = None, account: AccountId = ACCOUNT) -> list[BookedOrder]:
        """Return the orders of bots that the exchange has ever taken, of these roles if any are named."""
        found = []
        for booked in self.books(account).orders:
            parsed = parse_order_id(booked.order.order_id)
            if parsed is not None and (not roles or parsed.role in roles) and bot_id in {None, parsed.bot_id}:
                found.append(booked)
        return found

    def resting(self, *roles: Role, bot_id: str | None = None, account: AccountId = ACCOUNT) -> list[VenueOrder]:
        """Return the orders of bots that rest on the exchange."""
        booked = self.orders(*roles, bot_id=bot_id, account=account)
        return [it.order for it in booked if it.order.status is VenueStatus.OPEN]

    def wholly(self, *roles: Role, bot_id: str | None = None, account: AccountId = ACCOUNT) -> list[VenueOrder]:
        """Return the orders of bots that have filled whole."""
        booked = self.orders(*roles, bot_id=bot_id, account=account)
        return [it.order for it in booked if it.order.status is VenueStatus.FILLED]

    def resting_price(self, role: Role) -> Price:
        """Return the price of the first order of a role that rests."""
        found = self.resting(role)[0].price
        assert found is not None
        return found

    def free(self, asset: str, account: AccountId = ACCOUNT) -> Decimal:
        """Return what an account has free of an asset."""
        balance = self.books(account).balances.get(asset)
        return ZERO if balance is None else balance.free

    def expect_position(self, bot_id: str = BOT) -> None:
        """See that a deal is open, that one take profit sells exactly what it holds, and that nothing troubles it."""
        bot, deal = self.bot(bot_id), self.deal(bot_id)
        assert bot.trouble is None
        sells = self.resting(Role.TAKE_PROFIT, bot_id=bot_id)
        assert [sell.quantity - sell.executed for sell in sells] == [deal.sellable]

    # -------------------------------------------------------------------------------------------------- in the end

    def check(self) -> None:
        """See that no id was used twice, that the database knows every order, and all that it did, and no more."""
        for account in self.venue.accounts:
            orders = self.orders(account=account)
            ids = [booked.order.order_id for booked in orders]
            assert len(ids) == len(set(ids)), "an id was on the wire twice"
            for booked in orders:
                self._check_order(booked)
            for bot_id in {parsed.bot_id for order_id in ids if (parsed := parse_order_id(order_id))}:
                self._check_sells(account, bot_id)

    def _check_order(self, booked: BookedOrder) -> None:
        order = booked.order
        intent = self.intent(order.order_id)
        assert intent is not None, f"the database does not know {order.order_id}"
        assert intent.order.filled == order.executed, f"{order.order_id} has filled otherwise"
        assert {fill.trade_id for fill in intent.order.fills} == {trade.trade_id for trade in order.trades}
        assert intent.has_ended is (order.status is not VenueStatus.OPEN), f"{order.order_id} is {intent.state}"

    @exact
    def _check_sells(self, account: AccountId, bot_id: BotId) -> None:
        held = live = ZERO
        for booked in self.orders(bot_id=bot_id, account=account):
            order = booked.order
            if order.side is Side.BUY:
                held += order.executed
            else:
                held -= order.executed
                live += order.quantity - order.executed if order.status is VenueStatus.OPEN else ZERO
        assert live <= held, f"{bot_id} would sell {live} of {held}"

    def close(self) -> None:
        """Clear the stage; what nobody foresaw fails the test."""
        try:
            if self.is_checked:
                self.check()
            assert not self.unforeseen, "\n".join(self.unforeseen)
        finally:
            for running in self.engines:
                running.process.is_alive = False
            self.loop.bury()
            self.loop.close()
            structlog.configure(**self._logs_before)

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.unforeseen.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _hear(self, _: Any, __: str, event: Any) -> Any:
        if self.log_fails:
            raise OSError(28, "No space left on device")
        process = PROCESS.get()
        if process is None or process.is_alive:
            self.logged.append(dict(event))
            if event.get("exc_info"):
                self.unforeseen.append(str(event))
        raise structlog.DropEvent


def quantity(number: str) -> BaseQty:
    """Return so much base."""
    return BaseQty(Decimal(number))


def price(number: str) -> Price:
    """Return a price."""
    return Price(Decimal(number))
