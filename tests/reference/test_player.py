"""The second implementation against numbers worked out by hand, and against what holds for every bot and market."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

import pytest

from tests.reference.cases import Case, random_case
from tests.reference.player import Bot, CandleRow, Player, Rules, half_even8, plain, play, read_candles

MARKET = {
    "pair": "ABCXYZ",
    "base_asset": "ABC",
    "quote_asset": "XYZ",
    "tick_size": "1",
    "step_size": "0.01",
    "min_notional": "5",
    "min_quantity": "0.01",
}
NO_FEES = {"fee_maker": "0", "fee_taker": "0", "fee_asset": "received"}

# At 100 this bot buys 1, and rests 1.11 (= floor 100/90) at 90 and 1.25 (= 100/80) at 80.
BOT: dict[str, str | int | bool] = {
    "base_order_size": "100",
    "safety_order_size": "100",
    "max_safety_orders": 2,
    "price_deviation": "10",
    "take_profit": "10",
}


def minutes(*candles: tuple[int, int, int, int]) -> list[CandleRow]:
    return [(60_000 * i, str(o), str(h), str(low), str(c)) for i, (o, h, low, c) in enumerate(candles)]


def played(
    bot: dict[str, str | int | bool],
    candles: list[CandleRow],
    market: dict[str, str] = MARKET,
    fees: dict[str, str] = NO_FEES,
    **options: str,
) -> dict[str, Any]:
    return play(bot, market, fees, candles, **options)


def test_a_safety_order_fills_on_a_leg_and_the_lowered_take_profit_on_a_jump() -> None:
    # 100 -> 105 -> 88: 90 fills, spent 100 + 99.9, take profit ceil(199.9 * 1.1 / 2.11 = 104.2...) = 105.
    report = played({**BOT, "auto_restart": False}, minutes((100, 105, 88, 95), (106, 106, 106, 106)))
    assert report["deals"] == [
        {
            "opened_at": 0,
            "closed_at": 60_000,
            "base_price": "100",
            "safety_orders": 1,
            "spent": "199.9",
            "sold": "2.11",
            "exit_price": "105",
            "profit": "21.65",  # 2.11 * 105 - 199.9
            "reason": "take_profit",
        }
    ]
    assert report["open_deal"] is None
    assert report["statistics"] == {
        "win_rate": "100",
        "average_duration_s": 60,
        "longest_duration_s": 60,
        "most_safety_orders": 1,
        "max_funds": "299.9",
        "max_drawdown": "0",
        "buy_and_hold": "17.994",  # 2.999 * 106 - 299.9
        "return_on_max_funds": "7.21907302",
    }
    assert (report["candles"], report["from_ms"], report["to_ms"]) == (2, 0, 60_000)
    assert report["_cash"] == {"paid": "199.9", "received": "221.55"}


def test_what_cannot_be_sold_is_carried_into_the_next_deal() -> None:
    bot: dict[str, str | int | bool] = {"base_order_size": "100", "max_safety_orders": 0, "take_profit": "10"}
    fees = {"fee_maker": "0.001", "fee_taker": "0.001", "fee_asset": "received"}
    report = played(bot, minutes((100, 111, 100, 111), (110, 110, 110, 110)), fees=fees)
    # Bought 1, less 0.001: sells 0.99 at ceil(110 / (0.999 * 0.999) = 110.2...), a fee of 0.10989, and carries 0.009 at
    # down8(100 * 0.009 / 0.999 = 0.9009009009...).
    [deal] = report["deals"]
    assert (deal["sold"], deal["exit_price"], deal["spent"]) == ("0.99", "111", "100")
    assert deal["profit"] == report["profit"] == "10.6810109"  # 109.89 - 0.10989 - (100 - 0.9009009)
    # The next deal starts at 111 on the same leg: 0.9 for 99.9, and ceil(110.88099099 / (0.9081 * 0.999) = 122.2...).
    assert report["open_deal"] == {
        "opened_at": 0,
        "base_price": "111",
        "safety_orders": 0,
        "spent": "100.8009009",
        "net": "0.9081",
        "take_profit_price": "123",
        "unrealized": "-0.9099009",
    }
    assert (report["carried_quantity"], report["carried_cost"]) == ("0", "0")
    assert (report["fees_quote"], report["fees_base"]) == ("0.10989", "0.0019")
    assert report["statistics"]["max_funds"] == "100.8009009"
    assert report["statistics"]["max_drawdown"] == "0.9081"  # the last tick times net


def test_a_trail_arms_on_the_way_up_and_sells_at_market_after_a_jump() -> None:
    bot = {**BOT, "max_safety_orders": 0, "take_profit": "5", "trailing_deviation": "2"}
    report = played(bot, minutes((100, 110, 100, 109), (106, 106, 106, 106)), slippage="0.01")
    # Bought at 101, armed at ceil(106.05) = 107, peak 110, exit floor(107.8) = 107; at 106 sold at floor(104.94) = 104.
    [deal] = report["deals"]
    assert (deal["base_price"], deal["exit_price"], deal["profit"]) == ("101", "104", "3")
    assert deal["reason"] == "trailing_take_profit"
    # At once the next: floor_step(100 / 106) = 0.94 at ceil(107.06) = 108; ceil(101.52 * 1.05 / 0.94) = 114.
    assert report["open_deal"]["opened_at"] == 60_000
    assert report["open_deal"]["spent"] == "101.52"
    assert report["open_deal"]["take_profit_price"] == "114"


def test_a_jump_fills_the_ladder_before_the_stop_loss() -> None:
    bot = {**BOT, "stop_loss": "15", "max_deals": 1}
    [deal] = played(bot, minutes((100, 100, 100, 100), (70, 70, 70, 70)))["deals"]
    # Both safety orders at their own prices, then 3.36 sold at 70.
    assert (deal["safety_orders"], deal["sold"], deal["exit_price"]) == (2, "3.36", "70")
    assert deal["profit"] == "-64.7"
    assert deal["reason"] == "stop_loss"


def test_a_leg_meets_the_stop_loss_between_safety_orders_and_the_next_deal_on_the_way() -> None:
    report = played({**BOT, "stop_loss": "15"}, minutes((100, 100, 70, 70)))
    first, second = report["deals"]
    # 90 fills, 85 stops: 2.11 * 85 - 199.9.
    assert (first["safety_orders"], first["exit_price"], first["profit"]) == (1, "85", "-20.55")
    # From 85: 1.17 for 99.45; 1.31 at floor(76.5) = 76 for 99.56; stop floor(72.25) = 72: 2.48 * 72 - 199.01.
    assert (second["base_price"], second["exit_price"], second["profit"]) == ("85", "72", "-20.45")
    # From 72: 1.38 for 99.36, safety order 1 at 64, stop at 61.
    assert (report["open_deal"]["spent"], report["open_deal"]["unrealized"]) == ("99.36", "-2.76")
    assert report["profit"] == "-41"


def test_a_deal_that_closes_before_the_price_moved_waits_for_the_next_open() -> None:
    bot = {**BOT, "max_safety_orders": 0, "stop_loss": "1"}
    flat = (100, 100, 100, 100)
    report = played(bot, minutes(flat, flat, flat), slippage="0.02")
    # Bought at 102, stop floor(100.98) = 100 is met at once, sold at 98: once a candle.
    assert [deal["opened_at"] for deal in report["deals"]] == [0, 60_000, 120_000]
    assert report["profit"] == "-12"
    assert report["open_deal"] is None


@pytest.mark.parametrize(("balance", "safety_orders", "max_funds"), [("299.9", 2, "299.9"), ("299.89", 1, "199.9")])
def test_a_safety_order_that_does_not_fit_is_not_placed(balance: str, safety_orders: int, max_funds: str) -> None:
    report = played(BOT, minutes((100, 100, 80, 80), (80, 80, 80, 80)), balance=balance)
    assert report["open_deal"]["safety_orders"] == safety_orders
    assert report["statistics"]["max_funds"] == max_funds


def test_a_stop_loss_that_is_worth_too_little_acts_on_the_way_up() -> None:
    bot: dict[str, str | int | bool] = {
        "base_order_size": "60",
        "max_safety_orders": 0,
        "take_profit": "10",
        "stop_loss": "10",
        "auto_restart": False,
    }
    market = {**MARKET, "min_notional": "50"}
    report = played(bot, minutes((100, 100, 100, 100), (70, 95, 70, 95)), market)
    # 0.6 is worth 42 at 70, and 50 from 83.3... on, still below the stop at 90.
    [deal] = report["deals"]
    assert (deal["exit_price"], deal["profit"], deal["reason"]) == ("84", "-9.6", "stop_loss")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 10**8), "0.00000001"),
        (Fraction(1200), "1200"),
        (Fraction(1201, 40), "30.025"),
        (half_even8(Fraction(5, 10**9)), "0"),
        (half_even8(Fraction(-15, 10**9)), "-0.00000002"),
        (half_even8(Fraction(200, 3)), "66.66666667"),
    ],
)
def test_money_is_written_plainly(value: Fraction, text: str) -> None:
    assert plain(value) == text


def test_a_value_without_a_finite_decimal_is_not_written() -> None:
    with pytest.raises(ValueError, match="1/3 is not a finite decimal"):
        plain(Fraction(1, 3))


def test_a_seed_is_a_case() -> None:
    assert random_case(Random(7)) == random_case(Random(7))


@pytest.mark.parametrize("seed", range(50))
def test_nothing_is_lost_between_cash_and_books(seed: int) -> None:
    report = play_case(random_case(Random(seed)))
    paid, received = Fraction(report["_cash"]["paid"]), Fraction(report["_cash"]["received"])
    profits = sum((Fraction(deal["profit"]) for deal in report["deals"]), Fraction(0))
    still_in_it = Fraction(report["open_deal"]["spent"]) if report["open_deal"] else Fraction(0)
    assert received - paid == profits - Fraction(report["carried_cost"]) - still_in_it
    assert Fraction(report["profit"]) == profits


@pytest.mark.parametrize("seed", range(50, 70))
def test_no_price_that_matters_is_passed_over(seed: int) -> None:
    case = random_case(Random(seed))
    by_the_tick = Player(
        Bot(case.strategy),
        Rules(case.market, case.fees),
        path=case.path,
        slippage=Fraction(case.slippage),
        balance=None if case.balance is None else Fraction(case.balance),
        tick_by_tick=True,
    )
    by_the_tick.play_all(read_candles(case.candles[:100]))
    assert by_the_tick.report() == play_case(case, first=100)


def play_case(case: Case, first: int | None = None) -> dict[str, Any]:
    return play(
        case.strategy,
        case.market,
        case.fees,
        case.candles[:first],
        path=case.path,
        slippage=case.slippage,
        balance=case.balance,
    )
