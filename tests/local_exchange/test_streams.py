"""Market streams: their names, what may be asked on them, what they tell."""

from __future__ import annotations

from typing import Any

import pytest
import websockets

from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from dcacore.local_exchange.streams.names import parse_name
from tests.local_exchange.api import LIMIT_BUY, MARKET_BUY, Api
from tests.local_exchange.conftest import Running, make_exchange
from tests.local_exchange.sockets import Socket, opened


@pytest.mark.parametrize(
    ("text", "kind", "symbol", "detail"),
    [
        ("btcusdt@bookTicker", "bookTicker", "BTCUSDT", ""),
        ("btcusdt@kline_1m", "kline", "BTCUSDT", "1m"),
        ("btcusdt@kline_1M", "kline", "BTCUSDT", "1M"),
        ("btcusdt@kline_1d@+08:00", "kline", "BTCUSDT", "1d"),
        ("btcusdt@depth", "depth", "BTCUSDT", ""),
        ("btcusdt@depth5@100ms", "partialDepth", "BTCUSDT", "5"),
        ("!miniTicker@arr", "miniTicker", "!", ""),
    ],
)
def test_names(text: str, kind: str, symbol: str, detail: str) -> None:
    name = parse_name(text)
    assert name is not None
    assert (name.kind, name.symbol, name.detail) == (kind, symbol, detail)


@pytest.mark.parametrize("text", ["", "0", "btcusdt", "BTCUSDT@trade", "btcusdt@kline_7m", "btcusdt@depth7", "@trade"])
def test_what_is_no_name(text: str) -> None:
    assert parse_name(text) is None


FIELDS = {
    "bookTicker": "u s b B a A",
    "trade": "e E s t p q T m M",
    "aggTrade": "e E s a p q f l T m M",
    "miniTicker": "e E s c o h l v q",
    "ticker": "e E s p P w x c Q b B a A o h l v q O C F L n",
    "avgPrice": "e E s i w T",
    "kline_1m": "e E s k",
    "depth5": "lastUpdateId bids asks",
    "depth@100ms": "e E s U u b a",
}


@pytest.mark.parametrize("kind", FIELDS)
async def test_what_a_stream_tells(running: Running, kind: str) -> None:
    name = f"btcusdt@{kind}"
    async with opened(f"{running.urls.stream}/stream?streams={name}&timeUnit=MILLISECOND") as market:
        running.move("BTCUSDT", "29999.5")
        message = await market.read()
        if message["data"].get("b") == "30000.00000000":  # where it stood when it was subscribed
            message = await market.read()
        assert message["stream"] == name
        assert set(message["data"]) == set(FIELDS[kind].split())


async def test_a_stream_of_all_symbols_tells_those_that_have_changed(running: Running) -> None:
    async with opened(f"{running.urls.stream}/stream?streams=!miniTicker@arr") as market:
        assert [row["s"] for row in (await market.read())["data"]] == ["BTCUSDT", "ETHUSDT"]
        running.move("ETHUSDT", "1900")
        assert [(row["s"], row["c"]) for row in (await market.read())["data"]] == [("ETHUSDT", "1900.00000000")]


async def test_streams_are_subscribed_listed_and_left(running: Running) -> None:
    async with opened(f"{running.urls.stream}/ws/0") as market:
        assert (await market.ask("SUBSCRIBE", ["btcusdt@trade", "ethusdt@trade"]))["result"] is None
        assert (await market.ask("LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade", "ethusdt@trade"]
        assert (await market.ask("UNSUBSCRIBE", ["btcusdt@trade"]))["result"] is None
        running.move("BTCUSDT", "29000")
        running.move("ETHUSDT", "1900")
        assert (await market.read())["s"] == "ETHUSDT"


async def test_as_many_streams_as_a_connection_may_have_are_named_in_its_address(running: Running) -> None:
    names = "/".join(["btcusdt@trade", *(f"coin{number}usdt@bookTicker" for number in range(1_023))])
    async with opened(f"{running.urls.stream}/stream?streams={names}") as market:
        running.move("BTCUSDT", "29000")
        assert (await market.read())["data"]["p"] == "29000.00000000"


async def test_a_stream_may_be_wrapped_or_not(running: Running) -> None:
    async with opened(f"{running.urls.stream}/ws/btcusdt@trade") as market:
        assert (await market.ask("GET_PROPERTY", ["combined"]))["result"] is False
        assert (await market.ask("SET_PROPERTY", ["combined", True]))["result"] is None
        running.move("BTCUSDT", "29000")
        assert (await market.read())["stream"] == "btcusdt@trade"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("no json", 3),
        ("[" * 100_000, 3),
        ('{"id": "\\ud800", "method": "SUBSCRIBE"}', 3),
        ("[]", 2),
        ('{"id": 1}', 2),
        ('{"id": 1.5, "method": "SUBSCRIBE"}', 2),
        ('{"id": 1, "method": "SUBSCRIBE", "params": ["nothing"]}', 2),
        ('{"id": 1, "method": "SUBSCRIBE", "params": 1}', 2),
        ('{"id": 1, "method": "DANCE", "params": []}', 2),
        ('{"id": 1, "method": "GET_PROPERTY", "params": ["colour"]}', 0),
        ('{"id": 1, "method": "SET_PROPERTY", "params": ["combined", 1]}', 1),
    ],
)
async def test_what_cannot_be_asked(running: Running, text: str, wrong: int) -> None:
    async with opened(f"{running.urls.stream}/ws") as market:
        await market.send(text)
        assert (await market.read())["code"] == wrong


async def end_of(socket: Socket) -> None:
    """Read on until there is nothing more."""
    while True:
        await socket.read()


async def test_who_asks_too_fast_is_cut_off(running: Running) -> None:
    async with opened(f"{running.urls.stream}/ws") as market:
        for _ in range(6):
            await market.send('{"id": 1, "method": "LIST_SUBSCRIPTIONS"}')
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await end_of(market)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_a_connection_has_an_end() -> None:
    async with serving(Site(make_exchange(), life=0.05)) as urls, opened(f"{urls.stream}/ws") as market:
        with pytest.raises(websockets.ConnectionClosed):
            await market.read()


async def test_trades_of_accounts_are_on_the_tape(running: Running, api: Api) -> None:
    async with opened(f"{running.urls.stream}/ws/btcusdt@trade") as market:
        placed = (await api.order(MARKET_BUY)).json()
        told = await market.read()
        assert (told["t"], told["q"], told["m"]) == (placed["fills"][0]["tradeId"], "0.01000000", False)
        await api.order(LIMIT_BUY)
        running.move("BTCUSDT", "28999")
        fill, moved = await market.read(), await market.read()
        assert (fill["p"], fill["m"], moved["p"]) == ("29000.00000000", True, "28999.00000000")


async def test_a_candle_closes(running: Running) -> None:
    exchange = running.exchange
    async with opened(f"{running.urls.stream}/ws/btcusdt@kline_1s") as market:
        first = (await closing(market))["k"]
        assert (first["x"], first["i"]) == (True, "1s")
        assert first["T"] - first["t"] == 999
        rows = exchange.tape.of("BTCUSDT").candles.rows("1s", exchange.clock.ms(), first["t"], None, 5)
        assert rows[0].opens_at == first["t"]


async def closing(market: Socket) -> dict[str, Any]:
    """Return the first candle that has closed."""
    while True:
        message = await market.read()
        if message["k"]["x"]:
            return message
