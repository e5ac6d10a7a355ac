"""The real market: Binance's public stream of trades, and the walk where there is no way to it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any, Final

import attrs
import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from dcacore.domain.money import Price
from dcacore.local_exchange.driving.market import Movable, jump
from dcacore.local_exchange.driving.pace import play
from dcacore.local_exchange.driving.points import Point
from dcacore.local_exchange.driving.source import Source
from dcacore.ports.clock import Clock

log = structlog.get_logger("dcacore.local_exchange")

HOST: Final = "wss://data-stream.binance.vision"
"""Binance's host for market data alone: it asks for no key, and answers where the others are barred."""
PAUSES_S: Final = (1, 2, 4, 8, 16, 30, 60)
"""How long to wait before each try, one failure after the other, up to half as much again by chance."""
GOOD_AFTER_S: Final = 30
"""A connection that has lasted so long was a good one: the next pause is the first again."""
FIRST_WORD_WITHIN_S: Final = 10
WALK_EVERY_S: Final = 1
_TRADES: Final = ("trade", "aggTrade")


class NotATrade(ValueError):
    """A frame is nothing that the stream should say."""


def _log(source: Source, why: str) -> None:
    log.info("markets_driven", by=source.value, reason=why)


@attrs.define(eq=False, kw_only=True)
class LivePrices:
    """Lets markets follow the trades of the real ones of the same names.

    While there is no connection, at the start too, they follow *walk* from where they stand.

    Attributes:
        market: what is moved.
        symbols: the markets.
        clock: this machine's.
        chance: spreads the tries of many machines.
        walk: returns points that begin where the markets stand; asked anew each time that it is needed.
        host: where the stream comes from.
        on_source: told when something else begins to drive the markets, and why.
        source: what drives them.
        ignored: how many frames made no sense.
    """

    market: Movable
    symbols: Sequence[str]
    clock: Clock
    chance: Random
    walk: Callable[[], Iterator[Point]]
    host: str = HOST
    on_source: Callable[[Source, str], None] = _log
    source: Source = attrs.field(default=Source.NOTHING, init=False)
    ignored: int = attrs.field(default=0, init=False)
    _walking: asyncio.Task[None] | None = attrs.field(default=None, init=False)

    @property
    def url(self) -> str:
        """The address of the combined stream."""
        names = "/".join(f"{symbol.lower()}@trade" for symbol in self.symbols)
        return f"{self.host}/stream?streams={names}"

    async def run(self) -> None:
        """Follow the market, for ever."""
        failures = 0
        try:
            while True:
                began = self.clock.monotonic()
                why = await self._follow()
                if self.clock.monotonic() - began >= GOOD_AFTER_S:
                    failures = 0
                if failures or self.source is Source.NOTHING:  # a good stream that breaks off is given one more try
                    self._begin_walk(why)
                await self.clock.sleep(pause_s(failures, self.chance))
                failures += 1
        finally:
            await self._end_walk()

    async def _follow(self) -> str:
        """Follow the stream until it ends, and return why it did."""
        try:
            async with connect(self.url, open_timeout=FIRST_WORD_WITHIN_S) as stream:
                async for frame in stream:
                    await self._hear(frame)
        except (OSError, WebSocketException, ImportError) as exc:  # a proxy may take a package that is not there
            return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
        return "the stream was closed"

    async def _hear(self, frame: str | bytes) -> None:
        try:
            symbol, price = read_trade(frame)
        except NotATrade:
            self.ignored += 1
            return
        if symbol not in self.symbols or price % self.market.listing(symbol).market.tick_size:
            self.ignored += 1
            return
        await self._end_walk()
        self._say(Source.LIVE, self.host)
        if price != self.market.price(symbol):
            jump(self.market, symbol, price)

    def _begin_walk(self, why: str) -> None:
        if self._walking is None:
            self._say(Source.WALK, why)
            self._walking = asyncio.create_task(self._walk())

    async def _end_walk(self) -> None:
        if self._walking is not None:
            self._walking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._walking
            self._walking = None

    async def _walk(self) -> None:
        for _, together in itertools.groupby(self.walk(), key=lambda point: (point.at, point.kind)):
            await self.clock.sleep(WALK_EVERY_S)
            for point in together:
                play(self.market, point)

    def _say(self, source: Source, why: str) -> None:
        if source is not self.source:
            self.source = source
            self.on_source(source, why)


def pause_s(failures: int, chance: Random) -> float:
    """Return how long to wait before another try, after so many failures in a row."""
    return PAUSES_S[min(failures, len(PAUSES_S) - 1)] * (1 + chance.random() / 2)


def read_trade(frame: str | bytes) -> tuple[str, Price]:
    """Return symbol and price of a frame of a combined stream of trades.

    Raises:
        NotATrade: it says something else.
    """
    try:
        data: Any = json.loads(frame)["data"]
        price = Decimal(data["p"]) if data["e"] in _TRADES and isinstance(data["p"], str) else None
        symbol = data["s"]
    except (ValueError, LookupError, TypeError, InvalidOperation) as exc:
        raise NotATrade(str(exc)) from exc
    if price is None or not price.is_finite() or price <= 0 or not isinstance(symbol, str):
        raise NotATrade("this is no trade")
    return symbol, Price(price)
