"""The local exchange in a process of its own, told to move its markets, and noting when each order arrives.

All times are of the monotonic clock, which is one for all processes of a machine. The frame that tells a move is noted
before its bytes are handed to the socket, and an order when its last byte is read, before anything is done about it:
what lies between the two is all that the engine takes, and the way there and back besides.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any, Final

import attrs

from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.local_exchange.addresses import LOOPBACK, Urls, bind
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.server import server_of
from dcacore.local_exchange.site import Site
from dcacore.local_exchange.transports import CuttableHttp, CuttableWebSocket

NOISE_S: Final = 0.01
"""How often some market moves by a tick, which concerns no bot: a hundred frames a second over all of them."""
_TRADE: Final = re.compile(r'"e":"aggTrade",.*"s":"(\w+)"')
ORDER: Final = re.compile(rb"symbol=(\w+)&side=(\w+)&.*newClientOrderId=([\w-]+)")


@attrs.frozen
class Arrival:
    """An order, as its bytes arrived.

    Attributes:
        at: when, in seconds of the monotonic clock.
    """

    pair: str
    side: str
    order_id: str
    at: float


@attrs.frozen
class TimedExchange:
    """The exchange, as the other process sees it.

    Attributes:
        urls: where it is.
    """

    urls: Urls
    _there: Connection

    def move(self, prices: Mapping[str, Price]) -> dict[str, float]:
        """Let markets jump; return when the frame that tells of each left."""
        self._there.send(prices)
        left: dict[str, float] = self._there.recv()
        return left

    def arrivals(self) -> list[Arrival]:
        """Return the orders that have arrived since this was last asked."""
        self._there.send(None)
        arrived: list[Arrival] = self._there.recv()
        return arrived


@contextmanager
def timed_exchange(markets: Mapping[Market, Price], secrets: Mapping[str, str]) -> Iterator[TimedExchange]:
    """Yield an exchange with these markets and accounts, that runs until the end of the block."""
    here, there = multiprocessing.Pipe()
    told = tuple(markets.items()), dict(secrets)
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(there, *told), daemon=True)
    process.start()
    there.close()  # or nobody would learn that the process has died
    try:
        yield TimedExchange(here.recv(), here)
    finally:
        process.terminate()
        process.join()


def _run(tell: Connection, markets: Sequence[tuple[Market, Price]], secrets: Mapping[str, str]) -> None:
    asyncio.run(_serve(tell, markets, secrets))


async def _serve(tell: Connection, markets: Sequence[tuple[Market, Price]], secrets: Mapping[str, str]) -> None:
    site = Site(LocalExchange(Options(balance={"USDT": Decimal(10**9)}, secrets=secrets, has_limits=False)))
    for market, price in markets:
        site.exchange.list_pair(market, price)
    arrived: list[Arrival] = []
    leaving = _Leaving(tell)
    server = server_of(site)
    server.config.http = _noting(arrived)
    server.config.ws = _noting_frames(leaving)
    listening = bind(LOOPBACK, 0)
    prices = dict(markets)
    at = {market.pair: price for market, price in prices.items()}

    def hear() -> None:
        wanted = tell.recv()
        if wanted is None:
            tell.send(list(arrived))
            arrived.clear()
            return
        leaving.expect(wanted)
        for pair, price in wanted.items():
            site.exchange.move(pair, price)
        at.update(wanted)

    asyncio.get_running_loop().add_reader(tell.fileno(), hear)
    tell.send(Urls.of(LOOPBACK, listening.getsockname()[1]))
    await asyncio.gather(server.serve([listening]), _noise(site, [market for market, _ in markets], at))


async def _noise(site: Site, markets: Sequence[Market], at: Mapping[str, Price]) -> None:
    """Let each market in turn fall by a tick and come back."""
    is_down = False
    while True:
        is_down = not is_down
        for market in markets:
            await asyncio.sleep(NOISE_S)
            site.exchange.move(market.pair, Price(at[market.pair] - (market.tick_size if is_down else 0)))


@attrs.define
class _Leaving:
    """When the frames that tell of moves leave: the first of each pair after its move."""

    _tell: Connection
    _expected: set[str] = attrs.field(factory=set)
    _left: dict[str, float] = attrs.field(factory=dict)

    def expect(self, pairs: Iterable[str]) -> None:
        self._expected, self._left = set(pairs), {}

    def note(self, text: str, now: float) -> None:
        """Note that a frame leaves; when it is the last that was expected, say when each did."""
        if not self._expected or (found := _TRADE.search(text)) is None or found[1] not in self._expected:
            return
        self._expected.remove(found[1])
        self._left[found[1]] = now
        if not self._expected:
            asyncio.get_running_loop().call_soon(self._tell.send, self._left)


def _noting_frames(leaving: _Leaving) -> type[CuttableWebSocket]:
    class Noting(CuttableWebSocket):
        """Notes frames before they are handed to the socket."""

        async def send(self, message: Any) -> None:
            """Send a message."""
            if (text := message.get("text")) is not None:
                leaving.note(text, time.monotonic())
            await super().send(message)

    return Noting


def _noting(arrived: list[Arrival]) -> type[CuttableHttp]:
    class Noting(CuttableHttp):
        """Notes orders as they are read, before anything is done about them."""

        def data_received(self, data: Any) -> None:
            """Take in what was read."""
            now = time.monotonic()
            if (order := ORDER.search(data)) is not None:
                pair, side, order_id = (text.decode() for text in order.groups())
                arrived.append(Arrival(pair, side, order_id, now))
            super().data_received(data)

    return Noting
