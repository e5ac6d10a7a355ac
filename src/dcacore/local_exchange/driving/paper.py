"""The markets of paper trading: the real ones where they can be reached, and chance where not.

Which of the two a market follows is settled when it is first needed, and is not changed under anybody's feet. One that
follows the real one stands still while Binance cannot be reached, and goes on where the real one is by then: its orders
fill as they would have. One that wanders, because Binance could not be reached when it was opened or does not trade it,
goes over to the real one only when no order rests on it and nobody holds its coins: else the jump between a price that
was made up and a real one would fill everything at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Final

import attrs
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.local_exchange.driving.live import GOOD_AFTER_S, HOST, NotATrade, pause_s, read_trade
from dcacore.local_exchange.driving.market import jump
from dcacore.local_exchange.driving.source import Source, Told
from dcacore.local_exchange.driving.wandering import wander
from dcacore.ports.clock import Clock

log = structlog.get_logger("dcacore.local_exchange")

FALLS_BACK_AFTER_S: Final = 3
"""Without a word from Binance for so long after the start the markets wander."""
FIRST_TRADE_WITHIN_S: Final = 10
"""A market without a price that the stream has not told of by then is none of Binance's."""
INTERVAL_S: Final = 1
_OPENS_WITHIN_S: Final = 10


@attrs.define(eq=False, kw_only=True)
class PaperPrices:
    """Moves the markets of a paper exchange.

    Attributes:
        venue: what is moved; markets may be added to it at any time.
        by_chance: the markets that wander; it is kept with the exchange's books.
        first_price: where a market begins of which nobody knows the price.
        clock: this machine's.
        chance: where markets wander, and when a lost connection is tried again.
        host: where the stream comes from; None asks for none: the markets wander.
        reached: whether Binance has said a word since the start.
        reason: why it has not; empty while nothing is wrong.
    """

    venue: SimulatedVenue
    by_chance: set[str]
    first_price: Callable[[Market], Price]
    clock: Clock
    chance: Random
    host: str | None = HOST
    reached: bool = attrs.field(default=False, init=False)
    reason: str = attrs.field(default="", init=False)
    _has_given_up: bool = attrs.field(default=False, init=False)
    _began_at: float = attrs.field(default=0.0, init=False)
    _new_since: dict[str, float] = attrs.field(factory=dict, init=False)
    _real: dict[str, Price] = attrs.field(factory=dict, init=False)  # of those that wander, since the last beat
    _stream: ClientConnection | None = attrs.field(default=None, init=False)
    _subscribed: set[str] = attrs.field(factory=set, init=False)

    def price_of_new(self, market: Market) -> Price | None:
        """Return where a market begins that is opened now; None as long as the real one may tell."""
        if not self._is_walk:
            return None
        self.by_chance.add(market.pair)
        return self.first_price(market)

    def told(self) -> Told:
        """Return what drives the markets."""
        if self._is_walk and self.by_chance.issuperset(self.venue.pairs):
            return Told(Source.WALK, self.reason)
        is_settled = self.reached or self._is_walk
        return Told(Source.LIVE if is_settled else Source.NOTHING, self.reason, tuple(sorted(self.by_chance)))

    async def run(self) -> None:
        """Move the markets, for ever."""
        self._began_at = self.clock.monotonic()
        following = None if self.host is None else asyncio.create_task(self._follow_on(self.host))
        try:
            while True:
                await self.clock.sleep(INTERVAL_S)
                await self.beat()
                if following is not None and following.done():
                    following.result()  # it never ends by itself
        finally:
            if following is not None:
                following.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await following

    async def beat(self) -> None:
        """Let what wanders take a step, and see to the markets that are new."""
        now = self.clock.monotonic()
        if not self.reached and now - self._began_at >= FALLS_BACK_AFTER_S:
            self._give_up("no word comes")
        for symbol in self.venue.pairs:
            if symbol in self._real and self._is_free(symbol):
                self.by_chance.discard(symbol)
                log.info("market_is_real_again", pair=symbol)
                jump(self.venue, symbol, self._real[symbol])
            elif symbol in self.by_chance:
                wander(self.venue, symbol, self.chance)
            elif self._is_to_wander(symbol, now):
                self._let_go(symbol)
        self._real.clear()
        await self._subscribe()

    @property
    def _is_walk(self) -> bool:
        return not self.reached and (self._has_given_up or self.host is None)

    def _is_to_wander(self, symbol: str, now: float) -> bool:
        """Say whether the real market of that name cannot be followed: it has waited in vain, or it does not try."""
        if self.host is None:
            return True
        if self.venue.price(symbol) is not None:  # where the real one was when it was last heard of
            return False
        waited = now - self._new_since.setdefault(symbol, now)
        return self._is_walk or (self._stream is not None and waited >= FIRST_TRADE_WITHIN_S)

    def _let_go(self, symbol: str) -> None:
        """Let a market wander from where it stands."""
        self.by_chance.add(symbol)
        if self.venue.price(symbol) is None:
            jump(self.venue, symbol, self.first_price(self.venue.listing(symbol).market))

    def _give_up(self, why: str) -> None:
        if not self._has_given_up and not self.reached:
            self._has_given_up, self.reason = True, why
            log.info("markets_driven", by=Source.WALK.value, reason=why)

    # ------------------------------------------------------------------------------------------------ the real markets

    async def _follow_on(self, host: str) -> None:
        failures = 0
        while True:
            began = self.clock.monotonic()
            why = await self._follow(host)
            self._give_up(why)
            if self.reason != why:
                log.warning("real_prices_lost", reason=why)
            self.reason = why
            if self.clock.monotonic() - began >= GOOD_AFTER_S:
                failures = 0
            await self.clock.sleep(pause_s(failures, self.chance))
            failures += 1

    async def _follow(self, host: str) -> str:
        """Follow the stream until it ends, and return why it did."""
        try:
            async with connect(f"{host}/stream", open_timeout=_OPENS_WITHIN_S) as stream:
                self._stream = stream
                await stream.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 0}))  # a word, whatever is watched
                await self._subscribe()
                async for frame in stream:
                    self._hear(frame)
        except (OSError, WebSocketException, ImportError) as exc:  # a proxy may take a package that is not there
            return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
        finally:
            self._stream = None
            self._subscribed.clear()
        return "the stream was closed"

    async def _subscribe(self) -> None:
        """Ask for the markets that have come since; those that wander too, for the day when they are free."""
        new = sorted(set(self.venue.pairs) - self._subscribed)
        if self._stream is None or not new:
            return
        self._subscribed.update(new)
        names = [f"{symbol.lower()}@aggTrade" for symbol in new]
        with contextlib.suppress(WebSocketException):  # whoever reads it hears of the end
            await self._stream.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": len(self._subscribed)}))

    def _hear(self, frame: str | bytes) -> None:
        if not self.reached:
            self.reached = True
            log.info("markets_driven", by=Source.LIVE.value, reason=self.host)
        self.reason = ""
        try:
            symbol, price = read_trade(frame)
        except NotATrade:
            return  # an answer to what was asked
        if symbol not in self.venue.pairs or price % self.venue.listing(symbol).market.tick_size:
            return
        if symbol in self.by_chance:
            self._real[symbol] = price
        elif price != self.venue.price(symbol):
            jump(self.venue, symbol, price)

    def _is_free(self, symbol: str) -> bool:
        """Say whether no order rests on a market, and nobody holds coins of it that could be sold."""
        market, price = self.venue.listing(symbol).market, self.venue.price(symbol)
        if self.venue.best_orders(symbol) != (None, None):
            return False
        held = [self.venue.account(name).balances().get(market.base_asset) for name in self.venue.accounts]
        most = max((one.free + one.locked for one in held if one is not None), default=Decimal(0))
        return price is None or most * price < market.min_notional
