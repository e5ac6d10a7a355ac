"""Where safety orders lie, and the prices at which a deal is sold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dcacore.domain.books import Books, Carried
from dcacore.domain.ids import OrderId, TradeId
from dcacore.domain.ladder import (
    build_ladder,
    buy_quantity,
    reference_price,
    sellable,
    stop_loss_price,
    take_profit_price,
    trailing_exit_price,
)
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price, QuoteAmount, Quotient, exact, whole
from dcacore.domain.orders import Fill, Order, Role, Side
from dcacore.domain.strategy import Strategy, legs
from tests.strategies import FREE, MARKET, NOON, strategy

HUNDRED = whole(Decimal(100))


def market(**changes: Any) -> Market:
    usual: dict[str, Any] = {
        "pair": "ABCXYZ",
        "base_asset": "ABC",
        "quote_asset": "XYZ",
        "tick_size": "0.01",
        "step_size": "0.001",
    }
    return Market(**{**usual, **changes})


def bought(price: str, quantity: str, base_fee: str = "0", quote_fee: str = "0", role: Role = Role.BASE) -> Order:
    fill = Fill(
        trade_id=TradeId(f"{price} x {quantity}"),
        at=NOON,
        price=Price(Decimal(price)),
        quantity=BaseQty(Decimal(quantity)),
        base_fee=BaseQty(Decimal(base_fee)),
        quote_fee=QuoteAmount(Decimal(quote_fee)),
    )
    return Order(id=OrderId(price), side=Side.BUY, role=role, quantity=fill.quantity).with_fill(fill)


def books_of(*orders: Order, carried: Carried | None = None) -> Books:
    books = Books() if carried is None else Books(carried=carried)
    for order in orders:
        for fill in order.fills:
            books = books.with_fill(order.side, fill)
    return books


def prices_and_quantities(bot: Strategy, rules: Market, reference: Quotient = HUNDRED) -> list[tuple[str, str]]:
    return [(str(rung.price), str(rung.quantity)) for rung in build_ladder(bot, rules, reference).rungs]


# ---------------------------------------------------------------------------------------------------------- the ladder


def test_steps_and_sizes_grow_by_their_scales() -> None:
    bot = strategy(
        max_safety_orders=4, price_deviation=1, safety_order_step_scale="1.5", safety_order_volume_scale="1.4"
    )
    assert [(str(leg.deviation), str(leg.size)) for leg in legs(bot)] == [
        ("1", "100"),
        ("2.5", "140.0"),
        ("4.75", "196.00"),
        ("8.125", "274.400"),
    ]


def test_deviations_stay_exact_beyond_twenty_eight_digits() -> None:
    bot = strategy(max_safety_orders=20, price_deviation="0.01", safety_order_step_scale="1.37")
    in_hundredths_of_a_power = sum(137**i * 100 ** (19 - i) for i in range(20))
    assert legs(bot)[-1].deviation == Decimal(f"{in_hundredths_of_a_power}E-40")


def test_prices_and_quantities_are_rounded_down_onto_the_grids() -> None:
    bot = strategy(max_safety_orders=2, price_deviation="3.333")
    # 96.667 -> 96.66; 100 / 96.66 = 1.03455...; 93.334 -> 93.33; 100 / 93.33 = 1.07146...
    assert prices_and_quantities(bot, MARKET) == [("96.66", "1.034"), ("93.33", "1.071")]


def test_quantities_can_be_rounded_up_prices_never() -> None:
    bot = strategy(max_safety_orders=2, price_deviation="3.333", quantity_rounding="up")
    assert prices_and_quantities(bot, MARKET) == [("96.66", "1.035"), ("93.33", "1.072")]


def test_what_falls_on_the_grid_is_left_alone_by_both_roundings() -> None:
    for rounding in ("down", "up"):
        bot = strategy(max_safety_orders=1, price_deviation=20, quantity_rounding=rounding)
        assert prices_and_quantities(bot, MARKET) == [("80.00", "1.250")]


def test_the_reference_may_be_a_price_that_no_decimal_can_write() -> None:
    bot = strategy(max_safety_orders=1, price_deviation=10)
    assert prices_and_quantities(bot, MARKET, Quotient(Decimal(100), Decimal(3))) == [("30.00", "3.333")]
    assert prices_and_quantities(bot, MARKET, Quotient(Decimal(200), Decimal(7))) == [("25.71", "3.889")]


def test_the_ladder_hangs_from_the_fill_price_or_from_what_a_coin_cost() -> None:
    base_order = bought("100", "2", base_fee="0.002", quote_fee="0.3")
    assert reference_price(strategy(), base_order).rounded() == 100
    assert reference_price(strategy(ladder_reference="cost"), base_order).rounded() == Decimal("100.25025025")


def test_a_base_order_of_several_fills_has_a_weighted_price() -> None:
    first, second = bought("100", "1").fills[0], bought("110", "3").fills[0]
    base_order = Order(id=OrderId("base"), side=Side.BUY, role=Role.BASE, quantity=BaseQty(Decimal(4)))
    base_order = base_order.with_fill(first).with_fill(second)
    assert reference_price(strategy(), base_order).rounded() == Decimal("107.5")


def test_a_leg_that_is_too_small_is_left_out_and_the_next_takes_its_place() -> None:
    # 10, 3, 0.9: the last two are below the least notional of 5; with a growing scale the first ones are.
    shrinking = strategy(max_safety_orders=3, safety_order_size=10, safety_order_volume_scale="0.3", price_deviation=1)
    built = build_ladder(shrinking, MARKET, HUNDRED)
    assert [(rung.number, str(rung.price)) for rung in built.rungs] == [(1, "99.00")]
    assert [gone.position for gone in built.left_out] == [2, 3]
    growing = strategy(max_safety_orders=3, safety_order_size=2, safety_order_volume_scale=2, price_deviation=1)
    built = build_ladder(growing, MARKET, HUNDRED)
    assert [(rung.number, str(rung.price), str(rung.leg.size)) for rung in built.rungs] == [(1, "97.00", "8")]
    assert [(gone.position, str(gone.price), str(gone.quantity)) for gone in built.left_out] == [
        (1, "99.00", "0.020"),
        (2, "98.00", "0.040"),
    ]


def test_a_price_that_rounds_to_zero_is_left_out() -> None:
    bot = strategy(max_safety_orders=3, price_deviation=30)
    built = build_ladder(bot, market(tick_size=25, min_notional=0), whole(Decimal(60)))
    assert [str(rung.price) for rung in built.rungs] == ["25"]
    assert [(gone.position, str(gone.price), str(gone.quantity)) for gone in built.left_out] == [
        (2, "0", "0"),
        (3, "0", "0"),
    ]


def test_a_quantity_that_rounds_to_zero_is_left_out_even_without_minimums() -> None:
    rules = market(step_size=2, min_quantity=0, min_notional=0)
    built = build_ladder(strategy(max_safety_orders=2, price_deviation=10), rules, HUNDRED)
    assert built.rungs == ()
    assert [gone.position for gone in built.left_out] == [1, 2]


def test_two_rungs_may_share_a_price_on_a_coarse_grid() -> None:
    bot = strategy(max_safety_orders=2, price_deviation="0.4")
    assert prices_and_quantities(bot, market(tick_size=1)) == [("99", "1.010"), ("99", "1.010")]


def test_without_safety_orders_the_ladder_is_empty() -> None:
    built = build_ladder(strategy(max_safety_orders=0), MARKET, HUNDRED)
    assert (built.rungs, built.left_out) == ((), ())


@pytest.mark.parametrize(
    ("size", "price", "down", "up"),
    [("100", "30", "3.333", "3.334"), ("100", "100", "1", "1"), ("0.01", "100", "0", "0.001"), ("100", "0", "0", "0")],
)
def test_a_size_buys_a_quantity_on_the_step_grid(size: str, price: str, down: str, up: str) -> None:
    for rounding, quantity in (("down", down), ("up", up)):
        bot = strategy(quantity_rounding=rounding)
        got = exact(buy_quantity)(bot, MARKET, Decimal(size), Price(Decimal(price)))
        assert got == Decimal(quantity)


# ---------------------------------------------------------------------------------------------------------- the target

BASE = bought("100", "1", base_fee="0.001")
SAFETY = bought("90", "2", base_fee="0.002", role=Role.SAFETY)
QUOTE_FEES = Fees(fee_maker="0.001", fee_taker="0.002", fee_asset="quote")
BASE_FEES = Fees(fee_maker="0.001", fee_taker="0.002")


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        # spent 280 on 2.997; (280 + 28) / (2.997 * 0.999)
        ({}, "102.88"),
        # (280 + 10 % of 100) / (2.997 * 0.999)
        ({"take_profit_type": "base"}, "96.87"),
        # trailing: sold by a taker; 308 / (2.997 * 0.998)
        ({"trailing_deviation": 1}, "102.98"),
        ({"trailing_deviation": 1, "take_profit_type": "base"}, "96.96"),
        # gross: 308 / 3, whatever the fees
        ({"take_profit_net": False}, "102.67"),
        ({"take_profit_net": False, "trailing_deviation": 1}, "102.67"),
        ({"take_profit_net": False, "take_profit_type": "base"}, "96.67"),
    ],
    ids=str,
)
def test_the_target_with_fees_in_base(changes: dict[str, Any], target: str) -> None:
    price = take_profit_price(strategy(**changes), BASE_FEES, MARKET, books_of(BASE, SAFETY), BASE)
    assert price == Decimal(target)


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        # spent 280.28 on 3; 308.308 / (3 * 0.999)
        ({}, "102.88"),
        # (280.28 + 10.01) / (3 * 0.999): the base order's fee counts in what it cost
        ({"take_profit_type": "base"}, "96.87"),
        ({"trailing_deviation": 1}, "102.98"),
        ({"take_profit_net": False}, "102.67"),
        ({"take_profit_net": False, "take_profit_type": "base"}, "96.67"),
    ],
    ids=str,
)
def test_the_target_with_fees_in_quote(changes: dict[str, Any], target: str) -> None:
    base, safety = bought("100", "1", quote_fee="0.1"), bought("90", "2", quote_fee="0.18", role=Role.SAFETY)
    price = take_profit_price(strategy(**changes), QUOTE_FEES, MARKET, books_of(base, safety), base)
    assert price == Decimal(target)


def test_a_base_orders_fee_in_quote_raises_a_target_over_the_base_order() -> None:
    fine = market(tick_size="0.0001")
    base, safety = bought("100", "1", quote_fee="5"), bought("90", "2", role=Role.SAFETY)
    bot = strategy(take_profit_type="base")
    # The fee is in the cost: 295.5 over 3 coins, and not 295.
    assert take_profit_price(bot, FREE, fine, books_of(base, safety), base) == Decimal("98.5")
    gross = strategy(take_profit_type="base", take_profit_net=False)
    assert take_profit_price(gross, FREE, fine, books_of(base, safety), base) == Decimal("96.6667")


def test_the_target_is_rounded_up_and_left_alone_on_the_grid() -> None:
    assert take_profit_price(strategy(), FREE, MARKET, books_of(BASE), BASE) == Decimal("110.12")  # 110 / 0.999
    plain = bought("100", "1")
    assert take_profit_price(strategy(), FREE, MARKET, books_of(plain), plain) == Decimal(110)
    assert take_profit_price(strategy(), FREE, market(tick_size=7), books_of(plain), plain) == Decimal(112)


def test_carried_coins_and_their_cost_count_in_a_net_target_and_not_in_a_gross_one() -> None:
    carried = Carried(quantity=BaseQty(Decimal("0.5")), cost=QuoteAmount(Decimal(20)))
    base = bought("100", "1")
    books = books_of(base, carried=carried)
    assert take_profit_price(strategy(), FREE, MARKET, books, base) == Decimal(88)  # 120 * 1.1 / 1.5
    assert take_profit_price(strategy(take_profit_net=False), FREE, MARKET, books, base) == Decimal(110)


def test_what_a_partly_filled_sell_brought_lessens_what_the_target_must_bring() -> None:
    base = bought("100", "2")
    sold = Fill(trade_id=TradeId("sold"), at=NOON, price=Price(Decimal(110)), quantity=BaseQty(Decimal(1)))
    books = books_of(base).with_fill(Side.SELL, sold)
    assert take_profit_price(strategy(), FREE, MARKET, books, base) == Decimal(99)  # (200 - 110) * 1.1 / 1


# --------------------------------------------------------------------------------------------------------- other exits


def test_a_stop_loss_lies_below_the_reference_or_below_the_average() -> None:
    books = books_of(bought("100", "1"), bought("90", "2", role=Role.SAFETY))  # average 93.333...
    assert stop_loss_price(strategy(stop_loss=5), MARKET, books, HUNDRED) == Decimal(95)
    assert stop_loss_price(strategy(stop_loss=5, stop_loss_basis="average"), MARKET, books, HUNDRED) == Decimal("88.66")
    assert stop_loss_price(strategy(stop_loss="3.333"), MARKET, books, HUNDRED) == Decimal("96.66")


def test_no_stop_loss_is_no_price() -> None:
    assert stop_loss_price(strategy(), MARKET, books_of(BASE), HUNDRED) is None


def test_a_trail_sells_below_its_peak_rounded_down() -> None:
    bot = strategy(trailing_deviation="1.5")
    assert exact(trailing_exit_price)(bot, MARKET, Price(Decimal("123.45"))) == Decimal("121.59")  # 121.598...
    assert exact(trailing_exit_price)(bot, MARKET, Price(Decimal(200))) == Decimal(197)


@pytest.mark.parametrize(
    ("net", "quantity"), [("1.2345", "1.234"), ("1.234", "1.234"), ("0.0009", "0"), ("0", "0"), ("-0.5", "0")]
)
def test_only_whole_steps_can_be_sold(net: str, quantity: str) -> None:
    assert exact(sellable)(MARKET, BaseQty(Decimal(net))) == Decimal(quantity)
