"""A jump over a safety order and over the exit of an armed trail, whose fill is heard before its price."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

import attrs
import numpy as np
import pytest

from dcacore.application.engine.hindsight import HOLDS_S
from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal
from dcacore.domain.money import Price
from dcacore.domain.strategy import Strategy
from dcacore.local_exchange.driving.points import Series
from dcacore.local_exchange.driving.stepper import Pending, Stand
from dcacore.ports.candles import Candles
from dcacore.ports.prices import Tick
from tests.driving.agreeing import BOTS, BTC, CALM, outcomes, played
from tests.driving.stage import BOT, SteppedStage
from tests.strategies import USUAL_FEES

TRAILS: Final = Strategy(**{**CALM, **BOTS["trailing"]})
BEFORE: Final = Price(Decimal(30_300))
"""Above the target that the safety order brings, so that the trail would be armed there."""


def jumping() -> Candles:
    """Return a rise that arms the trail, a jump down over its exit and a safety order, a rise over the new target."""
    rows = ((30_000, 30_310, 30_000, 30_300), (29_870, 29_875, 29_865, 29_870), (29_870, 30_400, 29_865, 30_100))
    opened, high, low, close = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    times = 1_600_000_020_000 + 60_000 * np.arange(len(rows), dtype=np.int64)
    return Candles(
        interval_ms=60_000, open_time=times, open=opened, high=high, low=low, close=close, volume=np.ones(len(rows))
    )


@pytest.fixture
def stage() -> Iterator[SteppedStage]:
    made = SteppedStage(Series(BTC, jumping()), USUAL_FEES)
    made.add_bot(TRAILS)
    yield made
    made.close()


def play(stage: SteppedStage, when_filled: Callable[[Stand], object]) -> None:
    """Play the jump; call *when_filled* once the fill has been heard and its price has not."""
    times: list[Stand] = []

    def each(stand: Stand) -> None:
        deal = deal_of(stage)
        if stand.pending is Pending.PRICE and deal is not None and deal.filled_safety_orders:
            times.append(stand)
            when_filled(stand)

    stage.play(each)
    assert len(times) == 1
    assert not stage.failed


def bot_of(stage: SteppedStage) -> Bot:
    return stage.engine.runners[BOT].bot


def deal_of(stage: SteppedStage) -> Deal | None:
    return bot_of(stage).deal


def is_armed(stage: SteppedStage) -> bool:
    deal = deal_of(stage)
    assert deal is not None
    return deal.peak is not None


def test_the_trail_is_not_armed_at_the_price_of_before_the_jump(stage: SteppedStage) -> None:
    seen = []
    play(stage, lambda _: seen.append((is_armed(stage), bot_of(stage).is_price_old)))
    expected = played(TRAILS, jumping())
    assert [deal.safety_orders for deal in expected] == [1]
    assert expected[0].profit > 0
    assert seen == [(False, True)]
    assert outcomes(stage.ended()) == expected


def test_a_price_of_before_the_jump_that_comes_late_arms_nothing(stage: SteppedStage) -> None:
    def come_late(stand: Stand) -> None:
        for seconds in (1, 0):
            stage.hear(Tick(BTC.pair, BEFORE, stand.at - datetime.timedelta(seconds=seconds)))
            assert not is_armed(stage)

    play(stage, come_late)
    assert outcomes(stage.ended()) == played(TRAILS, jumping())


def test_of_a_fall_within_one_millisecond_only_what_comes_after_the_buy_counts(stage: SteppedStage) -> None:
    """One order that sweeps the book makes many prices of the same time, and they come together."""

    def sweep(stand: Stand) -> None:
        above, between, bought = BEFORE, Price(Decimal(30_200)), Price(Decimal(29_870))
        stage.hear(*(Tick(BTC.pair, price, stand.at) for price in (above, between, bought)))
        assert not is_armed(stage)
        assert not bot_of(stage).is_price_old

    play(stage, sweep)
    assert outcomes(stage.ended()) == played(TRAILS, jumping())


def test_a_clock_of_the_exchange_that_goes_back_holds_a_price_up_for_seconds_only(stage: SteppedStage) -> None:
    """Its trades were an hour ahead, say: no trail waits until that hour is over."""

    def go_back(stand: Stand) -> None:
        stage.hear(Tick(BTC.pair, BEFORE, stand.at - datetime.timedelta(seconds=9)))
        assert not is_armed(stage)
        stage.later(seconds=HOLDS_S)
        stage.hear(Tick(BTC.pair, BEFORE, stand.at - datetime.timedelta(seconds=9)))
        assert is_armed(stage)

    play(stage, go_back)


def test_where_such_a_clock_stands_behind_a_quiet_market_is_heard_all_the_same(stage: SteppedStage) -> None:
    def stay_quiet(stand: Stand) -> None:
        stage.later(seconds=HOLDS_S)
        stage.hear(Tick(BTC.pair, None, stand.at - datetime.timedelta(seconds=9)))
        assert is_armed(stage)

    play(stage, stay_quiet)


def test_whoever_takes_the_bot_up_knows_its_last_buy(stage: SteppedStage) -> None:
    def take_up(stand: Stand) -> None:
        old = stage.engine.runners[BOT]
        new = attrs.evolve(old, record=attrs.evolve(old.record, bot=old.bot))
        assert new.is_overtaken(BEFORE, stand.at - datetime.timedelta(seconds=1))

    play(stage, take_up)


def test_where_nothing_else_has_traded_since_the_last_price_holds_after_all(stage: SteppedStage) -> None:
    """Prices are told or called quiet every few seconds: no bot waits longer."""

    def stay_quiet(stand: Stand) -> None:
        assert bot_of(stage).is_price_old
        stage.hear(Tick(BTC.pair, None, stand.at + datetime.timedelta(seconds=4)))
        assert not bot_of(stage).is_price_old
        assert bot_of(stage).price == BEFORE
        assert is_armed(stage)

    play(stage, stay_quiet)
