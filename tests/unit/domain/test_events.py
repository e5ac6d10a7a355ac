"""What users, exchanges and engines may tell a bot in any phase, and what it does about it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import attrs
import pytest

from dcacore.domain.bot import Phase, Wanted
from dcacore.domain.deal import Exit
from dcacore.domain.engine import decide
from dcacore.domain.errors import IllegalTransition
from dcacore.domain.events import Accepted, AttentionNeeded, Canceled, Lost, Refusal, Refused, Reported
from dcacore.domain.ids import OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import BaseQty
from dcacore.domain.orders import OrderState, Role
from tests.strategies import strategy
from tests.unit.domain.desk import Desk, described


def stopped() -> Desk:
    return Desk.of(strategy())


def starting() -> Desk:
    desk = Desk.of(strategy())
    desk.start()
    return desk


def monitoring() -> Desk:
    desk = Desk.in_position(strategy(max_safety_orders=0, cooldown=60))
    desk.see("110")
    desk.fill(desk.take_profit)
    return desk


def placing_order() -> Desk:
    return Desk.started(strategy())


def in_position() -> Desk:
    return Desk.in_position(strategy())


def closing() -> Desk:
    desk = Desk.in_position(strategy())
    desk.see("110")
    desk.fill(desk.take_profit)
    return desk


EVERY_PHASE = [stopped, starting, monitoring, placing_order, in_position, closing]
RUNNING = EVERY_PHASE[1:]
WITHOUT_DEAL = [stopped, starting, monitoring]

At = Callable[[], Desk]


@pytest.mark.parametrize("at", EVERY_PHASE)
def test_the_desks_stand_where_their_names_say(at: At) -> None:
    assert at().bot.phase is Phase(at.__name__)


# ------------------------------------------------------------------------------------------------------------ pausing


@pytest.mark.parametrize("at", RUNNING)
def test_a_pause_changes_nothing_but_what_is_wanted(at: At) -> None:
    desk = at()
    phase, deal = desk.bot.phase, desk.bot.deal
    desk.pause()
    assert desk.state == "paused"
    assert desk.bot.phase is phase
    assert desk.bot.deal == deal
    assert desk.asked == ()


def test_a_paused_bot_manages_its_deal_to_the_end_and_starts_no_other() -> None:
    desk = in_position()
    desk.pause()
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "104.22", "2.111")]
    desk.see("105")
    desk.fill(desk.take_profit)
    desk.cancel_all()
    assert desk.bot.phase is Phase.MONITORING
    assert desk.bot.deal is None
    assert desk.asked == ()
    desk.see("100")
    assert desk.asked == ()
    desk.start()
    assert described(desk.placed) == [("base", "market", "1")]


def test_a_pause_holds_through_a_cooldown() -> None:
    desk = monitoring()
    desk.pause()
    desk.wait(60)
    assert desk.asked == ()
    desk.start()
    assert desk.state == "placing_order"


# ----------------------------------------------------------------------------------------------------------- stopping


@pytest.mark.parametrize("sell", [True, False])
@pytest.mark.parametrize("at", WITHOUT_DEAL)
def test_a_bot_without_a_deal_stops_at_once(at: At, sell: bool) -> None:
    desk = at()
    desk.stop(sell=sell)
    assert desk.state == "stopped"
    assert desk.asked == ()


def test_a_bot_that_stops_may_sell_its_coins() -> None:
    desk = in_position()
    desk.stop(sell=True)
    assert desk.state == "closing"
    assert len(desk.canceled) == 1  # the sell first: it holds the coins
    desk.cancel_all()
    (sale,) = desk.placed
    assert described([sale]) == [("close", "market", "1")]
    assert len(desk.canceled) == 2
    desk.cancel_all()
    desk.fill(sale, price="99")
    assert desk.state == "stopped"
    (deal,) = desk.ended
    assert deal.exit is Exit.CLOSE
    assert desk.bot.profit == -1


def test_a_bot_that_stops_may_keep_its_coins() -> None:
    desk = in_position()
    desk.stop(sell=False)
    desk.cancel_all()
    assert desk.state == "stopped"
    (deal,) = desk.ended
    assert deal.exit is Exit.CANCEL
    assert deal.result is not None
    assert deal.result.profit == 0
    assert deal.result.kept.quantity == 1
    assert desk.bot.carried.quantity == 0  # they are the user's now


def test_stopping_while_the_base_order_is_on_its_way_waits_for_it() -> None:
    desk = placing_order()
    base = desk.placed[0]
    desk.stop(sell=True)
    assert desk.state == "closing"
    assert desk.asked == ()
    desk.fill(base)
    assert described(desk.placed) == [("close", "market", "1")]
    desk.fill(desk.placed[0])
    assert desk.state == "stopped"


def test_stopping_a_base_order_that_never_filled_closes_no_deal() -> None:
    desk = placing_order()
    base = desk.placed[0]
    desk.stop(sell=True)
    desk.expire(base)
    assert desk.state == "stopped"
    assert desk.ended == []
    assert desk.bot.deals_closed == 0


def test_stopping_during_an_exit_lets_it_end_and_starts_no_other_deal() -> None:
    desk = closing()
    cancels = desk.canceled
    desk.stop(sell=False)
    assert desk.deal.exit is Exit.TAKE_PROFIT
    desk.report(*(Canceled(order_id, BaseQty(Decimal(0))) for order_id in cancels))
    assert desk.state == "stopped"
    assert desk.ended[0].exit is Exit.TAKE_PROFIT


def test_a_stop_during_the_checks_is_carried_out_after_them() -> None:
    desk = in_position()
    desk.restart_engine()
    desk.stop(sell=True)
    assert desk.state == "starting"
    assert desk.asked == ()
    desk.ready()
    assert desk.state == "closing"
    assert desk.canceled == [desk.take_profit.id]


def test_a_partly_sold_deal_that_is_kept_books_what_it_sold() -> None:
    desk = in_position()
    desk.see("110")
    desk.fill(desk.take_profit, "0.4")
    desk.stop(sell=False)
    desk.cancel_all()
    (deal,) = desk.ended
    assert deal.result is not None
    assert deal.result.kept.quantity == Decimal("0.6")
    assert deal.result.profit == 4


def test_stopping_ends_a_trouble() -> None:
    desk = in_position()
    desk.tell(AttentionNeeded(desk.at, "look"))
    desk.stop(sell=False)
    assert desk.reason() is None
    assert len(desk.canceled) == 3


# ----------------------------------------------------------------------------------------------------------- starting


@pytest.mark.parametrize("at", RUNNING)
def test_starting_a_bot_that_runs_changes_nothing(at: At) -> None:
    desk = at()
    bot = desk.bot
    desk.start()
    assert desk.bot == bot
    assert desk.asked == ()


def test_starting_again_before_the_stop_is_done_goes_on_afterwards() -> None:
    desk = in_position()
    desk.see("101")
    desk.stop(sell=False)
    cancels = desk.canceled
    desk.start()
    desk.report(*(Canceled(order_id, BaseQty(Decimal(0))) for order_id in cancels))
    assert desk.ended[0].exit is Exit.CANCEL
    assert desk.state == "placing_order"


def test_starting_a_stopped_bot_forgets_its_old_trouble() -> None:
    desk = stopped()
    desk.tell(AttentionNeeded(desk.at, "look"))
    assert desk.state == "needs_attention"
    desk.start()
    assert desk.state == "starting"


# --------------------------------------------------------------------------------------------------- an engine restart


@pytest.mark.parametrize("at", RUNNING)
def test_the_engine_takes_a_bot_up_where_it_was(at: At) -> None:
    desk = at()
    phase, deal = desk.bot.phase, desk.bot.deal
    desk.restart_engine()
    assert desk.state == "starting"
    assert desk.asked == ()
    desk.see("100")  # nothing is done before the checks are
    assert desk.asked == ()
    if phase is Phase.STARTING:
        return
    desk.ready()
    assert desk.bot.phase is phase
    assert (desk.bot.deal is None) == (deal is None)
    assert desk.asked == ()


def test_a_stopped_bot_stays_stopped_when_the_engine_comes_up() -> None:
    desk = stopped()
    desk.restart_engine()
    assert desk.state == "stopped"


@pytest.mark.parametrize("at", [stopped, monitoring, placing_order, in_position, closing])
def test_checks_that_nobody_waits_for_change_nothing(at: At) -> None:
    desk = at()
    bot = attrs.evolve(desk.bot, price=desk.price)
    desk.ready()
    assert desk.bot == bot
    assert desk.asked == ()


def test_what_happened_while_the_engine_was_down_is_acted_on_after_the_checks() -> None:
    desk = in_position()
    desk.restart_engine()
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    assert desk.asked == ()
    assert desk.deal.books.bought == Decimal("2.111")
    desk.ready()
    assert len(desk.canceled) == 1
    assert desk.deal.take_profit_price == Decimal("104.22")


def test_a_base_order_that_filled_while_the_engine_was_down_becomes_a_deal() -> None:
    desk = placing_order()
    base = desk.placed[0]
    desk.restart_engine()
    desk.fill(base)
    assert desk.state == "starting"
    desk.ready()
    assert desk.state == "in_position"
    assert len(desk.placed) == 3


# ------------------------------------------------------------------------------------------------ trouble and retrying


@pytest.mark.parametrize("at", EVERY_PHASE)
def test_attention_stops_everything_until_the_user_retries(at: At) -> None:
    desk = at()
    phase = desk.bot.phase
    desk.tell(AttentionNeeded(desk.at, "the books differ"))
    assert desk.state == "needs_attention"
    assert desk.reason() == "the books differ"
    assert desk.asked == ()
    desk.retry()
    assert desk.reason() is None
    assert desk.bot.phase is phase


def test_while_attention_is_needed_fills_are_booked_and_nothing_is_placed() -> None:
    desk = in_position()
    desk.tell(AttentionNeeded(desk.at, "look"))
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    assert desk.asked == ()
    assert desk.deal.books.bought == Decimal("2.111")
    desk.retry()
    assert len(desk.canceled) == 1


def test_a_first_trouble_is_not_covered_by_a_second() -> None:
    desk = in_position()
    desk.tell(AttentionNeeded(desk.at, "first"))
    desk.tell(AttentionNeeded(desk.at, "second"))
    assert desk.reason() == "first"


def test_a_retry_without_trouble_changes_nothing() -> None:
    desk = in_position()
    bot = desk.bot
    desk.retry()
    assert desk.bot == bot


# ------------------------------------------------------------------------------------------------- waiting for balance


def test_a_base_order_that_cannot_be_paid_for_waits() -> None:
    desk = placing_order()
    desk.refuse(desk.placed[0], Refusal.BALANCE, "needs 100 XYZ")
    assert desk.state == "waiting_for_balance"
    assert desk.bot.phase is Phase.MONITORING
    assert desk.reason() == "base order: needs 100 XYZ"
    assert desk.bot.deal is None
    desk.see("99")
    assert desk.asked == ()
    desk.retry_due()
    assert desk.reason() is None
    assert described(desk.placed) == [("base", "market", "1.01")]
    assert desk.placed[0].id == "bot-2-b-1"


def test_a_waiting_bot_can_be_told_by_its_user_to_try_again() -> None:
    desk = placing_order()
    desk.refuse(desk.placed[0], Refusal.BALANCE)
    desk.retry()
    assert desk.state == "placing_order"


def test_safety_orders_wait_for_balance_and_exits_do_not() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first, second, take_profit = desk.placed
    desk.report(
        Refused(first.id, Refusal.BALANCE, "needs 99.99 XYZ"),
        Refused(second.id, Refusal.NOT_TRIED, "a buy before it did not fit"),
        Accepted(take_profit.id),
    )
    assert desk.state == "waiting_for_balance"
    assert desk.reason() == "safety order 1: needs 99.99 XYZ"
    assert desk.safety_orders == []
    assert desk.take_profit.id == take_profit.id
    desk.see("95")
    assert desk.asked == ()
    desk.retry_due()
    assert described(desk.placed) == [("safety", "90", "1.111"), ("safety", "80", "1.25")]
    assert desk.placed[0].id != first.id


def test_only_the_orders_that_did_not_fit_are_tried_again() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first, second, take_profit = desk.placed
    desk.report(Accepted(first.id), Refused(second.id, Refusal.BALANCE, "no"), Accepted(take_profit.id))
    desk.retry_due()
    assert described(desk.placed) == [("safety", "80", "1.25")]


def test_a_waiting_deal_still_takes_its_profit() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first, second, take_profit = desk.placed
    desk.report(Refused(first.id, Refusal.BALANCE, "no"), Refused(second.id, Refusal.NOT_TRIED, "no"))
    desk.see("110")
    desk.fill(take_profit)
    assert desk.ended[0].exit is Exit.TAKE_PROFIT
    assert desk.reason() is None  # the sale brought money
    assert desk.state == "placing_order"


def test_a_waiting_deal_still_stops_its_loss() -> None:
    desk = Desk.started(strategy(stop_loss=5))
    desk.fill(desk.placed[0])
    first, second, take_profit = desk.placed
    desk.report(
        Refused(first.id, Refusal.BALANCE, "no"),
        Refused(second.id, Refusal.NOT_TRIED, "no"),
        Accepted(take_profit.id),
    )
    desk.see("95")
    assert desk.canceled == [take_profit.id]


def test_a_buy_that_fills_lets_the_others_be_tried_again() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first, second, take_profit = desk.placed
    desk.report(Accepted(first.id), Refused(second.id, Refusal.BALANCE, "no"), Accepted(take_profit.id))
    assert desk.state == "waiting_for_balance"
    desk.see("90")
    desk.fill(first)
    assert desk.reason() is None
    assert [order.rung for order in desk.placed] == [2]


# ------------------------------------------------------------------------------------------------------- other refusals


def test_a_refused_rule_is_an_error_and_is_tried_again_when_the_user_says_so() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first, second, take_profit = desk.placed
    desk.report(Refused(first.id, Refusal.RULE, "filter"), Accepted(second.id), Accepted(take_profit.id))
    assert desk.state == "error"
    assert desk.reason() == "safety order 1: filter"
    desk.see("95")
    assert desk.asked == ()
    desk.retry()
    assert [order.rung for order in desk.placed] == [1]
    desk.accept_all()
    desk.see("90")
    desk.fill(desk.safety_orders[-1])
    assert desk.placed == []  # the second rests already, and is not placed again
    assert [order.rung for order in desk.safety_orders] == [2]


def test_a_refused_base_order_is_an_error_and_no_deal() -> None:
    desk = placing_order()
    desk.refuse(desk.placed[0], Refusal.RULE, "halted")
    assert desk.state == "error"
    desk.retry()
    assert desk.state == "placing_order"
    assert desk.placed[0].id == "bot-2-b-1"


def test_a_refused_sell_for_want_of_coins_needs_attention() -> None:
    desk = Desk.started(strategy(max_safety_orders=0))
    desk.fill(desk.placed[0])
    desk.refuse(desk.placed[0], Refusal.BALANCE, "needs 1 ABC")
    assert desk.state == "needs_attention"
    assert desk.reason() == (
        "take profit order: needs 1 ABC; the account holds less than the deal bought: were coins sold or withdrawn? "
        "Buy them back and retry, close the deal as sold at the price you got, or cancel it"
    )
    desk.retry()
    assert described(desk.placed) == [("take_profit", "110", "1")]


def test_a_refused_market_sell_is_tried_again_after_a_retry() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, stop_loss=5))
    desk.see("95")
    desk.cancel_all()
    desk.refuse(desk.placed[0], Refusal.RULE, "halted")
    assert desk.state == "error"
    desk.retry()
    assert described(desk.placed) == [("stop_loss", "market", "1")]


def test_trouble_that_passes_gives_way_to_trouble_that_does_not() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first, second, _ = desk.placed
    desk.report(Refused(first.id, Refusal.BALANCE, "no"), Refused(second.id, Refusal.RULE, "filter"))
    assert desk.state == "error"
    desk.retry_due()
    assert desk.state == "error"


# ------------------------------------------------------------------------------------------- lost answers and cancels


def test_an_order_whose_answer_was_lost_may_exist_and_is_not_sent_again() -> None:
    desk = Desk.started(strategy())
    base = desk.placed[0]
    desk.report(Lost(base.id))
    assert desk.order(base).state is OrderState.UNKNOWN
    desk.see("99")
    assert desk.asked == ()
    assert desk.state == "placing_order"
    desk.fill(base)
    assert desk.state == "in_position"


def test_a_lost_order_that_turns_up_rests() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first = desk.placed[0]
    desk.report(Lost(first.id))
    desk.report(Accepted(first.id))
    assert desk.order(first).state is OrderState.OPEN


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_order_that_does_not_exist_is_placed_anew_under_another_id(lost: int) -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    orders = desk.placed
    gone = orders[lost]
    desk.report(*(Lost(order.id) if order is gone else Accepted(order.id) for order in orders))
    desk.refuse(gone, Refusal.NOT_PLACED)
    (again,) = desk.placed
    assert (again.rung, again.price, again.quantity) == (gone.rung, gone.price, gone.quantity)
    assert again.id not in {order.id for order in orders}
    assert desk.reason() is None


def test_a_lost_take_profit_that_does_not_exist_is_placed_anew() -> None:
    desk = Desk.started(strategy(max_safety_orders=0))
    desk.fill(desk.placed[0])
    gone = desk.placed[0]
    desk.report(Lost(gone.id))
    assert desk.asked == ()
    desk.refuse(gone, Refusal.NOT_PLACED)
    assert described(desk.placed) == [("take_profit", "110", "1")]
    assert desk.placed[0].id != gone.id


def test_a_lost_base_order_that_does_not_exist_opens_another_deal() -> None:
    desk = placing_order()
    desk.report(Lost(desk.placed[0].id))
    desk.report(Refused(OrderId("bot-1-b-1"), Refusal.NOT_PLACED, "unknown"))
    assert desk.placed[0].id == "bot-2-b-1"


def test_a_fill_may_be_told_after_the_cancel_that_came_after_it() -> None:
    desk = in_position()
    take_profit = desk.take_profit
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    desk.cancel(take_profit, executed="0.3")
    assert desk.placed == []  # 0.3 of it was sold, and the fill is not told yet
    desk.fill(take_profit, "0.3")
    assert desk.deal.books.sold == Decimal("0.3")
    assert [order.quantity for order in desk.placed] == [Decimal("1.811")]


def test_an_order_that_filled_instead_of_being_canceled_is_booked() -> None:
    desk = in_position()
    take_profit = desk.take_profit
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    desk.fill(take_profit)
    assert desk.order(take_profit).state is OrderState.FILLED
    assert described(desk.placed) == [("take_profit", "104.22", "1.111")]  # the target moves with buys alone


def test_a_cancel_that_nobody_asked_for_needs_attention() -> None:
    desk = in_position()
    desk.cancel(desk.safety_orders[0])
    assert desk.state == "needs_attention"
    assert desk.reason() == "safety order 1 ended on the exchange without this bot's doing"
    assert desk.asked == ()


def test_a_take_profit_that_somebody_canceled_is_placed_again_after_a_retry() -> None:
    desk = in_position()
    desk.cancel(desk.take_profit)
    assert desk.state == "needs_attention"
    assert desk.live(Role.TAKE_PROFIT) == []
    desk.retry()
    assert described(desk.placed) == [("take_profit", "110", "1")]


def test_a_market_sell_that_finds_nobody_needs_attention() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, stop_loss=5))
    desk.see("95")
    desk.cancel_all()
    desk.expire(desk.placed[0])
    assert desk.state == "needs_attention"
    desk.retry()
    assert described(desk.placed) == [("stop_loss", "market", "1")]


def test_a_market_sell_that_finds_too_few_is_followed_by_another() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, stop_loss=5))
    desk.see("95")
    desk.cancel_all()
    sale = desk.placed[0]
    desk.fill(sale, "0.7")
    desk.expire(sale, "0.7")
    assert desk.reason() is None
    assert described(desk.placed) == [("stop_loss", "market", "0.3")]


# ------------------------------------------------------------------------------------------------- what cannot be


def test_reports_about_strangers_change_nothing() -> None:
    desk = in_position()
    bot = desk.bot
    stranger = OrderId("bot-9-b-1")
    desk.report(Accepted(stranger), Lost(stranger), Refused(stranger, Refusal.RULE, "?"))
    assert desk.bot == bot
    nobody = stopped()
    nobody.report(Accepted(stranger))
    assert nobody.state == "stopped"


def test_a_fill_of_more_than_was_ordered_is_refused() -> None:
    desk = placing_order()
    with pytest.raises(IllegalTransition, match=r"order bot-1-b-1 of 1\.000"):
        desk.fill(desk.placed[0], "1.001")


def test_an_open_order_cannot_be_refused() -> None:
    desk = in_position()
    with pytest.raises(IllegalTransition, match="is open"):
        desk.refuse(desk.take_profit, Refusal.RULE)


def test_a_fill_counts_once_however_often_it_is_told() -> None:
    desk = in_position()
    told = desk.filling(desk.safety_orders[0], "0.5")
    desk.report(told)
    desk.report(told, told)
    assert desk.deal.books.bought == Decimal("1.5")


def test_deciding_leaves_the_bot_that_was_asked_alone() -> None:
    desk = in_position()
    bot, deal = desk.bot, desk.deal
    orders = dict(deal.orders)
    event = Reported(desk.at, desk.price, (desk.filling(desk.safety_orders[0]),))
    assert decide(bot, event) == decide(bot, event)
    assert bot.deal is deal
    assert dict(deal.orders) == orders


def test_a_deal_keeps_the_fees_it_started_with() -> None:
    desk = Desk.in_position(strategy(), fees=Fees(fee_maker="0.001", fee_taker="0.001", fee_asset="quote"))
    assert desk.deal.fees == desk.bot.fees
    assert desk.take_profit.price == Decimal("110.23")  # 100.1 * 1.1 / 0.999
    assert desk.bot.wanted is Wanted.RUN


def test_a_bot_in_trouble_takes_its_buys_off_when_all_is_sold() -> None:
    desk = in_position()
    desk.tell(AttentionNeeded(desk.at, "look"))
    desk.see("110")
    desk.fill(desk.take_profit)
    assert len(desk.canceled) == 2  # a safety order that filled now would buy for nobody
    desk.cancel_all()
    (deal,) = desk.ended
    assert deal.exit is Exit.TAKE_PROFIT
    assert desk.state == "needs_attention"
    assert desk.bot.deal is None
