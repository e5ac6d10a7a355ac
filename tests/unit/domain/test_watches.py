"""What a bot wants to be told of, and nothing else."""

from __future__ import annotations

import datetime
from decimal import Decimal

from dcacore.domain.events import AttentionNeeded, Refusal, Refused
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.domain.orders import Role
from dcacore.domain.watch import NOTHING, Retry, Watches, watches
from tests.strategies import NOON, strategy
from tests.unit.domain.desk import Desk


def watched(desk: Desk) -> Watches:
    return watches(desk.bot)


def test_a_bot_that_does_not_run_watches_nothing() -> None:
    desk = Desk.of(strategy())
    assert watched(desk) == NOTHING
    desk.start()
    assert watched(desk) == NOTHING


def test_a_bot_whose_orders_rest_leaves_them_to_the_exchange() -> None:
    assert watched(Desk.in_position(strategy())) == NOTHING


def test_a_base_order_on_its_way_is_the_exchanges_matter() -> None:
    assert watched(Desk.started(strategy())) == NOTHING


def test_a_stop_loss_is_watched_below_the_price() -> None:
    desk = Desk.in_position(strategy(stop_loss=25))
    assert watched(desk) == Watches(falls_to=desk.deal.stop_loss_price)
    assert watched(desk).falls_to == 75


def test_a_trail_watches_its_target_first_and_then_its_peak_and_exit() -> None:
    desk = Desk.in_position(strategy(trailing_deviation=5, stop_loss=25))
    watch = watched(desk)
    assert (watch.falls_to, watch.rises_to, watch.peak) == (Decimal(75), Decimal(110), None)
    desk.see("112")
    watch = watched(desk)
    assert (watch.falls_to, watch.rises_to, watch.peak) == (Decimal("106.4"), None, Decimal(112))
    desk.see("108")
    assert watched(desk).peak == 112
    assert watched(desk).falls_to == Decimal("106.4")


def test_the_nearer_of_two_exits_is_watched() -> None:
    desk = Desk.in_position(strategy(trailing_deviation=40, stop_loss=25))
    desk.see("110")
    assert watched(desk).falls_to == 75  # the trail would sell at 66


def test_a_partly_filled_safety_order_is_watched_by_time() -> None:
    desk = Desk.in_position(strategy())
    desk.see("90")
    desk.fill(desk.safety_orders[0], "0.5")
    assert watched(desk).at == NOON + datetime.timedelta(seconds=5)
    desk.wait(5)
    assert watched(desk).at is None


def test_a_cooldown_is_watched_by_time() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, cooldown=90))
    desk.see("110")
    desk.fill(desk.take_profit)
    assert watched(desk) == Watches(at=NOON + datetime.timedelta(seconds=90))
    desk.pause()
    assert watched(desk) == NOTHING


def test_a_bot_that_waits_for_a_price_or_for_money_says_so() -> None:
    desk = Desk.started(strategy())
    base = desk.placed[0]
    desk.expire(base)
    assert watched(desk) == Watches(retry=Retry.PRICE)
    desk = Desk.started(strategy())
    desk.refuse(desk.placed[0], Refusal.BALANCE)
    assert watched(desk) == Watches(retry=Retry.BALANCE)


def test_a_paused_bot_does_not_wait_for_money_for_ever() -> None:
    desk = Desk.started(strategy())
    desk.pause()
    desk.refuse(desk.live(Role.BASE)[0], Refusal.BALANCE, "needs 100 XYZ")
    assert desk.state == "waiting_for_balance"
    assert watched(desk) == Watches(retry=Retry.BALANCE)
    desk.retry_due()
    assert desk.state == "paused"
    assert watched(desk) == NOTHING


def test_a_deal_that_waits_for_money_goes_on_watching_its_exit() -> None:
    desk = Desk.started(strategy(stop_loss=25))
    desk.fill(desk.placed[0])
    desk.report(Refused(desk.placed[0].id, Refusal.BALANCE, "no"))
    watch = watched(desk)
    assert watch.retry is Retry.BALANCE
    assert watch.falls_to == 75


def test_a_bot_that_needs_its_user_watches_nothing() -> None:
    desk = Desk.in_position(strategy(stop_loss=25))
    desk.tell(AttentionNeeded(desk.at, "look"))
    assert watched(desk) == NOTHING


def test_an_exit_in_progress_is_the_exchanges_matter() -> None:
    desk = Desk.in_position(strategy(stop_loss=25))
    desk.see("75")
    assert desk.state == "closing"
    assert watched(desk) == NOTHING


def test_a_stop_loss_that_cannot_be_sold_is_not_watched() -> None:
    rules = Market(
        pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="0.01", step_size="0.001", min_notional=95
    )
    desk = Desk.in_position(strategy(stop_loss=10, max_safety_orders=0), market=rules)
    assert watched(desk) == NOTHING  # at 90 a coin is worth 90


def test_a_stop_loss_that_was_jumped_over_waits_for_a_price_at_which_it_can_sell() -> None:
    rules = Market(
        pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="0.01", step_size="0.001", min_notional=85
    )
    desk = Desk.in_position(strategy(stop_loss=10, max_safety_orders=0), market=rules, fees=Fees(fee_taker=0))
    assert watched(desk).falls_to == 90
    desk.see("80")
    assert desk.state == "in_position"
    assert watched(desk) == Watches(rises_to=Price(Decimal(85)))
    desk.see("85")
    assert desk.state == "closing"
