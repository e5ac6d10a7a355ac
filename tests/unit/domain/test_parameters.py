"""Every parameter of a strategy, a market and an account: what is taken, and what is refused in which words."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dcacore.domain.errors import DcaError, DomainError, InvalidParameter
from dcacore.domain.market import FeeAsset, Fees, Market
from dcacore.domain.money import BaseQty, Price, plain
from dcacore.domain.strategy import (
    LadderReference,
    QuantityRounding,
    StopLossBasis,
    Strategy,
    TakeProfitType,
    legs,
)
from tests.strategies import strategy

NOT_A_NUMBER = [
    "NaN",
    "nan",
    "sNaN",
    "inf",
    "-Infinity",
    "1e999",
    "1e1000",
    "1e20",
    "100000000000000000000",
    "1e-41",
    "0." + "0" * 40 + "1",
    "１２",  # full-width digits
    "٣",
    "",
    " ",
    " 1",
    "1 ",
    "1\n",
    "1_000",
    "1,5",
    "0x10",
    "1.2.3",
    ".",
    "-",
    "e5",
    "1e",
    "--1",
    "12 %",
    True,
    False,
    1.5,
    float("nan"),
    None,
    [],
    {},
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("Infinity"),
    Decimal("1E+20"),
    Decimal("1E-41"),
    b"1",
]

STRATEGY_NUMBERS = [
    "base_order_size",
    "safety_order_size",
    "safety_order_volume_scale",
    "price_deviation",
    "safety_order_step_scale",
    "take_profit",
    "trailing_deviation",
    "stop_loss",
    "cooldown",
]
STRATEGY_COUNTS = ["max_safety_orders", "max_deals", "active_safety_orders"]
MARKET_NUMBERS = ["tick_size", "step_size", "min_notional", "min_quantity"]
FEE_NUMBERS = ["fee_maker", "fee_taker"]


def market(**changes: Any) -> Market:
    usual: dict[str, Any] = {
        "pair": "ABCXYZ",
        "base_asset": "ABC",
        "quote_asset": "XYZ",
        "tick_size": "0.01",
        "step_size": "0.001",
    }
    return Market(**{**usual, **changes})


Build = Callable[..., object]
NUMBERS: list[tuple[Build, str]] = [
    *((strategy, name) for name in STRATEGY_NUMBERS),
    *((market, name) for name in MARKET_NUMBERS),
    *((Fees, name) for name in FEE_NUMBERS),
]


@pytest.mark.parametrize("written", NOT_A_NUMBER, ids=repr)
@pytest.mark.parametrize(("build", "name"), NUMBERS, ids=[name for _, name in NUMBERS])
def test_what_is_no_plain_number_is_refused(build: Build, name: str, written: object) -> None:
    with pytest.raises(InvalidParameter) as caught:
        build(**{name: written})
    assert caught.value.name == name
    shown = plain(written) if isinstance(written, Decimal) and written.is_finite() else str(written)
    assert caught.value.value == (None if written is None else shown)
    assert "must be" in caught.value.rule


@pytest.mark.parametrize("written", [*NOT_A_NUMBER, "1.5", Decimal("0.1"), "-1"], ids=repr)
@pytest.mark.parametrize("name", STRATEGY_COUNTS)
def test_what_is_no_count_is_refused(name: str, written: object) -> None:
    if name == "active_safety_orders" and written is None:
        return  # that is how all of them are asked for
    with pytest.raises(InvalidParameter) as caught:
        strategy(**{name: written})
    assert caught.value.name == name


@pytest.mark.parametrize("name", STRATEGY_NUMBERS)
def test_integers_too_have_at_most_twenty_digits(name: str) -> None:
    with pytest.raises(InvalidParameter, match="at most 20 digits"):
        strategy(**{name: 10**20})


def test_counts_have_at_most_twenty_digits() -> None:
    with pytest.raises(InvalidParameter, match="max_deals"):
        strategy(max_deals=10**20)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("+1.5", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e2", "100"),
        ("1E-2", "0.01"),
        ("1.5e+1", "15"),
        ("0.1000000000000000000000000000000000000000", "0.1"),
        (7, "7"),
        (Decimal("0.1"), "0.1"),
    ],
)
def test_plain_numbers_are_read_exactly(written: Any, number: str) -> None:
    assert strategy(take_profit=written).take_profit == Decimal(number)


def test_numbers_of_twenty_digits_before_and_forty_after_the_point_are_read() -> None:
    assert strategy(base_order_size="9" * 20).base_order_size == Decimal("9" * 20)
    assert strategy(take_profit="0." + "9" * 40).take_profit == Decimal("0." + "9" * 40)


def test_a_long_number_just_below_the_largest_is_read() -> None:
    longest = "9" * 20 + "." + "9" * 40
    assert strategy(base_order_size=longest).base_order_size == Decimal(longest)


def test_a_small_number_is_shown_as_it_was_written() -> None:
    with pytest.raises(InvalidParameter) as caught:
        strategy(stop_loss="-0.0000000001")
    assert str(caught.value) == "stop_loss = -0.0000000001: must be 0 or more"


def test_floats_are_refused_with_a_word_of_why() -> None:
    with pytest.raises(InvalidParameter, match=r"take_profit = 1\.5: must be exact: write it as text"):
        strategy(take_profit=1.5)


def test_a_message_names_the_parameter_the_value_and_the_rule() -> None:
    with pytest.raises(InvalidParameter) as caught:
        strategy(stop_loss="100")
    assert str(caught.value) == "stop_loss = 100: must be below 100"
    assert (caught.value.name, caught.value.value, caught.value.rule) == ("stop_loss", "100", "must be below 100")
    assert isinstance(caught.value, DomainError)
    assert isinstance(caught.value, DcaError)


def test_a_message_about_what_is_missing_does_not_invent_a_value() -> None:
    assert str(InvalidParameter("pair", None, "must be given")) == "pair: must be given"


TINY = "0.0000000001"

BOUNDS: list[tuple[Build, str, str, str]] = [
    (strategy, "base_order_size", "0", "must be above 0"),
    (strategy, "base_order_size", "-1", "must be above 0"),
    (strategy, "safety_order_size", "-" + TINY, "must be 0 or more"),
    (strategy, "safety_order_size", "0", "must be above 0"),
    (strategy, "max_safety_orders", "-1", "must be 0 or more"),
    (strategy, "max_safety_orders", "101", "must be 100 or less"),
    (strategy, "safety_order_volume_scale", "0", "must be above 0"),
    (strategy, "safety_order_volume_scale", "10.0000000001", "must be 10 or less"),
    (strategy, "price_deviation", "0", "must be above 0"),
    (strategy, "price_deviation", "100", "must be below 100"),
    (strategy, "safety_order_step_scale", "0", "must be above 0"),
    (strategy, "safety_order_step_scale", "10.0000000001", "must be 10 or less"),
    (strategy, "take_profit", "0", "must be above 0"),
    (strategy, "take_profit", "-5", "must be above 0"),
    (strategy, "trailing_deviation", "-" + TINY, "must be 0 or more"),
    (strategy, "trailing_deviation", "100", "must be below 100"),
    (strategy, "stop_loss", "-" + TINY, "must be 0 or more"),
    (strategy, "stop_loss", "100", "must be below 100"),
    (strategy, "active_safety_orders", "0", "must be from 1 to max_safety_orders (2)"),
    (strategy, "active_safety_orders", "-1", "must be from 1 to max_safety_orders (2)"),
    (strategy, "active_safety_orders", "3", "must be from 1 to max_safety_orders (2)"),
    (strategy, "cooldown", "-" + TINY, "must be 0 or more"),
    (strategy, "cooldown", "3155760000.1", "must be 3155760000 or less"),
    (strategy, "max_deals", "-1", "must be 0 or more"),
    (market, "tick_size", "0", "must be above 0"),
    (market, "tick_size", "-0.01", "must be above 0"),
    (market, "step_size", "0", "must be above 0"),
    (market, "step_size", "-1", "must be above 0"),
    (market, "min_notional", "-" + TINY, "must be 0 or more"),
    (market, "min_quantity", "-" + TINY, "must be 0 or more"),
    (Fees, "fee_maker", "-" + TINY, "must be 0 or more"),
    (Fees, "fee_maker", "1", "must be below 1"),
    (Fees, "fee_taker", "-" + TINY, "must be 0 or more"),
    (Fees, "fee_taker", "1", "must be below 1"),
]


@pytest.mark.parametrize(("build", "name", "value", "rule"), BOUNDS, ids=[f"{b[1]}={b[2]}" for b in BOUNDS])
def test_what_is_out_of_bounds_is_refused(build: Build, name: str, value: str, rule: str) -> None:
    with pytest.raises(InvalidParameter, match=re.escape(rule)) as caught:
        build(**{name: value})
    assert caught.value.name == name
    assert caught.value.value is not None
    assert Decimal(caught.value.value) == Decimal(value)


TAKEN: list[tuple[Build, str, str]] = [
    (strategy, "base_order_size", TINY),
    (strategy, "safety_order_size", TINY),
    (strategy, "max_safety_orders", "1"),
    (strategy, "safety_order_volume_scale", TINY),
    (strategy, "safety_order_volume_scale", "10"),
    (strategy, "price_deviation", TINY),
    (strategy, "price_deviation", "49.9999999999"),
    (strategy, "safety_order_step_scale", TINY),
    (strategy, "safety_order_step_scale", "8.9999999999"),
    (strategy, "take_profit", TINY),
    (strategy, "take_profit", "1000"),
    (strategy, "trailing_deviation", "0"),
    (strategy, "trailing_deviation", TINY),
    (strategy, "trailing_deviation", "99.9999999999"),
    (strategy, "stop_loss", "0"),
    (strategy, "stop_loss", "99.9999999999"),
    (strategy, "active_safety_orders", "1"),
    (strategy, "active_safety_orders", "2"),
    (strategy, "cooldown", "0"),
    (strategy, "cooldown", "0.5"),
    (strategy, "cooldown", "3155760000"),
    (strategy, "max_deals", "0"),
    (strategy, "max_deals", "1000000"),
    (market, "tick_size", TINY),
    (market, "step_size", "1000"),
    (market, "min_notional", "0"),
    (market, "min_quantity", "0"),
    (Fees, "fee_maker", "0"),
    (Fees, "fee_maker", "0.9999999999"),
    (Fees, "fee_taker", "0"),
    (Fees, "fee_taker", "0.9999999999"),
]


@pytest.mark.parametrize(("build", "name", "value"), TAKEN, ids=[f"{t[1]}={t[2]}" for t in TAKEN])
def test_what_lies_just_inside_the_bounds_is_taken(build: Build, name: str, value: str) -> None:
    assert getattr(build(**{name: value}), name) == Decimal(value)


def test_a_hundred_safety_orders_are_allowed_and_none_as_well() -> None:
    assert strategy(max_safety_orders=100, price_deviation="0.9").max_safety_orders == 100
    assert strategy(max_safety_orders=0, safety_order_size=0).max_safety_orders == 0


def test_counts_may_be_written_as_text_or_decimal() -> None:
    assert strategy(max_safety_orders="3").max_safety_orders == 3
    assert strategy(max_deals=Decimal("4.0")).max_deals == 4
    assert isinstance(strategy(max_deals=Decimal("4.0")).max_deals, int)


def test_without_safety_orders_none_may_rest_and_their_shape_does_not_matter() -> None:
    bare = strategy(max_safety_orders=0, active_safety_orders=0, price_deviation="99")
    assert bare.resting_limit == 0
    with pytest.raises(InvalidParameter, match=r"active_safety_orders = 1: must be from 0 to max_safety_orders \(0\)"):
        strategy(max_safety_orders=0, active_safety_orders=1)


def test_all_safety_orders_rest_unless_told() -> None:
    assert strategy(max_safety_orders=7, price_deviation=1).resting_limit == 7
    assert strategy(max_safety_orders=7, price_deviation=1, active_safety_orders=2).resting_limit == 2


@pytest.mark.parametrize(
    ("deviation", "scale", "count", "complaint"),
    [
        ("50", "1", 2, "safety order 2 of 2 would lie 100 % below; the last one must lie above zero"),
        ("25", "1", 5, "safety order 4 of 5 would lie 100 % below"),
        ("1", "2", 7, "safety order 7 of 7 would lie 127 % below"),
        ("33.335", "1", 3, "safety order 3 of 3 would lie 100 % below"),  # 100.005, shown short
        ("10", "10", 2, "safety order 2 of 2 would lie 110 % below"),
    ],
)
def test_a_ladder_that_reaches_down_to_zero_is_refused(deviation: str, scale: str, count: int, complaint: str) -> None:
    with pytest.raises(InvalidParameter, match=re.escape(complaint)) as caught:
        strategy(price_deviation=deviation, safety_order_step_scale=scale, max_safety_orders=count)
    assert caught.value.name == "price_deviation"
    assert caught.value.value == deviation


def test_a_ladder_that_stays_a_hair_above_zero_is_taken() -> None:
    deepest = legs(strategy(price_deviation="33.3333333333333333", max_safety_orders=3))[-1]
    assert deepest.deviation == Decimal("99.9999999999999999")


CHOICES: list[tuple[Build, str, list[Any], str]] = [
    (strategy, "take_profit_type", list(TakeProfitType), "must be total or base"),
    (strategy, "stop_loss_basis", list(StopLossBasis), "must be base or average"),
    (strategy, "ladder_reference", list(LadderReference), "must be fill or cost"),
    (strategy, "quantity_rounding", list(QuantityRounding), "must be down or up"),
    (Fees, "fee_asset", list(FeeAsset), "must be received or quote"),
]


@pytest.mark.parametrize(("build", "name", "members", "rule"), CHOICES, ids=[choice[1] for choice in CHOICES])
def test_choices_are_taken_by_name_and_strangers_refused(
    build: Build, name: str, members: list[Any], rule: str
) -> None:
    for member in members:
        assert getattr(build(**{name: member}), name) is member
        assert getattr(build(**{name: member.value}), name) is member
    for stranger in ("", "TOTAL", "other", 1, None, True):
        with pytest.raises(InvalidParameter, match=re.escape(rule)) as caught:
            build(**{name: stranger})
        assert caught.value.name == name


@pytest.mark.parametrize("stranger", [[], {}], ids=repr)
def test_a_choice_may_be_anything_a_file_can_hold(stranger: object) -> None:
    with pytest.raises(InvalidParameter, match="must be received or quote"):
        Fees(fee_asset=stranger)  # type: ignore[arg-type]  # it is what is tested


@pytest.mark.parametrize("name", ["take_profit_net", "auto_restart"])
def test_flags_are_true_or_false_and_nothing_else(name: str) -> None:
    for value in (True, False):
        assert getattr(strategy(**{name: value}), name) is value
    for stranger in (1, 0, "true", "", None):
        with pytest.raises(InvalidParameter, match="must be true or false") as caught:
            strategy(**{name: stranger})
        assert caught.value.name == name


TEXTS: list[tuple[Build, str]] = [
    (strategy, "pair"),
    (market, "pair"),
    (market, "base_asset"),
    (market, "quote_asset"),
]


@pytest.mark.parametrize(("build", "name"), TEXTS, ids=["strategy pair", "pair", "base asset", "quote asset"])
def test_names_are_texts_that_can_be_read(build: Build, name: str) -> None:
    for stranger in ("", " ", "BTC\nUSDT", "BTC\x00", 5, None, b"BTC"):
        with pytest.raises(InvalidParameter, match="must be a text that is not empty") as caught:
            build(**{name: stranger})
        assert caught.value.name == name


def test_the_defaults_are_those_of_the_rules() -> None:
    usual = strategy()
    assert usual.safety_order_volume_scale == 1
    assert usual.safety_order_step_scale == 1
    assert usual.take_profit_type is TakeProfitType.TOTAL
    assert usual.take_profit_net is True
    assert usual.trailing_deviation == 0
    assert usual.stop_loss == 0
    assert usual.stop_loss_basis is StopLossBasis.BASE
    assert usual.active_safety_orders is None
    assert usual.ladder_reference is LadderReference.FILL
    assert usual.quantity_rounding is QuantityRounding.DOWN
    assert usual.cooldown == 0
    assert usual.auto_restart is True
    assert usual.max_deals == 0
    assert Fees() == Fees(fee_maker="0.001", fee_taker="0.001", fee_asset="received")
    assert market().min_notional == 0
    assert market(step_size="0.5").min_quantity == Decimal("0.5")


@pytest.mark.parametrize("missing", ["pair", "base_order_size", "safety_order_size", "price_deviation", "take_profit"])
def test_what_has_no_default_must_be_given(missing: str) -> None:
    given = {
        "pair": "ABCXYZ",
        "base_order_size": 1,
        "safety_order_size": 1,
        "max_safety_orders": 1,
        "price_deviation": 1,
        "take_profit": 1,
    }
    del given[missing]
    with pytest.raises(TypeError, match=missing):
        Strategy(**given)  # type: ignore[arg-type]  # one is missing on purpose


@pytest.mark.parametrize(
    ("price", "quantity", "allowed"),
    [
        ("100", "0.05", True),
        ("99.99", "0.05", False),  # worth 4.9995
        ("100", "0.049", False),
        ("1000000", "0.002", True),
        ("1000000", "0.001", False),  # below the least quantity
        ("100", "0", False),
        ("0", "1", False),
    ],
)
def test_a_market_takes_orders_from_its_minimums_on(price: str, quantity: str, allowed: bool) -> None:
    rules = market(min_notional="5", min_quantity="0.002")
    assert rules.allows(Decimal(price), Decimal(quantity)) is allowed


def test_nothing_can_be_ordered_even_where_there_is_no_minimum() -> None:
    rules = market(min_notional="0", min_quantity="0")
    assert rules.allows(Decimal(1), Decimal(0)) is False
    assert rules.allows(Decimal(1), Decimal("0.001")) is True


def test_a_buy_pays_its_fee_in_base_or_in_quote_cut_at_eight_decimals() -> None:
    price, quantity, rate = Price(Decimal("3.33")), BaseQty(Decimal("0.12345678")), Decimal("0.001")
    received, quote = Fees(fee_asset="received"), Fees(fee_asset="quote")
    base_fee, quote_fee = received.of_buy(price, quantity, rate)
    assert (str(base_fee), str(quote_fee)) == ("0.00012345", "0")
    base_fee, quote_fee = quote.of_buy(price, quantity, rate)
    assert (str(base_fee), str(quote_fee)) == ("0", "0.00041111")
    assert received.of_sell(price, quantity, rate) == Decimal("0.00041111")
    assert quote.of_sell(price, quantity, rate) == Decimal("0.00041111")
