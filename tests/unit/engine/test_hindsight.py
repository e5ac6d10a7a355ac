"""Which prices a bot's newest buy has left behind."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from dcacore.application.engine.hindsight import HOLDS_S, Bought, Hindsight
from dcacore.domain.money import Price
from tests.strategies import NOON


def price(number: int) -> Price:
    return Price(Decimal(number))


def at(seconds: int) -> datetime.datetime:
    return NOON + datetime.timedelta(seconds=seconds)


def buy(number: int, seconds: int = 0) -> Bought:
    return Bought(price(number), at(seconds))


@pytest.fixture
def bought() -> Hindsight:
    """Return what a buy at 98 has taught."""
    hindsight = Hindsight()
    assert hindsight.learn([buy(98)], 0) == price(98)
    return hindsight


def test_before_the_first_buy_every_price_is_believed() -> None:
    assert not Hindsight().overtakes(price(103), at(0), 0)


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_higher_price_of_before_the_buy_or_of_its_moment_is_left_behind(bought: Hindsight, seconds: int) -> None:
    assert bought.overtakes(price(103), at(seconds), 0)


def test_a_moment_is_a_millisecond(bought: Hindsight) -> None:
    assert bought.overtakes(price(103), at(0) + datetime.timedelta(microseconds=999), 0)
    assert not bought.overtakes(price(103), at(0) + datetime.timedelta(milliseconds=1), 0)


def test_what_is_made_after_the_buy_is_believed(bought: Hindsight) -> None:
    assert not bought.overtakes(price(103), at(1), 0)


def test_a_price_that_is_no_higher_is_of_after_the_buy_by_whatever_clock(bought: Hindsight) -> None:
    assert not bought.overtakes(price(98), at(-1), 0)


def test_once_a_price_has_followed_the_buy_those_of_its_moment_are_believed(bought: Hindsight) -> None:
    assert not bought.overtakes(price(97), at(0), 0)
    assert not bought.overtakes(price(103), at(0), 0)
    assert bought.overtakes(price(103), at(-1), 0)


def test_what_came_before_the_one_that_followed_stays_left_behind_whichever_is_asked_for_first(
    bought: Hindsight,
) -> None:
    followed = at(0) + datetime.timedelta(microseconds=2)
    assert not bought.overtakes(price(97), followed, 0)
    assert bought.overtakes(price(103), followed - datetime.timedelta(microseconds=1), 0)
    assert not bought.overtakes(price(103), followed + datetime.timedelta(microseconds=1), 0)


def test_a_buy_that_is_told_late_teaches_nothing(bought: Hindsight) -> None:
    assert bought.learn([buy(90, -5)], 0) is None
    assert not bought.overtakes(price(98), at(-1), 0)


def test_each_buy_begins_anew(bought: Hindsight) -> None:
    assert not bought.overtakes(price(97), at(0), 0)
    assert bought.learn([buy(96), buy(95)], 0) == price(95)
    assert bought.overtakes(price(97), at(0), 0)


def test_a_buy_leaves_nothing_behind_for_longer_than_a_few_seconds(bought: Hindsight) -> None:
    assert bought.overtakes(price(103), at(-1), HOLDS_S - 1)
    assert not bought.overtakes(price(103), at(-1), HOLDS_S)
    assert bought.learn([buy(90, -3600)], HOLDS_S) == price(90)
    assert bought.overtakes(price(103), at(-3601), HOLDS_S + 1)
