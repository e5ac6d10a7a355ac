"""Which prices a bot's newest buy has left behind."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from dcacore.application.engine.hindsight import Hindsight
from dcacore.domain.ids import TradeId
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Side
from dcacore.domain.venue import Trade, VenueOrderId
from tests.strategies import NOON


def price(number: int) -> Price:
    return Price(Decimal(number))


def at(seconds: int) -> datetime.datetime:
    return NOON + datetime.timedelta(seconds=seconds)


def trade(number: int, seconds: int = 0, side: Side = Side.BUY) -> Trade:
    return Trade(
        trade_id=TradeId(f"{number} {seconds}"),
        venue_order_id=VenueOrderId("1"),
        at=at(seconds),
        side=side,
        price=price(number),
        quantity=BaseQty(Decimal(1)),
        fee=Decimal(0),
        fee_asset="BTC",
    )


@pytest.fixture
def bought() -> Hindsight:
    """Return what a buy at 98 has taught."""
    hindsight = Hindsight()
    assert hindsight.learn([trade(98)]) == price(98)
    return hindsight


def test_before_the_first_buy_every_price_is_believed() -> None:
    assert not Hindsight().overtakes(price(103), at(0))


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_higher_price_of_before_the_buy_or_of_its_moment_is_left_behind(bought: Hindsight, seconds: int) -> None:
    assert bought.overtakes(price(103), at(seconds))


def test_what_is_made_after_the_buy_is_believed(bought: Hindsight) -> None:
    assert not bought.overtakes(price(103), at(1))


def test_a_price_that_is_no_higher_is_of_after_the_buy_by_whatever_clock(bought: Hindsight) -> None:
    assert not bought.overtakes(price(98), at(-1))


def test_once_a_price_has_followed_the_buy_those_of_its_moment_are_believed(bought: Hindsight) -> None:
    assert not bought.overtakes(price(97), at(0))
    assert not bought.overtakes(price(103), at(0))
    assert bought.overtakes(price(103), at(-1))


def test_a_sell_teaches_nothing_and_neither_does_a_buy_that_is_told_late(bought: Hindsight) -> None:
    assert bought.learn([trade(105, 5, Side.SELL)]) is None
    assert bought.learn([trade(90, -5)]) is None
    assert not bought.overtakes(price(98), at(-1))


def test_each_buy_begins_anew(bought: Hindsight) -> None:
    assert not bought.overtakes(price(97), at(0))
    assert bought.learn([trade(96, 0), trade(95, 0)]) == price(95)
    assert bought.overtakes(price(97), at(0))
