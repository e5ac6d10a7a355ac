"""Orders on their way, and cancels: F01 to F20."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import attrs
import pytest

from dcacore.domain.bot import Phase
from dcacore.domain.intents import IntentState
from dcacore.domain.limits import Band, Bound, Limits
from dcacore.domain.market import Fees
from dcacore.domain.orders import Role
from dcacore.domain.venue import VenueOrder, VenueStatus
from dcacore.ports.errors import FilterViolation, InsufficientBalance, OutcomeUnknown, TradingHalted, Unavailable
from dcacore.ports.records import RequestKind
from tests.faults.stage import (
    ACCOUNT,
    BOT,
    Act,
    Carry,
    Stage,
    answered,
    deaf,
    late_request,
    lost_reply,
    lost_request,
    of_role,
    quantity,
    refused,
    slow,
)
from tests.strategies import FREE, MARKET

ALL = (Role.BASE, Role.SAFETY, Role.TAKE_PROFIT)


def failed_after(text: str) -> Act:
    """The exchange does what it was asked, and answers with an error that says nothing."""

    async def act(carry: Carry) -> Any:
        await carry()
        raise OutcomeUnknown(text)

    return act


def absent(_: Any) -> None:
    """The exchange knows of no such order."""


def none_of_them(_: Any) -> tuple[()]:
    """The exchange knows of none at all."""
    return ()


# ------------------------------------------------------------------------------------------------------------ placing


@pytest.mark.parametrize("role", ALL)
def test_f01_an_order_whose_answer_is_lost_is_asked_for_and_adopted(stage: Stage, role: Role) -> None:
    stage.wire().tamper = deaf
    stage.wire().on("place", lost_reply, when=of_role(role))
    stage.start(after=0.3)
    unknown = [intent for intent in stage.intents() if intent.state is IntentState.UNKNOWN]
    assert [intent.order.role for intent in unknown] == [role]
    stage.run(30)
    assert len(stage.orders(Role.BASE)) == 1
    assert len(stage.orders(Role.SAFETY)) == 2
    stage.expect_position()


def test_f01_the_user_can_read_that_the_answer_is_missing(stage: Stage) -> None:
    stage.wire().on("place", lost_request)
    stage.start(after=5)
    assert any(line.kind == "order_lost" for line in stage.activity())


@pytest.mark.parametrize("role", ALL)
def test_f02_an_order_that_never_arrived_is_given_up_and_placed_under_another_id(stage: Stage, role: Role) -> None:
    stage.wire().on("place", lost_request, when=of_role(role))
    stage.start(after=20)
    assert role is not Role.BASE or not stage.orders()
    stage.run(15)
    lost = [intent for intent in stage.intents() if intent.state is IntentState.NOT_PLACED]
    assert [intent.order.role for intent in lost] == [role] or role is Role.BASE
    assert len(stage.orders(Role.BASE)) == 1
    assert len(stage.resting(Role.SAFETY)) == 2
    stage.expect_position()


@pytest.mark.parametrize("arrives_after", [2.5, 4.9, 8.0])
def test_f03_while_a_request_may_still_arrive_there_is_no_second_one(stage: Stage, arrives_after: float) -> None:
    stage.wire().on("place", late_request(arrives_after, given_up_after=2))
    stage.start(after=20)
    assert len(stage.orders(Role.BASE)) == (arrives_after < 5)  # beyond its window the exchange refuses it
    assert len(stage.wire().requests("place")) == (1 if arrives_after > 5 else 4)
    stage.run(20)
    assert len(stage.orders(Role.BASE)) == 1
    stage.expect_position()


@pytest.mark.parametrize("act", [lost_reply, lost_request, late_request(4, 1), refused(OutcomeUnknown("HTTP 502"))])
def test_f04_no_id_is_ever_on_the_wire_twice(stage: Stage, act: Act) -> None:
    sent: list[str] = []

    def note(subject: Any) -> bool:
        sent.append(subject.id)
        return len(sent) % 2 == 1

    stage.wire().on("place", act, times=4, when=note)
    stage.start(after=200)
    stage.move("90", after=200)
    assert len(sent) == len(set(sent))
    assert len(stage.orders(Role.BASE)) == 1


@pytest.mark.parametrize("text", ["HTTP 503", "-1006 UNEXPECTED_RESP", "-1007 TIMEOUT", "-1000 UNKNOWN"])
@pytest.mark.parametrize("role", ALL)
def test_f05_a_failure_of_the_server_is_not_a_refusal(stage: Stage, text: str, role: Role) -> None:
    stage.wire().on("place", failed_after(text), when=of_role(role))
    stage.start(after=30)
    assert len(stage.orders(Role.BASE)) == 1
    assert not [intent for intent in stage.intents() if intent.state is IntentState.REJECTED]
    stage.expect_position()


def test_f06_not_found_is_not_believed_before_its_time(stage: Stage) -> None:
    wire = stage.wire()
    wire.tamper = deaf
    wire.on("place", lost_reply, when=of_role(Role.BASE))
    hidden = [
        wire.on("find", answered(absent), times=99),
        wire.on("open_orders", answered(none_of_them), times=99),
        wire.on("trades", answered(none_of_them), times=99),
    ]
    stage.start(after=19)
    assert [intent.state for intent in stage.intents()] == [IntentState.UNKNOWN]
    for line in hidden:
        line.times = 0
    stage.run(15)
    assert len(stage.orders(Role.BASE)) == 1
    stage.expect_position()


def test_f06_an_order_that_rests_and_is_not_found_for_a_moment_stays(stage: Stage) -> None:
    stage.start()
    stage.wire().on("find", answered(absent), times=3)
    stage.wire().on("open_orders", answered(none_of_them), times=2)
    stage.run(200)
    assert len(stage.orders(Role.SAFETY)) == 2
    stage.expect_position()


def test_f06_reads_that_fail_count_for_nothing(stage: Stage) -> None:
    stage.wire().on("place", lost_reply, when=of_role(Role.BASE))
    stage.wire().tamper = deaf
    stage.wire().on("find", refused(Unavailable("no answer")), times=40)
    stage.start(after=120)
    assert [intent.state for intent in stage.intents()] == [IntentState.UNKNOWN]
    stage.run(1200)
    assert len(stage.orders(Role.BASE)) == 1
    stage.expect_position()


def test_f07_an_answer_that_names_no_order_leaves_its_fate_unknown(stage: Stage) -> None:
    stage.wire().on("place", failed_after("the answer names no order"), times=4)
    stage.start(after=30)
    assert len(stage.orders()) == 4
    stage.expect_position()


def test_f08_an_order_that_cannot_be_asked_for_at_the_start_is_not_taken_for_cancelled(stage: Stage) -> None:
    stage.start()
    stage.kill()
    stage.run(60)
    stage.wire().on("*", refused(Unavailable("no answer")), times=30)
    stage.move("90")  # a safety order fills while nobody can look
    stage.start_engine()
    stage.run(5)
    assert stage.deal().filled_safety_orders == 0
    assert all(intent.state is not IntentState.CANCELED for intent in stage.intents())
    stage.run(600)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


def test_f08_an_order_that_the_exchange_has_archived_ended_with_no_fill(stage: Stage) -> None:
    stage.start()
    stage.kill()
    [first, _] = stage.resting(Role.SAFETY)
    stage.hand.cancel(MARKET.pair, first.venue_order_id)
    stage.skip(days=91)
    stage.start_engine()
    stage.run(120)
    intent = stage.intent(first.order_id)
    assert intent is not None
    assert intent.state is IntentState.CANCELED
    assert not intent.order.filled
    assert stage.trouble() == "needs_attention"
    stage.ask(RequestKind.RETRY, after=30)
    assert stage.deal().filled_safety_orders == 0


def test_f09_a_refusal_for_a_rule_names_the_rule_and_is_not_tried_again(stage: Stage) -> None:
    stage.wire().on("place", refused(FilterViolation("Filter failure: NOTIONAL", -1013)), times=99)
    stage.start(after=600)
    stage.move("99", after=600)
    trouble = stage.bot().trouble
    assert trouble is not None
    assert trouble.kind.value == "error"
    assert "NOTIONAL" in trouble.reason
    assert stage.refused_per_hour() == 1
    stage.wire().lines.clear()
    stage.ask(RequestKind.RETRY, after=5)
    stage.expect_position()


@pytest.mark.parametrize("rule", ["NOTIONAL", "MAX_NUM_ORDERS"])
def test_f09_a_safety_order_that_breaks_a_rule_keeps_no_target_from_being_placed(stage: Stage, rule: str) -> None:
    no = refused(FilterViolation(f"Filter failure: {rule}", -1013))
    stage.wire().on("place", no, times=99, when=of_role(Role.SAFETY))
    stage.start(after=600)
    assert stage.trouble() == "error"
    assert not stage.resting(Role.SAFETY)
    assert [sell.quantity for sell in stage.resting(Role.TAKE_PROFIT)] == [1]
    assert stage.refused_per_hour() == 1


@pytest.mark.parametrize("way_s", [0, 3])
def test_f09_a_target_that_was_taken_off_goes_back_on_although_the_next_safety_order_breaks_a_rule(
    empty_stage: Stage, way_s: float
) -> None:
    """The no may come before the cancel does: a bot in error would be left without a sell."""
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot(max_safety_orders=3, active_safety_orders=1)
    stage.start()
    no = refused(FilterViolation("Filter failure: NOTIONAL", -1013))
    stage.wire().on("place", no, times=99, when=of_role(Role.SAFETY))
    stage.wire().on("cancel", slow(before=way_s))
    stage.move("90", after=600)
    assert stage.trouble() == "error"
    (target,) = stage.resting(Role.TAKE_PROFIT)
    deal = stage.deal()
    assert (target.price, target.quantity) == (deal.take_profit_price, deal.sellable)
    assert stage.refused_per_hour() == 1
    stage.move("300", after=5)
    assert stage.bot().deals_closed == 1


def test_f09_a_refusal_reloads_the_rules(stage: Stage) -> None:
    stage.start()
    stage.staff.change_rules(attrs.evolve(MARKET, step_size=Decimal("0.01"), min_quantity=Decimal("0.01")))
    stage.move("90", after=60)  # the target's order would sell 2.111
    assert [sell.quantity for sell in stage.resting(Role.TAKE_PROFIT)] == [Decimal("2.11")]
    assert stage.refused_per_hour() == 1
    stage.expect_position()


def test_f10_without_enough_balance_nothing_is_sent_until_there_is(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="99")
    stage.add_bot()
    stage.start(after=600)
    assert stage.trouble() == "waiting_for_balance"
    assert not stage.wire().requests("place")
    stage.hand.deposit("XYZ", Decimal(1000))
    stage.run(61)
    stage.expect_position()


def test_f10_a_bot_that_waits_for_balance_can_be_stopped(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="99")
    stage.add_bot()
    stage.start(after=100)
    stage.ask(RequestKind.STOP, after=5, sell="true")
    stage.hand.deposit("XYZ", Decimal(1000))
    stage.run(300)
    assert stage.bot().phase is Phase.STOPPED
    assert stage.trouble() is None
    assert not stage.orders()


def test_f10_safety_orders_wait_for_balance_while_the_target_rests(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="150")
    stage.add_bot()
    stage.start(after=200)
    assert stage.trouble() == "waiting_for_balance"
    assert len(stage.resting(Role.TAKE_PROFIT)) == 1
    assert not stage.refused_per_hour()
    stage.hand.deposit("XYZ", Decimal(1000))
    stage.run(61)
    assert len(stage.resting(Role.SAFETY)) == 2
    stage.expect_position()


def test_f10_a_refusal_of_another_meaning_is_not_taken_for_balance(stage: Stage) -> None:
    stage.wire().on("place", refused(TradingHalted("Market is closed.", -2010)))
    stage.start(after=5)
    assert stage.trouble() == "needs_attention"


def test_f11_the_word_that_an_order_is_a_duplicate_makes_it_found(stage: Stage) -> None:
    stage.wire().on("place", failed_after("Duplicate order sent."), when=of_role(Role.SAFETY))
    stage.start(after=30)
    assert len(stage.orders(Role.SAFETY)) == 2
    stage.expect_position()


# --------------------------------------------------------------------------------------------------------- cancelling


def test_f12_a_target_that_fills_while_it_is_being_taken_off_is_booked(stage: Stage) -> None:
    def meets_fill(carry: Carry) -> Any:
        stage.venue.move(MARKET.pair, stage.resting_price(Role.TAKE_PROFIT))
        return carry()

    stage.start()
    stage.wire().on("cancel", meets_fill)
    stage.move("90", after=60)
    sold = [booked.order for booked in stage.orders(Role.TAKE_PROFIT) if booked.order.executed]
    assert sold[0].executed == 1
    assert stage.trouble() is None
    bot = stage.bot()
    assert bot.deals_closed == 1 or bot.deal is not None


@pytest.mark.parametrize("kind", [RequestKind.CANCEL_DEAL, RequestKind.CLOSE_DEAL])
def test_f12_a_cancel_that_is_lost_while_the_order_fills(stage: Stage, kind: RequestKind) -> None:
    def lost_and_filled(carry: Carry) -> Any:
        stage.venue.move(MARKET.pair, stage.resting_price(Role.TAKE_PROFIT))
        return lost_request(carry)

    stage.start()
    stage.wire().on("cancel", lost_and_filled, when=of_role(Role.TAKE_PROFIT))
    stage.ask(kind, after=90)
    [deal] = stage.ended()
    assert deal.result is not None
    assert deal.result.profit == 10
    assert stage.trouble() is None


@pytest.mark.parametrize("act", [lost_request, lost_reply, refused(OutcomeUnknown("HTTP 504"))])
def test_f13_a_cancel_without_an_answer_is_followed_by_a_question(stage: Stage, act: Act) -> None:
    stage.start()
    stage.wire().on("cancel", act)
    stage.move("90", after=60)
    assert len(stage.orders(Role.TAKE_PROFIT)) == 2
    stage.expect_position()


def test_f13_nothing_is_sold_while_the_old_target_may_still_fill(stage: Stage) -> None:
    stage.start()
    stage.wire().on("cancel", lost_request, times=4)
    stage.wire().on("find", refused(Unavailable("no answer")), times=4)
    stage.move("90", after=3)
    assert len(stage.orders(Role.TAKE_PROFIT)) == 1
    stage.run(90)
    stage.expect_position()


def test_f14_a_target_that_has_filled_in_part_is_replaced_by_what_is_left(stage: Stage) -> None:
    stage.start()
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.staff.fill_in_part(ACCOUNT, MARKET.pair, target.venue_order_id, quantity("0.4"))
    stage.move("90", after=30)
    [new] = stage.resting(Role.TAKE_PROFIT)
    assert new.quantity == Decimal("1.711")  # 1 - 0.4 + 1.111
    stage.expect_position()


def test_f14_a_part_that_fills_while_the_target_is_being_taken_off_counts(stage: Stage) -> None:
    def fills_in_part(carry: Carry) -> Any:
        [target] = stage.resting(Role.TAKE_PROFIT)
        stage.staff.fill_in_part(ACCOUNT, MARKET.pair, target.venue_order_id, quantity("0.4"))
        return carry()

    stage.start()
    stage.wire().on("cancel", fills_in_part)
    stage.move("90", after=30)
    [new] = stage.resting(Role.TAKE_PROFIT)
    assert new.quantity == Decimal("1.711")
    stage.expect_position()


# ------------------------------------------------------------------------------------------------------ market orders


def test_f16_a_base_order_that_expires_half_filled_is_half_a_base_order(stage: Stage) -> None:
    stage.staff.thin_out(MARKET.pair, Decimal("0.5"))
    stage.start(after=5)
    assert stage.deal().books.net == Decimal("0.5")
    stage.expect_position()


@pytest.mark.parametrize("act", [lost_reply, slow(after=3)])
def test_f16_half_a_base_order_whose_answer_is_late_or_lost(stage: Stage, act: Act) -> None:
    stage.staff.thin_out(MARKET.pair, Decimal("0.5"))
    stage.wire().on("place", act)
    stage.start(after=40)
    assert stage.deal().books.net == Decimal("0.5")
    stage.expect_position()


def test_f16_a_base_order_that_finds_nobody_is_tried_again_when_the_price_has_changed(stage: Stage) -> None:
    stage.staff.thin_out(MARKET.pair, Decimal(0))
    stage.start(after=60)
    assert len(stage.orders(Role.BASE)) == 1
    stage.move("101", after=5)
    assert len(stage.orders(Role.BASE)) == 2
    stage.expect_position()


def test_f16_a_sale_that_expires_half_filled_goes_on(stage: Stage) -> None:
    stage.start()
    stage.staff.thin_out(MARKET.pair, Decimal("0.3"))
    stage.ask(RequestKind.STOP, sell="true", after=60)
    stage.move("101", after=5)
    assert sum(booked.order.executed for booked in stage.orders(Role.CLOSE)) == 1
    assert stage.bot().phase is Phase.STOPPED


def test_f17_the_average_is_what_was_paid_and_not_what_was_seen() -> None:
    stage = Stage(slippage=Decimal("0.01"))
    stage.list_pair()
    stage.open_account()
    stage.add_bot()
    stage.start()
    deal = stage.deal()
    assert deal.opened_price == 100
    assert deal.books.gross == 101
    assert deal.take_profit_price == Decimal("111.1")
    assert [rung.price for rung in deal.rungs] == [Decimal("90.9"), Decimal("80.8")]
    stage.close()


@pytest.mark.parametrize("size", ["123.4", "100", "85.91", "7"])
@pytest.mark.parametrize("rounding", ["down", "up"])
def test_f18_no_more_is_sold_than_was_bought(empty_stage: Stage, size: str, rounding: str) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(fees=Fees(fee_taker="0.001", fee_maker="0.001"))
    stage.add_bot(base_order_size=size, max_safety_orders=0, quantity_rounding=rounding)
    stage.start()
    [target] = stage.resting(Role.TAKE_PROFIT)
    held = stage.deal().books.net
    assert held - MARKET.step_size < target.quantity <= held
    assert not stage.refused_per_hour()


@pytest.mark.parametrize("role", [Role.SAFETY, Role.TAKE_PROFIT])
def test_f19_an_order_that_the_exchange_has_ended_is_told_and_not_placed_in_a_loop(stage: Stage, role: Role) -> None:
    stage.start()
    order = stage.resting(role)[0]
    stage.staff.expire(ACCOUNT, MARKET.pair, order.venue_order_id)
    stage.run(300)
    assert stage.trouble() == "needs_attention"
    assert len(stage.orders()) == 4
    stage.ask(RequestKind.RETRY, after=5)
    assert len(stage.resting(Role.SAFETY)) == (1 if role is Role.SAFETY else 2)  # a safety order is left out
    stage.expect_position()


def test_f20_more_orders_than_the_exchange_allows_are_an_error_and_no_loop(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.staff.change_rules(MARKET, most_open=2)
    stage.open_account()
    stage.add_bot()
    stage.start(after=600)
    trouble = stage.bot().trouble
    assert trouble is not None
    assert "MAX_NUM_ORDERS" in trouble.reason
    assert stage.refused_per_hour() == 1


def test_f20_only_so_many_safety_orders_rest_as_the_user_allows(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(fees=FREE)
    stage.add_bot(max_safety_orders=4, active_safety_orders=2, price_deviation="5")
    stage.start()
    assert [order.price for order in stage.resting(Role.SAFETY)] == [95, 90]
    stage.move("95", after=5)
    assert [order.price for order in stage.resting(Role.SAFETY)] == [90, 85]
    stage.expect_position()


BAND: Final = Band("PERCENT_PRICE_BY_SIDE", Decimal("0.2"), Decimal(5))
LISTED: Final = Limits(buys=BAND, sells=BAND, orders=Bound("MAX_NUM_ORDERS", Decimal(200)))
BEYOND_BAND: Final = FilterViolation("Filter failure: PERCENT_PRICE_BY_SIDE", -1013)


def listed_with(limits: Limits) -> Act:
    """The exchange lists the pair with limits."""
    return answered(lambda listing: attrs.evolve(listing, limits=limits))


def said(stage: Stage, kind: str) -> list[str]:
    return [line.text for line in stage.activity() if line.kind == kind]


def limited(stage: Stage, limits: Limits = LISTED) -> Stage:
    stage.wire().on("listing", listed_with(limits), times=float("inf"))
    return stage


def test_f09_a_safety_order_too_far_from_the_market_waits_until_the_market_has_come(empty_stage: Stage) -> None:
    stage = limited(empty_stage)
    stage.list_pair()
    stage.open_account(fees=FREE)
    stage.add_bot(max_safety_orders=3, price_deviation="30")
    stage.start()
    assert [order.price for order in stage.resting(Role.SAFETY)] == [70, 40]
    assert len(stage.resting(Role.TAKE_PROFIT)) == 1
    assert any("safety order 3 lies 90 %" in text for text in said(stage, "ladder_warning"))
    assert any("safety order 3 lies 90 %" in text for text in said(stage, "order_held"))
    assert stage.trouble() is None
    stage.move("48", after=5)
    assert [order.price for order in stage.resting(Role.SAFETY)] == [40, 10]
    assert not stage.refused_per_hour()
    stage.stop_engine()
    stage.start_engine()
    stage.run(5)
    assert [order.price for order in stage.resting(Role.SAFETY)] == [40, 10]


@pytest.mark.parametrize("role", [Role.SAFETY, Role.TAKE_PROFIT])
def test_f09_an_order_refused_for_a_listed_band_is_tried_ever_later_and_the_rest_goes_on(
    stage: Stage, role: Role
) -> None:
    limited(stage).wire().on("place", refused(BEYOND_BAND), times=3, when=of_role(role))
    stage.start()
    other = Role.TAKE_PROFIT if role is Role.SAFETY else Role.SAFETY
    assert stage.resting(other)
    assert not stage.resting(role)
    stage.run(2 * 3600)
    assert stage.refused_per_hour() <= 3
    assert stage.trouble() is None
    assert len(said(stage, "order_held")) == 3
    assert stage.resting(role)
    stage.expect_position()


def test_f20_safety_orders_leave_room_for_the_targets_of_all_bots_there(empty_stage: Stage) -> None:
    stage = limited(empty_stage, Limits(orders=Bound("MAX_NUM_ORDERS", Decimal(5))))
    stage.list_pair()
    stage.staff.change_rules(MARKET, most_open=5)
    stage.open_account(fees=FREE)
    for name in ("one", "two"):
        stage.add_bot(name, max_safety_orders=3, price_deviation="5")
        stage.start(name)
    assert len(stage.resting(Role.TAKE_PROFIT)) == 2
    assert len(stage.resting(Role.SAFETY)) == 3
    assert not stage.refused_per_hour()
    assert any("8 orders resting" in text for text in said(stage, "ladder_warning"))
    (held,) = said(stage, "order_held")
    assert "5 orders of an account rest on ABCXYZ (MAX_NUM_ORDERS)" in held
    stage.move("95", after=5)  # those of both that were nearest fill, and there is room
    stage.run(1000)
    assert len(stage.resting(Role.TAKE_PROFIT)) == 2
    assert len(stage.resting(Role.SAFETY)) == 3
    assert not stage.refused_per_hour()


def test_f09_a_sell_at_market_that_is_too_large_by_new_rules_is_sold_in_several(empty_stage: Stage) -> None:
    """How much one market order may be for changes every day, with how much is traded."""
    stage, most = empty_stage, Decimal(10)

    def is_too_large(order: Any) -> bool:
        return order.price is None and order.quantity > most

    stage.wire().on(
        "listing",
        answered(lambda it: attrs.evolve(it, limits=Limits(market_quantity=Bound("MARKET_LOT_SIZE", most)))),
        times=float("inf"),
    )
    too_large = FilterViolation("Filter failure: MARKET_LOT_SIZE", -1013)
    stage.wire().on("place", refused(too_large), times=float("inf"), when=is_too_large)
    stage.list_pair()
    stage.open_account()
    stage.add_bot(max_safety_orders=0, stop_loss="30", auto_restart=False)
    stage.start()
    most = Decimal("0.4")
    stage.move("69", after=30)
    assert stage.trouble() is None
    assert stage.bot().deals_closed == 1
    assert stage.free("ABC") == 0
    assert len(stage.orders(Role.STOP_LOSS)) == 3


def test_f09_a_base_order_that_is_too_large_is_told_before_anything_is_sent(empty_stage: Stage) -> None:
    stage = limited(empty_stage, Limits(market_quantity=Bound("MARKET_LOT_SIZE", Decimal("0.5"))))
    stage.list_pair()
    stage.open_account()
    stage.add_bot()
    stage.start()
    trouble = stage.bot().trouble
    assert trouble is not None
    assert "the base order is for 1 ABC" in trouble.reason
    assert "MARKET_LOT_SIZE" in trouble.reason
    assert not stage.orders()


# ------------------------------------------------------------------------------------------------- at most so many no's


@pytest.mark.parametrize(
    "answer",
    [
        InsufficientBalance("Account has insufficient balance for requested action.", -2010),
        TradingHalted("Market is closed.", -2010),
        FilterViolation("Filter failure: PERCENT_PRICE_BY_SIDE", -1013),
    ],
)
@pytest.mark.parametrize("role", ALL)
def test_f50_at_most_five_orders_of_a_bot_are_refused_within_an_hour(
    stage: Stage, answer: Exception, role: Role
) -> None:
    stage.wire().on("place", refused(answer), times=10_000, when=of_role(role))
    stage.start()
    for step in range(60):
        stage.move(f"{100 + step % 3}", after=60)
        assert stage.refused_per_hour() <= 5
    assert stage.trouble() is not None
    assert stage.bot(BOT).phase is not Phase.STOPPED


def changed(status: VenueStatus) -> Act:
    def change(order: VenueOrder) -> VenueOrder:
        return attrs.evolve(order, status=status)

    return answered(change)


@pytest.mark.parametrize("name", ["place", "find"])
def test_f63_a_status_that_is_not_known_is_no_end(stage: Stage, name: str) -> None:
    stage.wire().on(name, changed(VenueStatus.OTHER), times=6)
    stage.start(after=5)
    assert not [intent for intent in stage.intents() if intent.has_ended and intent.order.remaining]
    stage.run(200)
    stage.expect_position()
