"""Account events: subscribed to, kept, and every gap told."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator
from decimal import Decimal

import attrs
import pytest
import structlog

from dcacore.adapters.binance.session import Session
from dcacore.adapters.binance.site import Site
from dcacore.domain.venue import VenueOrder, VenueStatus
from dcacore.ports.errors import BadCredentials, Unavailable
from dcacore.ports.exchange import AccountEvent, OrderChanged, StreamLost, StreamOpened
from tests.unit.binance.conftest import KEY, QUICK, Bench
from tests.unit.binance.wire import Say, report, serving, until
from tests.unit.simulated.clock import RealClock


async def next_of(events: AsyncIterator[AccountEvent]) -> AccountEvent:
    async with asyncio.timeout(5):
        return await anext(events)


async def order_of(events: AsyncIterator[AccountEvent]) -> VenueOrder:
    event = await next_of(events)
    assert isinstance(event, OrderChanged)
    return event.order


async def opened(bench: Bench) -> AsyncIterator[AccountEvent]:
    events = bench.exchange.events()
    assert await next_of(events) == StreamOpened()
    return events


async def test_the_subscription_is_signed_over_its_sorted_parameters(bench: Bench) -> None:
    await opened(bench)
    (asked,) = [said for said in bench.wire.said if said["method"] == "userDataStream.subscribe.signature"]
    params = dict(asked["params"])
    signature = params.pop("signature")
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    assert hmac.new(KEY.secret.encode(), payload.encode(), hashlib.sha256).hexdigest() == signature
    assert params["apiKey"] == KEY.key


async def test_an_event_tells_the_order_with_its_trade(bench: Bench) -> None:
    events = await opened(bench)
    await bench.wire.report(report())
    await bench.wire.report(
        report("TRADE", "PARTIALLY_FILLED", t=7, l="0.004", z="0.004", L="29000", n="0.000004", N="BTC")
    )
    await bench.wire.report(report("CANCELED", "CANCELED", c="web_9", C="one", z="0.004"))
    new, part, gone = [await order_of(events) for _ in range(3)]
    assert (new.order_id, new.status, new.trades, new.price) == ("one", VenueStatus.OPEN, (), Decimal(29000))
    (trade,) = part.trades
    assert (trade.trade_id, trade.quantity, trade.fee_asset) == ("7", Decimal("0.004"), "BTC")
    assert trade.price == 29000
    assert (part.executed, trade.order_id) == (Decimal("0.004"), "one")
    assert (gone.order_id, gone.status, gone.executed) == ("one", VenueStatus.CANCELED, Decimal("0.004"))


async def test_f19_an_order_that_met_an_own_one_has_ended_with_what_has_filled(bench: Bench) -> None:
    events = await opened(bench)
    prevented = {
        "z": "0.004",
        "v": 3,
        "A": "0.006",
        "B": "0.006",
        "u": 1,
        "U": 37,
        "Cs": "BTCUSDT",
        "pl": "0",
        "pL": "0",
    }
    await bench.wire.report(report("TRADE_PREVENTION", "EXPIRED_IN_MATCH", **prevented))
    ended = await order_of(events)
    assert (ended.order_id, ended.status, ended.executed) == ("one", VenueStatus.EXPIRED, Decimal("0.004"))
    assert ended.trades == ()
    await bench.wire.report(report("TRADE_PREVENTION", "PARTIALLY_FILLED", **prevented))  # by DECREMENT: it goes on
    assert (await order_of(events)).status is VenueStatus.OPEN


async def test_a_fee_in_bnb_is_valued(bench: Bench) -> None:
    events = await opened(bench)
    trade = {"t": 7, "l": "0.01", "z": "0.01", "L": "29000", "n": "0.001", "N": "BNB"}
    await bench.wire.report(report("TRADE", "FILLED", **trade))
    assert (await order_of(events)).trades[0].fee_rate == Decimal("250.50")
    bench.site.rates._known.clear()
    bench.wire.answers["GET klines"] = Say("", 500)
    await bench.wire.report(report("TRADE", "FILLED", **trade))
    without = await order_of(events)
    assert (without.executed, without.trades) == (Decimal("0.01"), ())


async def test_what_is_no_order_is_passed_over(bench: Bench) -> None:
    events = await opened(bench)
    await bench.wire.report({"e": "outboundAccountPosition", "E": 1, "B": []})
    await bench.wire.report({"e": "somethingOfTomorrow"})
    await bench.wire.report(report())
    assert (await order_of(events)).order_id == "one"


async def test_f63_an_event_that_cannot_be_read_is_a_gap(bench: Bench) -> None:
    events = await opened(bench)
    await bench.wire.report(report("TRADE", "FILLED", z="NaN"))
    assert isinstance(await next_of(events), StreamLost)
    assert await next_of(events) == StreamOpened()
    await bench.wire.report(report(X="HIBERNATING"))
    assert (await order_of(events)).status is VenueStatus.OTHER


async def test_f26_a_cut_is_told_and_mended_again_and_again(bench: Bench) -> None:
    events = await opened(bench)
    for _ in range(7):
        await until(lambda: bench.wire.sessions)
        await bench.wire.cut()
        assert isinstance(await next_of(events), StreamLost)
        assert await next_of(events) == StreamOpened()
    await bench.wire.report(report())
    assert (await order_of(events)).order_id == "one"


async def test_f26_an_outage_longer_than_any_library_would_try_is_survived(bench: Bench) -> None:
    events = await opened(bench)
    bench.wire.refused_with = 503
    await bench.wire.cut()
    assert isinstance(await next_of(events), StreamLost)
    await until(lambda: len(bench.site.dials._tried) > 8)
    bench.wire.refused_with = None
    assert await next_of(events) == StreamOpened()


async def test_f24_a_connection_that_says_nothing_any_more_is_replaced(bench: Bench) -> None:
    events = await opened(bench)
    bench.wire.is_mute = True
    lost = await next_of(events)
    assert isinstance(lost, StreamLost)
    assert "no answer" in lost.reason
    bench.wire.is_mute = False
    assert await next_of(events) == StreamOpened()


async def test_f24_a_subscription_that_the_exchange_has_dropped_is_noticed(bench: Bench) -> None:
    events = await opened(bench)
    bench.wire.forgets = True
    lost = await next_of(events)
    assert isinstance(lost, StreamLost)
    assert "dropped" in lost.reason
    bench.wire.forgets = False
    await until(lambda: bench.wire.connections >= 2)


@pytest.mark.parametrize(
    "frame", [{"e": "serverShutdown", "E": 1}, {"event": {"e": "serverShutdown", "E": 1}}], ids=str
)
async def test_f25_a_shutdown_is_no_gap(bench: Bench, frame: dict[str, object]) -> None:
    events = await opened(bench)
    await bench.wire.sessions[0].send_json(frame)
    await until(lambda: len(bench.wire.sessions) == 2)
    await until(lambda: len(bench.wire.sessions) == 1)
    await bench.wire.report(report())
    assert (await order_of(events)).order_id == "one"
    assert bench.wire.connections == 2


async def test_a_terminated_subscription_is_a_gap(bench: Bench) -> None:
    events = await opened(bench)
    await bench.wire.report({"e": "eventStreamTerminated", "E": 1})
    assert isinstance(await next_of(events), StreamLost)
    assert await next_of(events) == StreamOpened()


async def test_f28_a_slow_reader_loses_no_event(bench: Bench) -> None:
    events = await opened(bench)
    for number in range(1000):
        await bench.wire.report(report(i=number))
    assert [(await order_of(events)).venue_order_id for _ in range(1000)] == [str(number) for number in range(1000)]


async def test_f54_a_clock_that_is_off_is_set_and_the_subscription_tried_again(bench: Bench) -> None:
    method = "userDataStream.subscribe.signature"
    bench.wire.once[method] = [Say({"code": -1021, "msg": "Timestamp for this request is outside."}, 400)]
    before = len(bench.wire.calls("GET time"))
    await opened(bench)
    assert len(bench.wire.calls("GET time")) == before + 1


async def test_f60_a_key_that_is_not_taken_ends_the_events_with_the_reason(bench: Bench) -> None:
    method = "userDataStream.subscribe.signature"
    bench.wire.once[method] = [Say({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, 401)]
    events = bench.exchange.events()
    with pytest.raises(BadCredentials, match="permissions"):
        await next_of(events)
    assert KEY.key not in str(bench.wire.seen)
    await opened(bench)  # who asks again is told again


async def test_f51_a_session_that_is_limited_waits_as_everything_does(bench: Bench) -> None:
    method = "userDataStream.subscribe.signature"
    bench.wire.once[method] = [Say({"code": -1003, "msg": "Too many requests."}, 429)]
    events = bench.exchange.events()
    await until(lambda: bench.site.limiter.hold_s > 50)
    tried = len(bench.site.dials._tried)
    assert not (await asyncio.wait({asyncio.ensure_future(anext(events))}, timeout=0.2))[0]
    assert len(bench.site.dials._tried) == tried


async def test_all_who_listen_are_told(bench: Bench) -> None:
    early = await opened(bench)
    late = await opened(bench)
    await bench.wire.report(report())
    assert (await order_of(early)).order_id == (await order_of(late)).order_id == "one"
    assert bench.wire.connections == 1


async def test_f25_a_connection_is_replaced_before_the_exchange_cuts_it() -> None:
    async with serving() as (wire, urls):
        hurried = attrs.evolve(QUICK, renew_after=0.3)
        site = Site(urls, RealClock(), random.Random(1), pace=hurried, within_s=1)
        exchange = site.exchange(KEY)
        events = exchange.events()
        assert await next_of(events) == StreamOpened()
        await until(lambda: wire.connections == 3)
        await wire.report(report(i=5))
        assert (await order_of(events)).venue_order_id == "5"
        await exchange.close()
        await site.close()


async def test_nothing_secret_is_logged_at_any_level(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as told:
        events = await opened(bench)
        await bench.exchange.balances()
        bench.wire.answers["GET account"] = Say("", 500)
        with pytest.raises(Unavailable):
            await bench.exchange.balances()
        await bench.wire.report(report("TRADE", "FILLED", z="NaN"))
        await bench.wire.cut()
        while not isinstance(await next_of(events), StreamOpened):
            pass
    asked = [said["params"]["signature"] for said in bench.wire.said if "params" in said]
    asked += [seen.params["signature"] for seen in bench.wire.seen if "signature" in seen.params]
    assert len(asked) >= 3
    everything = caplog.text + str(told)
    assert not any(secret in everything for secret in (KEY.key, KEY.secret, *asked))


async def test_who_listens_again_at_once_misses_nothing(bench: Bench) -> None:
    for number in range(5):
        events = bench.exchange.events()
        assert await next_of(events) == StreamOpened()
        await until(lambda: len(bench.wire.sessions) == 1)
        late = await opened(bench)
        await bench.wire.report(report(i=number))
        assert (await order_of(events)).venue_order_id == (await order_of(late)).venue_order_id == str(number)
        for listening in (events, late):
            assert isinstance(listening, AsyncGenerator)
            await listening.aclose()


async def test_f25_a_connection_that_goes_before_the_next_one_is_there_leaves_a_gap(bench: Bench) -> None:
    events = await opened(bench)
    bench.wire.answers_after_s = 0.15
    (old,) = bench.wire.sessions
    await old.send_json({"event": {"e": "serverShutdown", "E": 1}})
    await until(lambda: len(bench.wire.sessions) == 2)
    await old.close(code=1001)
    assert isinstance(await next_of(events), StreamLost)
    assert await next_of(events) == StreamOpened()
    await bench.wire.report(report())
    assert (await order_of(events)).order_id == "one"
    assert bench.wire.connections == 2


async def test_f25_a_connection_that_cannot_be_replaced_yet_is_kept(bench: Bench) -> None:
    events = await opened(bench)
    bench.wire.refused_with = 503
    await bench.wire.sessions[0].send_json({"event": {"e": "serverShutdown", "E": 1}})
    await until(lambda: len(bench.site.dials._tried) > 4)
    await bench.wire.report(report())
    assert (await order_of(events)).order_id == "one"
    bench.wire.refused_with = None
    await until(lambda: len(bench.wire.sessions) == 2)
    await until(lambda: len(bench.wire.sessions) == 1)
    await bench.wire.report(report(i=13))
    assert (await order_of(events)).venue_order_id == "13"


async def test_what_nobody_foresaw_ends_the_listening_and_is_no_silence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = await opened(bench)
    with monkeypatch.context() as broken:
        broken.setattr(bench.site.rates, "valued", lambda *_: 1 / 0)
        await bench.wire.report(report("TRADE", "FILLED", t=7, l="0.01", z="0.01", L="29000", n="0.001", N="BNB"))
        with pytest.raises(ZeroDivisionError):
            await next_of(events)
    events = await opened(bench)
    with monkeypatch.context() as broken:
        broken.setattr(Session, "subscriptions", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await next_of(events)
    await opened(bench)
    await until(lambda: len(bench.wire.sessions) == 1)
