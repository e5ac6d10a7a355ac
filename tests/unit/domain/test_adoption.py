"""Orders that the exchange has and the deal does not know, as after the restore of an old backup."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from dcacore.domain.deal import Exit
from dcacore.domain.events import Adopted, Filled, Report
from dcacore.domain.ids import DealId, OrderId, TradeId, order_id
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Fill, Order, OrderState, Role, Side
from dcacore.domain.roles import BUYS, LEGS
from tests.strategies import strategy
from tests.unit.domain.desk import Desk, described
from tests.unit.domain.test_events import in_position


def unknown(role: Role, quantity: str, price: str | None = None, *, rung: int = 0, attempt: int = 9) -> Order:
    return Order(
        id=order_id(DealId("bot-1"), f"{LEGS[role]}{rung or ''}", attempt),
        side=Side.BUY if role in BUYS else Side.SELL,
        role=role,
        rung=rung,
        quantity=BaseQty(Decimal(quantity)),
        price=None if price is None else Price(Decimal(price)),
    )


def test_a_safety_order_joins_the_deal_and_its_rung_waits_no_longer() -> None:
    desk = Desk.in_position(strategy(active_safety_orders=1))
    assert [rung.number for rung in desk.deal.waiting] == [2]
    desk.adopt(unknown(Role.SAFETY, "1.25", "80", rung=2))
    assert desk.asked == ()
    assert desk.deal.waiting == ()
    assert [order.state for order in desk.safety_orders] == [OrderState.OPEN] * 2
    assert desk.deal.attempts == 9
    desk.see("80")
    desk.fill(desk.safety_orders[1])
    desk.cancel_all()
    assert desk.placed[0].id == "bot-1-t-10"


def test_an_order_that_is_known_is_not_adopted() -> None:
    desk = in_position()
    desk.see("90")
    desk.fill(desk.safety_orders[0], "0.5")
    bot = desk.bot
    desk.adopt(desk.safety_orders[0], desk.take_profit)
    assert desk.bot == bot


def test_without_a_deal_nothing_is_adopted() -> None:
    desk = Desk.of(strategy())
    desk.adopt(unknown(Role.BASE, "1"))
    assert desk.bot.deal is None


def test_what_filled_of_an_order_is_told_by_its_own_reports() -> None:
    desk = Desk.in_position(strategy(active_safety_orders=1))
    order = unknown(Role.SAFETY, "1.25", "80", rung=2)
    desk.adopt(attrs.evolve(order, state=OrderState.FILLED, filled=order.quantity))
    assert desk.deal.books.bought == 1
    assert desk.order(order).filled == 0


def test_a_sell_that_filled_closes_the_deal() -> None:
    desk = in_position()
    desk.restart_engine()
    mine = desk.take_profit
    other = unknown(Role.TAKE_PROFIT, "1", "105")
    desk.adopt(other)
    desk.see("105")
    desk.fill(other)
    desk.cancel(mine)
    desk.retry()  # somebody has canceled the one that was known
    desk.ready()
    desk.cancel_all()
    assert desk.ended[0].exit is Exit.TAKE_PROFIT
    assert desk.bot.profit == 5


@pytest.mark.parametrize(
    ("role", "reason"), [(Role.STOP_LOSS, Exit.STOP_LOSS), (Role.TAKE_PROFIT, Exit.TRAILING_TAKE_PROFIT)]
)
@pytest.mark.parametrize("is_starting", [True, False])
def test_a_sale_at_market_takes_its_exit_up_where_it_was(role: Role, reason: Exit, is_starting: bool) -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, trailing_deviation=1))
    if is_starting:
        desk.restart_engine()
    sale = unknown(role, "1")
    desk.adopt(sale)
    desk.ready()
    assert desk.state == "closing"
    assert desk.asked == ()
    desk.fill(sale)
    assert desk.ended[0].exit is reason


@pytest.mark.parametrize("price", ["110", "108"])
def test_two_take_profits_never_sell_more_than_is_held(price: str) -> None:
    desk = in_position()
    mine = desk.take_profit
    other = unknown(Role.TAKE_PROFIT, "1", price)
    desk.adopt(other)
    assert desk.canceled == [other.id]
    desk.cancel(other)
    assert desk.reason() is None
    assert desk.take_profit.id == mine.id


def test_of_two_take_profits_the_right_one_stays() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    mine = desk.take_profit
    extra = unknown(Role.EXTRA, "1", attempt=3)
    other = unknown(Role.TAKE_PROFIT, "2", "110", attempt=4)
    desk.report(Adopted(extra), Adopted(other), desk_fill(desk, extra))
    assert desk.canceled == [mine.id]
    desk.cancel_all()
    assert described([desk.take_profit]) == [("take_profit", "110", "2")]


def desk_fill(desk: Desk, order: Order) -> Report:
    known = attrs.evolve(desk.deal, orders={**desk.deal.orders, order.id: order})
    desk.bot = attrs.evolve(desk.bot, deal=known)
    told = desk.filling(order)
    rest = {key: value for key, value in known.orders.items() if key != order.id}
    desk.bot = attrs.evolve(desk.bot, deal=attrs.evolve(known, orders=rest))
    return told


def test_a_deal_that_was_sold_twice_over_ends_with_what_the_user_lost() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    mine, other = desk.take_profit, unknown(Role.TAKE_PROFIT, "1", "110")
    desk.see("110")
    desk.adopt(other)
    desk.fill(mine)
    desk.fill(other)
    (deal,) = desk.ended
    assert deal.result is not None
    assert deal.result.kept.quantity == -1
    assert deal.result.kept.cost == 0
    assert deal.result.profit == 120
    assert desk.bot.carried.quantity == 0
    assert desk.state == "placing_order"


def test_a_limit_sell_does_not_rest_beside_a_trail() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, trailing_deviation=1))
    other = unknown(Role.TAKE_PROFIT, "1", "110")
    desk.adopt(other)
    assert desk.canceled == [other.id]
    desk.see("110")
    desk.fill(other)
    assert desk.ended[0].exit is Exit.TAKE_PROFIT


def test_what_has_filled_of_an_adopted_sell_is_known_though_it_comes_off_at_once() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, trailing_deviation=1))
    other = unknown(Role.TAKE_PROFIT, "1", "110")
    part = Fill(trade_id=TradeId("part"), at=desk.at, price=Price(Decimal(110)), quantity=BaseQty(Decimal("0.5")))
    told = (Adopted(other), Filled(other.id, part))
    desk.report(*told)
    assert desk.canceled == [other.id]
    assert desk.deal.orders[other.id].filled == desk.deal.books.sold == Decimal("0.5")
    bot = desk.bot
    desk.report(*told)  # told again, as after a restart
    assert desk.bot == bot


@pytest.mark.parametrize(
    "stranger", ["stray", "bot-2-x-9", "otherbot-1-x-9", "bot-1-x-?", "bot-11-x-9", "dcaabc234-bot-2-x-9"]
)
def test_orders_of_other_deals_are_not_adopted(stranger: str) -> None:
    desk = in_position()
    bot = desk.bot
    desk.adopt(attrs.evolve(unknown(Role.EXTRA, "1"), id=OrderId(stranger)))
    assert desk.bot == bot


def test_a_live_order_is_adopted_by_its_own_deal() -> None:
    desk = in_position()
    desk.adopt(attrs.evolve(unknown(Role.EXTRA, "1"), id=OrderId("dcaabc234-bot-1-x-7")))
    assert desk.deal.attempts == 7
    assert len(desk.live(Role.EXTRA)) == 1


def test_an_adopted_order_may_turn_out_not_to_exist() -> None:
    desk = Desk.in_position(strategy(active_safety_orders=1))
    order = unknown(Role.SAFETY, "1.25", "80", rung=2)
    desk.adopt(order)
    desk.cancel(order)
    assert desk.state == "needs_attention"
