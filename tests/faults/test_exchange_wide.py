"""Trouble with the exchange as a whole: F51 to F64."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from dcacore.domain.bot import Cure, Phase
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.ids import AccountId
from dcacore.domain.intents import IntentState
from dcacore.domain.market import Market
from dcacore.domain.money import BaseQty
from dcacore.domain.orders import Role
from dcacore.ports.errors import (
    BadCredentials,
    CannotDecrypt,
    OutcomeUnknown,
    RateLimited,
    TooLate,
    Unavailable,
)
from dcacore.ports.records import Environment, RequestKind
from tests.faults.stage import ACCOUNT, BOT, Carry, Stage, answered, lost_request, of_role, refused
from tests.strategies import MARKET

OTHER = Market(
    pair="DEFXYZ", base_asset="DEF", quote_asset="XYZ", tick_size="0.01", step_size="0.001", min_notional="5"
)


class Shut:
    """A doorman who lets nobody in for some time, and counts who comes all the same."""

    def __init__(self, stage: Stage, seconds: float, account: AccountId = ACCOUNT) -> None:
        self.until = stage.clock.now() + datetime.timedelta(seconds=seconds)
        self.pushed = -1
        self._stage = stage
        self._line = stage.wire(account).on("*", self._answer, times=10_000_000)

    async def _answer(self, carry: Carry) -> Any:
        if self._stage.clock.now() < self.until:
            self.pushed += 1
            raise RateLimited(self.until)
        return await carry()


@pytest.mark.parametrize(("name", "seconds"), [("f51", 30), ("f52", 150), ("f52", 3600), ("f53", 600)])
def test_f51_f52_f53_not_one_request_goes_out_before_the_time_that_was_told(
    stage: Stage, name: str, seconds: float
) -> None:
    stage.start()
    shut = Shut(stage, seconds)
    stage.move("90", after=seconds - 1)
    assert shut.pushed <= 1  # two may be on their way at one moment
    assert stage.bot().trouble is None
    stage.run(60)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


@pytest.mark.parametrize("seconds", [30, 150])
def test_f51_f52_an_order_that_met_the_limit_is_placed_afterwards_under_another_id(
    stage: Stage, seconds: float
) -> None:
    stage.start()
    line = stage.wire().on(
        "place", refused(RateLimited(stage.clock.now() + datetime.timedelta(seconds=seconds))), when=of_role(Role.EXTRA)
    )
    line.times = 0
    shut: list[Shut] = []

    async def shuts(carry: Carry) -> Any:
        shut.append(Shut(stage, seconds))
        raise RateLimited(shut[0].until)

    stage.wire().on("place", shuts, when=of_role(Role.TAKE_PROFIT))
    stage.move("90", after=seconds - 1)
    assert shut[0].pushed <= 1
    assert not stage.resting(Role.TAKE_PROFIT)
    stage.run(30)
    stage.expect_position()


def test_f51_a_limit_during_the_start_delays_it(stage: Stage) -> None:
    stage.start()
    stage.kill()
    stage.move("90")
    shut = Shut(stage, 120)
    stage.start_engine()
    stage.run(119)
    assert shut.pushed <= 2
    stage.run(30)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


def test_f51_a_limit_while_the_account_is_opened(stage: Stage) -> None:
    stage.venues.fails[ACCOUNT] = RateLimited(stage.clock.now() + datetime.timedelta(seconds=60))
    stage.start(after=60)
    assert not stage.orders()
    stage.venues.fails.clear()
    stage.run(40)
    stage.expect_position()


@pytest.mark.parametrize("ahead", [-90, 3600])
def test_f54_an_order_refused_for_its_time_is_placed_anew(stage: Stage, ahead: float) -> None:
    stage.wire().on("place", refused(TooLate("Timestamp outside of the recvWindow.", -1021)))
    stage.machine.ahead_s = ahead
    stage.start(after=10)
    assert stage.refused_per_hour() == 1
    stage.expect_position()


def test_f54_a_clock_that_stays_wrong_ends_in_an_error_and_no_loop(stage: Stage) -> None:
    stage.wire().drift = datetime.timedelta(seconds=-30)
    stage.start(after=600)
    assert stage.refused_per_hour() <= 5
    assert stage.trouble() == "error"
    stage.wire().drift = datetime.timedelta(0)
    stage.ask(RequestKind.RETRY, after=5)
    stage.expect_position()


@pytest.mark.parametrize("ahead", [-7200, -90, 90, 7200, 40_000_000])
def test_f55_the_machines_clock_jumps_while_a_bot_waits(empty_stage: Stage, ahead: float) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="99")
    stage.add_bot()
    stage.start(after=30)
    stage.machine.ahead_s = ahead
    before = len(stage.wire().requests("balances"))
    stage.run(600)
    asked = len(stage.wire().requests("balances")) - before
    assert 5 <= asked <= 25
    stage.machine.ahead_s = 0
    stage.run(60)
    stage.hand.deposit("XYZ", Decimal(1000))
    stage.run(65)
    stage.expect_position()


@pytest.mark.parametrize("ahead", [-7200, 7200])
def test_f55_the_machines_clock_jumps_while_an_answer_is_missing(stage: Stage, ahead: float) -> None:
    stage.wire().on("place", refused(OutcomeUnknown("no answer")))
    stage.start(after=2)
    stage.machine.ahead_s = ahead
    stage.run(17)
    assert len(stage.wire().requests("place")) == 1
    stage.run(15)
    stage.machine.ahead_s = 0
    stage.run(60)
    stage.expect_position()


def test_f56_a_halted_pair_is_told_and_goes_on_by_itself(stage: Stage) -> None:
    stage.start()
    stage.staff.halt(MARKET.pair)
    stage.ask(RequestKind.ADD_FUNDS, amount="50", after=5)
    assert stage.trouble() == "needs_attention"
    assert "halted" in str(stage.bot().trouble) or "trades again" in str(stage.bot().trouble)
    stage.run(600)
    assert stage.refused_per_hour() == 1
    stage.staff.resume(MARKET.pair)
    stage.run(60)
    stage.expect_position()


def test_f56_a_bot_that_is_started_while_its_pair_is_halted(stage: Stage) -> None:
    stage.staff.halt(MARKET.pair)
    stage.start(after=300)
    assert stage.trouble() == "needs_attention"
    assert not stage.wire().requests("place")
    stage.staff.resume(MARKET.pair)
    stage.run(60)
    stage.expect_position()


def test_f57_a_delisted_pair_freezes_its_deal_and_no_other(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.list_pair(OTHER, "5")
    stage.open_account()
    stage.add_bot()
    stage.add_bot("other", market=OTHER)
    stage.start(BOT, "other", after=5)
    held = stage.deal().books
    stage.staff.delist(MARKET.pair)
    stage.run(300)
    assert stage.trouble() == "needs_attention"
    assert stage.deal().books == held
    stage.move("4.5", pair=OTHER.pair, after=60)
    stage.expect_position("other")
    stage.stop_engine()
    stage.start_engine()
    stage.run(60)
    assert stage.trouble() is not None
    assert stage.deal().books == held
    stage.move("4.05", pair=OTHER.pair, after=60)
    assert stage.deal("other").filled_safety_orders >= 1
    stage.expect_position("other")


def test_f58_a_pair_that_was_renamed_is_not_mapped(stage: Stage) -> None:
    stage.start()
    stage.staff.delist(MARKET.pair)
    stage.list_pair(Market(pair="NEWXYZ", base_asset="NEW", quote_asset="XYZ", tick_size="0.01", step_size="0.001"))
    stage.run(300)
    assert stage.trouble() == "needs_attention"
    assert {booked.pair for booked in stage.orders()} == {MARKET.pair}


def test_f59_a_revoked_key_lets_all_bots_of_the_account_wait(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    second = AccountId("second")
    stage.open_account(second)
    names = [stage.add_bot(f"bot{number}") for number in range(3)]
    stage.add_bot("fine", account=second)
    stage.start(*names, "fine", after=5)
    stage.staff.revoke(ACCOUNT)
    stage.run(60)
    for name in names:
        trouble = stage.bot(name).trouble
        assert trouble is not None
        assert trouble.cure is Cure.CREDENTIALS
    assert stage.trouble("fine") is None
    began = stage.loop.time()
    stage.run(600)
    assert len(stage.wire().requests("*", since=began)) < 100
    stage.move("90", after=5)
    stage.staff.restore(ACCOUNT)
    stage.run(100)
    for name in names:
        assert stage.deal(name).filled_safety_orders == 1
        stage.expect_position(name)


def test_f59_a_key_that_is_revoked_before_the_start(stage: Stage) -> None:
    stage.staff.revoke(ACCOUNT)
    stage.start(after=120)
    assert not stage.orders()
    stage.staff.restore(ACCOUNT)
    stage.run(120)
    stage.expect_position()


def test_f60_a_key_without_the_right_to_trade_is_no_matter_of_balance(stage: Stage) -> None:
    stage.wire().on("place", refused(BadCredentials("Invalid API-key, IP, or permissions for action.")), times=1)
    stage.start(after=3)
    trouble = stage.bot().trouble
    assert trouble is not None
    assert trouble.cure is Cure.CREDENTIALS
    stage.run(60)
    stage.expect_position()


def test_f60_a_right_that_stays_missing_is_no_endless_round_of_refusals(stage: Stage) -> None:
    stage.wire().on("place", refused(BadCredentials("Invalid permissions for action.")), times=10_000)
    stage.start(after=3)
    for _ in range(59):
        stage.run(60)
        assert stage.refused_per_hour() <= 5


@pytest.mark.parametrize("wait", [3600])
def test_f61_an_account_that_may_not_trade_does_not_wait_for_balance(stage: Stage, wait: float) -> None:
    stage.staff.disable(ACCOUNT)
    stage.start(after=3)
    assert stage.trouble() == "needs_attention"
    for _ in range(60):
        stage.run(wait / 60)
        assert stage.refused_per_hour() <= 5
    stage.staff.disable(ACCOUNT, is_disabled=False)
    stage.ask(RequestKind.RETRY, after=5)
    stage.expect_position()


def on_testnet(stage: Stage, *bots: str, environment: Environment = Environment.TESTNET, **changes: Any) -> Stage:
    stage.list_pair()
    stage.open_account(environment=environment)
    for bot in bots or (BOT,):
        stage.add_bot(bot, **changes)
    return stage


def reset(stage: Stage, **holdings: str) -> None:
    """Empty the exchange; it has forgotten what the database remembers."""
    stage.is_checked = False
    stage.staff.reset({ACCOUNT: {asset: Decimal(amount) for asset, amount in (holdings or {"XYZ": "10000"}).items()}})


def expect_lost(stage: Stage, deal: Deal) -> None:
    """See that the deal was closed with all that it held written off, and that its user was told once."""
    assert deal.exit is Exit.RESET
    assert deal.result is not None
    assert deal.books.net == 0
    assert deal.result.profit == deal.books.proceeds - deal.books.sell_fees - deal.books.cost
    assert len([note for note in stage.notifications() if "closed by a reset of the testnet" in note.text]) == 1
    assert not any(stage.intent(order_id) is None for order_id in deal.orders)


@pytest.mark.parametrize("holdings", [{"XYZ": "10000"}, {"XYZ": "10000", "ABC": "50"}])
@pytest.mark.parametrize("trailing", ["0", "5"])
def test_f62_a_testnet_that_was_reset_is_seen_and_nothing_is_sold_twice(
    empty_stage: Stage, trailing: str, holdings: dict[str, str]
) -> None:
    stage = on_testnet(empty_stage, trailing_deviation=trailing)
    stage.start(after=5)
    known = {intent.id for intent in stage.intents()}
    reset(stage, **holdings)
    stage.run(300)
    [deal] = stage.ended()
    expect_lost(stage, deal)
    assert all(intent is not None and intent.has_ended for intent in map(stage.intent, known))
    stage.move("101", after=10)
    assert stage.deal().number == 2
    assert stage.trouble() is None
    if trailing == "0":
        stage.expect_position()
    assert not stage.refused_per_hour()
    assert {booked.order.order_id for booked in stage.orders()}.isdisjoint(known)
    stage.run(300)
    assert len(stage.ended()) == 1
    assert "the testnet has been reset: bot-1 lost" in [it for r in stage.reconciliations() for it in r.differences]


def test_f62_a_reset_while_the_engine_was_down(empty_stage: Stage) -> None:
    stage = on_testnet(empty_stage)
    stage.start(after=5)
    stage.stop_engine()
    reset(stage)
    stage.start_engine()
    stage.run(300)
    expect_lost(stage, stage.ended()[0])
    stage.move("101", after=10)
    assert stage.deal().number == 2
    stage.expect_position()


def test_f62_what_was_sold_before_the_reset_stays_sold(empty_stage: Stage) -> None:
    stage = on_testnet(empty_stage)
    stage.start(after=5)
    [target] = stage.resting(Role.TAKE_PROFIT)
    stage.staff.fill_in_part(ACCOUNT, MARKET.pair, target.venue_order_id, BaseQty(Decimal("0.25")))
    stage.run(2)
    reset(stage)
    stage.run(120)
    [deal] = stage.ended()
    assert (deal.books.sold, deal.books.gone) == (Decimal("0.25"), Decimal("0.75"))
    expect_lost(stage, deal)


def test_f62_bots_that_were_not_running_stay_as_they_are(empty_stage: Stage) -> None:
    stage = on_testnet(empty_stage, BOT, "paused")
    stage.start(BOT, "paused", after=5)
    stage.ask(RequestKind.PAUSE, "paused", after=5)
    reset(stage)
    stage.run(120)
    stage.move("101", after=10)
    assert stage.ended("paused")[0].exit is Exit.RESET
    assert stage.deal_or_none("paused") is None
    assert stage.deal(BOT).number == 2


def test_f62_a_deal_that_was_opened_after_the_reset_goes_on(empty_stage: Stage) -> None:
    stage = on_testnet(empty_stage, BOT, "late")
    stage.start(BOT, after=5)
    reset(stage)
    stage.start("late", after=120)
    assert stage.ended(BOT)[0].exit is Exit.RESET
    assert stage.ended("late") == ()
    stage.expect_position("late")


@pytest.mark.parametrize("environment", [Environment.LIVE, Environment.CUSTOM, Environment.PAPER])
def test_f62_no_other_exchange_is_ever_taken_for_an_emptied_testnet(
    empty_stage: Stage, environment: Environment
) -> None:
    stage = on_testnet(empty_stage, environment=environment)
    stage.start(after=5)
    reset(stage)
    stage.run(600)
    assert stage.trouble() == "needs_attention"
    assert stage.ended() == ()
    assert not stage.orders()
    stage.ask(RequestKind.CANCEL_DEAL, after=60)
    stage.move("101", after=10)
    assert stage.deal().number == 2
    stage.expect_position()


@pytest.mark.parametrize("act", [lost_request, answered(lambda _: None)])
def test_f62_questions_that_fail_or_are_answered_wrongly_once_prove_no_reset(empty_stage: Stage, act: Any) -> None:
    stage = on_testnet(empty_stage)
    stage.start(after=5)
    stage.wire().on("find", act, times=8)
    stage.run(120)
    assert stage.ended() == ()
    stage.ask(RequestKind.RETRY, after=10)
    stage.expect_position()


def test_f62_a_single_order_that_is_not_known_is_no_reset(empty_stage: Stage) -> None:
    stage = on_testnet(empty_stage)
    stage.start(after=5)
    stage.wire().on("find", answered(lambda _: None), times=1000, when=of_role(Role.SAFETY, Role.TAKE_PROFIT))
    stage.run(300)
    assert stage.ended() == ()
    stage.expect_position()


def cut_short(_: Any) -> Any:
    raise Unavailable("the answer could not be read")


@pytest.mark.parametrize("name", ["find", "trades", "open_orders", "balances", "listing", "fees", "price"])
def test_f64_a_read_that_cannot_be_understood_is_asked_again(stage: Stage, name: str) -> None:
    stage.wire().on(name, answered(cut_short), times=4)
    stage.start(after=60)
    stage.wire().on(name, answered(cut_short), times=4)
    stage.move("90", after=120)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


def test_f64_a_placing_whose_answer_cannot_be_understood_is_of_unknown_fate(stage: Stage) -> None:
    def unreadable(_: Any) -> Any:
        raise OutcomeUnknown("the answer is no JSON")

    stage.wire().tamper = lambda _: []
    stage.wire().on("place", answered(unreadable))
    stage.start(after=0.3)
    assert [intent.state for intent in stage.intents()] == [IntentState.UNKNOWN]
    stage.run(30)
    assert len(stage.orders(Role.BASE)) == 1
    stage.expect_position()


def test_f59_a_stored_key_that_cannot_be_read_is_told(stage: Stage) -> None:
    stage.start()
    stage.stop_engine()
    stage.venues.fails[ACCOUNT] = CannotDecrypt("none of the keys fits")
    stage.start_engine()
    stage.run(60)
    trouble = stage.bot().trouble
    assert trouble is not None
    assert trouble.cure is Cure.CREDENTIALS
    stage.venues.fails.clear()
    stage.run(120)
    stage.expect_position()
    assert stage.bot().phase is Phase.IN_POSITION
