"""A real engine on an exchange that is stepped by hand: no wire, no waiting, and time that comes from the data."""

from __future__ import annotations

import asyncio
import datetime
import heapq
import itertools
from collections.abc import Callable, MutableMapping
from decimal import Decimal
from random import Random
from typing import Any, Final, NoReturn

import attrs
import structlog

from dcacore.adapters.memory import MemoryStore
from dcacore.adapters.simulated.exchange import SimulatedExchange, SimulatedPrices
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.application.engine.engine import Engine
from dcacore.application.engine.feed import Feed
from dcacore.application.engine.ownership import SoleOwner
from dcacore.application.engine.surroundings import Surroundings
from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal
from dcacore.domain.ids import OWN_PREFIX, AccountId, BotId, RequestId, UserId
from dcacore.domain.market import Fees
from dcacore.domain.strategy import Strategy
from dcacore.local_exchange.driving.clock import ExchangeClock
from dcacore.local_exchange.driving.points import Series, candle_points
from dcacore.local_exchange.driving.stepper import Pending, Stand, Stepper
from dcacore.ports.clock import Clock
from dcacore.ports.exchange import Exchange
from dcacore.ports.prices import Prices, Tick
from dcacore.ports.records import Account, BotRecord, Environment, Request, RequestKind, User
from dcacore.ports.venues import Venues
from tests.driving.stops import Stops, stops_of
from tests.simulation.clock import SeededIds
from tests.simulation.loop import VirtualLoop

USER: Final = UserId("user")
BOT: Final = BotId("bot")
RICH: Final = Decimal(10**12)
_MOMENT: Final = 0.001


@attrs.define(eq=False)
class DataClock(Clock):
    """The engine's clock: it says what the exchange says, and whoever sleeps wakes when `wake` is called.

    Attributes:
        exchange: the exchange's clock.
        loop: counts the moments between two steps.
        passed: seconds that have passed for nobody but this clock.
    """

    exchange: ExchangeClock
    loop: asyncio.AbstractEventLoop
    passed: float = 0.0
    _sleepers: list[tuple[datetime.datetime, int, asyncio.Future[None]]] = attrs.field(factory=list)
    _count: itertools.count[int] = attrs.field(factory=itertools.count)

    def now(self) -> datetime.datetime:
        return self.exchange.now()

    def monotonic(self) -> float:
        return self.now().timestamp() + self.loop.time() + self.passed

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            due = self.now() + datetime.timedelta(seconds=seconds)
            future = self.loop.create_future()
            heapq.heappush(self._sleepers, (due, next(self._count), future))
            await future

    def wake(self, ahead: datetime.timedelta = datetime.timedelta(0)) -> bool:
        """Let all go on whose time has come, or comes within *ahead*; say whether there are any."""
        until, is_anybody = self.now() + ahead, False
        while self._sleepers and self._sleepers[0][0] <= until:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)
                is_anybody = True
        return is_anybody


@attrs.define(eq=False)
class _Venues(Venues):
    venue: SimulatedVenue
    clock: Clock
    told: SimulatedPrices = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.told = SimulatedPrices(self.venue)

    async def exchange(self, account: Account) -> Exchange:
        return SimulatedExchange(self.venue, account.id, self.clock)

    async def prices(self, environment: Environment) -> Prices:
        return self.told

    async def forget(self, account: Account) -> None:
        pass


class SteppedStage:
    """One engine, one account, and the candles of a market with a bot on it."""

    def __init__(self, series: Series, fees: Fees, *, seed: str = "0", balance: Decimal = RICH) -> None:
        self.series = series
        self.loop = VirtualLoop(Random(seed))
        self.failed: list[object] = []
        self.loop.set_exception_handler(lambda _, context: self.failed.append(context))
        self._logs_before = structlog.get_config()
        structlog.configure(processors=[_silent], cache_logger_on_first_use=False)
        self.clock = ExchangeClock(_no_time)
        self.venue = SimulatedVenue(self.clock.now)
        self.stepper = Stepper(self.venue, self.clock, candle_points([series]))
        self.venue.list_pair(series.market)
        self.account = AccountId("account")
        self.venue.open_account(self.account, {series.market.quote_asset: balance}, fees)
        self.engine_clock = DataClock(self.clock, self.loop)
        self.store = MemoryStore(self.engine_clock)
        ids = SeededIds(Random(seed))
        venues = _Venues(self.venue, self.engine_clock)
        around = Surroundings(store=self.store, venues=venues, clock=self.engine_clock, ids=ids, name="engine")
        self.engine = Engine(around, SoleOwner(self.store, "engine"))
        self.fees = fees

    def add_bot(self, strategy: Strategy) -> None:
        """Store the bot, and the wish that it runs."""

        async def add() -> None:
            at, market = self.clock.now(), self.series.market
            async with self.store.begin() as work:
                await work.users.add(User(id=USER, email="user@example.org", created_at=at))
                account = Account(
                    id=self.account, user_id=USER, name="paper", environment=Environment.PAPER, created_at=at
                )
                await work.accounts.add(account)
                prefix = OWN_PREFIX + await self.store.epoch()
                bot = Bot(id=BOT, strategy=strategy, market=market, fees=self.fees, order_prefix=prefix)
                await work.bots.add(BotRecord(bot=bot, user_id=USER, account_id=self.account, name=BOT, created_at=at))
                await work.requests.add(
                    Request(id=RequestId(BOT), bot_id=BOT, kind=RequestKind.START, details={}, asked_at=at)
                )
                await work.commit()

        self.loop.run_until_complete(add())

    def play(self, each: Callable[[Stand], object] = lambda _: None, *, every_point: bool = False) -> None:
        """Step through all candles; *each* is told where every step has come to, when all have reacted.

        With *every_point* steps stop at every point of a candle, also where there is nothing to react to.
        """
        self.stepper.step()  # the market stands at its first open when the bot begins
        self.loop.create_task(self.engine.run())
        for _ in range(20):  # coming up takes looks and sleeps that have nothing to do with the data
            self._settle()
            self.engine_clock.wake(datetime.timedelta(seconds=3))
        self._settle()
        while True:
            stops = self._watch()
            is_fast = stops.past_points and not every_point
            stand = self.stepper.step(past_points=is_fast, until=stops.until)
            self._beat()
            self._settle()
            if stand.pending is Pending.NOTHING:
                self.engine_clock.wake()
                self._settle()
            each(stand)
            if stand.is_over:
                return

    def _settle(self) -> None:
        """Return when nobody has anything to do any more before time passes."""
        self.loop.run_until_complete(asyncio.sleep(_MOMENT))

    def hear(self, *ticks: Tick) -> None:
        """Let the bot's engine hear *ticks*, one at the heels of the other, and all that comes of it."""
        feed = self.engine.fleet.watching.feed_of(self.engine.runners[BOT])
        assert feed is not None

        async def hear(feed: Feed) -> None:
            for tick in ticks:
                feed.hear(tick)

        self.loop.run_until_complete(hear(feed))
        self._settle()

    def later(self, *, seconds: float) -> None:
        """Let time pass by the engine's monotonic clock, and by no other."""
        self.engine_clock.passed += seconds

    def _beat(self) -> None:
        """Say that the stream of prices was alive all the time that the step has taken."""

        async def beat() -> None:
            for runner in self.engine.runners.values():
                feed = self.engine.fleet.watching.feed_of(runner)
                if feed is not None:
                    feed.hear(Tick(runner.market.pair, None, self.clock.now()))

        self.loop.run_until_complete(beat())

    def _watch(self) -> Stops:
        """Let the exchange stop where the bot wants to be asked."""
        stops = stops_of(self.engine.runners[BOT].bot, self.clock.now())
        self.stepper.watch(self.series.market.pair, stops.prices, stops.above)
        return stops

    def ended(self) -> tuple[Deal, ...]:
        """Return the deals that have ended, in the order in which they began."""

        async def get() -> tuple[Deal, ...]:
            async with self.store.begin(reads_only=True) as work:
                return tuple(record.deal for record in await work.deals.of([BOT], limit=1_000_000))

        ended = [deal for deal in self.loop.run_until_complete(get()) if deal.closed_at is not None]
        return tuple(sorted(ended, key=lambda deal: deal.number))

    def close(self) -> None:
        """Leave nothing behind."""
        self.loop.bury()
        self.loop.close()
        structlog.configure(**self._logs_before)


def _silent(_: object, __: str, ___: MutableMapping[str, Any]) -> NoReturn:
    raise structlog.DropEvent


def _no_time() -> datetime.datetime:
    message = "nobody but the data knows what time it is"
    raise AssertionError(message)
