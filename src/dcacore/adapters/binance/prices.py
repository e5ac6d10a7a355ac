"""The prices of one environment: one connection for all pairs, shared by everybody who watches one of them.

A pair without trades is quiet, not silent: as long as the exchange answers over the connection and still lists the
pair's stream, that it is alive is said every few seconds. What a quiet pair costs is asked for beside the stream now
and then, so that a stream that has lost its way does not pass for a quiet one.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import random
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

import structlog

from dcacore.adapters.binance.board import Board
from dcacore.adapters.binance.dials import Dials
from dcacore.adapters.binance.frames import tick_of
from dcacore.adapters.binance.keeper import Keeper
from dcacore.adapters.binance.link import Dead, Link
from dcacore.adapters.binance.pace import Pace
from dcacore.adapters.binance.quiet import Quiet
from dcacore.adapters.binance.quotes import Quotes
from dcacore.adapters.binance.reading import Row, Unreadable
from dcacore.adapters.binance.subscriptions import Subscriptions
from dcacore.adapters.binance.talk import Talk
from dcacore.adapters.binance.venue_clock import VenueClock
from dcacore.ports.clock import Clock
from dcacore.ports.errors import PortError, Unavailable
from dcacore.ports.prices import Prices, Tick

log = structlog.get_logger("dcacore.binance")

MOST_PAIRS: Final = 1000
"""The exchange takes 1,024 streams over a connection."""


class BinancePrices(Prices, Talk):
    """Live prices of one environment."""

    def __init__(
        self,
        host: Callable[[], str],
        clock: Clock,
        time: VenueClock,
        quotes: Quotes,
        *,
        dials: Dials,
        pace: Pace,
        chance: random.Random,
    ) -> None:
        self._host = host
        self._clock = clock
        self._time = time
        self._quotes = quotes
        self._pace = pace
        self._quiet = Quiet(clock, pace)
        self._subscriptions = Subscriptions(clock, pace)
        self._keeper = Keeper(self, "prices", clock, pace, dials, chance)
        self._task: asyncio.Task[None] | None = None
        self._watched: set[str] = set()
        self._board = Board()
        self._changed = asyncio.Event()
        self.heard_at: float | None = None
        """When the exchange last said anything, by the monotonic clock; None before."""
        self.bad_frames = 0
        """How many frames could not be read, or told a price that is none."""

    # ----------------------------------------------------------------------------------------------------- the port

    def now(self) -> datetime.datetime:
        return self._time.now()

    async def watch(self, pair: str) -> None:
        if pair in self._watched:
            return
        if len(self._watched) >= MOST_PAIRS:
            raise Unavailable(f"no more than {MOST_PAIRS} pairs can be watched")
        at = self.now()
        price = await self._quotes.one(pair)
        if pair in self._watched:
            return  # by another, meanwhile
        self._watched.add(pair)
        self._quiet.add(pair)
        self._board.tell(Tick(pair, price, at))
        self._changed.set()
        self._keep_open()

    async def unwatch(self, pair: str) -> None:
        self._watched.discard(pair)
        self._quiet.remove(pair)
        self._board.forget(pair)
        self._changed.set()

    def ticks(self) -> AsyncIterator[Tick]:
        self._keep_open()  # whoever reads anew may do so because it has failed
        return self._board.ticks()

    def _keep_open(self) -> None:
        if self._watched and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._keeper.run(), name="binance prices")
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._board.fail(failure)

    async def close(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    # ----------------------------------------------------------------------------------------------- the connection

    @property
    def is_up(self) -> bool:
        """Whether the stream is open."""
        return self._keeper.opened_at is not None

    def url(self) -> str:
        return f"{self._host()}/stream"

    async def greet(self, link: Link) -> None:
        self._subscriptions.begin(link)
        await self._settle(link)

    async def attend(self, link: Link) -> None:
        next_beat = self._clock.monotonic() + self._pace.heartbeat
        while not link.ended.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(next_beat - self._clock.monotonic(), 0)):
                    await self._changed.wait()
            self._changed.clear()
            await self._settle(link)
            if self._clock.monotonic() >= next_beat:
                await self._beat(link)
                next_beat = self._clock.monotonic() + self._pace.heartbeat

    async def _settle(self, link: Link) -> None:
        """Make what is subscribed to what is watched; a trade before that was told by nobody, so the price is asked."""
        if new := await self._subscriptions.settle(link, frozenset(self._watched)):
            await self._ask_for(new)

    async def _beat(self, link: Link) -> None:
        """See that the connection is alive, and say so of each pair that has been quiet."""
        flowing = await self._subscriptions.confirm(link) & self._watched
        self.heard_at = self._clock.monotonic()
        with contextlib.suppress(PortError):  # what the stream tells is no worse for it
            await self._time.refresh()
        for pair in self._quiet.to_be_called_alive(flowing):
            self._board.tell(Tick(pair, None, self.now()))
        if due := self._quiet.to_be_asked_for(flowing):
            untold = await self._ask_for(due)
            if self._quiet.is_suspicious(untold):
                raise Dead("prices move that the stream does not tell")

    async def _ask_for(self, pairs: Iterable[str]) -> set[str]:
        """Ask for prices beside the stream; return the pairs whose price the stream has not told."""
        at, untold = self.now(), set[str]()
        self._quiet.asked(pairs)
        try:
            prices = await self._quotes.many(pairs)
        except PortError as exc:  # the stream goes on all the same
            log.info("prices_not_asked", reason=str(exc))
            return set()
        for pair, price in prices.items():
            last = self._board.last(pair)
            if pair in self._watched and (last is None or (last.price != price and last.at < at)):
                untold.add(pair)
                self._board.tell(Tick(pair, price, at))
        return untold

    def hear(self, link: Link, frame: Row) -> None:  # noqa: ARG002  # whichever connection it comes over
        self.heard_at = self._clock.monotonic()
        try:
            tick = tick_of(frame)
        except Unreadable as exc:
            self.bad_frame()
            log.debug("frame_refused", reason=str(exc))
            return
        if tick is not None and tick.pair in self._watched:
            self._quiet.heard(tick.pair)
            self._board.tell(tick)

    def bad_frame(self) -> None:
        self.bad_frames += 1
        if self.bad_frames & (self.bad_frames - 1) == 0:  # the first, the second, the fourth ...: never a flood
            log.warning("frames_refused", count=self.bad_frames)

    def up(self) -> None:
        """Nothing has to be told: ticks come."""

    def down(self, reason: str) -> None:
        """Nothing has to be told: that no tick comes is the word for it."""
