"""The limits: counted as the exchange counts them, shared fairly, and never knocked against twice."""

from __future__ import annotations

import asyncio
import datetime
import random

import pytest

from dcacore.adapters.binance.calls import CANCEL, FIND, OPEN_ORDERS, PLACE, TIME, TRADES, Call, Rank
from dcacore.adapters.binance.dials import Dials
from dcacore.adapters.binance.limiter import Limiter
from dcacore.adapters.binance.pace import DIALS, DIALS_WITHIN_S, Pace
from dcacore.adapters.binance.reading import milliseconds_of
from dcacore.adapters.binance.site import Site
from dcacore.adapters.binance.windows import ORDERS, WEIGHT, Limit
from dcacore.domain.ids import OrderId
from dcacore.ports.errors import OrdersLimited, RateLimited, Unavailable
from dcacore.ports.turns import answered_within
from tests.unit.binance.conftest import KEY, Bench
from tests.unit.binance.test_placing import order, place
from tests.unit.binance.wire import Answer, Say, Seen, refusal, serving, symbol
from tests.unit.simulated.clock import ManualClock

LIMITS = (Limit(WEIGHT, 60, 100), Limit(ORDERS, 10, 3))
ONE = Call("get", "x", 1, Rank.READING)
ID = OrderId("one")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limiter(clock: ManualClock) -> Limiter:
    limiter = Limiter(clock, clock.now)
    limiter.learn(LIMITS)
    return limiter


async def test_f51_comparisons_get_half_and_orders_what_is_kept_for_them(limiter: Limiter, clock: ManualClock) -> None:
    limiter.note({"X-MBX-USED-WEIGHT-1M": "50"}, "a")
    waiting = asyncio.ensure_future(limiter.admit(TRADES, "a"))
    await asyncio.sleep(0)
    assert not waiting.done()
    began = clock.monotonic()
    await limiter.admit(FIND, "a")
    await limiter.admit(CANCEL, "a")
    await limiter.admit(PLACE, "a")
    assert clock.monotonic() == began
    await waiting
    assert clock.monotonic() - began >= 60
    assert limiter.weight == (20, 100)


async def test_an_order_never_waits(limiter: Limiter, clock: ManualClock) -> None:
    limiter.note({"x-mbx-used-weight-1m": "95"}, "a")
    with pytest.raises(RateLimited) as limited:
        await limiter.admit(PLACE, "a")
    assert limited.value.retry_at == clock.now() + datetime.timedelta(seconds=60)
    clock.pass_by(60)
    await limiter.admit(PLACE, "a")


async def test_each_account_has_its_own_number_of_orders(limiter: Limiter, clock: ManualClock) -> None:
    limiter.note({"X-MBX-ORDER-COUNT-10S": "3", "X-MBX-ORDER-COUNT-1D": "oops"}, "a")
    with pytest.raises(RateLimited) as limited:
        await limiter.admit(PLACE, "a")
    assert limited.value.retry_at <= clock.now() + datetime.timedelta(seconds=10)
    await limiter.admit(PLACE, "b")
    await limiter.admit(CANCEL, "a")
    clock.pass_by(10)
    await limiter.admit(PLACE, "a")


async def test_an_account_whose_orders_of_the_day_are_used_up_orders_tomorrow(
    limiter: Limiter, clock: ManualClock
) -> None:
    limiter.learn((*LIMITS, Limit(ORDERS, 86_400, 500)))
    limiter.note({"X-MBX-ORDER-COUNT-10S": "3", "X-MBX-ORDER-COUNT-1D": "500"}, "a")
    with pytest.raises(OrdersLimited) as limited:
        await limiter.admit(PLACE, "a")
    assert limited.value.retry_at == clock.now() + datetime.timedelta(hours=12)
    await limiter.admit(PLACE, "b")


async def test_windows_are_those_of_the_exchanges_clock(limiter: Limiter, clock: ManualClock) -> None:
    clock.pass_by(59)
    limiter.note({"X-MBX-USED-WEIGHT-1M": "99"}, "a")
    assert limiter.weight == (99, 100)
    clock.pass_by(1)
    assert limiter.weight == (0, 100)


async def test_what_was_used_up_in_the_window_before_is_not_counted_in_this_one(
    limiter: Limiter, clock: ManualClock
) -> None:
    sent = clock.now()
    for later in (0, 60, 0.9):  # on its way while the minute turned, or by a clock that is a little early
        clock.pass_by(later)
        limiter.note({"X-MBX-USED-WEIGHT-1M": "99"}, "a", sent if later == 60 else clock.now())
        assert limiter.weight == (0, 100)
    await limiter.admit(PLACE, "a")
    clock.pass_by(1)
    limiter.note({"X-MBX-USED-WEIGHT-1M": "99"}, "a", clock.now())
    assert limiter.weight == (99, 100)


async def test_nobody_waits_for_a_limiter_that_is_closed(limiter: Limiter) -> None:
    limiter.note({"X-MBX-USED-WEIGHT-1M": "80"}, "a")
    waiting = asyncio.ensure_future(limiter.admit(ONE, "a"))
    await asyncio.sleep(0)
    limiter.close()
    with pytest.raises(Unavailable):
        await waiting


async def test_what_others_of_the_same_address_use_counts_and_less_is_not_believed(limiter: Limiter) -> None:
    await limiter.admit(OPEN_ORDERS, "a")
    limiter.note({"X-MBX-USED-WEIGHT-1M": "40", "X-MBX-USED-WEIGHT": "1"}, "a")
    limiter.note({"X-MBX-USED-WEIGHT-1M": "2"}, "a")
    assert limiter.weight == (40, 100)


async def test_who_waits_is_let_out_in_turn(limiter: Limiter) -> None:
    limiter.note({"X-MBX-USED-WEIGHT-1M": "80"}, "a")
    order_of_leaving: list[str] = []

    async def ask(who: str) -> None:
        await limiter.admit(ONE, who)
        order_of_leaving.append(who)

    await asyncio.gather(*(ask(who) for who in ("a", "a", "a", "a", "b", "b", "c")))
    assert order_of_leaving[:3] == ["a", "b", "c"]
    assert order_of_leaving[3:5] in (["a", "b"], ["b", "a"])
    assert sorted(order_of_leaving) == ["a"] * 4 + ["b"] * 2 + ["c"]


class SlowClock(ManualClock):
    """Sleeping takes a little of real time, too."""

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)
        await asyncio.sleep(0.2)


async def test_f51_waiting_for_its_turn_is_no_silence_of_the_exchange() -> None:
    clock = SlowClock()
    limiter = Limiter(clock, clock.now)
    limiter.learn(LIMITS)
    limiter.note({"X-MBX-USED-WEIGHT-1M": "60"}, "a")

    async def ask(answered_after: float) -> None:
        async with answered_within(0.1):
            await limiter.admit(TRADES, "a")
            await asyncio.sleep(answered_after)

    await ask(0)
    assert clock.monotonic() >= 60
    limiter.note({"X-MBX-USED-WEIGHT-1M": "60"}, "a")
    with pytest.raises(TimeoutError):
        await ask(5)
    limiter.note({"X-MBX-USED-WEIGHT-1M": "60"}, "a")
    gives_up = asyncio.ensure_future(limiter.admit(TRADES, "a"))
    await asyncio.sleep(0)
    gives_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gives_up
    limiter.close()


async def test_who_gives_up_waiting_is_not_counted(limiter: Limiter, clock: ManualClock) -> None:
    limiter.note({"X-MBX-USED-WEIGHT-1M": "80"}, "a")
    gone = asyncio.ensure_future(limiter.admit(ONE, "a"))
    stays = asyncio.ensure_future(limiter.admit(ONE, "b"))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    assert limiter.weight == (1, 100)


@pytest.mark.parametrize(
    ("status", "text", "retry_after", "seconds"),
    [
        (429, "", "7", 7),
        (429, "", None, 60),
        (418, "", "86400", 86_400),
        (418, "", "99999999", 3 * 86_400),
        (418, "IP banned until {until}. Please use the websocket.", None, 300),
        (418, "", "soon", 120),
        (403, "", None, 300),
    ],
)
async def test_f52_nothing_goes_out_before_its_time(
    limiter: Limiter, clock: ManualClock, *, status: int, text: str, retry_after: str | None, seconds: float
) -> None:
    until = int((clock.now().timestamp() + 300) * 1000)
    retry_at = limiter.punish(status, text.format(until=until), retry_after)
    assert (retry_at - clock.now()).total_seconds() == pytest.approx(seconds)
    clock.pass_by(seconds - 0.5)
    for call in (PLACE, CANCEL, FIND, TRADES, TIME):
        with pytest.raises(RateLimited):
            await limiter.admit(call, "a")
    clock.pass_by(0.5)
    await limiter.admit(PLACE, "a")


async def test_f52_who_waits_already_is_told_of_a_ban(limiter: Limiter) -> None:
    limiter.note({"X-MBX-USED-WEIGHT-1M": "80"}, "a")
    waiting = asyncio.ensure_future(limiter.admit(ONE, "a"))
    await asyncio.sleep(0)
    limiter.punish(418, "", "120")
    with pytest.raises(RateLimited):
        await waiting


# -------------------------------------------------------------------------------------------------------- over the wire

BANS: dict[str, Answer] = {
    "F51": refusal(-1003, "Too much request weight used.", 429, Retry_After="30"),
    "F52": refusal(-1003, "Way too much request weight used.", 418, Retry_After="30"),
    "F53": Say("<html>Forbidden</html>", 403, {"Retry-After": "30"}),
}


@pytest.mark.parametrize("answer", BANS.values(), ids=BANS)
async def test_f51_f52_f53_after_a_limit_not_one_request_goes_out(bench: Bench, answer: Answer) -> None:
    bench.wire.answers["GET account"] = answer
    with pytest.raises(RateLimited) as limited:
        await bench.exchange.balances()
    assert 25 < (limited.value.retry_at - bench.site.clock.now()).total_seconds() <= 30
    before = len(bench.wire.seen)
    other = bench.site.exchange(bench.exchange._rest._key)  # type: ignore[arg-type]  # it has one
    for ask in (bench.exchange.balances(), other.balances(), place(bench), bench.exchange.listing("BTCUSDT")):
        with pytest.raises(RateLimited):
            await ask
    assert len(bench.wire.seen) == before
    assert bench.site.health().hold_s > 25
    await other.close()


@pytest.mark.parametrize(
    ("of_what", "longest"), [("100 orders per TEN_SECONDS", 10), ("200000 orders per DAY", 86_400)]
)
async def test_too_many_orders_stop_orders_and_nothing_else(bench: Bench, of_what: str, longest: float) -> None:
    bench.wire.once["POST order"] = [refusal(-1015, f"Too many new orders; current limit is {of_what}.", 429)]
    with pytest.raises(OrdersLimited, match="no order of this account") as limited:
        await place(bench)
    now = bench.site.clock.now()
    left = longest - now.timestamp() % longest
    assert (limited.value.retry_at - now).total_seconds() == pytest.approx(left, abs=2)
    await bench.exchange.balances()


async def test_the_limits_are_those_that_the_exchange_tells(bench: Bench) -> None:
    hourly = {"rateLimitType": "REQUEST_WEIGHT", "interval": "HOUR", "intervalNum": 1, "limit": 50}
    bench.wire.answers["GET exchangeInfo"] = Say({"rateLimits": [hourly], "symbols": [symbol()]})
    bench.wire.headers["X-MBX-USED-WEIGHT-1H"] = "30"
    await bench.exchange.listing("BTCUSDT")
    await bench.exchange.price("BTCUSDT")
    health = bench.site.health()
    assert (health.used_weight, health.weight_limit) == (30, 50)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await bench.exchange.open_orders("BTCUSDT")
    await place(bench, order())


async def test_f27_connections_are_tried_no_more_often_than_an_address_may(
    limiter: Limiter, clock: ManualClock
) -> None:
    dials = Dials(clock, limiter)
    began = clock.monotonic()
    for _ in range(DIALS):
        await dials.permission()
    assert clock.monotonic() == began
    await dials.permission()
    assert clock.monotonic() - began >= DIALS_WITHIN_S


async def test_f52_no_connection_is_tried_during_a_ban(limiter: Limiter, clock: ManualClock) -> None:
    dials = Dials(clock, limiter)
    began = clock.monotonic()
    dials.turned(503, "", None)
    await dials.permission()
    assert clock.monotonic() == began
    dials.turned(418, "", "600")
    await dials.permission()
    assert clock.monotonic() - began >= 600


def test_f27_pauses_grow_and_differ() -> None:
    pace, chance = Pace(), random.Random(7)
    pauses = [pace.pause(failures, chance) for failures in range(12)]
    assert pauses[0] <= 0.5
    assert all(15 <= pause <= 30 for pause in pauses[7:])
    assert len(set(pauses)) == len(pauses)


async def test_f51_who_has_waited_for_its_turn_is_dated_when_it_goes_out() -> None:
    async with serving() as (wire, urls):
        clock = ManualClock()
        wire.answers["GET time"] = lambda _: Say({"serverTime": milliseconds_of(clock.now())})
        site = Site(urls, clock, random.Random(1), within_s=1)
        exchange = site.exchange(KEY)
        await exchange.balances()
        old: list[float] = []

        def answer(seen: Seen) -> Say:
            old.append(milliseconds_of(site.time.now()) - int(seen.params["timestamp"]))
            return Say([])

        wire.answers["GET openOrders"] = wire.answers["DELETE order"] = answer
        for share, ask in (
            ("3000", lambda: exchange.open_orders("BTCUSDT")),
            ("5900", lambda: exchange.cancel("BTCUSDT", ID)),
        ):
            clock.pass_by(2)
            site.limiter.note({"X-MBX-USED-WEIGHT-1M": share}, "")
            began = clock.monotonic()
            await ask()
            assert clock.monotonic() - began > 50
        assert max(old) < 1000
        assert len(wire.calls("GET time")) == 1
        await exchange.close()
        await site.close()
