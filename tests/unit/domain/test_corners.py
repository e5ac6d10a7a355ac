"""Corners of a bot's round that a small slip in the code would turn wrong without a word."""

from __future__ import annotations

from decimal import Decimal

from dcacore.domain.deal import Exit
from dcacore.domain.events import AttentionNeeded, Canceled, TimePassed
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import OrderState, Role
from tests.strategies import strategy
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
