"""Corners of a bot's round that a small slip in the code would turn wrong without a word."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from dcacore.domain.deal import Exit
from dcacore.domain.events import Accepted, AttentionNeeded, Canceled, Refusal, Refused, TimePassed
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import OrderState, Role
from dcacore.domain.watch import Retry, Watches, watches
from tests.strategies import MARKET, strategy
from tests.unit.domain.desk import Desk, described

# The bot of these tests buys 1 at 100 and rests 1.111 at 90 and 1.25 at 80; its target is 10 %, there are no fees.


def test_a_safety_order_exactly_at_the_market_is_waited_for() -> None:
    desk = Desk.started(strategy())
    desk.price = Price(Decimal(90))
    desk.fill(desk.placed[0], price="100")
    assert [order.role for order in desk.placed] == [Role.SAFETY, Role.SAFETY]
    desk.fill(desk.placed[0])
    assert described(desk.placed) == [("take_profit", "104.22", "2.111")]


def test_a_part_of_a_safety_order_disarms_the_trail() -> None:
    desk = Desk.in_position(strategy(trailing_deviation=5))
    desk.see("111")
    assert desk.peak() == 111
    desk.price = Price(Decimal(90))
    desk.fill(desk.safety_orders[0], "0.5")
    assert desk.peak() is None


def test_a_stop_loss_below_the_average_follows_a_whole_safety_order() -> None:
    desk = Desk.in_position(strategy(stop_loss=50, stop_loss_basis="average"))
    assert desk.deal.stop_loss_price == 50
    desk.price = Price(Decimal(90))
    desk.fill(desk.safety_orders[0])
    assert desk.deal.stop_loss_price == Decimal("47.36")  # half of 199.99 / 2.111


def test_nothing_is_waited_for_once_a_safety_order_is_whole() -> None:
    desk = Desk.in_position(strategy())
    first = desk.safety_orders[0]
    desk.fill(first, "0.5")
    assert desk.deal.retarget_at is not None
    desk.fill(first)
    assert desk.deal.retarget_at is None


def test_an_event_without_a_price_leaves_the_last_one() -> None:
    desk = Desk.in_position(strategy())
    desk.tell(TimePassed(desk.at))
    assert desk.bot.price == 100


def test_a_retry_tries_a_base_order_that_found_nobody_at_once() -> None:
    desk = Desk.started(strategy())
    desk.expire(desk.placed[0])
    assert desk.bot.awaits_price
    desk.tell(AttentionNeeded(desk.at, "look"))
    desk.retry()
    assert described(desk.placed) == [("base", "market", "1")]


def test_a_bot_that_is_started_again_does_not_wait_for_another_price() -> None:
    desk = Desk.started(strategy())
    desk.expire(desk.placed[0])
    desk.stop()
    desk.start()
    desk.ready()
    assert described(desk.placed) == [("base", "market", "1")]


def test_a_cancel_that_is_told_again_troubles_nobody_again() -> None:
    desk = Desk.in_position(strategy())
    first = desk.safety_orders[0]
    desk.cancel(first)
    assert desk.state == "needs_attention"
    desk.retry()
    desk.report(Canceled(first.id, BaseQty(Decimal(0))))
    assert desk.state == "in_position"
    assert desk.order(first).state is OrderState.CANCELED


def test_a_safety_order_that_ends_half_filled_moves_the_target_without_waiting() -> None:
    desk = Desk.in_position(strategy())
    first = desk.safety_orders[0]
    desk.fill(first, "0.5")
    desk.cancel(first)
    desk.retry()
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "106.34", "1.5")]  # 145 x 1.1 / 1.5


def test_a_market_order_that_expires_says_so() -> None:
    desk = Desk.started(strategy())
    base = desk.placed[0]
    desk.fill(base, "0.4")
    desk.expire(base, "0.4")
    assert desk.order(base).state is OrderState.EXPIRED


def test_the_carried_cost_is_the_share_of_all_that_was_spent() -> None:
    market = Market(pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="0.01", step_size="0.01")
    desk = Desk.in_position(strategy(max_safety_orders=0), market, Fees(fee_maker="0.001", fee_taker="0.001"))
    desk.fill(desk.take_profit)  # 0.99 of 0.999
    (deal,) = desk.ended
    assert deal.result is not None
    assert deal.result.carried.quantity == Decimal("0.009")
    assert deal.result.carried.cost == Decimal("0.9009009")  # 100 x 0.009 / 0.999
    assert deal.result.cost_of_sold + deal.result.carried.cost == 100


def test_a_deal_that_has_ended_keeps_the_orders_that_filled() -> None:
    desk = Desk.in_position(strategy())
    desk.fill(desk.take_profit)
    desk.cancel_all()
    (deal,) = desk.ended
    assert [order.role for order in deal.orders.values()] == [Role.BASE, Role.TAKE_PROFIT]


def test_a_trailed_deal_that_is_stopped_is_sold_at_once() -> None:
    desk = Desk.in_position(strategy(trailing_deviation=5, max_safety_orders=0))
    desk.stop(sell=True)
    assert described(desk.placed) == [("close", "market", "1")]
    assert desk.deal.exit is Exit.CLOSE


def test_a_deal_with_coins_left_is_not_being_ended_any_more() -> None:
    desk = Desk.in_position(strategy())
    first = desk.safety_orders[0]
    desk.fill(desk.take_profit)
    desk.report(desk.filling(first), *(Canceled(order.id, order.filled) for order in desk.safety_orders[1:]))
    assert desk.state == "in_position"
    assert desk.deal.exit is None
    assert described(desk.placed)[0][0] == "take_profit"


def test_a_deal_sold_out_while_a_safety_order_is_filling_ends() -> None:
    desk = Desk.in_position(strategy())
    first = desk.safety_orders[0]
    desk.fill(first, "0.2")
    desk.wait(6)  # the target follows
    desk.cancel_all()
    desk.accept_all()
    desk.fill(first, "0.1")  # and once more it is waited for
    desk.report(desk.filling(desk.take_profit))
    desk.accept_all()
    desk.restart_engine()
    desk.at += datetime.timedelta(seconds=60)
    desk.fill(desk.take_profit)
    assert desk.deal.books.net == 0
    desk.ready()
    assert desk.state == "closing"
    desk.cancel_all()
    assert [deal.books.net for deal in desk.ended] == [0]


def test_a_crumb_that_filled_too_late_is_carried_and_not_waited_for() -> None:
    desk = Desk.in_position(strategy())
    first, second = desk.safety_orders
    desk.see("110")
    desk.fill(desk.take_profit)
    desk.report(desk.filling(first, "0.001"), Canceled(first.id, BaseQty(Decimal("0.001"))))
    desk.cancel(second)
    (deal,) = desk.ended
    assert deal.exit is Exit.TAKE_PROFIT
    assert desk.deal.books.carried.quantity == Decimal("0.001")


@pytest.mark.parametrize("sell", [True, False])
def test_coins_that_filled_too_late_are_sold_or_kept_when_the_bot_was_stopped_meanwhile(sell: bool) -> None:
    desk = Desk.in_position(strategy())
    first, second = desk.safety_orders
    desk.fill(desk.take_profit)
    desk.stop(sell=sell)
    desk.report(desk.filling(first, "0.5"), Canceled(first.id, BaseQty(Decimal("0.5"))))
    desk.cancel(second)
    assert described(desk.placed) == ([("close", "market", "0.5")] if sell else [])
    if sell:
        desk.fill(desk.placed[0])
    assert desk.state == "stopped"
    (deal,) = desk.ended
    assert deal.result is not None
    assert deal.result.kept.quantity == (0 if sell else Decimal("0.5"))
    assert desk.bot.carried.quantity == 0  # what is kept is the user's


@pytest.mark.parametrize(("first_wish", "last_wish"), [(False, True), (True, False)])
def test_a_user_who_stops_a_bot_may_think_better_of_its_coins(first_wish: bool, last_wish: bool) -> None:
    desk = Desk.in_position(strategy())
    desk.stop(sell=first_wish)
    desk.stop(sell=last_wish)
    desk.report(*(Canceled(order.id, BaseQty(Decimal(0))) for order in desk.deal.live_orders))
    assert described(desk.placed) == ([("close", "market", "1")] if last_wish else [])
    assert desk.state == ("closing" if last_wish else "stopped")


def test_the_order_of_reports_in_one_event_makes_no_difference() -> None:
    def told(*, whole_first: bool) -> Desk:
        desk = Desk.in_position(strategy())
        first, second = desk.safety_orders
        desk.price = Price(Decimal(80))
        whole, part = desk.filling(first), desk.filling(second, "0.5")
        desk.report(*((whole, part) if whole_first else (part, whole)))
        return desk

    one, other = told(whole_first=True), told(whole_first=False)
    assert one.asked == other.asked
    assert one.deal.retarget_at is None
    assert (one.deal.take_profit_price, one.deal.books) == (other.deal.take_profit_price, other.deal.books)


def test_a_part_of_a_buy_does_not_try_again_what_did_not_fit() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first, second = (order for order in desk.placed if order.role is Role.SAFETY)
    desk.report(Accepted(first.id), Refused(second.id, Refusal.BALANCE, "no"))
    desk.fill(first, "0.5")
    assert desk.state == "waiting_for_balance"
    desk.fill(first)
    assert ("safety", "80", "1.25") in described(desk.placed)


def test_a_time_that_has_come_is_not_watched_any_more() -> None:
    desk = Desk.in_position(strategy(cooldown=60))
    desk.fill(desk.take_profit)  # before the price has moved
    desk.cancel_all()
    assert watches(desk.bot).at == desk.at + datetime.timedelta(seconds=60)
    desk.wait(61)
    assert watches(desk.bot) == Watches(retry=Retry.PRICE)
    desk.retry_due()
    assert desk.state == "placing_order"


def test_a_user_cannot_take_back_a_sale_that_has_gone_out() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, trailing_deviation=5))
    desk.stop(sell=True)
    sale = desk.placed[0]
    desk.stop(sell=False)
    desk.fill(sale)
    assert [deal.exit for deal in desk.ended] == [Exit.CLOSE]


def test_a_stop_loss_waits_a_second_at_most_for_a_safety_order_that_should_fill_at_once() -> None:
    desk = Desk.started(strategy(stop_loss=20))
    desk.price = Price(Decimal(79))
    desk.fill(desk.placed[0], price="100")
    assert {order.role for order in desk.placed} == {Role.SAFETY}
    assert watches(desk.bot).at == desk.at + datetime.timedelta(seconds=1)
    desk.wait(0.5)
    assert desk.asked == ()
    desk.wait(0.5)
    assert described(desk.placed) == [("stop_loss", "market", "1")]


def test_coins_left_are_sold_without_further_safety_orders() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=3, active_safety_orders=1))
    first = desk.safety_orders[0]
    desk.fill(desk.take_profit)
    desk.fill(first)
    assert [order.role for order in desk.placed] == [Role.TAKE_PROFIT]


def test_a_stop_loss_whose_take_profit_filled_meanwhile_was_none() -> None:
    desk = Desk.in_position(strategy(stop_loss=25))
    desk.see("75")
    desk.fill(desk.take_profit)
    desk.cancel_all()
    assert [deal.exit for deal in desk.ended] == [Exit.TAKE_PROFIT]


def test_an_order_that_is_refused_while_it_is_being_taken_off_troubles_nobody() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first, second, take_profit = desk.placed
    desk.report(Accepted(second.id), Accepted(take_profit.id))
    desk.fill(take_profit)
    desk.report(Refused(first.id, Refusal.RULE, "no"), Canceled(second.id, BaseQty(Decimal(0))))
    assert len(desk.ended) == 1
    assert desk.bot.trouble is None


def test_a_deal_too_small_to_be_sold_says_so() -> None:
    small = Desk.in_position(strategy(base_order_size=6, max_safety_orders=0, take_profit=10), MARKET)
    assert not small.deal.is_too_small_to_sell
    desk = Desk.started(strategy(max_safety_orders=0))
    base = desk.placed[0]
    desk.fill(base, "0.01")
    desk.expire(base, "0.01")
    assert desk.state == "in_position"
    assert desk.deal.is_too_small_to_sell


def test_an_exit_whose_coins_are_worth_too_little_is_asked_when_they_are_worth_enough() -> None:
    desk = Desk.started(strategy(max_safety_orders=0))
    base = desk.placed[0]
    desk.fill(base, "0.04")  # worth 4 of the least 5
    desk.stop(sell=True)
    assert desk.asked == ()
    assert watches(desk.bot).rises_to == 125
    desk.see("125")
    assert described(desk.placed) == [("close", "market", "0.04")]


def test_a_start_does_not_wait_out_the_cooldown_of_before_the_stop() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, cooldown=60))
    desk.see("110")
    desk.fill(desk.take_profit)
    desk.stop()
    desk.start()
    desk.ready()
    assert [order.role for order in desk.placed] == [Role.BASE]
