"""Klines over the network: paging, the candle that is still forming, and answers that are none."""

from __future__ import annotations

import json

import pytest

from dcacore.adapters.candles.online import BinanceKlines, Web
from dcacore.ports.candle_archive import Stretch
from dcacore.ports.errors import BadCandles, Unavailable, UnknownPair
from tests.strategies import NOON
from tests.unit.candles.market import MINUTE, Row, candles, rows, same
from tests.unit.downloads.market import ms
from tests.unit.downloads.site import HTML, Fault, Site, html, instead, kline, status
from tests.unit.simulated.clock import ManualClock

START = ms("2023-12-30")
KLINES = "/api/v3/klines"


@pytest.fixture
def klines(web: Web, site: Site, clock: ManualClock) -> BinanceKlines:
    site.now_ms = ms("2024-01-01 12:00")
    return BinanceKlines(web, clock)


async def stretches(klines: BinanceKlines, begins: int, ends: int, pair: str = "BTCUSDT") -> list[Stretch]:
    return [part async for part in klines.stretches(pair, "1m", begins, ends)]


async def test_pages_follow_the_last_candle(klines: BinanceKlines, site: Site) -> None:
    site.rows = rows(2500, MINUTE, START)
    [part] = await stretches(klines, START, START + 2500 * MINUTE)
    assert same(part.candles, candles(site.rows))
    pages = [request for request in site.requests if KLINES in request]
    assert pages == [
        f"{KLINES}?symbol=BTCUSDT&interval=1m&startTime={START + start * MINUTE}"
        f"&endTime={START + 2500 * MINUTE - 1}&limit=1000"
        for start in (0, 1000, 2000)
    ]


async def test_a_short_page_is_not_the_end(klines: BinanceKlines, site: Site) -> None:
    made = rows(1500, MINUTE, START)
    site.rows = made
    site.fail(KLINES, instead(json.dumps([kline(row, MINUTE) for row in made[:10]]).encode()))
    [part] = await stretches(klines, START, START + 1500 * MINUTE)
    assert same(part.candles, candles(made))


async def test_a_halt_longer_than_a_page_is_jumped(klines: BinanceKlines, site: Site) -> None:
    site.rows = rows(1000, MINUTE, START) + rows(5, MINUTE, START + 2400 * MINUTE)
    [part] = await stretches(klines, START, START + 2500 * MINUTE)
    assert len(part.candles) == 1005
    assert site.asked(KLINES) == 3  # the last one is empty


async def test_many_candles_come_in_parts(klines: BinanceKlines, site: Site) -> None:
    begins = START - 20_000 * MINUTE
    site.rows = rows(20_010, MINUTE, begins)
    parts = await stretches(klines, begins, begins + 20_010 * MINUTE)
    assert [len(part.candles) for part in parts] == [20_000, 10]
    assert parts[0].sha256 != parts[1].sha256


async def test_the_forming_candle_is_left_out_by_the_clock_of_the_exchange(klines: BinanceKlines, site: Site) -> None:
    site.rows = rows(10, MINUTE, START)
    site.now_ms = START + 9 * MINUTE + 59_999  # the last candle closes in this millisecond
    [part] = await stretches(klines, START, START + 10 * MINUTE)
    assert len(part.candles) == 9
    site.now_ms += 1
    [part] = await stretches(klines, START, START + 10 * MINUTE)
    assert len(part.candles) == 10


async def test_only_a_forming_candle_is_none(klines: BinanceKlines, site: Site) -> None:
    site.rows = rows(1, MINUTE, START)
    site.now_ms = START + 30_000
    assert await stretches(klines, START, START + MINUTE) == []


async def test_where_there_is_nothing_nothing_comes(klines: BinanceKlines, site: Site) -> None:
    assert await stretches(klines, START, START + 5 * MINUTE) == []
    assert site.asked(KLINES) == 1


async def test_a_pair_that_is_not_listed(klines: BinanceKlines) -> None:
    with pytest.raises(UnknownPair, match="NOPEUSDT is not traded"):
        await stretches(klines, START, START + MINUTE, "NOPEUSDT")


async def test_calls_are_not_hurried(klines: BinanceKlines, site: Site, clock: ManualClock) -> None:
    site.rows = rows(5000, MINUTE, START - 5000 * MINUTE)
    await stretches(klines, START - 5000 * MINUTE, START)
    assert 0.4 <= (clock.at - NOON).total_seconds() < 1


async def test_when_much_weight_is_used_the_next_minute_is_waited_for(
    klines: BinanceKlines, site: Site, clock: ManualClock
) -> None:
    site.headers["X-MBX-USED-WEIGHT-1M"] = "3001"
    await stretches(klines, START, START + MINUTE)
    assert (clock.at - NOON).total_seconds() == 60


@pytest.mark.parametrize("used", ["", "many", "-1", "\xb2", "9" * 5_000])
async def test_a_weight_that_is_no_number_is_none(
    klines: BinanceKlines, site: Site, clock: ManualClock, used: str
) -> None:
    site.headers["X-MBX-USED-WEIGHT-1M"] = used
    await stretches(klines, START, START + MINUTE)
    assert (clock.at - NOON).total_seconds() < 1


async def test_a_pause_that_is_asked_for_is_kept(klines: BinanceKlines, site: Site, clock: ManualClock) -> None:
    site.rows = rows(5, MINUTE, START)
    site.fail(KLINES, status(429, {"Retry-After": "12"}, b'{"code":-1003,"msg":"Too much request weight used"}'))
    [part] = await stretches(klines, START, START + 5 * MINUTE)
    assert len(part.candles) == 5
    assert (clock.at - NOON).total_seconds() >= 12


def answer(made: list[Row]) -> Fault:
    return instead(json.dumps([kline(row, MINUTE) for row in made]).encode())


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (html, r"api/v3/klines answers HTTP 200: not as the exchange should"),
        (status(404, {}, HTML), "HTTP 404"),
        (status(400, {}, b'{"code":-1100,"msg":"Illegal characters"}'), "HTTP 400: Illegal characters"),
        (instead(b"[" * 100_000), "answers HTTP 200"),
        (instead(b"{}"), "answers HTTP 200"),
        (instead(b"[1]"), "answers something else than candles"),
        (instead(b"[[1]]"), "answers something else than candles"),
        (instead(b'[["a","1","1","1","1","1",2]]'), "answers something else than candles"),
        (instead(b'[[0.5,"1","1","1","1","1",2]]'), "answers something else than candles"),
        (instead(b'[[1,"1","x","1","1","1",2]]'), "answers something else than candles"),
        (instead(b'[[1,"1","1","1","1","1","2"]]'), "answers something else than candles"),
        (instead(b'[[99999999999999999999999,"1","1","1","1","1",2]]'), "answers something else than candles"),
        (answer(rows(3, MINUTE, START - MINUTE)), "of another time than was asked for"),
        (answer(rows(30, MINUTE, START)), "of another time than was asked for"),
    ],
)
async def test_an_answer_that_holds_no_candles_is_told(
    klines: BinanceKlines, site: Site, fault: Fault, says: str
) -> None:
    site.fail(KLINES, fault)
    with pytest.raises(Unavailable, match=says):
        await stretches(klines, START, START + 10 * MINUTE)


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"serverTime":"now"}', HTML])
async def test_an_answer_that_holds_no_time_is_told(klines: BinanceKlines, site: Site, content: bytes) -> None:
    site.fail("/api/v3/time", instead(content))
    with pytest.raises(Unavailable):
        await stretches(klines, START, START + 10 * MINUTE)


@pytest.mark.parametrize("price", ["NaN", "0", "-1", "inf"])
async def test_a_row_that_cannot_be_right_is_named(klines: BinanceKlines, site: Site, price: str) -> None:
    row = [START, price, "1", "1", "1", "1", START + 59_999]
    site.fail(KLINES, instead(json.dumps([row]).encode()))
    with pytest.raises(BadCandles, match="BTCUSDT 1m of api/v3/klines: row 1: "):
        await stretches(klines, START, START + 10 * MINUTE)
