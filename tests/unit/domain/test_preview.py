"""A ladder before it is traded: against tables that others have published, and with the warnings it deserves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ladder import build_ladder
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Quotient
from dcacore.domain.preview import LadderPreview, check_placeable, ladder
from tests.strategies import FREE, MARKET, strategy

# ------------------------------------------------------------------------------------------- what others have published

# The table in the README of the package dcamarcal 0.0.1 (MIT): base and safety orders of 20 quote, step 1.2 % scaled by
# 1.2, volume scaled by 1.5, target 1.2 % over the gross average. Columns: deviation, quantity, size, price, average,
# target, total quantity, total size. Its targets are cut at 4 decimals.
DCAMARCAL = [
    ("0", "20", "20", "1", "1", "1.012", "20", "20"),
    ("1.2", "20.24291498", "20", "0.988", "0.99396378", "1.0058", "40.24291498", "40"),
    ("2.64", "30.81347576", "30", "0.9736", "0.98513307", "0.9969", "71.05639074", "70"),
    ("4.368", "47.05537895", "45", "0.95632", "0.97365403", "0.9853", "118.11176969", "115"),
    ("6.4416", "72.14745015", "67.5", "0.935584", "0.95921764", "0.9707", "190.25921984", "182.5"),
    ("8.92992", "111.1781169", "101.25", "0.9107008", "0.94132334", "0.9526", "301.43733674", "283.75"),
    ("11.915904", "172.42045602", "151.875", "0.88084096", "0.91931589", "0.9303", "473.85779275", "435.625"),
    ("15.4990848", "269.59767177", "227.8125", "0.84500915", "0.8923702", "0.903", "743.45546452", "663.4375"),
    ("19.79890176", "426.07739482", "341.71875", "0.80201098", "0.85945106", "0.8697", "1169.53285934", "1005.15625"),
]
LAST_PRINTED = Decimal("0.00000001")


def near(printed: str, within: Decimal = LAST_PRINTED) -> Any:
    """A number that was rounded or cut somewhere in the last printed digit."""
    return pytest.approx(Decimal(printed), abs=within, rel=0)


def test_the_ladder_agrees_with_a_published_calculator() -> None:
    # The calculator takes quantities from prices before they are rounded: on a finer grid ours are the same.
    fine = Market(pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="1e-10", step_size="1e-9")
    bot = strategy(
        base_order_size=20,
        safety_order_size=20,
        max_safety_orders=8,
        price_deviation="1.2",
        safety_order_step_scale="1.2",
        safety_order_volume_scale="1.5",
        take_profit="1.2",
        take_profit_net=False,
    )
    rows = ladder(bot, 1, fine, FREE).rows
    assert len(rows) == len(DCAMARCAL)
    for row, printed in zip(rows, DCAMARCAL, strict=True):
        deviation, quantity, size, price, average, target, total_quantity, total_size = printed
        assert row.deviation == Decimal(deviation)
        assert row.size == Decimal(size)
        assert row.price == near(price)
        assert row.quantity == near(quantity, Decimal("0.000000011"))
        assert row.average_price == near(average)
        assert row.total_quantity == near(total_quantity, Decimal("0.00000003"))
        assert row.total_spent == near(total_size, Decimal("0.00000001"))
        assert row.take_profit_price - Decimal("1e-10") <= Decimal(target) + Decimal("0.0001")
        assert row.take_profit_price >= Decimal(target)


# The expectations in the public unit tests of a calculator for "7 safety orders": base and safety orders of 10 quote at
# 36901.57, step 1.3 % scaled by 1.56, volume scaled by 2.5, target 1 % over the gross average. Columns: deviation,
# price, quantity, size, total quantity, total size, average, target, rise to the target in percent.
SCALP7 = [
    ("0", "36901.57", "0.00027099", "10", "0.00027099", "10", "36901.57", "37270.5857", "1"),
    (
        "1.3",
        "36421.84959",
        "0.00027456",
        "10",
        "0.00054555",
        "20",
        "36660.14050327",
        "37026.7419083",
        "1.66079517",
    ),
    (
        "3.328",
        "35673.4857504",
        "0.0007008",
        "25",
        "0.00124635",
        "45",
        "36105.3629576",
        "36466.41658718",
        "2.22274561",
    ),
    (
        "6.49168",
        "34506.03816062",
        "0.00181128",
        "62.5",
        "0.00305763",
        "107.5",
        "35157.95562996",
        "35509.53518626",
        "2.90817804",
    ),
    (
        "11.4270208",
        "32684.81992057",
        "0.00478051",
        "156.25",
        "0.00783814",
        "263.75",
        "33649.58149519",
        "33986.07731014",
        "3.98122857",
    ),
    (
        "19.12615245",
        "29843.71946609",
        "0.01308902",
        "390.625",
        "0.02092715",
        "654.375",
        "31269.18150278",
        "31581.8733178",
        "5.8241864",
    ),
    (
        "31.13679782",
        "25411.60275711",
        "0.03842979",
        "976.5625",
        "0.05935694",
        "1630.9375",
        "27476.77747315",
        "27751.54524788",
        "9.20816571",
    ),
    (
        "49.8734046",
        "18497.50069109",
        "0.13198574",
        "2441.40625",
        "0.19134268",
        "4072.34375",
        "21282.98701658",
        "21495.81688675",
        "16.20930441",
    ),
]


def test_the_ladder_agrees_with_the_published_expectations_of_another_one() -> None:
    # No exchange's grid in there: prices and quantities so fine that nothing is rounded within the printed digits.
    fine = Market(pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="1e-16", step_size="1e-20")
    bot = strategy(
        base_order_size=10,
        safety_order_size=10,
        max_safety_orders=7,
        active_safety_orders=7,
        price_deviation="1.3",
        safety_order_step_scale="1.56",
        safety_order_volume_scale="2.5",
        take_profit=1,
        take_profit_net=False,
    )
    rows = ladder(bot, "36901.57", fine, FREE).rows
    assert len(rows) == len(SCALP7)
    for row, printed in zip(rows, SCALP7, strict=True):
        deviation, price, quantity, size, total_quantity, total_size, average, target, change = printed
        assert row.deviation == near(deviation)
        assert row.price == near(price)
        assert row.quantity == near(quantity)
        assert row.size == Decimal(size)
        assert row.total_quantity == near(total_quantity)
        assert row.total_spent == near(total_size)
        assert row.average_price == near(average)
        assert row.take_profit_price == near(target)
        assert row.required_change == near(change)


def test_deviations_are_measured_from_the_base_order_and_not_from_the_order_before() -> None:
    # The worked example of HXR's documentation, "% from base order": 98 and 96 (and not 96.04).
    bot = strategy(max_safety_orders=2, price_deviation=2)
    assert [str(row.price) for row in ladder(bot, 100, MARKET, FREE).rows] == ["100", "98.00", "96.00"]


def test_a_published_total_stands_where_the_deviation_would_reach_a_hundred_percent() -> None:
    # A public bot list: base 1000, averaging orders of 100, 1 % scaled by 1.5, volume scaled by 1.5, "about 8,500".
    bot = strategy(
        base_order_size=1000,
        max_safety_orders=9,
        price_deviation=1,
        safety_order_step_scale="1.5",
        safety_order_volume_scale="1.5",
    )
    rows = ladder(bot, 100, MARKET, FREE).rows
    assert sum(row.size for row in rows) == Decimal("8488.671875")
    assert rows[-1].deviation == Decimal("74.88671875")
    with pytest.raises(InvalidParameter, match=r"safety order 10 of 11 would lie 113\.33 % below"):
        strategy(max_safety_orders=11, price_deviation=1, safety_order_step_scale="1.5")


# ------------------------------------------------------------------------------------------------------ what a row says


def test_each_row_tells_how_the_deal_stands_after_it() -> None:
    fees = Fees(fee_maker="0.001", fee_taker="0.002", fee_asset="quote")
    preview = ladder(strategy(stop_loss=25), 100, MARKET, fees)
    base, first, second = preview.rows
    assert [row.order for row in preview.rows] == ["base", "safety 1", "safety 2"]
    assert preview.reference_price == 100
    assert (str(base.quantity), str(first.quantity), str(second.quantity)) == ("1.000", "1.111", "1.250")
    assert base.total_spent == Decimal("100.2")  # a market order is a taker
    assert first.total_spent == Decimal("100.2") + Decimal("99.99") * Decimal("1.001")  # a resting one a maker
    assert second.total_quantity == Decimal("3.361")
    assert base.take_profit_price == Decimal("110.34")  # 110.22 / 0.999
    assert base.required_change == Decimal("10.34")
    assert first.average_price == Decimal("94.73709143")
    assert {row.stop_loss_price for row in preview.rows} == {Decimal(75)}


def test_a_stop_loss_below_the_average_follows_it_down() -> None:
    preview = ladder(strategy(stop_loss=25, stop_loss_basis="average"), 100, MARKET, FREE)
    assert [str(row.stop_loss_price) for row in preview.rows] == ["75.00", "71.05", "66.94"]


def test_fees_in_base_do_not_change_what_was_bought_or_spent() -> None:
    preview = ladder(strategy(ladder_reference="cost"), 100, MARKET, Fees(fee_taker="0.01"))
    assert preview.reference_price == Decimal("101.01010101")
    assert preview.rows[0].total_spent == 100
    assert preview.rows[0].total_quantity == 1
    assert preview.rows[1].price == Decimal("90.9")


def test_the_usual_fees_are_taken_when_none_are_given() -> None:
    assert ladder(strategy(), 100, MARKET) == ladder(strategy(), 100, MARKET, Fees())


# ------------------------------------------------------------------------------------------------------------- warnings


def warnings(preview: LadderPreview) -> list[str]:
    return list(preview.warnings)


def test_a_sound_bot_is_warned_of_nothing() -> None:
    assert warnings(ladder(strategy(), 100, MARKET, FREE)) == []
    assert warnings(ladder(strategy(stop_loss=20), 100, MARKET, FREE)) == []  # at the last order, not above it


def test_a_stop_loss_above_a_safety_order_deserves_a_warning_once() -> None:
    assert warnings(ladder(strategy(stop_loss=5), 100, MARKET, FREE)) == [
        "the stop loss at 95 lies above safety order 1 at 90: it sells before that order can fill"
    ]
    assert warnings(ladder(strategy(stop_loss="19.9"), 100, MARKET, FREE)) == [
        "the stop loss at 80.1 lies above safety order 2 at 80: it sells before that order can fill"
    ]


def test_safety_orders_that_are_left_out_deserve_a_warning_each() -> None:
    bot = strategy(safety_order_size=6, safety_order_volume_scale="0.5")
    preview = ladder(bot, 100, MARKET, FREE)
    assert [row.order for row in preview.rows] == ["base", "safety 1"]
    assert warnings(preview) == [
        "safety order 2 of the ladder (20 % below) is left out: 0.037 ABC at 80 is too small for ABCXYZ"
    ]


def test_a_base_order_that_cannot_be_sold_alone_deserves_a_warning() -> None:
    bot = strategy(base_order_size=5, take_profit=1)
    rules = Market(
        pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="0.01", step_size="0.05", min_notional=5
    )
    assert warnings(ladder(bot, 100, rules, Fees())) == [
        (
            "after the base order alone 0.04995 ABC are held, too little to be sold: "
            "no take profit rests before a safety order fills"
        )
    ]
    assert warnings(ladder(bot, 100, rules, Fees(fee_asset="quote"))) == []


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "inf", "1e999", "１２", "", 1.5, None, True])
def test_a_price_must_be_a_plain_number_above_zero(price: Any) -> None:
    with pytest.raises(InvalidParameter, match=r"^price"):
        ladder(strategy(), price, MARKET, FREE)


def test_a_price_must_be_on_the_grid() -> None:
    with pytest.raises(InvalidParameter, match=r"price = 100\.005: must be a multiple of tick_size 0\.01"):
        ladder(strategy(), "100.005", MARKET, FREE)


def test_the_pair_must_be_the_markets() -> None:
    with pytest.raises(InvalidParameter, match="pair = OTHER: must be the market's, ABCXYZ"):
        ladder(strategy(pair="OTHER"), 100, MARKET, FREE)


@pytest.mark.parametrize(
    ("size", "price"),
    [("4.99", "100"), ("0.01", "100"), ("5", "3001")],  # worth too little; no quantity; 0.001 is worth 3.001
)
def test_a_base_order_below_the_markets_minimum_is_refused(size: str, price: str) -> None:
    with pytest.raises(InvalidParameter, match=r"the market's least is 0\.001 ABC and 5 XYZ an order") as caught:
        ladder(strategy(base_order_size=size), price, MARKET, FREE)
    assert caught.value.name == "base_order_size"
    assert caught.value.value == size


def test_a_base_order_just_at_the_minimum_is_taken() -> None:
    assert ladder(strategy(base_order_size=5), 100, MARKET, FREE).rows[0].quantity == Decimal("0.05")
    check_placeable(strategy(base_order_size=5), MARKET, ladder(strategy(), 100, MARKET).rows[0].price)


def test_a_first_safety_order_that_is_too_small_by_itself_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="is too small for ABCXYZ") as caught:
        ladder(strategy(safety_order_size="4.99"), 100, MARKET, FREE)
    assert caught.value.name == "safety_order_size"
    whole_coins = Market(pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="0.01", step_size=1)
    with pytest.raises(InvalidParameter, match="safety_order_size = 89"):
        ladder(strategy(safety_order_size=89), 100, whole_coins, FREE)
    assert len(ladder(strategy(safety_order_size=90), 100, whole_coins, FREE).rows) == 3


def test_a_first_safety_order_that_only_rounding_makes_too_small_is_left_out() -> None:
    # 5 quote are enough for the market, 5 / 90 rounded down is worth 4.95.
    preview = ladder(strategy(safety_order_size=5), 100, MARKET, FREE)
    assert [row.order for row in preview.rows] == ["base"]
    assert len(preview.warnings) == 2


def test_the_preview_shows_the_ladder_that_is_traded() -> None:
    bot = strategy(max_safety_orders=5, price_deviation="1.7", safety_order_step_scale="1.3")
    traded = build_ladder(bot, MARKET, Quotient(Decimal(100), Decimal(1))).rungs
    shown = ladder(bot, 100, MARKET, FREE).rows[1:]
    assert [(row.price, row.quantity) for row in shown] == [(rung.price, rung.quantity) for rung in traded]
