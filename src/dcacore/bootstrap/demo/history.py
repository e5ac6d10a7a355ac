"""The past of the demo: an engine trades through days of prices in seconds, by a clock that leaves out what is idle.

Engine, database and exchange are those of every day; only time is not. Between two prices at which an order fills or a
bot wants to be asked (`watches`) nothing can happen: such stretches are left out.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from random import Random
from threading import Event
from typing import Final

import attrs
import numpy as np
import structlog
from sqlalchemy import event

from dcacore.adapters.simulated.exchange import SimulatedExchange, SimulatedPrices
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.sqlalchemy import sqlite_store
from dcacore.adapters.sqlalchemy.inline import inline_connection
from dcacore.application import notices
from dcacore.application.engine.engine import Engine
from dcacore.application.engine.ownership import SoleOwner
from dcacore.application.engine.runner import Runner
from dcacore.application.engine.surroundings import Surroundings
from dcacore.bootstrap.demo.market import BETWEEN, Ticks
from dcacore.bootstrap.demo.people import WISHES, Wish
from dcacore.bootstrap.demo.virtual_time import VirtualClock, VirtualLoop
from dcacore.bootstrap.paper_exchange import key_of
from dcacore.domain.bot import Phase, TroubleKind
from dcacore.domain.errors import DcaError, NotNow
from dcacore.domain.ids import AccountId, OrderId, UserId
from dcacore.domain.intents import IntentState
from dcacore.domain.money import Price, exact
from dcacore.domain.orders import Order
from dcacore.domain.venue import VenueOrder
from dcacore.domain.watch import Retry, watches
from dcacore.local_exchange.driving.market import move
from dcacore.ports.clock import Ids
from dcacore.ports.exchange import Exchange
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment
from dcacore.ports.venues import Venues

_SETTLES_IN_S: Final = 1.0
_COMES_UP_IN_S: Final = 5.0
_COMES_WITHIN: Final = datetime.timedelta(seconds=9)
"""When a price comes after its time, by chance: people do not trade every 15 s sharp."""
_NEAR: Final = datetime.timedelta(minutes=3)
"""What is due so soon is waited for."""
_CHUNK: Final = 5_000
_WAY_S: Final = (0.008, 0.045)
"""How long a request is under way, at least and at most."""
_READ_AFTER: Final = 0.985
"""After which share of the past its user has read all notifications for the last time: a few are left."""
_QUIET: Final = frozenset({Phase.STOPPED, Phase.MONITORING, Phase.IN_POSITION})


class Interrupted(DcaError):
    """The history was not played to its end."""


@attrs.frozen(kw_only=True)
class Past:
    """What is to be played.

    Attributes:
        url: the SQLite database, with bots that are to start.
        venue: the exchange; it goes by *clock*, and has the markets and the account.
        clock: stands at the beginning.
        prices: of each market by its symbol, in ticks, one every 15 s; all are as long.
        chance: when within its 15 s a price comes, and how long requests are under way.
        user_id: whose bots they are.
        ids: new ids.
        engine: what the engine is called.
        stop: set by whoever wants no more of it.
        tell: told how many prices have been played, now and then.
    """

    url: str
    venue: SimulatedVenue
    clock: VirtualClock
    prices: Mapping[str, Ticks]
    chance: Random
    user_id: UserId
    ids: Ids
    engine: str
    stop: Event
    tell: Callable[[int], object]


class _Distant(SimulatedExchange):
    """An account whose exchange is some way off: what is asked of it takes a moment."""

    def __init__(self, venue: SimulatedVenue, account: AccountId, clock: VirtualClock, chance: Random) -> None:
        super().__init__(venue, account, clock)
        self._chance = chance

    async def place(
        self, pair: str, order: Order, *, sent_at: datetime.datetime, recv_window: datetime.timedelta
    ) -> VenueOrder:
        await self._way()
        return await super().place(pair, order, sent_at=sent_at, recv_window=recv_window)

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        await self._way()
        await super().cancel(pair, order_id)

    async def _way(self) -> None:
        await self._clock.sleep(self._chance.uniform(*_WAY_S))


@attrs.define(eq=False)
class _Venues(Venues):
    """The exchange without a wire; an account is known there by the key that it would sign with."""

    venue: SimulatedVenue
    clock: VirtualClock
    chance: Random
    _prices: SimulatedPrices = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._prices = SimulatedPrices(self.venue)

    async def exchange(self, account: Account) -> Exchange:
        return _Distant(self.venue, AccountId(key_of(account).key), self.clock, self.chance)

    async def prices(self, environment: Environment) -> Prices:  # noqa: ARG002  # there is one market for all
        return self._prices

    async def forget(self, account: Account) -> None:
        pass

    def close(self) -> None:
        """Hear no more of the exchange, which goes on."""
        self._prices.close()


def play(past: Past) -> None:
    """Play it, in the calling thread, and return when the engine has stopped and all is stored.

    Raises:
        Interrupted: somebody wanted no more of it.
        DcaError: the engine could not start.
    """
    with _errors_only(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(_played(past))


async def _played(past: Past) -> None:
    store = sqlite_store(past.url, clock=past.clock, async_creator=inline_connection)
    event.listen(store.engine.sync_engine, "connect", _do_not_sync)
    venues = _Venues(past.venue, past.clock, past.chance)
    around = Surroundings(store=store, venues=venues, clock=past.clock, ids=past.ids, name=past.engine)
    engine = Engine(around, SoleOwner(store, past.engine))
    running = asyncio.create_task(engine.run())
    try:
        await _Player(past, engine, running).run()
    finally:
        engine.stop()
        await running
        venues.close()
        await store.close()


def _do_not_sync(connection: object, _: object) -> None:
    """Let nothing wait for the disk: what a loss of power takes away here is thrown away anyhow."""
    cursor = connection.cursor()  # type: ignore[attr-defined]  # whatever the driver's class is
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


@contextmanager
def _errors_only() -> Iterator[None]:
    """Keep a month of lines with today's time on them out of the log, all but errors."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)


@attrs.define(eq=False)
class _Player:
    past: Past
    engine: Engine
    running: asyncio.Task[None]
    _began: datetime.datetime = attrs.field(init=False)

    async def run(self) -> None:
        """Play all prices."""
        past, number = self.past, 0
        self._began, length = past.clock.now(), len(next(iter(past.prices.values())))
        wishes = deque([(int(wish.after * length), wish) for wish in WISHES])
        has_read = False
        while number < length and not self.running.done():
            if past.stop.is_set():
                raise Interrupted("the history was not played to its end")
            await self._go_to(number)
            while wishes and wishes[0][0] <= number:
                await self._ask(wishes.popleft()[1])
            if not has_read and number >= _READ_AFTER * length:
                has_read = True
                await notices.mark_read(self.engine.around.store, past.clock, past.user_id)
            past.tell(number)
            last = length - 1 if number < length - 1 else length
            number = self._next(number + 1, min([last, *(due for due, _ in wishes)]))
        await past.clock.sleep(_COMES_UP_IN_S)

    async def _ask(self, wish: Wish) -> None:
        """Ask something of a bot as its user does."""
        past = self.past
        with suppress(NotNow):  # it may have no open deal
            await wish.ask(self.engine.around.store, past.clock, past.ids, past.user_id, wish.bot)
        await past.clock.sleep(_COMES_UP_IN_S)

    async def _go_to(self, number: int) -> None:
        """Let it be the time of a price, move the markets there, and let everybody react."""
        past = self.past
        at = self._began + number * BETWEEN + past.chance.random() * _COMES_WITHIN
        if self._needs_time():
            await past.clock.sleep((at - past.clock.now()).total_seconds())
        past.clock.leave_out_until(at)
        for symbol, ticks in past.prices.items():
            move(past.venue, symbol, self._price(symbol, int(ticks[number])))
        await past.clock.sleep(_SETTLES_IN_S if number else _COMES_UP_IN_S)

    @exact
    def _price(self, symbol: str, ticks: int) -> Price:
        return Price(ticks * self.past.venue.pair(symbol).market.tick_size)

    def _needs_time(self) -> bool:
        """Say whether somebody waits for time to pass, and for nothing else."""
        return not self.engine.runners or any(self._is_waiting(it) for it in self.engine.runners.values())

    def _is_waiting(self, runner: Runner) -> bool:
        bot = runner.bot
        is_asking = any(it.state is not IntentState.OPEN or it.order.is_cancelling for it in runner.unsettled)
        is_short = bot.trouble is not None and bot.trouble.kind is TroubleKind.WAITING_FOR_BALANCE
        due = watches(bot).at
        is_near = due is not None and due <= self.past.clock.now() + _NEAR
        return bot.phase not in _QUIET or is_asking or is_short or is_near

    def _next(self, number: int, before: int) -> int:
        """Return the number of the next price, from *number* on, at which something may happen; else *before*."""
        if self._needs_time():
            return number
        found = before
        for runner in self.engine.runners.values():
            found = min(found, self._next_of(runner, number, found))
        return found

    def _next_of(self, runner: Runner, number: int, before: int) -> int:
        wanted, market = watches(runner.bot), runner.market
        if wanted.retry is not Retry.NEVER:
            return number
        buy, sell = self.past.venue.best_orders(market.pair)
        low = max((it for it in (buy, wanted.falls_to) if it is not None), default=None)
        highs = [sell, wanted.rises_to, None if wanted.peak is None else Price(wanted.peak + market.tick_size)]
        high = min((it for it in highs if it is not None), default=None)
        if wanted.at is not None:
            before = min(before, max(number, (wanted.at - _NEAR - self._began) // BETWEEN))
        at_most = -1 if low is None else int(low / market.tick_size)
        at_least = np.iinfo(np.int64).max if high is None else int(high / market.tick_size)
        return _first(self.past.prices[market.pair], number, before, at_most, at_least)


def _first(prices: Ticks, number: int, before: int, at_most: int, at_least: int) -> int:
    """Return the first number from *number* on whose price is so low or so high; else *before*."""
    for start in range(number, before, _CHUNK):
        part = prices[start : min(start + _CHUNK, before)]
        found = np.flatnonzero((part <= at_most) | (part >= at_least))
        if len(found):
            return start + int(found[0])
    return before
