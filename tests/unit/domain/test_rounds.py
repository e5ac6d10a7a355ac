"""A bot's round, step by step: how it opens a deal, manages it and ends it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dcacore.domain.bot import Phase, Wanted
from dcacore.domain.deal import Exit
from dcacore.domain.market import Fees, Market
from dcacore.domain.orders import OrderState, Role
from tests.strategies import strategy
from tests.unit.domain.desk import Desk, described

# The bot of these tests buys 1 at 100 and rests 1.111 at 90 and 1.25 at 80; its target is 10 %, there are no fees.


# ------------------------------------------------------------------------------------------------------ opening a deal


def test_a_started_bot_is_checked_first_and_then_plans_its_base_order() -> None:
    desk = Desk.of(strategy())
    assert desk.state == "stopped"
    desk.start()
    assert desk.state == "starting"
    assert desk.asked == ()
    desk.ready()
    assert desk.state == "placing_order"
    assert described(desk.placed) == [("base", "market", "1")]
    assert desk.placed[0].id == "bot-1-b-1"
    assert desk.deal.opened_price == 100
    assert desk.deal.opened_at == desk.at


@pytest.mark.parametrize(("rounding", "quantity"), [("down", "0.333"), ("up", "0.334")])
def test_the_base_quantity_is_rounded_onto_the_step_size(rounding: str, quantity: str) -> None:
    desk = Desk.started(strategy(quantity_rounding=rounding), price="300")
    assert described(desk.placed) == [("base", "market", quantity)]


def test_a_filled_base_order_hangs_the_ladder_and_rests_the_take_profit_last() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    assert desk.state == "in_position"
    assert described(desk.placed) == [
        ("safety", "90", "1.111"),
        ("safety", "80", "1.25"),
        ("take_profit", "110", "1"),
    ]
    assert [order.rung for order in desk.placed] == [1, 2, 0]
    assert [order.id for order in desk.placed] == ["bot-1-s1-2", "bot-1-s2-3", "bot-1-t-4"]


def test_the_ladder_hangs_from_where_the_base_order_really_filled() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0], price="101")
    assert described(desk.placed) == [
        ("safety", "90.9", "1.1"),
        ("safety", "80.8", "1.237"),
        ("take_profit", "111.1", "1"),
    ]


def test_a_base_order_that_fills_in_parts_is_waited_for() -> None:
    desk = Desk.started(strategy())
    base = desk.placed[0]
    desk.fill(base, "0.5", price="100")
    assert desk.state == "placing_order"
    assert desk.asked == ()
    desk.fill(base, price="102")
    assert described(desk.placed)[0] == ("safety", "90.9", "1.1")


def test_a_base_order_that_expires_half_filled_is_a_deal_all_the_same() -> None:
    desk = Desk.started(strategy())
    base = desk.placed[0]
    desk.fill(base, "0.4")
    desk.expire(base, "0.4")
    assert desk.state == "in_position"
    assert described(desk.placed)[-1] == ("take_profit", "110", "0.4")


def test_a_base_order_that_expires_is_waited_for_until_all_its_fills_are_told() -> None:
    desk = Desk.started(strategy())
    base = desk.placed[0]
    desk.expire(base, "0.4")
    assert desk.state == "placing_order"
    desk.fill(base, "0.4")
    assert desk.state == "in_position"


def test_a_base_order_that_finds_nobody_is_tried_again_when_the_price_has_changed() -> None:
    desk = Desk.started(strategy())
    desk.expire(desk.placed[0])
    assert desk.state == "monitoring"
    assert desk.bot.deal is None
    assert desk.asked == ()
    desk.see("101")
    assert desk.asked == ()
    desk.retry_due()
    assert described(desk.placed) == [("base", "market", "0.99")]


def test_a_base_order_below_the_minimum_waits_for_another_price() -> None:
    desk = Desk.started(strategy(base_order_size="99.999"), market=whole_coins(), price="100")
    assert desk.state == "monitoring"
    assert desk.bot.awaits_price
    desk.price = desk.price - Decimal(1)  # type: ignore[assignment]  # still a price
    desk.retry_due()
    assert described(desk.placed) == [("base", "market", "1")]


def whole_coins() -> Market:
    return Market(pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="0.01", step_size=1)


def test_without_a_price_nothing_happens() -> None:
    desk = Desk.of(strategy())
    desk.price = None  # type: ignore[assignment]  # none has been seen yet
    desk.start()
    desk.ready()
    assert desk.state == "monitoring"
    assert desk.asked == ()
    desk.see("100")
    assert desk.state == "placing_order"


# ------------------------------------------------------------------------------------------------------ safety orders


def test_only_so_many_safety_orders_rest_at_once() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=4, active_safety_orders=2))
    assert [order.rung for order in desk.safety_orders] == [1, 2]
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    assert [order.rung for order in desk.placed] == [3]
    desk.accept_all()
    desk.fill(desk.safety_orders[0])
    assert [order.rung for order in desk.placed] == [4]


def test_a_filled_safety_order_moves_the_target_by_cancel_and_replace() -> None:
    desk = Desk.in_position(strategy())
    old = desk.take_profit
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    assert desk.canceled == [old.id]
    assert desk.placed == []  # one sell at a time: the coins are still held by the old one
    assert desk.deal.take_profit_price == Decimal("104.22")  # 199.99 * 1.1 / 2.111 = 104.2108...
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "104.22", "2.111")]


def test_a_safety_order_that_the_price_has_passed_already_is_waited_for() -> None:
    # The first order's fill is told at a price below the next one: that fills at once, and then the bot acts again.
    desk = Desk.in_position(strategy(active_safety_orders=1))
    desk.see("75")
    desk.fill(desk.safety_orders[0])
    assert described(desk.placed) == [("safety", "80", "1.25")]
    assert desk.canceled == []
    desk.fill(desk.placed[0], price="75")
    assert len(desk.canceled) == 1
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "96.14", "3.361")]


def test_a_partly_filled_safety_order_moves_the_target_after_five_quiet_seconds() -> None:
    desk = Desk.in_position(strategy())
    first = desk.safety_orders[0]
    desk.see("90")
    desk.fill(first, "0.5")
    assert desk.deal.take_profit_price == 110
    assert desk.asked == ()
    desk.wait(4)
    desk.fill(first, "0.5")  # another fill: the wait begins again
    desk.wait(4.9)
    assert desk.deal.take_profit_price == 110
    desk.wait(0.1)
    assert desk.deal.take_profit_price == Decimal("104.5")  # 190 * 1.1 / 2
    assert len(desk.canceled) == 1
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "104.5", "2")]


def test_a_partly_filled_safety_order_moves_the_target_at_once_when_it_is_done() -> None:
    desk = Desk.in_position(strategy())
    first = desk.safety_orders[0]
    desk.see("90")
    desk.fill(first, "0.5")
    desk.wait(1)
    desk.fill(first)
    assert desk.deal.take_profit_price == Decimal("104.22")
    assert desk.deal.retarget_at is None


def test_a_stop_loss_below_the_average_follows_every_part_at_once() -> None:
    desk = Desk.in_position(strategy(stop_loss=30, stop_loss_basis="average"))
    assert desk.deal.stop_loss_price == 70
    desk.see("90")
    desk.fill(desk.safety_orders[0], "1")
    assert desk.deal.stop_loss_price == Decimal("66.5")
    assert desk.deal.take_profit_price == 110


# ------------------------------------------------------------------------------------------------------ the exits


def test_a_filled_take_profit_ends_the_deal_once_the_rest_is_off_and_starts_the_next_at_once() -> None:
    desk = Desk.in_position(strategy())
    desk.see("110")
    resting = [order.id for order in desk.safety_orders]
    desk.fill(desk.take_profit)
    assert desk.state == "closing"
    assert desk.canceled == resting
    desk.cancel_all()
    assert desk.state == "placing_order"
    (deal,) = desk.ended
    assert deal.exit is Exit.TAKE_PROFIT
    assert deal.closed_at == desk.at
    assert deal.result is not None
    assert deal.result.profit == 10
    assert desk.bot.profit == 10
    assert desk.bot.deals_closed == 1
    assert desk.placed[0].id == "bot-2-b-1"
    assert described(desk.placed) == [("base", "market", "0.909")]


def test_a_take_profit_that_fills_in_part_goes_on_resting() -> None:
    desk = Desk.in_position(strategy())
    desk.see("110")
    desk.fill(desk.take_profit, "0.4")
    assert desk.asked == ()
    assert desk.take_profit.remaining == Decimal("0.6")
    desk.fill(desk.take_profit)
    assert desk.state == "closing"


def test_after_a_part_of_it_was_sold_the_target_counts_what_that_brought() -> None:
    desk = Desk.in_position(strategy())
    desk.see("110")
    desk.fill(desk.take_profit, "0.4")
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    desk.cancel_all()
    # What 155.99 must become with 1.711 coins.
    assert described(desk.placed) == [("take_profit", "100.29", "1.711")]


def test_a_stop_loss_takes_the_sell_off_first_and_then_sells_at_the_market() -> None:
    desk = Desk.in_position(strategy(stop_loss=25))
    take_profit, buys = desk.take_profit.id, [order.id for order in desk.safety_orders]
    desk.see("75.01")
    assert desk.asked == ()
    desk.see("75")
    assert desk.state == "closing"
    assert desk.canceled == [take_profit]
    assert desk.placed == []
    desk.cancel_all()
    (stop,) = desk.placed
    assert described([stop]) == [("stop_loss", "market", "1")]
    assert desk.canceled == buys
    desk.cancel_all()
    desk.fill(stop)
    (deal,) = desk.ended
    assert deal.exit is Exit.STOP_LOSS
    assert deal.result is not None
    assert deal.result.profit == -25


def test_a_stop_loss_does_not_wait_for_the_buys_to_come_off() -> None:
    desk = Desk.in_position(strategy(stop_loss=25))
    take_profit = desk.take_profit
    desk.see("70")
    desk.cancel(take_profit)
    assert described(desk.placed) == [("stop_loss", "market", "1")]


def test_what_a_safety_order_bought_during_a_stop_loss_is_sold_after_it() -> None:
    desk = Desk.in_position(strategy(stop_loss=25))
    first, second = desk.safety_orders
    desk.see("70")
    desk.cancel(desk.take_profit)
    stop = desk.placed[0]
    desk.cancel(second)
    desk.fill(first)
    desk.fill(stop)
    assert described(desk.placed) == [("stop_loss", "market", "1.111")]
    desk.fill(desk.placed[0])
    assert desk.ended[0].books.net == 0


def test_a_trail_arms_at_the_target_follows_the_peak_and_sells_below_it() -> None:
    desk = Desk.in_position(strategy(trailing_deviation=5))
    assert desk.live(Role.TAKE_PROFIT) == []
    desk.see("109.99")
    assert desk.peak() is None
    desk.see("110")
    assert desk.peak() == 110
    desk.see("120")
    assert desk.peak() == 120
    desk.see("115")
    assert desk.peak() == 120
    desk.see("114.01")
    assert desk.asked == ()
    desk.see("114")
    assert described(desk.placed) == [("take_profit", "market", "1")]
    assert len(desk.canceled) == 2
    desk.fill(desk.placed[0])
    assert desk.state == "closing"  # the buys are not off yet


def test_a_trail_ends_its_deal_when_sold_and_cleared() -> None:
    desk = Desk.in_position(strategy(trailing_deviation=5, max_safety_orders=0))
    desk.see("110")
    desk.see("104")
    desk.fill(desk.placed[0])
    assert desk.ended[0].exit is Exit.TRAILING_TAKE_PROFIT


def test_a_buy_disarms_the_trail() -> None:
    desk = Desk.in_position(strategy(trailing_deviation=20))
    desk.see("110")
    desk.see("90")
    assert desk.peak() == 110
    desk.fill(desk.safety_orders[0])
    assert desk.peak() is None
    desk.see("87")
    assert desk.state == "in_position"


def test_a_trail_may_be_armed_where_it_stands_after_a_buy() -> None:
    fees = Fees(fee_maker="0", fee_taker="0")
    desk = Desk.in_position(strategy(trailing_deviation=1, take_profit_type="base", take_profit=1), fees=fees)
    desk.see("99")
    assert desk.peak() is None
    desk.fill(desk.safety_orders[0], price="90")  # told late: the price is back at 99 already
    assert desk.deal.take_profit_price == Decimal("95.22")
    assert desk.peak() == 99


def test_too_little_to_be_sold_rests_no_sell_until_a_safety_order_lifts_it() -> None:
    rules = Market(
        pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="0.01", step_size="0.05", min_notional=5
    )
    bot = strategy(base_order_size=5, safety_order_size=10, take_profit=1, stop_loss=5)
    desk = Desk.in_position(bot, market=rules, fees=Fees(fee_taker="0.001"))
    assert desk.live(Role.TAKE_PROFIT) == []
    desk.see("94")  # below the stop loss, and nothing to sell
    assert desk.state == "in_position"
    assert desk.asked == ()
    desk.fill(desk.safety_orders[0])
    assert desk.state == "closing"  # now the stop loss can act


def test_coins_bought_while_a_sold_deal_was_cleared_stay_in_it() -> None:
    desk = Desk.in_position(strategy())
    first, second = desk.safety_orders
    desk.see("110")
    desk.fill(desk.take_profit)
    assert desk.state == "closing"
    desk.fill(first)  # before its cancel came through
    desk.cancel(second)
    assert desk.state == "in_position"
    # What 89.99 must become with 1.111 coins.
    assert described(desk.placed) == [("take_profit", "89.1", "1.111")]


def test_the_carried_dust_goes_into_the_next_deal() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0), fees=Fees(fee_maker="0", fee_taker="0.0005"))
    assert desk.take_profit.quantity == Decimal("0.999")
    desk.see("120")
    desk.fill(desk.take_profit)
    result = desk.ended[0].result
    assert result is not None
    assert result.carried.quantity == Decimal("0.0005")
    assert result.carried.cost == Decimal("0.05002501")
    assert desk.deal.books.carried == result.carried
    assert desk.bot.carried.quantity == 0


def test_a_deal_that_never_came_to_be_gives_the_dust_back() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0), fees=Fees(fee_maker="0", fee_taker="0.0005"))
    desk.see("120")
    desk.fill(desk.take_profit)
    carried = desk.deal.books.carried
    desk.expire(desk.placed[0])
    assert desk.bot.deal is None
    assert desk.bot.carried == carried


# ------------------------------------------------------------------------------------------------------ what comes next


def closed(desk: Desk, price: str = "110") -> None:
    """Sell the open deal of a bot without safety orders at its target."""
    desk.see(price)
    desk.fill(desk.take_profit)


def test_a_cooldown_is_waited_out_to_the_second() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, cooldown=90))
    closed(desk)
    assert desk.state == "monitoring"
    desk.wait(89)
    assert desk.asked == ()
    desk.wait(1)
    assert described(desk.placed) == [("base", "market", "0.909")]


def test_a_cooldown_may_have_parts_of_a_second() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, cooldown="0.25"))
    closed(desk)
    desk.wait(0.2)
    assert desk.state == "monitoring"
    desk.wait(0.05)
    assert desk.state == "placing_order"


def test_the_smallest_cooldown_is_still_one() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, cooldown="0.0000001"))
    closed(desk)
    assert desk.state == "monitoring"


def test_a_bot_without_restart_stops_after_its_deal() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, auto_restart=False))
    closed(desk)
    assert desk.state == "stopped"
    assert desk.bot.wanted is Wanted.STOP


def test_a_bot_stops_after_its_last_deal_and_counts_anew_when_started_again() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, max_deals=2))
    closed(desk)
    assert desk.state == "placing_order"
    desk.fill(desk.placed[0])
    closed(desk, "130")
    assert desk.state == "stopped"
    assert desk.bot.deals_closed == 2
    desk.start()
    desk.ready()
    assert desk.placed[0].id == "bot-3-b-1"
    desk.fill(desk.placed[0])
    closed(desk, "150")
    assert desk.state == "placing_order"


def test_a_deal_that_closed_before_the_price_moved_is_followed_at_the_next_price() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    desk.fill(desk.take_profit, price="110")  # the bot still stands at 100
    assert desk.state == "monitoring"
    assert desk.bot.awaits_price
    desk.wait(3600)
    assert desk.asked == ()
    desk.see("101")
    desk.retry_due()
    assert desk.state == "placing_order"


def test_a_deal_whose_price_moved_and_came_back_is_followed_at_once() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    desk.see("101")
    desk.see("100")
    desk.fill(desk.take_profit, price="110")
    assert desk.state == "placing_order"


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_can_be_reached(phase: Phase) -> None:
    assert phase in {desk.bot.phase for desk in desks_in_every_phase()}


def desks_in_every_phase() -> list[Desk]:
    """A bot in each phase, reached by nothing but events."""
    stopped, starting = Desk.of(strategy()), Desk.of(strategy())
    starting.start()
    monitoring = Desk.in_position(strategy(max_safety_orders=0, cooldown=60))
    closed(monitoring)
    closing = Desk.in_position(strategy())
    closing.stop(sell=True)
    return [stopped, starting, monitoring, Desk.started(strategy()), Desk.in_position(strategy()), closing]


def test_order_states_are_those_that_were_reported() -> None:
    desk = Desk.started(strategy())
    base = desk.placed[0]
    assert desk.order(base).state is OrderState.PLANNED
    desk.fill(base)
    assert desk.order(base).state is OrderState.FILLED
    first = desk.placed[0]
    desk.accept_all()
    assert desk.order(first).state is OrderState.OPEN


@pytest.mark.parametrize(
    ("size", "target"),
    [
        ("10", "25"),  # all was paid for by the sell: 0.201 coins go at any price that the market takes
        ("140", "3.31"),  # nearly all was: 0.23 would be a target that the market does not take
    ],
)
def test_coins_that_an_earlier_sell_has_paid_for_are_sold_at_once(size: str, target: str) -> None:
    bot = strategy(base_order_size=1000, safety_order_size=size, max_safety_orders=1, price_deviation=1, take_profit=15)
    desk = Desk.in_position(bot, fees=Fees(fee_maker="0.001", fee_taker="0"))
    first, take_profit = desk.safety_orders[0], desk.take_profit
    desk.see("116")
    desk.fill(take_profit, "9.9")
    desk.see("98")
    desk.fill(first)
    desk.cancel_all()
    assert [(order.role, order.price) for order in desk.placed] == [(Role.TAKE_PROFIT, Decimal(target))]
    assert desk.state == "in_position"
    desk.see("97")
    assert desk.asked == ()  # it is the right one, and stays
    desk.fill(desk.take_profit, price="97")
    assert [deal.exit for deal in desk.ended] == [Exit.TAKE_PROFIT]


def test_a_stopped_deal_whose_coins_are_kept_does_not_count_as_closed() -> None:
    desk = Desk.in_position(strategy())
    desk.stop(sell=False)
    desk.cancel_all()
    assert desk.bot.deals_closed == 0
    desk.start()
    desk.ready()
    desk.fill(desk.placed[0])
    desk.stop(sell=True)
    desk.cancel_all()
    sale = desk.placed[0]
    desk.cancel_all()
    desk.fill(sale)
    assert desk.bot.deals_closed == 1
