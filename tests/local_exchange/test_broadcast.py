"""What streams tell from time to time, by a clock of the test's own."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dcacore.domain.money import Price
from dcacore.local_exchange.clock import ServerClock
from dcacore.local_exchange.driving.clock import ExchangeClock
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.streams.broadcast import Broadcast
from dcacore.local_exchange.streams.hub import Hub, Subscriber
from dcacore.local_exchange.streams.names import parse_name
from tests.local_exchange.conftest import BTC


@attrs.define
class Stage:
    """Streams of one market."""

    at: datetime.datetime = datetime.datetime(2021, 4, 7, 12, tzinfo=datetime.UTC)
    hub: Hub = attrs.field(factory=Hub)
    exchange: LocalExchange = attrs.field(init=False)
    broadcast: Broadcast = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.exchange = LocalExchange(clock=ServerClock(ExchangeClock(lambda: self.at)))
        self.exchange.list_pair(BTC, Price(Decimal(30000)))
        self.broadcast = Broadcast(self.exchange, self.hub)

    def subscribe(self, text: str) -> Subscriber:
        """Return a new subscriber."""
        name = parse_name(text)
        assert name is not None
        subscriber = Subscriber("here", lambda: None)
        self.hub.join(subscriber)
        self.hub.subscribe(subscriber, [name])
        self.broadcast.greet(subscriber, [name])
        return subscriber

    def pass_by(self, seconds: float, price: str | None = None) -> None:
        """Let time pass, and the market come to *price*."""
        self.at += datetime.timedelta(seconds=seconds)
        if price is not None:
            self.exchange.move("BTCUSDT", Price(Decimal(price)))


def heard(subscriber: Subscriber) -> list[dict[str, Any]]:
    """Return what a subscriber has been told since this was asked last."""
    texts = list(subscriber._unsent)
    subscriber._unsent.clear()
    return [json.loads(text) for text in texts]


def test_a_candle_closes_for_all_though_somebody_else_subscribes() -> None:
    stage = Stage()
    first = stage.subscribe("btcusdt@kline_1m")
    assert [told["k"]["x"] for told in heard(first)] == [False]
    stage.pass_by(60, "30001")
    second = stage.subscribe("btcusdt@kline_1m")
    assert [told["k"]["x"] for told in heard(second)] == [False]
    stage.broadcast.beat()
    assert [(told["k"]["x"], told["k"]["c"]) for told in heard(first)] == [
        (True, "30000.00000000"),
        (False, "30001.00000000"),
    ]


def test_changes_of_a_book_follow_each_other_though_somebody_else_subscribes() -> None:
    stage = Stage()
    first = stage.subscribe("btcusdt@depth@100ms")
    last = heard(first)[-1]["u"]
    for number, price in enumerate(("30001", "29999", "30002")):
        stage.pass_by(1, price)
        if number == 1:
            assert heard(stage.subscribe("btcusdt@depth@100ms"))[-1]["b"]
        stage.broadcast.beat()
        for told in heard(first):
            assert told["U"] == last + 1
            last = told["u"]
    assert last == stage.exchange.tape.of("BTCUSDT").update


@pytest.mark.parametrize("text", ["btcusdt@kline_1m", "btcusdt@ticker", "btcusdt@depth5", "!miniTicker@arr"])
def test_a_market_that_stands_still_is_told_once(text: str) -> None:
    stage = Stage()
    subscriber = stage.subscribe(text)
    assert len(heard(subscriber)) == 1
    for _ in range(5):
        stage.pass_by(2)
        stage.broadcast.beat()
    assert heard(subscriber) == []


@pytest.mark.parametrize("kind", ["kline_1m", "kline_1M", "ticker", "avgPrice", "depth5"])
def test_streams_go_on_when_the_clock_is_set_back(kind: str) -> None:
    stage = Stage()
    subscriber = stage.subscribe(f"btcusdt@{kind}")
    for skew in (86_400_000 * 400, 0):
        stage.exchange.clock.skew_ms = skew
        heard(subscriber)
        stage.pass_by(2, f"{30_001 + skew % 7}")
        stage.broadcast.beat()
        told = heard(subscriber)[-1]
        if kind.startswith("kline"):
            assert told["k"]["t"] <= stage.exchange.clock.ms() <= told["k"]["T"]
