"""Fees, dust, rules that change, balances, and what the user does by hand: F35 to F50."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dcacore.domain.bot import Phase
from dcacore.domain.deal import Exit
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ladder import build_ladder
from dcacore.domain.market import FeeAsset, Fees, Market
from dcacore.domain.money import ZERO, Price, Quotient, exact
from dcacore.domain.orders import Role, Side
from dcacore.domain.preview import check_placeable, ladder
from dcacore.ports.errors import InsufficientBalance
from dcacore.ports.records import RequestKind
from tests.faults.stage import (
    ACCOUNT,
    BOT,
    Carry,
    Stage,
    deaf,
    lost_reply,
    lost_request,
    of_role,
    price,
    quantity,
    refused,
    slow,
)
from tests.strategies import FREE, MARKET, strategy

USUAL = Fees(fee_maker="0.001", fee_taker="0.001")
BNB = Market(pair="BNBXYZ", base_asset="BNB", quote_asset="XYZ", tick_size="0.01", step_size="0.001", min_notional="5")


@exact
def expect_identity(stage: Stage, bot_id: str = BOT) -> None:
    """See that profit, and what is held at its cost, is what the exchange says was received, less what was paid."""
    received = held = ZERO
    for booked in stage.orders(bot_id=bot_id):
        for trade in booked.order.trades:
            sign = 1 if trade.side is Side.SELL else -1
            received += sign * trade.price * trade.quantity
            held -= sign * trade.quantity
            if trade.fee_asset == "XYZ":
                received -= trade.fee
            elif trade.fee_rate is not None:
                received -= trade.fee * trade.fee_rate
            elif trade.side is Side.BUY:
                held -= trade.fee
            else:
                received -= trade.fee * trade.price
    bot = stage.bot(bot_id)
    deals = stage.ended(bot_id)
    profit = sum((deal.result.profit for deal in deals if deal.result is not None), ZERO)
    kept = [deal.result.kept for deal in deals if deal.result is not None]
    books = bot.deal.books if bot.deal is not None else None
    cost = (books.spent if books is not None else bot.carried.cost) + sum((it.cost for it in kept), ZERO)
    coins = (books.net if books is not None else bot.carried.quantity) + sum((it.quantity for it in kept), ZERO)
    by_hand = sum((deal.books.gone_for for deal in deals), ZERO)
    gone = sum((deal.books.gone for deal in deals), ZERO) + (books.gone if books is not None else ZERO)
    assert received + by_hand == profit - cost
    assert held - gone == coins
    assert bot.profit == profit


def ready(stage: Stage, *, fees: Fees = USUAL, pays_with: str | None = None, **changes: Any) -> Stage:
    stage.list_pair()
    stage.open_account(fees=fees, pays_with=pays_with)
    stage.add_bot(**changes)
    return stage


# ---------------------------------------------------------------------------------------------------------------- fees


def test_f35_a_fee_in_the_coins_that_were_bought_is_not_sold(empty_stage: Stage) -> None:
    stage = ready(empty_stage, base_order_size="52.8", max_safety_orders=0)
    stage.start()
    [target] = stage.resting(Role.TAKE_PROFIT)
    assert stage.deal().books.net == Decimal("0.527472")
    assert target.quantity == Decimal("0.527")
    stage.move("115", after=5)
    assert stage.bot().deals_closed == 1
    expect_identity(stage)


def test_f36_each_fill_says_in_which_asset_its_fee_was_paid(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.list_pair(BNB, "10")
    stage.open_account(fees=USUAL, pays_with="BNB", BNB="0.01")  # enough for the base order's fee, and no more
    stage.add_bot()
    stage.start()
    stage.move("80", after=10)
    assets = [trade.trade.fee_asset for trade in stage.books().trades]
    assert assets == ["BNB", "ABC", "ABC"]
    stage.expect_position()
    stage.move("120", after=10)
    assert stage.bot().deals_closed == 1
    expect_identity(stage)


def test_f37_coins_that_other_bots_fees_have_eaten_are_missed(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.list_pair(BNB, "10")
    stage.open_account(fees=USUAL, pays_with="BNB")
    stage.add_bot("coin", market=BNB, max_safety_orders=0, trailing_deviation="5")  # its coins lie free
    stage.start("coin")
    stage.add_bot(base_order_size="8000", max_safety_orders=0)
    stage.start(BOT)
    stage.run(60)
    missing = stage.bot("coin").trouble
    assert missing is not None
    assert "BNB" in missing.reason
    assert stage.refused_per_hour() <= 1
    assert stage.bot(BOT).trouble is None
    stage.hand.deposit("BNB", Decimal(1))
    stage.ask(RequestKind.RETRY, "coin", after=5)
    assert stage.trouble("coin") is None


def test_f37_what_little_fees_have_eaten_is_written_off_and_the_rest_is_sold(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.list_pair(BNB, "10")
    stage.open_account(fees=USUAL, pays_with="BNB")
    stage.add_bot("coin", market=BNB, max_safety_orders=0, trailing_deviation="1")
    stage.start("coin")
    bought = stage.deal("coin").books.net
    stage.add_bot()
    stage.start(BOT)
    stage.run(60)
    books = stage.deal("coin").books
    assert stage.trouble("coin") is None
    assert (books.gone, books.gone_for) == (bought - stage.free("BNB"), ZERO)
    [line] = [line for line in stage.activity() if line.kind == "coins_missing"]
    assert f"{books.gone.normalize()} BNB that the deal held are not in the account any more" in line.text
    stage.run(600)
    assert len([line for line in stage.activity() if line.kind == "coins_missing"]) == 1
    stage.move("12", BNB.pair, after=5)
    stage.move("11.8", BNB.pair, after=10)
    [deal] = stage.ended("coin")
    assert deal.books.sold == deal.market.step_size * ((bought - books.gone) // deal.market.step_size)
    assert not stage.refused_per_hour()
    expect_identity(stage, "coin")


def test_f37_a_target_that_is_refused_for_a_little_is_placed_for_what_is_there(empty_stage: Stage) -> None:
    async def eaten(carry: Carry) -> None:
        await carry()
        stage.hand.withdraw("ABC", Decimal("0.004"))  # between two targets, when the coins lie free

    stage = ready(empty_stage, fees=FREE)
    stage.start()
    stage.wire().on("cancel", eaten, when=of_role(Role.TAKE_PROFIT))
    stage.move("90", after=5)
    assert stage.trouble() == "needs_attention"
    stage.run(60)
    stage.expect_position()
    deal = stage.deal()
    assert (deal.books.gone, deal.sellable) == (Decimal("0.004"), Decimal("2.107"))
    assert deal.take_profit_price == Decimal("104.41")  # ten percent of all that was spent, from fewer coins
    assert stage.refused_per_hour() == 1
    assert stage.reconciliations()[-1].differences
    stage.move("105", after=10)
    assert stage.bot().deals_closed == 1
    expect_identity(stage)


def test_f37_a_little_again_and_again_is_a_lot(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=FREE, max_safety_orders=0, trailing_deviation="5")
    stage.start()
    for _ in range(5):
        stage.hand.withdraw("ABC", Decimal("0.001"))
        stage.run(60)
        assert stage.trouble() is None
    assert stage.deal().books.gone == Decimal("0.005")
    stage.hand.withdraw("ABC", Decimal("0.001"))
    stage.run(60)
    assert stage.trouble() == "needs_attention"
    assert stage.deal().books.gone == Decimal("0.005")
    stage.hand.deposit("ABC", Decimal("0.001"))
    stage.run(60)
    assert stage.trouble() is None


def test_f37_the_deal_whose_coins_are_not_on_sale_bears_it(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=FREE, max_safety_orders=0)
    stage.add_bot("free", max_safety_orders=0, trailing_deviation="5")
    stage.add_bot("late", max_safety_orders=0, trailing_deviation="5")
    for bot in (BOT, "free", "late"):
        stage.start(bot, after=5)
    stage.hand.withdraw("ABC", Decimal("0.003"))
    stage.run(60)
    assert [stage.deal(bot).books.gone for bot in (BOT, "free", "late")] == [ZERO, Decimal("0.003"), ZERO]
    stage.expect_position(BOT)
    assert not stage.refused_per_hour()


@pytest.mark.parametrize("calls", range(0, 24, 3))
def test_f37_killed_at_any_step_of_writing_a_little_off_it_is_written_off_once(calls: int) -> None:
    stage = ready(Stage(seed=str(calls)), max_safety_orders=0, trailing_deviation="1")
    stage.start(after=5)
    stage.die_after(calls)
    stage.hand.withdraw("ABC", Decimal("0.003"))
    stage.run(60)
    stage.start_again()
    stage.run(120)
    assert stage.deal().books.gone == Decimal("0.003")
    stage.ask(RequestKind.PAUSE)
    stage.move("130", after=5)
    stage.move("120", after=20)
    assert stage.bot().deals_closed == 1
    assert not stage.refused_per_hour()
    expect_identity(stage)
    stage.close()


def test_f37_what_fits_no_step_may_be_missing(empty_stage: Stage) -> None:
    stage = ready(empty_stage, base_order_size="52.8", max_safety_orders=0)
    stage.start()
    stage.hand.withdraw("ABC", Decimal("0.0004"))  # of 0.527472, 0.527 of which are on sale
    stage.run(120)
    stage.expect_position()
    assert stage.deal().books.gone == 0
    assert not stage.reconciliations()[-1].differences
    stage.move("115", after=5)
    assert stage.bot().deals_closed == 1
    expect_identity(stage)


# ---------------------------------------------------------------------------------------------------------------- dust


def test_f38_what_is_too_little_to_be_sold_is_carried_and_the_deal_closes(empty_stage: Stage) -> None:
    stage = ready(empty_stage, max_safety_orders=0)
    stage.start()
    for deals in range(1, 6):
        stage.move(f"{100 * Decimal('1.2') ** deals:.2f}", after=5)
        assert stage.bot().deals_closed == deals
    expect_identity(stage)
    assert stage.deal().books.carried.quantity > 0


def test_f38_a_target_that_fills_but_for_dust_closes_the_deal(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=FREE)
    stage.start()
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.staff.fill_in_part(ACCOUNT, MARKET.pair, target.venue_order_id, quantity("0.99"))
    stage.run(3)
    stage.hand.cancel(MARKET.pair, target.venue_order_id)
    stage.run(5)
    stage.ask(RequestKind.RETRY, after=5)
    stage.move("101", after=5)
    [deal] = stage.ended()
    assert deal.books.net == Decimal("0.01")
    expect_identity(stage)


def test_f39_a_base_order_that_could_not_be_sold_is_refused_or_warned_of() -> None:
    small = strategy(base_order_size="4.99")
    with pytest.raises(InvalidParameter) as refused_for:
        check_placeable(small, MARKET, price("100"))
    assert "base_order_size" in str(refused_for.value)
    tight = ladder(strategy(base_order_size="5", take_profit="0.01"), "100", MARKET, USUAL)
    assert tight.warnings


def test_f39_a_bot_that_was_made_all_the_same_does_not_start(empty_stage: Stage) -> None:
    stage = ready(empty_stage, base_order_size="4.99")
    stage.start(after=60)
    assert stage.trouble() == "error"
    assert not stage.wire().requests("place")


def test_f40_a_minimum_that_rises_names_the_order_that_cannot_be_placed(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=FREE, active_safety_orders=1)
    stage.start()
    stage.staff.change_rules(attrs.evolve(MARKET, min_notional=Decimal(150)))
    stage.move("90", after=120)
    assert stage.refused_per_hour() == 1
    assert "safety order 2" in str(stage.bot().trouble)
    assert len(stage.resting(Role.TAKE_PROFIT)) == 1  # what was bought is sold all the same
    stage.move("120", after=10)
    assert stage.free("ABC") == 0
    stage.ask(RequestKind.RETRY, after=5)
    assert stage.bot().deals_closed == 1


def test_f41_a_finer_or_coarser_grid_is_followed_and_what_rests_is_left_alone(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=FREE)
    stage.start()
    before = {order.order_id: order.price for order in stage.resting(Role.SAFETY)}
    stage.staff.change_rules(
        attrs.evolve(MARKET, tick_size=Decimal("0.5"), step_size=Decimal("0.01"), min_quantity=Decimal("0.01"))
    )
    stage.move("90", after=60)
    after = {order.order_id: order.price for order in stage.resting(Role.SAFETY)}
    assert after.items() <= before.items()
    [target] = stage.resting(Role.TAKE_PROFIT)
    assert target.price == Decimal("104.5")
    assert stage.refused_per_hour() <= 1
    assert stage.trouble() is None
    stage.expect_position()


def test_f41_an_order_on_the_old_grid_is_placed_on_the_new_one(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=FREE, active_safety_orders=1, price_deviation="1.01")
    stage.start()
    stage.staff.change_rules(attrs.evolve(MARKET, tick_size=Decimal("0.5")))
    stage.move("98.5", after=60)  # the first safety order fills, and the second was planned on the old grid
    assert stage.refused_per_hour() == 1
    assert stage.trouble() is None
    [second] = stage.resting(Role.SAFETY)
    assert second.price is not None
    assert not second.price % Decimal("0.5")
    stage.expect_position()


def test_f41_rules_that_change_are_noticed_within_the_hour(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=FREE)
    stage.start()
    coarser = attrs.evolve(MARKET, tick_size=Decimal("0.5"))
    stage.staff.change_rules(coarser)
    stage.run(1800)
    assert stage.deal().market == MARKET
    stage.run(2000)
    assert stage.bot().market == stage.deal().market == coarser
    assert stage.refused_per_hour() == 0
    stage.expect_position()


def test_f42_a_ladder_that_grows_beyond_all_bounds_is_added_up_exactly() -> None:
    steep = strategy(max_safety_orders=20, safety_order_volume_scale="3", price_deviation="1")
    plan = ladder(steep, "100", MARKET, FREE)
    assert plan.rows[-1].total_spent > Decimal("1.7e11")


def test_f42_a_bot_that_nobody_can_pay_for_waits_for_balance(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=FREE, max_safety_orders=20, safety_order_volume_scale="3", price_deviation="1")
    stage.start(after=120)
    assert stage.trouble() == "waiting_for_balance"
    assert len(stage.resting(Role.TAKE_PROFIT)) == 1
    assert stage.refused_per_hour() <= 1
    stage.run(1200)
    assert stage.refused_per_hour() <= 1


@pytest.mark.parametrize(
    "changes", [{"price_deviation": "50"}, {"price_deviation": "40", "safety_order_step_scale": "2"}]
)
def test_f43_a_ladder_that_reaches_zero_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        strategy(**changes)


def test_f43_no_rung_ever_lies_at_zero_or_below() -> None:
    deep = strategy(max_safety_orders=2, price_deviation="49.9")
    rungs = build_ladder(deep, MARKET, Quotient(Decimal("0.02"), Decimal(1))).rungs
    assert all(rung.price > 0 for rung in rungs)


def test_f44_a_target_that_fees_eat_is_warned_of() -> None:
    gross = ladder(strategy(take_profit="0.1", take_profit_net=False), "100", MARKET, USUAL)
    assert gross.warnings


def test_f44_a_net_target_is_above_both_fees(empty_stage: Stage) -> None:
    stage = ready(empty_stage, take_profit="0.05", max_safety_orders=0)
    stage.start()
    stage.move("101", after=5)
    deal = stage.ended()[0]
    assert deal.result is not None
    assert deal.result.profit > 0
    expect_identity(stage)


@pytest.mark.parametrize("seed", range(4))
def test_f45_profit_is_what_was_received_less_what_was_paid_to_the_last_digit(seed: int) -> None:
    stage = ready(Stage(seed=str(seed), slippage=Decimal("0.0007")), stop_loss="25", base_order_size="123.457")
    stage.start()
    for step, share in (("90", "0.3"), ("97", "0.777"), ("81", "0.13"), ("120", "1"), ("100", "0.5"), ("70", "0.6")):
        stage.staff.thin_out(MARKET.pair, Decimal(share))
        for target in stage.resting(Role.TAKE_PROFIT):
            part = (target.quantity * Decimal(share) / 3).quantize(Decimal("0.001"))
            stage.staff.fill_in_part(ACCOUNT, MARKET.pair, target.venue_order_id, quantity(str(part)))
        stage.move(step, after=20)
        expect_identity(stage)
    assert stage.bot().deals_closed
    stage.close()


# ------------------------------------------------------------------------------------------------------------- by hand


def test_f46_coins_that_the_user_has_sold_are_missed_and_nothing_is_refused_in_a_loop(stage: Stage) -> None:
    stage.start()
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.hand.cancel(MARKET.pair, target.venue_order_id)
    stage.hand.sell(MARKET.pair, quantity("0.6"))
    stage.run(120)
    assert stage.trouble() == "needs_attention"
    assert not stage.refused_per_hour()
    for tries in range(1, 7):
        stage.ask(RequestKind.RETRY, after=60)
        assert stage.trouble() in {"needs_attention", "error"}
        assert stage.refused_per_hour() <= tries  # once for each time that its user wants it
    stage.ask(RequestKind.CANCEL_DEAL, after=10)
    assert stage.deal_or_none() is None or stage.deal().number == 2


def sell_by_hand(stage: Stage, amount: str = "0.6") -> None:
    """Take the target off and sell at market, both at the exchange's own site."""
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.hand.cancel(MARKET.pair, target.venue_order_id)
    stage.hand.sell(MARKET.pair, quantity(amount))


@exact
def test_f46_the_deal_is_closed_as_sold_at_the_price_that_the_user_got(empty_stage: Stage) -> None:
    stage = ready(empty_stage)
    stage.start()
    stage.move("90", after=10)
    held = stage.deal().books.net
    stage.hand.deposit("ABC", Decimal("0.5"))
    sell_by_hand(stage, "2.5")
    stage.run(120)
    assert stage.trouble() == "needs_attention"
    asked = stage.ask(RequestKind.CLOSE_AS_SOLD, sold_at="90.0123", deal=str(stage.deal().id), after=10)
    assert stage.request(asked).refusal == ""
    [deal] = stage.ended()
    assert deal.result is not None
    books = deal.books
    assert (deal.exit, books.gone, books.net, books.sold) == (Exit.SOLD_BY_HAND, held, ZERO, ZERO)
    assert books.gone_for == held * Decimal("90.0123")
    assert deal.result.profit == books.gone_for - books.gross - books.buy_fees
    expect_identity(stage)
    assert "closed by a sale by hand at 90.0123" in [it for it in stage.activity() if it.deal_id == deal.id][-1].text
    assert not stage.orders(Role.CLOSE)
    stage.run(120)
    assert stage.trouble() is None  # nothing is missed any more, and the next deal goes on
    assert not stage.refused_per_hour()


def test_f46_a_target_that_fills_before_its_cancel_is_not_sold_a_second_time(stage: Stage) -> None:
    def fills(carry: Carry) -> Any:
        stage.venue.move(MARKET.pair, Price(Decimal(120)))
        return carry()

    stage.start()
    stage.wire().on("cancel", fills, when=of_role(Role.TAKE_PROFIT))
    stage.ask(RequestKind.CLOSE_AS_SOLD, sold_at="100", after=60)
    deal = stage.ended()[0]
    assert (deal.exit, deal.books.gone) == (Exit.TAKE_PROFIT, ZERO)
    expect_identity(stage)


@pytest.mark.parametrize("part", ["0.5", "1.111"])
@pytest.mark.parametrize("fees", [FREE, USUAL])
def test_f46_what_a_safety_order_buys_meanwhile_has_not_been_sold_by_hand(
    empty_stage: Stage, part: str, fees: Fees
) -> None:
    async def fills(carry: Carry) -> Any:
        safety = next(order for order in stage.resting(Role.SAFETY) if order.price == 90)
        stage.staff.fill_in_part(ACCOUNT, MARKET.pair, safety.venue_order_id, quantity(part))
        return await carry()

    stage = ready(empty_stage, fees=fees)
    stage.start()
    held = stage.deal().books.net
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.hand.cancel(MARKET.pair, target.venue_order_id)
    stage.hand.withdraw("ABC", held)
    stage.run(3)
    stage.ask(RequestKind.PAUSE)
    stage.wire().on("cancel", fills)
    stage.ask(RequestKind.CLOSE_AS_SOLD, sold_at="100", after=60)
    [deal] = stage.ended()
    assert deal.result is not None
    assert (deal.exit, deal.books.gone, deal.books.gone_for) == (Exit.SOLD_BY_HAND, held, 100 * held)
    assert deal.result.kept.quantity == stage.free("ABC") > 0
    assert "bought meanwhile stay in the account" in [it for it in stage.activity() if it.deal_id == deal.id][-1].text
    expect_identity(stage)


@pytest.mark.parametrize("calls", range(0, 30, 3))
def test_f46_killed_at_any_step_of_a_close_as_sold_the_sale_is_booked_once(calls: int) -> None:
    stage = ready(Stage(seed=str(calls)))
    stage.start(after=5)
    held = stage.deal().books.net
    stage.die_after(calls)
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.hand.cancel(MARKET.pair, target.venue_order_id)
    stage.hand.withdraw("ABC", held)
    stage.wire().on("cancel", lost_reply)
    stage.ask(RequestKind.PAUSE)
    stage.ask(RequestKind.CLOSE_AS_SOLD, sold_at="77.123456789", after=40)
    stage.start_again()
    stage.run(90)
    [deal] = stage.ended()
    assert (deal.exit, deal.books.gone) == (Exit.SOLD_BY_HAND, held)
    expect_identity(stage)
    stage.close()


def test_f46_what_has_been_sold_by_hand_survives_an_engine_that_dies_before_the_orders_are_off(stage: Stage) -> None:
    stage.start()
    stage.wire().on("cancel", lost_request, times=20)
    stage.ask(RequestKind.CLOSE_AS_SOLD, sold_at="101.5", after=1)
    assert stage.deal().sold_at == Decimal("101.5")
    stage.kill()
    stage.start_engine()
    stage.run(120)
    [deal] = stage.ended()
    assert (deal.exit, deal.books.gone_for) == (Exit.SOLD_BY_HAND, Decimal("101.5"))
    assert not [order for order in stage.resting() if f"-{deal.number}-" in order.order_id]
    expect_identity(stage)


def test_f46_comparisons_that_miss_the_coins_do_not_keep_the_deal_from_closing(empty_stage: Stage) -> None:
    stage = ready(empty_stage, trailing_deviation="5")  # its coins lie free
    stage.start()
    stage.hand.sell(MARKET.pair, quantity("0.9"))
    stage.wire().on("cancel", lost_request, times=20)
    stage.ask(RequestKind.CLOSE_AS_SOLD, sold_at="99", after=200)
    deal = stage.ended()[0]
    assert deal.exit is Exit.SOLD_BY_HAND
    assert not any(found.differences for found in stage.reconciliations())
    expect_identity(stage)


def test_f46_a_deal_without_a_position_cannot_have_been_sold(stage: Stage) -> None:
    stage.wire().on("place", lost_reply, when=of_role(Role.BASE))
    stage.wire().tamper = lambda _: []
    stage.start(after=0.2)
    asked = stage.ask(RequestKind.CLOSE_AS_SOLD, sold_at="100", after=0.1)
    assert stage.request(asked).refusal == "the deal is only opening: its base order is not done yet"
    asked = stage.ask(RequestKind.CLOSE_AS_SOLD, sold_at="0", after=1)
    assert stage.request(asked).refusal == "sold_at = 0: must be above 0"


def test_f46_coins_that_were_bought_back_make_it_go_on(stage: Stage) -> None:
    stage.start()
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.hand.cancel(MARKET.pair, target.venue_order_id)
    stage.hand.sell(MARKET.pair, quantity("0.6"))
    stage.run(120)
    stage.hand.buy(MARKET.pair, quantity("0.6"))
    stage.ask(RequestKind.RETRY, after=10)
    stage.expect_position()


def test_f46_a_withdrawal_is_found_without_any_order(stage: Stage) -> None:
    stage.start()
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.hand.cancel(MARKET.pair, target.venue_order_id)
    stage.run(2)
    stage.hand.withdraw("ABC", Decimal("0.5"))
    stage.run(60)
    assert stage.trouble() == "needs_attention"
    assert any(found.differences for found in stage.reconciliations())


def test_f47_what_the_user_buys_himself_is_not_sold(stage: Stage) -> None:
    stage.start()
    stage.hand.deposit("ABC", Decimal(50))
    own = stage.hand.buy(MARKET.pair, quantity("3"), price("70"))
    stage.hand.buy(MARKET.pair, quantity("2"))
    stage.move("80", after=60)
    stage.expect_position()
    stage.move("120", after=10)
    assert stage.free("ABC") == 52
    assert own.order_id in {booked.order.order_id for booked in stage.books().orders if booked.is_by_hand}
    assert not any(found.stray for found in stage.reconciliations())


def test_f48_two_bots_on_one_pair_sell_each_its_own(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=USUAL)
    stage.add_bot("other", base_order_size="250", take_profit="5")
    stage.start(BOT, "other", after=5)
    stage.expect_position(BOT)
    stage.expect_position("other")
    stage.move("90", after=10)
    stage.expect_position(BOT)
    stage.expect_position("other")
    stage.move("102", after=10)
    assert (stage.bot(BOT).deals_closed, stage.bot("other").deals_closed) == (0, 1)
    stage.expect_position(BOT)
    expect_identity(stage, BOT)
    expect_identity(stage, "other")


def test_f48_a_shortfall_is_shown_to_all_who_share_the_coin(empty_stage: Stage) -> None:
    stage = ready(empty_stage, fees=FREE)
    stage.add_bot("other")
    stage.start(BOT, "other", after=5)
    for target in stage.resting(Role.TAKE_PROFIT):
        stage.hand.cancel(MARKET.pair, target.venue_order_id)
    stage.hand.sell(MARKET.pair, quantity("0.5"))
    stage.run(120)
    assert (stage.trouble(BOT), stage.trouble("other")) == ("needs_attention", "needs_attention")
    assert stage.refused_per_hour() <= 5


@pytest.mark.parametrize("role", [Role.SAFETY, Role.TAKE_PROFIT])
@pytest.mark.parametrize("is_heard", [True, False])
def test_f49_an_order_that_the_user_has_cancelled_is_noticed(stage: Stage, role: Role, is_heard: bool) -> None:
    stage.start()
    if not is_heard:
        stage.wire().tamper = lambda _: []
    order = stage.resting(role)[0]
    stage.hand.cancel(MARKET.pair, order.venue_order_id)
    stage.run(60)
    assert stage.trouble() == "needs_attention"
    assert any(note.kind == "attention" for note in stage.notifications())
    stage.ask(RequestKind.RETRY, after=10)
    stage.expect_position()


def test_f50_a_balance_that_moves_between_check_and_order_is_normal(stage: Stage) -> None:
    stage.wire().on(
        "place", refused(InsufficientBalance("Account has insufficient balance.", -2010)), when=of_role(Role.BASE)
    )
    stage.start()
    assert stage.trouble() == "waiting_for_balance"
    stage.run(61)
    stage.expect_position()


def test_no_buy_waits_because_of_a_balance_that_was_read_before(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="150")
    stage.add_bot()

    async def paid_in_meanwhile(carry: Carry) -> Any:
        stage.hand.deposit("XYZ", Decimal(1000))
        return await carry()

    stage.wire().on("place", paid_in_meanwhile, when=of_role(Role.BASE))
    stage.wire().tamper = deaf  # no event says that the balance may be another one
    stage.start(after=1)
    assert len(stage.resting(Role.SAFETY)) == 2
    assert stage.trouble() is None


# -------------------------------------------------------------------------------------- what the user wants meanwhile


def test_a_ladder_is_paid_for_out_of_one_look_at_the_balance(empty_stage: Stage) -> None:
    """The events of its first orders come while the others are placed, and tell nothing that is not counted."""
    stage = ready(empty_stage, max_safety_orders=8)
    stage.wire().on("place", slow(after=0.1), times=20)
    stage.start()
    assert len(stage.resting(Role.SAFETY)) == 8
    assert len(stage.wire().requests("balances")) == 2  # for the base order, and when it had filled


def test_what_orders_are_counted_for_lets_no_buy_wait_that_can_be_paid_for(empty_stage: Stage) -> None:
    """A buy is checked for its price and a fee in quote; where that comes on top of it, it may hold less."""
    stage = empty_stage
    stage.list_pair()
    fees = Fees(fee_asset=FeeAsset.QUOTE, fee_taker="0.01", fee_maker="0")
    stage.open_account(fees=fees, XYZ="503")
    stage.add_bot(max_safety_orders=4, safety_order_size="100", base_order_size="100")
    stage.start()
    assert len(stage.resting(Role.SAFETY)) == 4
    assert stage.trouble() is None


@pytest.mark.parametrize("sell", ["true", "false"])
@pytest.mark.parametrize("act", [lost_reply, lost_request])
def test_f01_f02_a_bot_is_stopped_while_its_base_order_is_without_an_answer(stage: Stage, sell: str, act: Any) -> None:
    stage.wire().tamper = lambda _: []
    stage.wire().on("place", act, when=of_role(Role.BASE))
    stage.start(after=0.3)
    stage.ask(RequestKind.STOP, sell=sell, after=60)
    assert stage.bot().phase is Phase.STOPPED
    assert not stage.resting()
    bought = 1 if act is lost_reply else 0
    assert stage.free("ABC") == (bought if sell == "false" else 0)
    stage.run(300)
    assert len(stage.orders(Role.BASE)) == bought


@pytest.mark.parametrize("sell", ["true", "false"])
def test_f12_an_answer_that_comes_after_the_users_stop(stage: Stage, sell: str) -> None:
    async def long(carry: Carry) -> Any:
        await asyncio.sleep(4)
        answer = await carry()
        await asyncio.sleep(4)
        return answer

    stage.wire().on("place", long, when=of_role(Role.BASE))
    stage.start(after=1)
    stage.ask(RequestKind.STOP, sell=sell, after=60)
    assert stage.bot().phase is Phase.STOPPED
    assert stage.free("ABC") == (0 if sell == "true" else 1)


def test_f12_a_deal_is_closed_while_a_safety_order_fills(stage: Stage) -> None:
    def fills(carry: Carry) -> Any:
        stage.venue.move(MARKET.pair, Price(Decimal(89)))
        return carry()

    stage.start()
    stage.wire().on("cancel", fills, when=of_role(Role.SAFETY))
    stage.ask(RequestKind.STOP, sell="true", after=60)
    assert stage.bot().phase is Phase.STOPPED
    assert stage.free("ABC") == 0
    expect_identity(stage)


@pytest.mark.parametrize("act", [lost_reply, lost_request])
def test_f01_f02_funds_are_added_and_the_answer_is_lost(stage: Stage, act: Any) -> None:
    stage.start()
    stage.wire().on("place", act, when=of_role(Role.EXTRA))
    stage.ask(RequestKind.ADD_FUNDS, amount="50", after=60)
    assert stage.deal().books.net == (Decimal("1.5") if act is lost_reply else 1)
    assert len(stage.orders(Role.EXTRA)) == (act is lost_reply)
    stage.expect_position()


def test_a_pause_lets_the_deal_end_and_no_other_begin(stage: Stage) -> None:
    stage.start()
    stage.ask(RequestKind.PAUSE, after=2)
    stage.move("90", after=10)
    stage.expect_position()
    stage.move("115", after=60)
    assert stage.bot().deals_closed == 1
    assert len(stage.orders(Role.BASE)) == 1
    stage.ask(RequestKind.START, after=3)
    stage.move("116", after=3)
    assert len(stage.orders(Role.BASE)) == 2
