"""What a user may ask of an open deal: to sell it, to drop it, to buy more, to change it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import attrs
import pytest

from dcacore.domain.bot import Phase, Wanted
from dcacore.domain.deal import Exit
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.domain.events import AttentionNeeded, CloseDealRequested, Expired, Lost, Refusal, RetryRequested
from dcacore.domain.ids import DealId
from dcacore.domain.ladder import build_ladder
from dcacore.domain.money import BaseQty
from dcacore.domain.orders import Role
from tests.strategies import strategy
from tests.unit.domain.desk import Desk, described
from tests.unit.domain.test_events import closing, in_position, monitoring, placing_order, starting, stopped

At = Callable[[], Desk]
Ask = Callable[[Desk], None]

ASKED: list[Ask] = [
    lambda desk: desk.close_deal(),
    lambda desk: desk.cancel_deal(),
    lambda desk: desk.add_funds("50"),
    lambda desk: desk.edit_deal(take_profit="5"),
]
NAMES = ["close", "cancel", "add funds", "edit"]


def reason(desk: Desk) -> Exit | None:
    return desk.deal.exit


def prices(desk: Desk) -> list[str]:
    return [str(order.price) for order in desk.safety_orders]


# ------------------------------------------------------------------------------------------------ what cannot be done


@pytest.mark.parametrize("ask", ASKED, ids=NAMES)
@pytest.mark.parametrize("at", [stopped, starting, monitoring])
def test_without_a_deal_nothing_can_be_asked_of_it(at: At, ask: Ask) -> None:
    desk = at()
    with pytest.raises(NotNow, match="no open deal"):
        ask(desk)


@pytest.mark.parametrize("ask", ASKED, ids=NAMES)
def test_a_deal_that_is_only_opening_can_be_asked_nothing(ask: Ask) -> None:
    desk = placing_order()
    with pytest.raises(NotNow, match="base order is not done yet"):
        ask(desk)


@pytest.mark.parametrize("ask", ASKED, ids=NAMES)
def test_a_deal_that_is_sold_can_be_asked_nothing(ask: Ask) -> None:
    desk = closing()
    with pytest.raises(NotNow, match=r"being closed|too little"):
        ask(desk)


@pytest.mark.parametrize("ask", ASKED[2:], ids=NAMES[2:])
def test_while_the_bot_starts_its_deal_is_not_changed(ask: Ask) -> None:
    desk = in_position()
    desk.restart_engine()
    with pytest.raises(NotNow, match="is starting"):
        ask(desk)


def test_a_request_that_means_another_deal_is_not_for_this_one() -> None:
    desk = in_position()
    with pytest.raises(NotNow, match="deal bot-7 is not open any more"):
        desk.tell(CloseDealRequested(desk.at, desk.price, DealId("bot-7")))
    desk.tell(CloseDealRequested(desk.at, desk.price, DealId("bot-1")))
    assert desk.state == "closing"


# ------------------------------------------------------------------------------------------------- closing, canceling


def test_a_deal_that_is_closed_is_sold_and_the_bot_goes_on() -> None:
    desk = in_position()
    desk.see("101")
    desk.close_deal()
    desk.cancel_all()
    (sale,) = desk.placed
    assert described([sale]) == [("close", "market", "1")]
    desk.cancel_all()
    desk.fill(sale)
    assert desk.ended[0].exit is Exit.CLOSE
    assert desk.bot.profit == 1
    assert desk.bot.deals_closed == 1
    assert desk.state == "placing_order"
    assert desk.bot.wanted is Wanted.RUN


def test_a_deal_that_is_closed_is_followed_by_the_cooldown() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, cooldown=60))
    desk.close_deal()
    desk.cancel_all()
    desk.fill(desk.placed[0])
    assert desk.state == "monitoring"
    assert desk.bot.resume_at is not None


def test_a_deal_that_is_canceled_leaves_its_coins_to_the_user_and_the_bot_goes_on() -> None:
    desk = in_position()
    desk.see("101")
    desk.cancel_deal()
    assert len(desk.canceled) == 3
    desk.cancel_all()
    (deal,) = desk.ended
    assert deal.exit is Exit.CANCEL
    assert deal.result is not None
    assert deal.result.kept.quantity == 1
    assert desk.bot.carried.quantity == 0
    assert desk.bot.deals_closed == 0
    assert desk.state == "placing_order"


def test_what_fills_while_it_is_being_canceled_is_booked() -> None:
    desk = in_position()
    first, second = desk.safety_orders
    take_profit = desk.take_profit
    desk.cancel_deal()
    desk.fill(first)
    desk.report(Expired(second.id, BaseQty(Decimal(0))))
    desk.cancel(take_profit)
    (deal,) = desk.ended
    assert deal.result is not None
    assert deal.result.kept.quantity == Decimal("2.111")


def test_closing_twice_is_closing_once() -> None:
    desk = in_position()
    desk.close_deal()
    bot = desk.bot
    desk.close_deal()
    assert desk.asked == ()
    assert desk.bot == bot


def test_as_long_as_the_sale_has_not_gone_out_the_user_may_think_again() -> None:
    desk = in_position()
    desk.close_deal()
    desk.cancel_deal()
    assert reason(desk) is Exit.CANCEL
    desk.close_deal()
    assert reason(desk) is Exit.CLOSE
    desk.report(Lost(desk.take_profit.id))
    desk.cancel(desk.take_profit)
    assert described(desk.placed) == [("close", "market", "1")]
    with pytest.raises(NotNow, match="closed already"):
        desk.cancel_deal()


def test_a_stop_loss_whose_sale_was_refused_may_be_canceled() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, stop_loss=5))
    desk.see("95")
    desk.cancel_all()
    desk.refuse(desk.placed[0], Refusal.BALANCE, "needs 1 ABC")
    assert desk.state == "needs_attention"
    with pytest.raises(NotNow, match="closed already"):
        desk.close_deal()
    desk.cancel_deal()
    assert desk.ended[0].exit is Exit.CANCEL
    assert desk.reason() is None


@pytest.mark.parametrize("ask", ASKED[:2], ids=NAMES[:2])
def test_ending_a_deal_ends_its_trouble(ask: Ask) -> None:
    desk = in_position()
    desk.tell(AttentionNeeded(desk.at, "look"))
    ask(desk)
    assert desk.reason() is None
    assert desk.state == "closing"


@pytest.mark.parametrize("ask", ASKED[:2], ids=NAMES[:2])
def test_ending_a_deal_during_the_checks_is_done_after_them(ask: Ask) -> None:
    desk = in_position()
    desk.restart_engine()
    ask(desk)
    assert desk.asked == ()
    desk.ready()
    assert desk.bot.phase is Phase.CLOSING
    assert desk.canceled


def test_coins_that_are_too_few_to_sell_are_not_sold() -> None:
    desk = in_position()
    desk.see("4")
    with pytest.raises(NotNow, match=r"the 1 ABC that the deal holds are too little .* at 4: cancel it instead"):
        desk.close_deal()


# -------------------------------------------------------------------------------------------------------- buying more


def test_an_extra_buy_moves_target_and_average() -> None:
    desk = Desk.in_position(strategy(stop_loss=5, stop_loss_basis="average"))
    desk.see("98")
    desk.add_funds("98")
    (extra,) = desk.placed
    assert described([extra]) == [("extra", "market", "1")]
    assert extra.id == "bot-1-x-5"
    desk.fill(extra)
    assert desk.deal.books.average.rounded() == 99
    assert desk.deal.take_profit_price == Decimal("108.9")
    assert desk.deal.stop_loss_price == Decimal("94.05")
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "108.9", "2")]
    assert len(desk.safety_orders) == 2


def test_an_extra_buy_is_bought_once() -> None:
    desk = in_position()
    desk.add_funds("100")
    with pytest.raises(NotNow, match="still on its way"):
        desk.add_funds("100")
    desk.fill(desk.live(Role.EXTRA)[0])
    desk.add_funds("100")
    assert len(desk.placed) == 1


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "many"])
def test_an_extra_buy_is_of_an_amount(amount: str) -> None:
    with pytest.raises(InvalidParameter, match="amount"):
        in_position().add_funds(amount)


def test_an_extra_buy_the_market_would_not_take_is_refused_at_once() -> None:
    rule = r"amount = 4\.9: buys 0\.049 ABC at 100; the market's least is 0\.001 ABC and 5 XYZ an order"
    with pytest.raises(InvalidParameter, match=rule):
        in_position().add_funds("4.9")


def test_a_bot_in_trouble_buys_nothing_extra() -> None:
    desk = in_position()
    desk.tell(AttentionNeeded(desk.at, "the books differ"))
    with pytest.raises(NotNow, match="seen to first: the books differ"):
        desk.add_funds("100")
    desk.tell(RetryRequested(desk.at, desk.price))
    desk.add_funds("100")
    assert desk.placed


@pytest.mark.parametrize("refusal", [Refusal.BALANCE, Refusal.RULE, Refusal.NOT_PLACED, Refusal.NOT_TRIED])
def test_an_extra_buy_that_is_refused_troubles_nobody(refusal: Refusal) -> None:
    desk = in_position()
    desk.add_funds("100")
    desk.refuse(desk.placed[0], refusal)
    assert desk.reason() is None
    assert desk.asked == ()
    assert desk.live(Role.EXTRA) == []


def test_an_extra_buy_that_found_too_few_counts_for_what_it_bought() -> None:
    desk = in_position()
    desk.add_funds("100")
    (extra,) = desk.placed
    desk.fill(extra, "0.4")
    desk.expire(extra, "0.4")
    assert desk.reason() is None
    assert desk.deal.books.bought == Decimal("1.4")
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "110", "1.4")]


def test_an_extra_buy_that_fills_after_the_sale_is_sold_too() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    desk.add_funds("100")
    (extra,) = desk.placed
    desk.close_deal()
    desk.cancel_all()
    (sale,) = desk.placed
    desk.fill(sale)
    desk.fill(extra)
    assert described(desk.placed) == [("close", "market", "1")]


# ---------------------------------------------------------------------------------------------------- changing a deal


def test_a_new_target_replaces_the_take_profit() -> None:
    desk = in_position()
    desk.edit_deal(take_profit="5")
    assert desk.canceled == [desk.take_profit.id]
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "105", "1")]
    assert desk.deal.strategy.take_profit == 5
    assert desk.bot.strategy.take_profit == 10


def test_a_new_stop_loss_acts_at_once() -> None:
    desk = in_position()
    desk.see("94")
    desk.edit_deal(stop_loss="5")
    assert desk.deal.exit is Exit.STOP_LOSS
    assert desk.canceled == [desk.take_profit.id]


def test_a_stop_loss_may_be_taken_back() -> None:
    desk = Desk.in_position(strategy(stop_loss=20))
    desk.edit_deal(stop_loss="0")
    assert desk.deal.stop_loss_price is None
    desk.see("79")
    assert desk.asked == ()


def test_a_deal_that_is_to_trail_takes_its_limit_sell_off() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    desk.edit_deal(trailing_deviation="1")
    assert desk.canceled == [desk.take_profit.id]
    desk.cancel_all()
    desk.see("110")
    assert desk.peak() == 110
    desk.edit_deal(trailing_deviation="2")
    assert desk.peak() == 110
    desk.see("108.5")
    assert desk.asked == ()
    desk.edit_deal(trailing_deviation="0")
    assert desk.peak() is None
    assert described(desk.placed) == [("take_profit", "110", "1")]


def test_a_limit_sell_that_fills_before_the_deal_trails_ends_it() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    desk.see("110")
    desk.edit_deal(trailing_deviation="1")
    desk.fill(desk.take_profit)
    assert desk.ended[0].exit is Exit.TAKE_PROFIT


def test_more_safety_orders_hang_from_the_same_reference() -> None:
    desk = in_position()
    desk.edit_deal(max_safety_orders=4)
    assert described(desk.placed) == [("safety", "70", "1.428"), ("safety", "60", "1.666")]
    assert prices(desk) == ["90.00", "80.00", "70.00", "60.00"]


def test_fewer_safety_orders_are_taken_off_and_may_come_back() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=4))
    desk.edit_deal(max_safety_orders=1)
    assert [desk.deal.orders[gone].rung for gone in desk.canceled] == [2, 3, 4]
    desk.cancel_all()
    assert desk.placed == []
    assert prices(desk) == ["90.00"]
    desk.edit_deal(max_safety_orders=2)
    assert [order.rung for order in desk.placed] == [2]


def test_safety_orders_that_have_filled_stay() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=3))
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    desk.cancel_all()
    desk.edit_deal(max_safety_orders=0)
    assert len(desk.canceled) == 2
    desk.cancel_all()
    assert desk.deal.filled_safety_orders == 1
    assert desk.deal.rungs == ()
    assert desk.deal.waiting == ()
    assert desk.placed == []


def test_a_ladder_that_is_wanted_again_before_its_cancels_came_through_is_placed_again() -> None:
    desk = in_position()
    desk.edit_deal(max_safety_orders=1)
    cancels = desk.canceled
    desk.edit_deal(max_safety_orders=2)
    assert desk.asked == ()
    desk.cancel(desk.deal.orders[cancels[0]])
    assert [order.rung for order in desk.placed] == [2]


def test_safety_orders_beyond_those_that_may_rest_wait_for_their_turn() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=3))
    desk.edit_deal(active_safety_orders=1)
    desk.cancel_all()
    assert prices(desk) == ["90.00"]
    assert [rung.number for rung in desk.deal.waiting] == [2, 3]
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    assert [order.rung for order in desk.placed] == [2]


def test_a_surplus_order_that_fills_before_it_is_canceled_counts() -> None:
    desk = in_position()
    desk.edit_deal(max_safety_orders=1)
    gone = desk.deal.orders[desk.canceled[0]]
    desk.fill(gone, "0.5")
    desk.cancel(gone)
    assert desk.deal.books.bought == Decimal("1.5")
    assert desk.deal.waiting == ()


def test_a_surplus_order_that_is_refused_is_gone() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    second = desk.placed[1]
    desk.edit_deal(max_safety_orders=1)
    desk.refuse(second, Refusal.NOT_PLACED)
    assert desk.deal.waiting == ()
    assert desk.placed == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"take_profit": "0"}, "take_profit"),
        ({"stop_loss": "100"}, "stop_loss"),
        ({"trailing_deviation": "-1"}, "trailing_deviation"),
        ({"max_safety_orders": 101}, "max_safety_orders"),
        ({"max_safety_orders": 10}, "price_deviation"),
        ({"active_safety_orders": 3}, "active_safety_orders"),
    ],
)
def test_a_deal_is_edited_by_the_rules_of_its_parameters(changes: dict[str, str], named: str) -> None:
    desk = in_position()
    bot = desk.bot
    with pytest.raises(InvalidParameter) as refused:
        desk.edit_deal(**changes)
    assert refused.value.name == named
    assert desk.bot == bot


def test_a_ladder_is_always_the_one_of_its_parameters() -> None:
    desk = in_position()
    for changes in ({"max_safety_orders": 4}, {"max_safety_orders": 1}, {"take_profit": "3"}):
        desk.edit_deal(**changes)
        deal = desk.deal
        assert deal.reference is not None
        assert deal.rungs == build_ladder(deal.strategy, deal.market, deal.reference).rungs


def test_an_edit_of_nothing_changes_nothing() -> None:
    desk = in_position()
    bot = desk.bot
    desk.edit_deal()
    desk.edit_deal(take_profit="10.0")
    assert desk.bot == bot


# ----------------------------------------------------------------------------------------------------- changing a bot


def test_a_bots_new_parameters_are_those_of_its_next_deal() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    desk.edit_bot(strategy(max_safety_orders=0, take_profit="3", base_order_size="200"))
    assert desk.asked == ()
    desk.see("110")
    desk.fill(desk.take_profit)
    assert described(desk.placed) == [("base", "market", "1.818")]
    assert desk.deal.strategy.take_profit == 3


def test_new_parameters_let_a_waiting_bot_try_again() -> None:
    desk = placing_order()
    desk.refuse(desk.placed[0], Refusal.BALANCE)
    desk.edit_bot(strategy(base_order_size="50"))
    assert described(desk.placed) == [("base", "market", "0.5")]


OTHER = attrs.evolve(in_position().bot.market, pair="DEFXYZ", base_asset="DEF")


def test_the_pair_changes_between_deals_only_and_with_the_rules_of_the_new_one() -> None:
    desk = in_position()
    with pytest.raises(InvalidParameter, match="pair = DEFXYZ: must be the market's, ABCXYZ"):
        desk.edit_bot(strategy(pair="DEFXYZ"))
    with pytest.raises(InvalidParameter, match="pair = DEFXYZ: may not change while a deal is open"):
        desk.edit_bot(strategy(pair="DEFXYZ"), OTHER)
    desk.pause()
    desk.cancel_deal()
    desk.cancel_all()
    foreign = attrs.evolve(OTHER, pair="DEFUVW", quote_asset="UVW")
    with pytest.raises(InvalidParameter, match="must be traded for XYZ"):
        desk.edit_bot(strategy(pair="DEFUVW"), foreign)
    desk.edit_bot(strategy(pair="DEFXYZ"), OTHER)
    assert desk.bot.market == OTHER


def test_what_was_carried_stays_behind_when_the_pair_changes() -> None:
    desk = Desk.of(strategy())
    desk.bot = attrs.evolve(desk.bot, carried=attrs.evolve(desk.bot.carried, quantity=BaseQty(Decimal("0.0001"))))
    desk.edit_bot(strategy(pair="DEFXYZ"), OTHER)
    assert desk.bot.carried.quantity == 0
