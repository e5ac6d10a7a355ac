"""Backtests small enough to be worked out by hand: how candles are walked through, and what the report says."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from dcacore.adapters.simulated.candle_ticks import OffGrid
from dcacore.backtest.as_json import report_as_json
from dcacore.backtest.report import BacktestReport
from dcacore.backtest.run import backtest
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import plain
from dcacore.domain.strategy import Strategy
from tests.strategies import FREE, MARKET, candles, strategy

# At 100 this bot buys 1 and rests 1.111 at 90 and 1.25 at 80; its target is 10 %; no fees.
BOT = strategy()
ONCE = strategy(auto_restart=False)

Row = tuple[float, float, float, float]


def played(rows: list[Row], bot: Strategy = BOT, fees: Fees = FREE, market: Market = MARKET, **terms: Any) -> Any:
    texts = [(str(o), str(h), str(low), str(c)) for o, h, low, c in rows]
    return backtest(bot, market, fees, candles(texts), **terms)


def exits(report: BacktestReport) -> list[tuple[str, str, str]]:
    """Reason, price and profit of each closed deal."""
    return [(deal.reason.value, plain(deal.exit_price), plain(deal.profit)) for deal in report.deals]


# ------------------------------------------------------------------------------------------------------------ the path


def test_the_nearer_extreme_is_met_first() -> None:
    # The high is nearer: 110 is sold before 90 is bought; had the low come first, both would have traded.
    report = played([(100, 110, 85, 86)], ONCE)
    assert exits(report) == [("take_profit", "110", "10")]
    assert report.deals[0].safety_orders == 0


def test_a_nearer_low_is_met_first() -> None:
    # 90 is bought on the way down to 89; the target falls to 104.22 and is met on the way up.
    report = played([(100, 112, 89, 112)], ONCE)
    assert report.deals[0].safety_orders == 1
    assert report.deals[0].exit_price == Decimal("104.22")


def test_an_equal_distance_goes_to_the_high_first() -> None:
    assert played([(100, 110, 90, 95)], ONCE).deals[0].safety_orders == 0


@pytest.mark.parametrize(("path", "safety_orders"), [("high_first", 0), ("low_first", 1)])
def test_the_path_can_be_prescribed(path: str, safety_orders: int) -> None:
    report = played([(100, 110, 90, 100)], ONCE, path=path)
    assert report.deals[0].safety_orders == safety_orders


def test_an_unknown_path_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="path = sideways: must be nearest or high_first or low_first"):
        played([(100, 110, 90, 100)], path="sideways")


# ------------------------------------------------------------------------------------------------------------ jumps


def test_a_jump_over_the_target_sells_at_the_target() -> None:
    report = played([(100, 100, 100, 100), (130, 130, 130, 130)], ONCE)
    assert exits(report) == [("take_profit", "110", "10")]
    assert report.deals[0].closed_ms == 60_000


def test_the_next_deal_after_a_jump_starts_at_the_open() -> None:
    report = played([(100, 100, 100, 100), (130, 130, 130, 130)])
    assert report.open_deal is not None
    assert report.open_deal.base_price == 130


def test_a_jump_down_fills_all_safety_orders_at_their_own_prices_before_the_bot_acts() -> None:
    report = played([(100, 100, 100, 100), (70, 70, 70, 70)], strategy(stop_loss=25))
    (deal,) = report.deals
    assert deal.safety_orders == 2
    assert deal.spent == Decimal("299.99")  # 100 + 99.99 + 100
    assert (deal.reason.value, deal.exit_price) == ("stop_loss", Decimal(70))
    assert deal.profit == Decimal("3.361") * 70 - Decimal("299.99")


def test_a_stop_loss_on_a_leg_sells_at_its_price_and_slippage_moves_it() -> None:
    assert exits(played([(100, 100, 74, 74)], strategy(stop_loss=25, max_safety_orders=0, auto_restart=False))) == [
        ("stop_loss", "75", "-25")
    ]
    bot = strategy(stop_loss=25, max_safety_orders=0, auto_restart=False)
    report = played([(100, 100, 70, 70)], bot, slippage="0.001")
    (deal,) = report.deals
    assert deal.base_price == Decimal("100.1")
    assert deal.exit_price == Decimal("74.99")  # the stop at 75.07 less 0.1 %, rounded down


def test_a_trail_follows_the_high_and_sells_on_the_way_down() -> None:
    bot = strategy(trailing_deviation=5, auto_restart=False)
    report = played([(100, 120, 100, 100)], bot)
    assert exits(report) == [("trailing_take_profit", "114", "14")]


def test_a_trail_that_is_jumped_over_sells_at_the_open() -> None:
    bot = strategy(trailing_deviation=5, auto_restart=False)
    report = played([(100, 120, 100, 120), (90.01, 90.01, 90.01, 90.01)], bot, path="low_first")
    assert exits(report) == [("trailing_take_profit", "90.01", "-9.99")]


# ---------------------------------------------------------------------------------------------------- one after another


def test_after_a_cooldown_the_next_deal_starts_at_the_first_open_that_is_late_enough() -> None:
    rows: list[Row] = [(100, 110, 100, 105), (105, 105, 105, 105), (104, 104, 104, 104), (103, 103, 103, 103)]
    report = played(rows, strategy(cooldown=61))
    assert report.open_deal is not None
    assert (report.open_deal.opened_ms, report.open_deal.base_price) == (120_000, 104)
    report = played(rows, strategy(cooldown=60))
    assert report.open_deal is not None
    assert (report.open_deal.opened_ms, report.open_deal.base_price) == (60_000, 105)


def test_a_bot_plays_no_more_deals_than_it_may() -> None:
    rows: list[Row] = [(100, 200, 100, 200)]
    assert len(played(rows).deals) == 7  # 110, 121, 133.1, ... below 200
    report = played(rows, strategy(max_deals=2))
    assert [deal.exit_price for deal in report.deals] == [110, 121]
    assert report.open_deal is None


def test_a_bot_without_money_waits_and_tries_at_each_open() -> None:
    rows: list[Row] = [(100, 100, 100, 100), (89, 89, 89, 89), (79, 79, 79, 79)]
    report = played(rows, balance="201")
    assert report.open_deal is not None
    assert report.open_deal.safety_orders == 1  # the second was never paid for
    assert report.open_deal.spent == Decimal("199.99")
    assert report.statistics.max_funds == Decimal("199.99")


def test_a_base_order_that_does_not_fit_is_tried_at_each_open() -> None:
    rows: list[Row] = [(100, 100, 100, 100), (89, 89, 89, 89), (79, 79, 79, 79)]
    report = played(rows, balance="99.94")  # 1 at 100; 1.123 at 89 would cost 99.947, 1.265 at 79 costs 99.935
    assert report.open_deal is not None
    assert (report.open_deal.opened_ms, report.open_deal.base_price) == (120_000, 79)
    assert played(rows, balance="99.93").open_deal is None


# ---------------------------------------------------------------------------------------------------------- the report


def test_a_report_tells_deals_open_deal_and_figures() -> None:
    fees = Fees(fee_maker="0.001", fee_taker="0.001", fee_asset="quote")
    report = played([(100, 112, 100, 112), (112, 112, 109, 109)], fees=fees)
    told: Any = report_as_json(report)
    assert told["deals"] == [
        {
            "opened_at": 0,
            "closed_at": 0,
            "base_price": "100",
            "safety_orders": 0,
            "spent": "100.1",
            "sold": "1",
            "exit_price": "110.23",
            "profit": "10.01977",
            "reason": "take_profit",
        }
    ]
    assert told["open_deal"] == {
        "opened_at": 0,
        "base_price": "110.23",
        "safety_orders": 0,
        "spent": "100.07858861",
        "net": "0.907",
        "take_profit_price": "121.5",
        "unrealized": "-1.21558861",
    }
    assert (told["pair"], told["engine"], told["candles"]) == ("ABCXYZ", "exact", 2)
    assert (told["from_ms"], told["to_ms"]) == (0, 60_000)
    assert told["profit"] == "10.01977"
    assert told["fees_quote"] == "0.31020861"
    assert told["fees_base"] == "0"
    assert told["statistics"]["win_rate"] == "100"
    assert told["statistics"]["most_safety_orders"] == 0
    assert json.loads(json.dumps(told)) == told


def test_fees_in_base_and_in_quote_are_told_apart() -> None:
    free = played([(100, 112, 100, 112)], ONCE)
    assert not any((free.fees_base, free.fees_quote))
    report = played([(100, 112, 100, 112)], ONCE, Fees())
    assert report.fees_base == Decimal("0.001")
    assert report.fees_quote == Decimal("0.11011977")  # 0.999 sold at 110.23


def test_the_figures_of_a_run_by_hand() -> None:
    # Deal 1: 100 -> 110 (+10, one minute). Deal 2: 0.909 at 110, stopped at 99 (-9.999, one minute later).
    bot = strategy(stop_loss=10, max_safety_orders=0, max_deals=2)
    report = played([(100, 100, 100, 100), (101, 110, 101, 108), (99.5, 99.5, 98, 98)], bot)
    figures = report.statistics
    assert [deal.profit for deal in report.deals] == [10, Decimal("-9.999")]
    assert report.profit == Decimal("0.001")
    assert figures.win_rate == 50
    assert figures.average_duration_s == 60
    assert figures.longest_duration_s == 60
    assert figures.max_funds == 100
    assert figures.max_drawdown == Decimal(10) - Decimal("0.909") * 2 - Decimal("0.001")
    assert figures.buy_and_hold == -2
    assert figures.return_on_max_funds == Decimal("0.001")


def test_without_deals_the_figures_are_nothing() -> None:
    report = played([(100, 100, 100, 100)], balance="1")
    told: Any = report_as_json(report)
    assert told["deals"] == []
    assert told["open_deal"] is None
    assert set(told["statistics"].values()) == {"0", 0}


@pytest.mark.parametrize(
    ("fee_asset", "spent", "profit"),
    [("received", "100", "9.89"), ("quote", "100.1", "10")],  # 0.999 coins, or 100.1 / 100.1 = 1
)
def test_buy_and_hold_pays_the_takers_fee(fee_asset: Any, spent: str, profit: str) -> None:
    fees = Fees(fee_maker=0, fee_taker="0.001", fee_asset=fee_asset)
    bot = strategy(max_safety_orders=0, auto_restart=False)
    figures = played([(100, 100, 100, 100), (110, 110, 110, 110)], bot, fees).statistics
    assert figures.max_funds == Decimal(spent)
    assert figures.buy_and_hold == Decimal(profit) - (Decimal(spent) - 100)


# ------------------------------------------------------------------------------------------------------------ refusals


def test_candles_off_the_grid_are_refused() -> None:
    with pytest.raises(OffGrid, match="row 2"):
        played([(100, 100, 100, 100), (100, 100.005, 100, 100)])


def test_no_candles_are_no_backtest() -> None:
    with pytest.raises(InvalidParameter, match="must hold at least one candle"):
        played([])


def test_a_bot_for_another_pair_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="pair = OTHER: must be the market's, ABCXYZ"):
        played([(100, 100, 100, 100)], strategy(pair="OTHER"))


def test_a_bot_whose_orders_are_too_small_at_the_first_open_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="base_order_size = 4"):
        played([(100, 100, 100, 100)], strategy(base_order_size=4))


@pytest.mark.parametrize(
    ("terms", "complaint"),
    [
        ({"slippage": "-0.1"}, "slippage = -0.1: must be 0 or more"),
        ({"slippage": "1"}, "slippage = 1: must be below 1"),
        ({"slippage": "NaN"}, "slippage = NaN: must be a plain decimal number"),
        ({"slippage": 0.1}, "slippage = 0.1: must be exact"),
        ({"balance": "-1"}, "balance = -1: must be 0 or more"),
        ({"balance": "inf"}, "balance = inf: must be a plain decimal number"),
    ],
)
def test_terms_out_of_range_are_refused(terms: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        played([(100, 100, 100, 100)], **terms)
    assert str(caught.value).startswith(complaint)


def test_progress_is_told_up_to_the_end() -> None:
    told: list[int] = []
    played([(100, 111, 89, 100)] * 5, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 5
