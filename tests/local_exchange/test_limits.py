"""Limits: what is counted, what a head tells, and what happens beyond them."""

from __future__ import annotations

import socket

import httpx
import pytest

from dcacore.local_exchange.addresses import bind
from dcacore.local_exchange.clock import from_ms
from dcacore.local_exchange.errors import ApiError
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.limits import FIRST_BAN_MS, PATIENCE, Limits
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from tests.local_exchange.api import LIMIT_BUY, MARKET_BUY, Api, code
from tests.local_exchange.conftest import Running

MINUTE = 60_000
NOON = 1_700_000_040_000 // MINUTE * MINUTE


def refused(limits: Limits, weight: int, now: int) -> ApiError | None:
    try:
        limits.request("here", weight, now)
    except ApiError as refusal:
        return refusal
    return None


def test_the_window_is_that_of_the_clock() -> None:
    limits = Limits()
    limits.request("here", 6_000, NOON + 59_000)
    refusal = refused(limits, 1, NOON + 59_500)
    assert refusal is not None
    assert (refusal.status, refusal.headers) == (429, {"Retry-After": "1"})
    assert refused(limits, 6_000, NOON + MINUTE) is None
    limits.request("elsewhere", 6_000, NOON)


def test_who_does_not_stop_is_banned_and_each_time_for_longer() -> None:
    limits = Limits()
    for now, length in ((NOON, FIRST_BAN_MS), (NOON + 5 * MINUTE, 2 * FIRST_BAN_MS)):
        limits.request("here", 6_000, now)
        for _ in range(PATIENCE):
            refusal = refused(limits, 1, now)
            assert refusal is not None
            assert refusal.status == 429
        refusal = refused(limits, 1, now)
        assert refusal is not None
        assert (refusal.status, refusal.headers) == (418, {"Retry-After": str(length // 1_000)})
        assert refused(limits, 1, now + length - 1) is not None


def test_limits_that_are_off_only_count() -> None:
    limits = Limits(are_on=False)
    assert refused(limits, 10_000, NOON) is None
    assert limits.used_weight("here", NOON) == 10_000


def test_the_first_fill_of_an_order_gives_it_back() -> None:
    limits = Limits()
    for _ in range(100):
        limits.placed("anna", NOON)
    with pytest.raises(ApiError, match="Too many new orders; current limit is 100 orders per 10 SECOND"):
        limits.check_order("anna", NOON)
    limits.filled("anna", NOON)
    limits.check_order("anna", NOON)


@pytest.fixture
def _still(running: Running) -> None:
    """Let no window end in the middle of a test."""
    running.exchange.clock.true.stands_at = from_ms(NOON)


@pytest.mark.usefixtures("_still")
async def test_the_head_tells_what_was_used(api: Api) -> None:
    assert (await api.call("GET", "/api/v3/exchangeInfo")).headers["X-MBX-USED-WEIGHT-1M"] == "20"
    placed = await api.order(LIMIT_BUY)
    assert (placed.headers["X-MBX-USED-WEIGHT-1M"], placed.headers["X-MBX-ORDER-COUNT-10S"]) == ("20", "1")
    assert placed.headers["X-MBX-ORDER-COUNT-1D"] == "1"
    filled = await api.order(MARKET_BUY)
    assert filled.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    assert (await api.order(LIMIT_BUY, price="1")).headers["X-MBX-USED-WEIGHT"] == "21"
    counts = (await api.signed("GET", "/api/v3/rateLimit/order")).json()
    assert [(count["interval"], count["count"]) for count in counts] == [("SECOND", 1), ("DAY", 1)]


@pytest.mark.usefixtures("_still")
async def test_too_much_is_refused(api: Api, running: Running) -> None:
    limits, clock = running.exchange.limits, running.exchange.clock
    limits.request("127.0.0.1", 5_999, clock.ms())
    answers = [await api.call("GET", "/api/v3/klines", symbol="BTCUSDT", interval="1m") for _ in range(2)]
    assert code(answers[-1])[:2] == (429, -1003)
    assert code(answers[-1])[2].startswith(
        "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."
    )
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


async def test_without_limits_nobody_is_told_to_hold_back() -> None:
    async with serving(Site(LocalExchange(Options(has_limits=False)))) as urls, httpx.AsyncClient() as http:
        told = (await http.get(f"{urls.rest}/api/v3/exchangeInfo")).json()
    assert told["rateLimits"] == []


def test_an_answer_does_not_wait_until_its_head_is_acknowledged() -> None:
    """What is accepted is of the protocol of what listens, and asyncio turns off Nagle's algorithm for TCP alone."""
    with bind("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


async def test_nobody_chooses_the_address_that_counts(running: Running, api: Api) -> None:
    running.exchange.clock.true.wall = lambda: from_ms(NOON)
    used = [
        (await api.http.get("/api/v3/time", headers={"X-Forwarded-For": forwarded})).headers["X-MBX-USED-WEIGHT-1M"]
        for forwarded in ("192.0.2.1", "192.0.2.2")
    ]
    assert used == ["1", "2"]


async def test_what_makes_no_sense_counts_too(running: Running, api: Api) -> None:
    running.exchange.clock.true.wall = lambda: from_ms(NOON)
    asked = ("/api/v3/depth?symbol=BTCUSDT&limit=x", "/api/v3/ticker/24hr?symbols=x", "/api/v3/nothing")
    used = [(await api.http.get(path)).headers["X-MBX-USED-WEIGHT-1M"] for path in asked]
    assert used == ["1", "2", "3"]
