"""What is heard of orders and of prices: F21 to F33."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from dcacore.application.parameters import texts_of
from dcacore.domain.bot import Phase
from dcacore.domain.ids import AccountId
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.domain.orders import Role
from dcacore.domain.venue import VenueStatus
from dcacore.ports.errors import Unavailable
from dcacore.ports.exchange import AccountEvent, OrderChanged
from dcacore.ports.prices import Tick
from dcacore.ports.records import Environment, RequestKind
from tests.faults.stage import ACCOUNT, BOT, Carry, Stage, deaf, lost_request, quantity, refused, slow
from tests.strategies import MARKET, strategy

OTHER = Market(
    pair="DEFXYZ", base_asset="DEF", quote_asset="XYZ", tick_size="0.01", step_size="0.001", min_notional="5"
)


def play(stage: Stage) -> None:
    """A deal with a partial fill and a safety order, up to its end."""
    stage.start(after=5)
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.staff.fill_in_part(ACCOUNT, MARKET.pair, target.venue_order_id, quantity("0.4"))
    stage.move("90", after=100)
    stage.move("80", after=100)
    stage.move("120", after=100)


def is_of(event: AccountEvent, *statuses: VenueStatus) -> bool:
    return isinstance(event, OrderChanged) and event.order.status in statuses


# ------------------------------------------------------------------------------------------------------ account events


def test_f21_what_is_told_twice_counts_once(stage: Stage) -> None:
    stage.wire().tamper = lambda event: [event, event]
    play(stage)
    [deal] = stage.ended()
    assert deal.books.net == 0
    assert stage.bot().deals_closed == 1


def test_f21_old_events_that_come_again_after_a_reconnection_change_nothing(stage: Stage) -> None:
    told: list[AccountEvent] = []

    def keep(event: AccountEvent) -> Iterable[AccountEvent]:
        told.append(event)
        return [event]

    stage.wire().tamper = keep
    play(stage)
    before = stage.bot()
    for event in tuple(told):
        stage.wire().repeat(event)
    stage.run(5)
    assert stage.bot() == before


def test_f22_events_in_the_wrong_order(stage: Stage) -> None:
    held: list[AccountEvent] = []

    def swap(event: AccountEvent) -> Iterable[AccountEvent]:
        held.append(event)
        if len(held) < 4:
            return []
        told = list(reversed(held))
        held.clear()
        return told

    stage.wire().tamper = swap
    play(stage)
    [deal] = stage.ended()
    assert deal.books.net == 0


def test_f22_fills_are_told_before_the_order_is_answered(stage: Stage) -> None:
    stage.wire().on("place", slow(after=3), times=99)
    stage.start(after=2)
    assert stage.orders(Role.BASE)[0].order.status is VenueStatus.FILLED
    stage.run(20)
    assert len(stage.orders()) == 4
    stage.expect_position()


def test_f22_a_late_word_that_an_order_is_open_does_not_bring_it_back(stage: Stage) -> None:
    late: list[AccountEvent] = []

    def hold(event: AccountEvent) -> Iterable[AccountEvent]:
        if is_of(event, VenueStatus.OPEN):
            late.append(event)
            return []
        return [event]

    stage.wire().tamper = hold
    play(stage)
    before = stage.bot()
    for event in late:
        stage.wire().repeat(event)
    stage.run(5)
    assert stage.bot() == before


def test_f23_a_gap_in_the_middle_of_a_comparison_is_compared_for_anew(stage: Stage) -> None:
    stage.start()
    desk = stage.running.engine.fleet.places.desks[ACCOUNT]
    stage.wire().lose_stream()
    sure: list[bool] = []

    async def gap(carry: Carry) -> Any:
        found = await carry()
        stage.wire().lose_stream()
        stage.wire().open_stream()
        await asyncio.sleep(1)
        stage.loop.call_later(2, lambda: sure.append(desk.is_sure.is_set()))
        return found

    stage.wire().on("open_orders", gap)
    stage.wire().on("open_orders", slow(before=5), times=1)
    stage.wire().open_stream()
    stage.run(20)
    assert sure == [False]
    assert desk.is_sure.is_set()


def test_f23_a_bot_that_comes_up_after_a_gap_does_not_vouch_for_the_others(stage: Stage) -> None:
    def is_of_bot(subject: Any) -> bool:
        return f"-{BOT}-" in str(subject)

    stage.add_bot("late")
    stage.start(after=5)
    wire = stage.wire()
    wire.lose_stream()
    stage.run(1)
    safety = stage.resting(Role.SAFETY, bot_id=BOT)[0]
    stage.staff.fill_in_part(ACCOUNT, MARKET.pair, safety.venue_order_id, safety.quantity)
    unanswered = wire.on("find", lost_request, times=10_000, when=is_of_bot)
    wire.open_stream()
    stage.run(0.5)
    assert not stage.running.engine.fleet.places.desks[ACCOUNT].is_sure.is_set()
    stage.ask(RequestKind.START, "late", after=3)
    stage.ask(RequestKind.ADD_FUNDS, amount="1000", after=3)
    assert not stage.orders(Role.EXTRA)  # it does not buy more before it knows what it has bought
    unanswered.times = 0
    stage.run(100)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


def test_f23_fills_that_nobody_told_are_found_within_a_minute(stage: Stage) -> None:
    stage.start()
    stage.wire().tamper = deaf
    stage.move("90", after=60)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()
    stage.move("120", after=60)
    assert stage.bot().deals_closed == 1


@pytest.mark.parametrize("seed", range(5))
def test_f23_some_events_are_dropped(seed: int) -> None:
    stage = Stage(seed=str(seed))
    stage.list_pair()
    stage.open_account()
    stage.add_bot()
    count = 0

    def drop(event: AccountEvent) -> Iterable[AccountEvent]:
        nonlocal count
        count += 1
        return [] if (count + seed) % 3 == 0 else [event]

    stage.wire().tamper = drop
    play(stage)
    stage.run(60)
    assert stage.bot().deals_closed == 1
    stage.close()


def test_f24_a_silent_price_is_told_and_nothing_new_is_decided_on_it(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="99")
    stage.add_bot()
    stage.start(after=5)
    stage.prices.is_silent = True
    stage.run(60)
    assert [line.kind for line in stage.activity()].count("price_silent") == 1
    stage.hand.deposit("XYZ", Decimal(1000))
    stage.run(300)
    assert not stage.orders()
    stage.prices.is_silent = False
    stage.move("100", after=65)
    stage.expect_position()


def test_f24_no_deal_is_opened_on_a_silent_price_after_a_cooldown(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot(cooldown="120")
    stage.start()
    stage.move("110", after=5)
    assert stage.bot().deals_closed == 1
    stage.prices.is_silent = True
    stage.run(600)
    assert len(stage.orders(Role.BASE)) == 1
    stage.prices.is_silent = False
    stage.move("111", after=5)
    assert len(stage.orders(Role.BASE)) == 2


def test_f24_no_deal_is_opened_on_a_silent_price_when_one_has_ended(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot(stop_loss="30", trailing_deviation="5")
    stage.start()
    stage.move("112", after=5)  # the trail is armed: the bot has been told that the price has moved
    stage.prices.is_silent = True
    stage.run(60)
    stage.ask(RequestKind.CLOSE_DEAL, after=120)
    assert stage.bot().deals_closed == 1
    assert len(stage.orders(Role.BASE)) == 1
    stage.prices.is_silent = False
    stage.move("115", after=10)
    assert len(stage.orders(Role.BASE)) == 2


def test_f24_what_rests_on_the_exchange_fills_while_the_price_is_silent(stage: Stage) -> None:
    stage.start()
    stage.prices.is_silent = True
    stage.run(60)
    stage.move("90", after=60)
    assert stage.deal().filled_safety_orders == 1


def test_f24_dead_account_events_are_found_out_by_asking(stage: Stage) -> None:
    stage.start()
    stage.wire().tamper = deaf
    stage.move("110", after=60)
    assert stage.bot().deals_closed == 1


def test_f25_after_a_gap_in_the_events_everything_is_asked_for_at_once(stage: Stage) -> None:
    stage.start()
    stage.wire().lose_stream()
    stage.move("90", after=5)
    assert stage.deal().filled_safety_orders == 0
    stage.wire().open_stream()
    stage.run(1)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


def test_f25_a_gap_that_ends_while_the_exchange_does_not_answer_is_looked_at_later(stage: Stage) -> None:
    stage.start()
    stage.wire().lose_stream()
    stage.move("90", after=5)
    stage.wire().on("*", refused(Unavailable("no answer")), times=5)
    stage.wire().open_stream()
    stage.run(40)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


@pytest.mark.parametrize("times", [1, 8])
def test_f26_a_stream_that_ends_is_begun_again(stage: Stage, times: int) -> None:
    stage.start()
    for _ in range(times):
        stage.wire().break_stream(ConnectionError("the library has given up"))
        stage.prices.say(ConnectionError("the library has given up"))
        stage.run(60)
    failed = [line for line in stage.logged if line["event"] == "task_failed"]
    assert len(failed) == 2 * times
    assert len(stage.unforeseen) == 2 * times
    stage.unforeseen.clear()
    stage.move("90", after=1)
    assert stage.deal().filled_safety_orders == 1
    stage.move("120", after=5)
    assert stage.bot().deals_closed == 1


def test_f27_all_bots_share_one_stream(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="1000000")
    names = [stage.add_bot(f"bot{number}") for number in range(30)]
    stage.start(*names, after=5)
    assert len(stage.prices._readers) == 1
    assert len(stage.wire()._listeners) == 1
    stage.wire().lose_stream()
    stage.wire().open_stream()
    before = len(stage.wire().requests("open_orders"))
    stage.run(2)
    assert len(stage.wire().requests("open_orders")) - before <= 2
    for name in names:
        stage.expect_position(name)


def test_f28_a_flood_of_prices_loses_no_order_event_and_no_extreme(stage: Stage) -> None:
    stage.start()
    for step in range(2000):
        stage.prices.say(Tick(MARKET.pair, Price(Decimal(9500 + step % 700) / 100), stage.clock.now()))
    stage.move("90", after=1)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


# -------------------------------------------------------------------------------------------------------------- prices


def test_f29_an_old_price_decides_nothing(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot(stop_loss="30")
    stage.start()
    for price in ("1", "50"):
        stale = stage.clock.now() - datetime.timedelta(seconds=11)
        stage.prices.say(Tick(MARKET.pair, Price(Decimal(price)), stale))
    stage.run(30)
    assert not stage.orders(Role.STOP_LOSS)
    stage.expect_position()


def test_f30_a_wick_fills_what_it_reaches_and_nothing_is_sold_twice_for_it(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot(auto_restart=False)
    stage.start()
    stage.move("60", after=0.3)
    stage.move("100", after=30)
    assert [order.price for order in stage.wholly(Role.SAFETY)] == [90, 80]
    [deal] = stage.ended()
    assert deal.books.net == 0
    assert len(stage.wholly(Role.TAKE_PROFIT)) == 1
    assert len(stage.orders(Role.TAKE_PROFIT)) == 2


def test_f30_a_wick_under_the_stop_loss_sells_once(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot(stop_loss="30", auto_restart=False)
    stage.start()
    stage.venue.move(MARKET.pair, Price(Decimal(60)))
    stage.venue.move(MARKET.pair, Price(Decimal(100)))
    stage.venue.move(MARKET.pair, Price(Decimal(61)))
    stage.run(30)
    sold = sum(booked.order.executed for booked in stage.orders(Role.STOP_LOSS, Role.TAKE_PROFIT))
    bought = sum(booked.order.executed for booked in stage.orders(Role.BASE, Role.SAFETY))
    assert sold == bought
    assert len(stage.orders(Role.STOP_LOSS)) <= 1


def test_f31_a_gap_fills_all_safety_orders_once_and_the_target_follows(stage: Stage) -> None:
    stage.start()
    stage.move("70", after=5)
    assert [order.price for order in stage.wholly(Role.SAFETY)] == [90, 80]
    assert len(stage.orders(Role.SAFETY)) == 2
    stage.expect_position()


def test_f31_a_gap_through_orders_that_do_not_rest_yet(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot(max_safety_orders=4, active_safety_orders=1, price_deviation="5")
    stage.start()
    stage.move("78", after=10)
    bought = stage.wholly(Role.SAFETY)
    assert len(bought) == 4
    assert [order.price for order in bought] == [95, 90, 85, 80]
    stage.expect_position()


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "sNaN", "Infinity", "-Infinity"])
def test_f32_what_is_no_price_is_dropped(empty_stage: Stage, price: str) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot(stop_loss="30")
    stage.start()
    for _ in range(3):
        stage.prices.say(Tick(MARKET.pair, Price(Decimal(price)), stage.clock.now()))
    stage.run(5)
    assert not stage.orders(Role.STOP_LOSS)
    stage.expect_position()
    [feed] = stage.running.engine.fleet.places.feeds.values()
    assert feed.dropped == 3


def test_f33_prices_of_one_pair_are_not_those_of_another(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.list_pair(OTHER, "5")
    stage.open_account()
    stage.add_bot(stop_loss="30", trailing_deviation="1")
    stage.add_bot("other", market=OTHER, stop_loss="30")
    stage.start(BOT, "other")
    stage.move("5.1", pair=OTHER.pair, after=5)
    stage.move("101", after=5)
    stage.expect_position("other")
    assert stage.bot().phase is Phase.IN_POSITION
    assert not stage.orders(Role.STOP_LOSS)


def test_f33_each_environment_has_prices_of_its_own(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    testnet = AccountId("testnet")
    stage.open_account(testnet, environment=Environment.TESTNET)
    stage.add_bot()
    stage.add_bot("other", account=testnet)
    stage.start(BOT, "other")
    assert set(stage.running.engine.fleet.places.feeds) == {Environment.PAPER, Environment.TESTNET}
    assert not {booked.order.order_id for booked in stage.orders()} & {
        booked.order.order_id for booked in stage.orders(account=testnet)
    }


def test_f33_the_pair_cannot_be_changed_while_a_deal_is_open(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.list_pair(OTHER, "5")
    stage.open_account()
    stage.add_bot()
    stage.start()
    asked = stage.ask(RequestKind.EDIT_BOT, after=2, **texts_of(strategy(pair=OTHER.pair)))
    assert stage.request(asked).refusal
    stage.expect_position()


def test_f23_no_buy_goes_out_between_the_end_of_events_and_a_comparison(stage: Stage) -> None:
    stage.start(after=5)
    stage.wire().on("open_orders", refused(Unavailable("try later")), times=10_000)
    stage.wire().break_stream(Unavailable("it failed"))
    stage.ask(RequestKind.ADD_FUNDS, amount="20", after=0.7)
    stage.run(30)
    assert not stage.orders(Role.EXTRA)
    stage.wire().lines.clear()
    stage.run(60)
    stage.expect_position()


def test_f23_an_account_with_many_trades_of_its_owners_is_compared_in_the_end(stage: Stage) -> None:
    for _ in range(30):
        stage.hand.buy(MARKET.pair, quantity("0.1"))
    asked = 0

    async def ten_at_a_time(carry: Carry) -> Any:
        nonlocal asked
        asked += 1
        if asked % 10 == 0:
            raise Unavailable("the limit of this minute is used up")
        return await carry()

    stage.wire().on("find", ten_at_a_time, times=10_000)
    stage.start(after=30)
    stage.expect_position()
    assert 30 <= asked <= 40
