"""A market whose rules change while a deal is open."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from dcacore.domain.ladder import build_ladder
from dcacore.domain.market import Fees, Market
from tests.strategies import FREE, MARKET, strategy
from tests.unit.domain.desk import Desk, described
from tests.unit.domain.test_events import in_position


def rules(**changes: Any) -> Market:
    return attrs.evolve(MARKET, **changes)


def check_ladder(desk: Desk) -> None:
    deal = desk.deal
    assert deal.reference is not None
    assert deal.rungs == build_ladder(deal.strategy, deal.market, deal.reference).rungs
    assert all(rung in deal.rungs for rung in deal.waiting)


def test_the_same_rules_change_nothing() -> None:
    desk = in_position()
    bot = desk.bot
    desk.read_rules(MARKET)
    assert desk.bot == bot


def test_rules_of_another_pair_are_for_nobody() -> None:
    desk = in_position()
    desk.read_rules(rules(pair="DEFXYZ"))
    assert desk.bot.market == desk.deal.market == MARKET


def test_fees_are_the_next_deals() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    desk.read_rules(MARKET, Fees())
    assert desk.deal.fees == FREE
    desk.see("110")
    desk.fill(desk.take_profit)
    assert desk.deal.fees == Fees()


def test_existing_orders_stay_and_new_ones_follow_the_new_grid() -> None:
    desk = Desk.in_position(strategy(active_safety_orders=1, price_deviation="10.004"))
    resting, target = desk.safety_orders, desk.take_profit
    desk.read_rules(rules(tick_size="0.5", step_size="0.01"))
    assert desk.asked == ()
    assert desk.safety_orders == resting
    assert desk.take_profit == target
    check_ladder(desk)
    desk.see("89")
    desk.fill(resting[0])
    assert described(desk.placed) == [("safety", "79.5", "1.25")]
    desk.cancel_all()
    assert desk.take_profit.price == Decimal("104.5")


def test_a_target_off_the_new_grid_moves_onto_it() -> None:
    desk = Desk.in_position(strategy(take_profit="10.01", stop_loss="5.01"))
    assert desk.take_profit.price == Decimal("110.01")
    desk.read_rules(rules(tick_size="0.5"))
    assert desk.canceled == [desk.take_profit.id]
    assert desk.deal.stop_loss_price == Decimal("94.5")
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "110.5", "1")]


def test_a_target_after_a_partial_sale_stays_where_it_is() -> None:
    desk = in_position()
    desk.see("110")
    desk.fill(desk.take_profit, "0.4")
    desk.read_rules(rules(tick_size="0.001"))
    assert desk.asked == ()
    assert desk.deal.take_profit_price == 110


def test_a_minimum_that_rises_leaves_safety_orders_out_and_places_none_twice() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=4, active_safety_orders=2, safety_order_volume_scale="1.5"))
    assert [order.rung for order in desk.safety_orders] == [1, 2]
    desk.read_rules(rules(min_notional="120"))  # the first would be too small now: its number goes to the second
    check_ladder(desk)
    desk.see("80")
    for order in desk.safety_orders:
        desk.fill(order)
    placed = {order.price for order in desk.deal.orders.values() if order.rung}
    assert placed == {Decimal("90.00"), Decimal("80.00"), Decimal("60.00")}
    desk.read_rules(MARKET)
    check_ladder(desk)
    prices = [order.price for order in desk.deal.orders.values() if order.rung]
    assert len(prices) == len(set(prices))


def test_a_deal_that_is_being_closed_learns_the_rules_too() -> None:
    desk = in_position()
    desk.see("110")
    desk.fill(desk.take_profit)
    target = desk.deal.take_profit_price
    desk.read_rules(rules(tick_size="0.7"))
    assert desk.deal.market.tick_size == Decimal("0.7")
    assert desk.deal.take_profit_price == target


def test_a_deal_that_is_only_opening_learns_the_rules_too() -> None:
    desk = Desk.started(strategy())
    (base,) = desk.placed
    desk.read_rules(rules(tick_size="0.5"))
    desk.fill(base)
    check_ladder(desk)
