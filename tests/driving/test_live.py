"""Markets that follow the real ones: the recorded stream, broken streams, and no stream at all."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest
from websockets.asyncio.server import ServerConnection, serve

from dcacore.adapters.simulated.hands import Hand
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.system import SystemClock
from dcacore.domain.ids import AccountId
from dcacore.domain.money import BaseQty, Price
from dcacore.local_exchange.driving.live import LivePrices, NotATrade, pause_s, read_trade
from dcacore.local_exchange.driving.source import Source
from dcacore.local_exchange.driving.walk import Walk, walk_points
from dcacore.ports.clock import Clock
from tests.driving.agreeing import BTC
from tests.strategies import NOON

ANNA = AccountId("anna")
Handler = Callable[[ServerConnection], Awaitable[None]]
Said = list[tuple[Source, str]]


@attrs.define
class QuickClock(SystemClock):
    """A clock whose sleeps are short, and noted."""

    slept: list[float] = attrs.field(factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0.001)


def trade(price: str, symbol: str = "BTCUSDT") -> str:
    """Return a frame."""
    data = {"e": "trade", "E": 1, "s": symbol, "t": 1, "p": price, "q": "0.1", "T": 1, "m": True, "M": True}
    return json.dumps({"stream": f"{symbol.lower()}@trade", "data": data})


@contextlib.asynccontextmanager
async def serving(handler: Handler, port: int = 0) -> AsyncIterator[int]:
    """Serve on the loopback interface; yield the port."""
    async with serve(handler, "127.0.0.1", port) as server:
        yield next(iter(server.sockets)).getsockname()[1]


def market() -> SimulatedVenue:
    """Return a venue with one market and one account."""
    venue = SimulatedVenue(lambda: NOON)
    venue.list_pair(BTC, Price(Decimal(60_000)))
    venue.open_account(ANNA, {"USDT": Decimal(1_000_000)})
    return venue


def following(venue: SimulatedVenue, port: int, said: Said | None = None, clock: Clock | None = None) -> LivePrices:
    """Return what lets *venue* follow the server on *port*."""

    def note(source: Source, why: str) -> None:
        if said is not None:
            said.append((source, why))

    return LivePrices(
        market=venue,
        symbols=["BTCUSDT"],
        clock=clock or QuickClock(),
        chance=Random(1),
        walk=lambda: walk_points([Walk(BTC, venue.price("BTCUSDT") or Price(Decimal(1)))], seed=1),
        host=f"ws://127.0.0.1:{port}",
        on_source=note,
    )


@contextlib.asynccontextmanager
async def running(prices: LivePrices) -> AsyncIterator[None]:
    """Let it run for a while."""
    task = asyncio.create_task(prices.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(is_so: Callable[[], bool]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110  # nobody there can say so
            await asyncio.sleep(0.001)


def sends(frames: Iterable[str | bytes]) -> Handler:
    """Return a server that sends *frames* and then says no more."""

    async def handle(connection: ServerConnection) -> None:
        for frame in frames:
            await connection.send(frame)
        await connection.wait_closed()

    return handle


def test_the_market_follows_trades_and_orders_fill_at_their_own_prices() -> None:
    async def play() -> None:
        venue, said, clock = market(), Said(), QuickClock()
        Hand(venue, ANNA).buy("BTCUSDT", BaseQty(Decimal("0.1")), Price(Decimal(59500)))
        frames = [trade("60000.01"), "no json", trade("1", "ETHUSDT"), trade("59000.00"), trade("59100.001"), "{}"]
        async with serving(sends([*frames, trade("59001.50")])) as port:
            prices = following(venue, port, said, clock)
            assert prices.url.endswith("/stream?streams=btcusdt@trade")
            async with running(prices):
                await until(lambda: venue.price("BTCUSDT") == Decimal("59001.50"))
        assert prices.ignored == 4
        assert [source for source, _ in said][:1] == [Source.LIVE]
        (bought,) = venue.books(ANNA).trades
        assert bought.trade.price == 59_500

    asyncio.run(play())


def test_where_there_is_no_stream_the_walk_goes_on_until_there_is_one() -> None:
    async def play() -> None:
        venue, said, clock = market(), Said(), QuickClock()
        async with serving(sends([])) as port:
            pass  # nobody listens there now
        prices = following(venue, port, said, clock)
        async with running(prices):
            await until(lambda: len(clock.slept) > 20)
            assert prices.source is Source.WALK
            assert "Connect" in said[0][1] or "refused" in said[0][1]
            wandered = venue.price("BTCUSDT")
            assert wandered is not None
            assert 0 < abs(wandered - 60_000) < 12_000
            async with serving(sends([trade("61234.56")]), port):
                await until(lambda: prices.source is Source.LIVE)
                slept = len(clock.slept)
                await asyncio.sleep(0.02)
                assert len(clock.slept) == slept, "the walk has ended"
                assert venue.price("BTCUSDT") == Decimal("61234.56")
        assert [source for source, _ in said][:2] == [Source.WALK, Source.LIVE]

    asyncio.run(play())


def test_a_stream_that_breaks_off_is_given_one_more_try_before_anything_is_made_up() -> None:
    async def play() -> None:
        venue, said, clock = market(), Said(), QuickClock()
        calls = 0

        async def handle(connection: ServerConnection) -> None:
            nonlocal calls
            calls += 1
            await connection.send(trade(f"6000{calls}.00"))
            if calls == 1:
                connection.transport.abort()
            await connection.wait_closed()

        async with serving(handle) as port:
            prices = following(venue, port, said, clock)
            async with running(prices):
                await until(lambda: venue.price("BTCUSDT") == 60_002)
        assert said[0][0] is Source.LIVE
        assert len(said) == 1
        assert 1 <= clock.slept[0] <= 1.5

    asyncio.run(play())


def test_pauses_grow_and_are_spread() -> None:
    chance = Random(1)
    pauses = [pause_s(failures, chance) for failures in range(9)]
    for pause, least in zip(pauses, (1, 2, 4, 8, 16, 30, 60, 60, 60), strict=True):
        assert least <= pause <= 1.5 * least
    assert len(set(pauses)) == 9


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        '{"data": 5}',
        '{"data": {"e": "depthUpdate", "s": "BTCUSDT"}}',
        '{"data": {"e": "trade", "s": "BTCUSDT", "p": 5.5}}',
        '{"data": {"e": "trade", "s": "BTCUSDT", "p": "NaN"}}',
        '{"data": {"e": "trade", "s": "BTCUSDT", "p": "-1"}}',
        '{"data": {"e": "trade", "s": "BTCUSDT", "p": "much"}}',
        '{"data": {"e": "trade", "p": "5"}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_trade_is_told_apart(frame: Any) -> None:
    with pytest.raises(NotATrade):
        read_trade(frame)


def test_the_recorded_stream_moves_the_market_as_it_moved_then(real_data: Path) -> None:
    recorded = real_data / "binance-spot-BTCUSDT-wsframes-2024-08-08T2354.txt.gz"
    with gzip.open(recorded, "rt") as lines:
        frames = [line.split(" ", 1)[1] for line in lines]
    expected: list[Price] = []
    for frame in frames:
        with contextlib.suppress(NotATrade):
            expected.append(read_trade(frame)[1])

    async def play() -> None:
        venue, seen = market(), []
        venue.price_listeners.append(lambda pair, price, at: seen.append(price))
        async with serving(sends([*frames, trade("1.00")])) as port:
            prices = following(venue, port)
            async with running(prices):
                await until(lambda: venue.price("BTCUSDT") == 1)
        changes = [price for before, price in zip([None, *expected], expected, strict=False) if price != before]
        assert seen[:-1] == changes
        assert len(expected) == 9_757
        assert prices.ignored == len(frames) - 9_757

    asyncio.run(play())


async def test_a_proxy_that_cannot_be_used_lets_the_market_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
    said: Said = []
    venue = market()
    prices = attrs.evolve(following(venue, 1, said), host="wss://192.0.2.1")
    async with running(prices):
        await until(lambda: venue.price("BTCUSDT") != 60_000)
    assert [source for source, _ in said] == [Source.WALK]
    assert "SOCKS" in said[0][1]
