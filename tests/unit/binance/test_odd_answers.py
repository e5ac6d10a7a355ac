"""Answers that are none of those described: each question says that it was not answered, and no stream dies of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest

from dcacore.adapters.binance.link import Link, Turned
from dcacore.domain.venue import VenueOrderId
from dcacore.ports.errors import RateLimited, Unavailable, UnknownPair
from dcacore.ports.exchange import StreamOpened
from dcacore.ports.prices import Tick
from tests.unit.binance.conftest import QUICK, Bench
from tests.unit.binance.test_account_events import next_of
from tests.unit.binance.test_live_prices import PAIR, price_after, watched
from tests.unit.binance.wire import Json, Say, refusal, symbol, trade_frame, until

SUBSCRIBE = "userDataStream.subscribe.signature"
QUESTIONS: dict[str, Callable[[Bench], Awaitable[object]]] = {
    "GET exchangeInfo": lambda bench: bench.exchange.listing(PAIR),
    "GET account/commission": lambda bench: bench.exchange.fees(PAIR),
    "GET ticker/price": lambda bench: bench.exchange.price(PAIR),
    "GET account": lambda bench: bench.exchange.balances(),
    "GET order": lambda bench: bench.exchange.find(PAIR, venue_order_id=VenueOrderId("1")),
    "GET myTrades": lambda bench: bench.exchange.trades(PAIR),
    "GET openOrders": lambda bench: bench.exchange.open_orders(PAIR),
}
ODD: list[Json] = [{}, [], [1], 5, None, "text", {"symbol": PAIR}, {"balances": [{"asset": "X", "free": "a lot"}]}]


@pytest.mark.parametrize("name", QUESTIONS)
async def test_f64_an_odd_answer_is_no_answer(bench: Bench, name: str) -> None:
    for odd in [*ODD, "<html>"]:
        if odd == [] and name in {"GET myTrades", "GET openOrders"}:
            continue  # that one is an answer
        bench.wire.answers[name] = Say(odd if odd == "<html>" else "null" if odd is None else odd)
        with pytest.raises(Unavailable):
            await QUESTIONS[name](bench)


async def test_a_pair_with_odd_rules_is_not_taken_for_one_that_is_not_traded(bench: Bench) -> None:
    bench.wire.pairs[PAIR] = symbol(filters=[])
    with pytest.raises(Unavailable, match="PRICE_FILTER has no tickSize"):
        await bench.exchange.listing(PAIR)
    bench.wire.pairs[PAIR] = symbol(baseAsset="  ")
    with pytest.raises(Unavailable, match="cannot be read"):
        await bench.exchange.listing(PAIR)
    bench.wire.pairs[PAIR] = symbol()
    assert (await bench.exchange.listing(PAIR)).is_trading


async def test_prices_of_many_pairs_come_without_those_that_are_gone(bench: Bench) -> None:
    bench.wire.prices.update({"ETHUSDT": "2000", "NEWUSDT": "0.00000000"})
    assert await bench.site.quotes.many([PAIR, "ETHUSDT", "NEWUSDT"]) == {PAIR: 30000, "ETHUSDT": 2000}
    assert await bench.site.quotes.many([PAIR, "GONEUSDT"]) == {PAIR: 30000}
    assert await bench.site.quotes.many(["GONEUSDT"]) == {}
    assert await bench.site.quotes.one("NEWUSDT") is None
    bench.wire.answers["GET ticker/price"] = Say([{"symbol": PAIR}])
    with pytest.raises(Unavailable):
        await bench.site.quotes.many([PAIR, "ETHUSDT"])
    bench.wire.answers["GET ticker/price"] = Say({"symbol": "ETHUSDT", "price": "1"})
    with pytest.raises(Unavailable):
        await bench.site.quotes.one(PAIR)


async def test_a_limit_that_a_cancel_meets_has_a_time(bench: Bench) -> None:
    bench.wire.answers["DELETE order"] = refusal(-1003, "Too many requests.", 400)
    with pytest.raises(RateLimited):
        await bench.exchange.cancel(PAIR, "one")  # type: ignore[arg-type]  # any id will do


async def test_a_name_that_is_no_pair_is_not_traded(bench: Bench) -> None:
    bench.wire.answers["GET exchangeInfo"] = refusal(-1100, "Illegal characters found in parameter 'symbol'.")
    with pytest.raises(UnknownPair):
        await bench.exchange.listing("BTC/USDT")


@pytest.mark.parametrize(
    "answer",
    [
        Say({"code": -1000, "msg": "An unknown error occurred."}, 500),
        Say("not even an object", 400),
        Say({"code": "x"}, 400),
        Say({"code": -2035, "msg": "User Data Stream subscription is already active."}, 400),
    ],
    ids=str,
)
async def test_f26_a_subscription_that_fails_is_tried_again(bench: Bench, answer: Say) -> None:
    bench.wire.once[SUBSCRIBE] = [answer]
    assert await next_of(bench.exchange.events()) == StreamOpened()
    assert bench.wire.connections == 2


async def test_f54_a_clock_that_stays_off_is_tried_again_too(bench: Bench) -> None:
    late = Say({"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}, 400)
    bench.wire.once[SUBSCRIBE] = [late, late]
    assert await next_of(bench.exchange.events()) == StreamOpened()
    assert bench.wire.connections == 2


async def test_f26_what_nobody_foresaw_is_told_and_who_reads_prices_again_has_them_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = await watched(bench)
    with monkeypatch.context() as broken:
        broken.setattr(bench.site.prices, "_beat", lambda link: 1 / 0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await _read_on(ticks)
            assert not bench.site.prices.is_up
            ticks = bench.site.prices.ticks()
    with monkeypatch.context() as broken:
        broken.setattr(Link, "listen", lambda link, hear: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await _read_on(ticks)
        ticks = bench.site.prices.ticks()
        with pytest.raises(ZeroDivisionError):
            await _read_on(ticks)
    ticks = bench.site.prices.ticks()
    await until(lambda: bench.site.prices.is_up)
    async with asyncio.timeout(5):
        assert (await anext(ticks)).price == Decimal(30000)
    await bench.wire.tell(trade_frame("30001.5"))
    assert await price_after(ticks) == Decimal("30001.5")
    assert len(bench.wire.streams) == 1


async def _read_on(ticks: AsyncIterator[Tick]) -> None:
    async with asyncio.timeout(5):
        async for _ in ticks:
            pass


async def test_an_order_without_a_name_is_not_sent(bench: Bench) -> None:
    assert await bench.exchange.find(PAIR) is None
    assert bench.wire.calls("GET order") == []


@pytest.mark.parametrize("number", ["1E+999999999", "1E-999999999", "1e99999999999", 10**41])
async def test_f111_a_number_that_no_market_knows_is_none(bench: Bench, number: Json) -> None:
    bench.wire.answers["GET ticker/price"] = Say({"symbol": PAIR, "price": number})
    with pytest.raises(Unavailable):
        await bench.exchange.price(PAIR)


async def test_f33_a_connection_that_is_sent_elsewhere_is_not_made() -> None:
    reached: list[str] = []

    async def elsewhere(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append("elsewhere")
        writer.close()

    async def here(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:{there}/\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(elsewhere, "127.0.0.1", 0) as other:
        there = other.sockets[0].getsockname()[1]
        async with await asyncio.start_server(here, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws-api/v3"
            with pytest.raises(Turned) as turned:
                await Link.open(url, QUICK, lambda: None)
    assert turned.value.status == 302
    assert not reached
