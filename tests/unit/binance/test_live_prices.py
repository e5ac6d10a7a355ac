"""Prices: believed only when they are prices, alive only when the exchange says so, and back after every end."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from dcacore.adapters.binance.frames import tick_of
from dcacore.adapters.binance.link import Dead, Link
from dcacore.adapters.binance.reading import parse, row_of
from dcacore.adapters.binance.subscriptions import Subscriptions
from dcacore.ports.errors import UnknownPair
from dcacore.ports.prices import Tick
from tests.unit.binance.conftest import QUICK, Bench
from tests.unit.binance.wire import Json, symbol, trade_frame, until

PAIR = "BTCUSDT"


async def price_after(ticks: AsyncIterator[Tick], pair: str = PAIR) -> Decimal:
    """Return the next price; ticks that only say that the stream is alive are passed over."""
    async with asyncio.timeout(5):
        while True:
            tick = await anext(ticks)
            if tick.price is not None and tick.pair == pair:
                return tick.price


def last_price(bench: Bench) -> Decimal | None:
    last = bench.site.prices._board.last(PAIR)
    return None if last is None else last.price


async def watched(bench: Bench) -> AsyncIterator[Tick]:
    ticks = bench.site.prices.ticks()
    await bench.site.prices.watch(PAIR)
    assert await price_after(ticks) == 30000
    await until(lambda: bench.wire.subscribed == {"btcusdt@aggTrade"} and bench.site.prices.is_up)
    return ticks


async def test_f29_the_price_of_now_comes_first_and_then_each_trade_with_its_own_time(bench: Bench) -> None:
    ticks = await watched(bench)
    await bench.wire.tell(trade_frame("30001.50000000", at=1700000000123))
    tick = await anext(ticks)
    while tick.price is None:
        tick = await anext(ticks)
    assert (tick.price, tick.at.timestamp()) == (Decimal("30001.5"), 1700000000.123)


async def test_a_pair_that_is_not_traded_is_named(bench: Bench) -> None:
    with pytest.raises(UnknownPair, match="XYZUSDT"):
        await bench.site.prices.watch("XYZUSDT")


async def test_f27_all_pairs_share_one_connection_and_few_messages(bench: Bench) -> None:
    names = [f"A{number}USDT" for number in range(40)]
    bench.wire.pairs.update({name: symbol(name) for name in names})
    bench.wire.prices.update(dict.fromkeys(names, "1.0"))
    await asyncio.gather(
        *(bench.site.prices.watch(name) for name in names), *(bench.site.prices.watch(PAIR) for _ in "ab")
    )
    await until(lambda: len(bench.wire.subscribed) == 41)
    alive: set[str] = set()
    ticks = bench.site.prices.ticks()
    async with asyncio.timeout(5):
        while len(alive) < 41:
            tick = await anext(ticks)
            alive |= {tick.pair} if tick.price is None else set()
    assert bench.wire.connections == 1
    assert sum(said["method"] == "SUBSCRIBE" for said in bench.wire.said) <= 5
    await bench.site.prices.unwatch(names[0])
    await until(lambda: len(bench.wire.subscribed) == 40)


@pytest.mark.parametrize(
    "price", ["0", "0.00000000", "-1", "NaN", "Infinity", "", None, ..., "abc", True, [1]], ids=str
)
async def test_f32_a_price_that_is_none_is_dropped_and_counted(bench: Bench, price: Json) -> None:
    ticks = await watched(bench)
    await bench.wire.tell(trade_frame(price))
    await bench.wire.tell(trade_frame("31000"))
    assert await price_after(ticks) == 31000
    assert bench.site.prices.bad_frames == 1


@pytest.mark.parametrize(
    "frame",
    ["{", "[]", '{"stream":"btcusdt@aggTrade","data":5}', '{"data":{"e":"aggTrade","s":"BTCUSDT","p":NaN,"T":1}}'],
)
async def test_f64_a_frame_that_cannot_be_read_is_dropped_and_counted(bench: Bench, frame: str) -> None:
    ticks = await watched(bench)
    await bench.wire.tell(frame)
    await bench.wire.tell(trade_frame("31000"))
    assert await price_after(ticks) == 31000
    assert bench.site.prices.bad_frames == 1


async def test_f33_a_price_of_another_pair_is_not_taken_for_this_one(bench: Bench) -> None:
    ticks = await watched(bench)
    mixed = trade_frame("5", pair="ETHUSDT")
    await bench.wire.tell({**mixed, "stream": "btcusdt@aggTrade"})
    await bench.wire.tell(mixed)
    await bench.wire.tell(trade_frame("31000"))
    assert await price_after(ticks) == 31000
    assert bench.site.prices.bad_frames == 1


async def test_a_quiet_pair_is_said_to_be_alive(bench: Bench) -> None:
    ticks = await watched(bench)
    async with asyncio.timeout(2):
        tick = await anext(ticks)
    assert tick.price is None
    assert abs((tick.at - bench.site.prices.now()).total_seconds()) < 1


async def test_f24_a_dead_connection_is_not_called_alive_and_is_replaced(bench: Bench) -> None:
    await watched(bench)
    bench.wire.is_mute = True
    await until(lambda: bench.wire.connections >= 2)
    box = bench.site.prices.ticks()
    silent = asyncio.ensure_future(anext(box))
    assert (await asyncio.wait_for(silent, 1)).price is not None  # the last one, from before
    assert await asyncio.wait({again := asyncio.ensure_future(anext(box))}, timeout=0.3) == (set(), {again})
    bench.wire.is_mute = False
    assert (await asyncio.wait_for(again, 5)).pair == PAIR


async def test_f24_a_stream_that_has_lost_its_way_does_not_pass_for_a_quiet_one(bench: Bench) -> None:
    ticks = await watched(bench)
    bench.wire.prices[PAIR] = "29000"
    assert await price_after(ticks) == 29000  # asked for beside the stream
    bench.wire.prices[PAIR] = "28000"
    assert await price_after(ticks) == 28000
    await until(lambda: bench.wire.connections == 2)


async def test_a_stream_that_the_exchange_has_forgotten_is_subscribed_to_again(bench: Bench) -> None:
    await watched(bench)
    bench.wire.subscribed.clear()
    await until(lambda: bench.wire.subscribed)
    assert bench.wire.connections == 1


async def test_f26_after_a_cut_everything_is_subscribed_to_again_and_the_price_is_asked_for(bench: Bench) -> None:
    ticks = await watched(bench)
    for number in range(7):
        await until(lambda: bench.wire.streams)
        bench.wire.subscribed.clear()
        bench.wire.prices[PAIR] = str(25000 + number)
        await bench.wire.cut()
        assert await price_after(ticks) == 25000 + number
        await until(lambda: bench.wire.subscribed)


async def test_f27_a_host_that_refuses_is_tried_ever_more_slowly(bench: Bench) -> None:
    await watched(bench)
    bench.wire.refused_with = 503
    await bench.wire.cut()
    began = asyncio.get_running_loop().time()
    await until(lambda: len(bench.site.dials._tried) >= 10)
    assert asyncio.get_running_loop().time() - began > 0.15
    bench.wire.refused_with = None
    await until(lambda: bench.site.prices.is_up)


async def test_f25_a_connection_is_replaced_before_it_is_cut(bench: Bench) -> None:
    ticks = await watched(bench)
    await bench.wire.tell({"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1}})
    await until(lambda: len(bench.wire.streams) == 2)
    await bench.wire.tell(trade_frame("31000"))
    assert await price_after(ticks) == 31000
    await until(lambda: len(bench.wire.streams) == 1)
    assert bench.site.prices.is_up


async def test_f28_a_slow_reader_is_told_the_extremes_and_the_last(bench: Bench) -> None:
    ticks = await watched(bench)
    for price in ("100", "90", "120", "80", "70", "110", "99", "98"):
        await bench.wire.tell(trade_frame(price))
    await bench.wire.tell({"stream": "x", "data": {"e": "depthUpdate"}})
    await until(lambda: last_price(bench) == 98)
    assert [await price_after(ticks) for _ in range(3)] == [120, 70, 98]


async def test_health_is_known(bench: Bench) -> None:
    await watched(bench)
    await until(lambda: bench.site.prices.heard_at is not None)
    health = bench.site.health()
    assert health.latency_ms is not None
    assert health.clock_offset_ms is not None
    assert math.isclose(health.clock_offset_ms, 0, abs_tol=500)
    assert health.prices_age_s is not None
    assert (health.weight_limit, health.hold_s) == (6000, 0)


# ------------------------------------------------------------------------------------------------------ recorded frames

FRAMES = "binance-spot-BTCUSDT-wsframes-2024-08-08T2354.txt.gz"
TRADES = "binance-spot-BTCUSDT-trades-2024-08-08T2354.csv.gz"


async def test_recorded_frames_come_through_whole(bench: Bench, real_data: Path) -> None:
    with gzip.open(real_data / FRAMES, "rt") as lines:
        frames = [line.split(" ", 1)[1] for line in lines]
    with gzip.open(real_data / TRADES, "rt") as lines:
        traded = [(Decimal(row[1]), int(row[4])) for row in (line.strip().split(",") for line in lines)]
    heard = [tick for frame in frames if (tick := tick_of(row_of(parse(frame)))) is not None]
    assert [tick.price for tick in heard] == [price for price, _ in traded]

    ticks = await watched(bench)
    told: list[Decimal] = []

    async def listen() -> None:
        while len(told) < len(traded):
            told.append(await price_after(ticks))

    listening = asyncio.create_task(listen())
    for frame in frames:
        await bench.wire.tell(frame)
        if '"e":"trade"' in frame:
            await asyncio.sleep(0)
    await until(lambda: last_price(bench) == traded[-1][0], within_s=30)
    listening.cancel()
    assert bench.site.prices.bad_frames == 0
    assert max(told) == max(price for price, _ in traded)
    assert min(told[1:]) == min(price for price, _ in traded)
    assert json.loads(frames[-1])


async def test_f25_a_connection_that_ends_while_it_is_replaced_is_only_dead(bench: Bench) -> None:
    subscriptions = Subscriptions(bench.site.clock, QUICK)
    url = bench.site.prices.url()
    old, new = [await Link.open(url, QUICK, lambda: None) for _ in range(2)]
    subscriptions.begin(old)
    old.fail("cut")
    subscriptions.begin(new)
    with pytest.raises(Dead):
        await subscriptions.settle(old, frozenset({PAIR}))
    for link in (old, new):
        await link.close()
