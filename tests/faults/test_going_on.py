"""What goes on after a hold-up: waiting bots, held orders, old prices, missing coins, adapters that fail unforeseen."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dcacore.domain.bot import Cure, Phase
from dcacore.domain.ids import parse_order_id
from dcacore.domain.orders import Order, Role
from dcacore.domain.venue import VenueStatus
from dcacore.ports.errors import InsufficientBalance, RateLimited, Unavailable
from dcacore.ports.exchange import AccountEvent, OrderChanged
from dcacore.ports.records import RequestKind
from tests.faults.stage import (
    ACCOUNT,
    BOT,
    Act,
    Carry,
    Stage,
    answered,
    deaf,
    lost_reply,
    lost_request,
    of_role,
    quantity,
    refused,
    slow,
)
from tests.strategies import MARKET


def ready(stage: Stage, *, holds: str = "10000", **changes: Any) -> Stage:
    stage.list_pair()
    stage.open_account(XYZ=holds)
    stage.add_bot(**changes)
    return stage


def of_bot(bot_id: str) -> Callable[[Any], bool]:
    """Let a line of the script stand for the orders of one bot."""

    def is_its(subject: Any) -> bool:
        parsed = parse_order_id(subject.id if isinstance(subject, Order) else str(subject))
        return parsed is not None and parsed.bot_id == bot_id

    return is_its


def most_refused_in_an_hour(stage: Stage) -> int:
    refusals = stage.wire().refusals
    return max((len([at for at in refusals if first <= at < first + 3600]) for first in refusals), default=0)


# ----------------------------------------------------------------------------------------------- bots that lack balance


def restart(stage: Stage) -> None:
    stage.kill()
    stage.run(1)
    stage.start_engine()
    stage.run(10)


def fail_one_commit(stage: Stage) -> None:
    stage.running.store.commits_fail = 1
    stage.ask(RequestKind.PAUSE, after=30)
    stage.ask(RequestKind.START, after=30)
    assert any(line["event"] == "bot_interrupted" for line in stage.logged)


def go_on_at_once(stage: Stage) -> None:
    stage.run(60)


HOLD_UPS = pytest.mark.parametrize("hold_up", [go_on_at_once, restart, fail_one_commit])


@HOLD_UPS
def test_a_bot_that_waits_for_balance_sells_at_its_stop_loss(
    empty_stage: Stage, hold_up: Callable[[Stage], None]
) -> None:
    stage = ready(empty_stage, holds="150", stop_loss="40", auto_restart=False)
    stage.start(after=5)
    assert stage.trouble() == "waiting_for_balance"
    hold_up(stage)
    assert stage.trouble() == "waiting_for_balance"
    stage.move("50", after=60)
    assert stage.bot().deals_closed == 1
    assert stage.free("ABC") == 0
    assert not stage.resting()


@HOLD_UPS
def test_a_bot_that_waits_for_balance_sells_at_its_trailed_target(
    empty_stage: Stage, hold_up: Callable[[Stage], None]
) -> None:
    stage = ready(empty_stage, holds="150", trailing_deviation="1", auto_restart=False)
    stage.start(after=5)
    hold_up(stage)
    stage.move("150", after=5)
    stage.move("140", after=60)
    assert stage.bot().deals_closed == 1
    assert stage.free("ABC") == 0


@HOLD_UPS
def test_a_bot_that_waits_for_balance_buys_after_a_deposit(
    empty_stage: Stage, hold_up: Callable[[Stage], None]
) -> None:
    stage = ready(empty_stage, holds="150")
    stage.start(after=5)
    hold_up(stage)
    assert not stage.resting(Role.SAFETY)
    stage.hand.deposit("XYZ", Decimal(1000))
    stage.run(300)
    assert len(stage.resting(Role.SAFETY)) == 2
    stage.expect_position()


@HOLD_UPS
def test_a_bot_that_waits_for_balance_before_its_first_order_opens_a_deal_after_a_deposit(
    empty_stage: Stage, hold_up: Callable[[Stage], None]
) -> None:
    stage = ready(empty_stage, holds="50", max_safety_orders=0)
    stage.start(after=5)
    assert stage.trouble() == "waiting_for_balance"
    hold_up(stage)
    stage.hand.deposit("XYZ", Decimal(1000))
    stage.run(300)
    stage.expect_position()


def test_orders_refused_for_balance_keep_the_bot_waiting_and_are_few(empty_stage: Stage) -> None:
    """The account seems to have enough each time, and the exchange says otherwise."""
    stage = ready(empty_stage, max_safety_orders=0)
    lack = refused(InsufficientBalance("Account has insufficient balance for requested action.", -2010))
    line = stage.wire().on("place", lack, times=1_000)
    stage.start(after=3700)
    assert stage.trouble() == "waiting_for_balance"
    assert 1 <= most_refused_in_an_hour(stage) <= 5
    line.times = 0
    stage.run(3700)
    stage.expect_position()


def test_sells_refused_for_balance_end_in_no_error(empty_stage: Stage) -> None:
    stage = ready(empty_stage, max_safety_orders=0)
    lack = refused(InsufficientBalance("Account has insufficient balance for requested action.", -2010))
    line = stage.wire().on("place", lack, times=1_000, when=of_role(Role.TAKE_PROFIT))
    stage.start(after=3700)
    assert stage.trouble() != "error"
    assert most_refused_in_an_hour(stage) <= 5
    line.times = 0
    if stage.trouble() == "needs_attention":
        stage.ask(RequestKind.RETRY)
    stage.run(3700)
    stage.expect_position()


# --------------------------------------------------------------------------------------------------- orders held back


def limited(stage: Stage, **length: float) -> Act:
    async def act(_: Carry) -> Any:
        raise RateLimited(stage.clock.now() + datetime.timedelta(**length))

    return act


@pytest.mark.parametrize("times", [4, 12])
def test_rate_limits_one_after_the_other_end_in_no_error(empty_stage: Stage, times: int) -> None:
    stage = ready(empty_stage, stop_loss="50", auto_restart=False)
    stage.start()
    stage.wire().on("place", limited(stage, seconds=30), times=times)
    stage.move("89", after=times * 60)
    stage.expect_position()
    stage.move("49", after=60)
    assert stage.bot().trouble is None
    assert stage.bot().deals_closed == 1
    assert stage.free("ABC") == 0


def test_a_base_order_held_by_a_ban_is_not_sent_after_its_user_has_stopped_the_bot(stage: Stage) -> None:
    stage.wire().on("place", limited(stage, hours=1))
    stage.start()
    assert stage.bot().phase is Phase.PLACING_ORDER
    stage.ask(RequestKind.STOP, after=5)
    stage.move("200", after=3700)
    assert stage.bot().phase is Phase.STOPPED
    assert not stage.orders()


def test_a_base_order_held_by_a_ban_is_decided_anew_afterwards(stage: Stage) -> None:
    stage.wire().on("place", limited(stage, hours=1))
    stage.start()
    stage.move("200", after=3660)
    [base] = stage.orders(Role.BASE)
    assert base.order.quantity * 200 == 100  # as large as the price of now makes it
    stage.expect_position()


# --------------------------------------------------------------------------------------------------------- old prices


def test_no_deal_opens_on_a_price_of_half_a_minute_ago(empty_stage: Stage) -> None:
    stage = ready(empty_stage, cooldown="20")
    stage.start()
    stage.run(7)
    stage.move("110", after=0.2)
    assert stage.bot().deals_closed == 1
    stage.prices.is_silent = True
    stage.move("300", after=60)
    assert len(stage.orders(Role.BASE)) == 1
    stage.prices.is_silent = False
    stage.move("301", after=10)
    [_, second] = stage.orders(Role.BASE)
    assert [trade.price for trade in second.order.trades] == [301]


def edit_while_a_commit_fails(stage: Stage) -> None:
    stage.running.store.commits_fail = 1
    stage.ask(RequestKind.EDIT_DEAL, take_profit="9", after=10)
    assert any(line["event"] == "bot_interrupted" for line in stage.logged)


@pytest.mark.parametrize("hold_up", [restart, edit_while_a_commit_fails])
def test_no_deal_opens_on_what_was_asked_at_a_start_in_silence_long_ago(
    empty_stage: Stage, hold_up: Callable[[Stage], None]
) -> None:
    stage = ready(empty_stage, cooldown="1200")
    stage.start()
    stage.move("101")
    stage.prices.is_silent = True
    stage.run(40)
    hold_up(stage)
    stage.move("110", after=5)
    assert stage.bot().deals_closed == 1
    stage.move("500", after=1800)
    assert len(stage.orders(Role.BASE)) == 1
    stage.prices.is_silent = False
    stage.move("501", after=10)
    [_, second] = stage.orders(Role.BASE)
    assert [trade.price for trade in second.order.trades] == [501]


def test_no_deal_opens_on_what_was_asked_at_a_start_in_silence_before_a_cooldown_was_over(empty_stage: Stage) -> None:
    stage = ready(empty_stage, cooldown="1200")
    stage.start()
    stage.prices.is_silent = True
    stage.move("110", after=5)
    assert stage.bot().deals_closed == 1
    stage.run(40)
    restart(stage)
    stage.move("500", after=1800)
    assert len(stage.orders(Role.BASE)) == 1
    stage.prices.is_silent = False
    stage.move("501", after=10)
    [_, second] = stage.orders(Role.BASE)
    assert [trade.price for trade in second.order.trades] == [501]
    assert second.order.quantity < quantity("0.2")  # as large as the price of now makes it


# ------------------------------------------------------------------------------------------------------------ holdings


def test_a_target_that_fills_while_the_holdings_are_asked_for_is_no_trouble(empty_stage: Stage) -> None:
    stage = ready(empty_stage, auto_restart=False)
    stage.start()
    stage.wire().tamper = deaf
    sold: list[float] = []

    async def sell_first(carry: Carry) -> Any:
        sold.append(stage.loop.time())
        if len(sold) == 1:
            stage.venue.move(MARKET.pair, stage.resting_price(Role.TAKE_PROFIT))
        return await carry()

    stage.run(40 - stage.loop.time())
    stage.wire().on("balances", sell_first, times=100)
    stage.run(120)
    assert sold
    assert stage.bot().deals_closed == 1
    assert stage.bot().trouble is None
    assert not any("attention" in line.kind for line in stage.activity())
    assert not any(found.differences for found in stage.reconciliations())


def test_a_shortfall_ends_by_itself_when_the_coins_are_back(empty_stage: Stage) -> None:
    stage = ready(empty_stage, trailing_deviation="1", auto_restart=False)  # its coins lie free
    stage.start()
    stage.hand.withdraw("ABC", Decimal("0.5"))
    stage.run(60)
    trouble = stage.bot().trouble
    assert trouble is not None
    assert trouble.kind.value == "needs_attention"
    assert trouble.cure is Cure.HOLDINGS
    stage.run(600)
    assert stage.trouble() == "needs_attention"
    stage.hand.deposit("ABC", Decimal("0.5"))
    stage.run(60)
    assert stage.bot().trouble is None
    stage.move("150", after=5)
    stage.move("140", after=10)
    assert stage.bot().deals_closed == 1
    assert stage.free("ABC") == 0


# ------------------------------------------------------------------------------------------------------- lost replies


def test_an_order_that_filled_unheard_before_the_trade_of_another_bot_is_found(empty_stage: Stage) -> None:
    stage = ready(empty_stage, max_safety_orders=0)
    stage.add_bot("other", max_safety_orders=0)
    wire = stage.wire()

    def is_its_base(subject: Any) -> bool:
        return of_bot(BOT)(subject) and of_role(Role.BASE)(subject)

    def unheard(event: AccountEvent) -> Iterable[AccountEvent]:
        return [] if isinstance(event, OrderChanged) and is_its_base(event.order.order_id) else [event]

    wire.tamper = unheard
    stage.start("other")
    wire.on("place", lost_reply, when=of_bot(BOT))
    wire.on("find", answered(lambda _: None), times=1_000, when=is_its_base)
    stage.ask(RequestKind.START, BOT)
    while not stage.wholly(Role.BASE, bot_id=BOT):
        stage.run(0.02)
    stage.ask(RequestKind.ADD_FUNDS, "other", amount="50", after=200)
    assert stage.wholly(Role.EXTRA, bot_id="other")
    assert len(stage.orders(Role.BASE, bot_id=BOT)) == 1
    stage.expect_position(BOT)
    stage.expect_position("other")


# --------------------------------------------------------------------------- adapters that fail unforeseen, or hang


def carried_out(exc: Exception) -> Act:
    """The request is carried out, and what comes back cannot be read."""

    async def act(carry: Carry) -> Any:
        await carry()
        raise exc

    return act


FAILURES = pytest.mark.parametrize(
    "act",
    [refused(ValueError("cannot parse")), carried_out(ValueError("cannot parse")), slow(before=1e7), slow(after=1e7)],
    ids=["refused", "carried out", "never arrives", "never answers"],
)


def forgive_tracebacks(stage: Stage) -> None:
    """What nobody foresaw is in the log with its traceback, and nowhere else."""
    stage.unforeseen = [text for text in stage.unforeseen if "cannot parse" not in text]


@FAILURES
@pytest.mark.parametrize("is_deaf", [False, True])
def test_a_base_order_whose_placing_fails_in_a_way_nobody_foresaw(stage: Stage, act: Act, is_deaf: bool) -> None:
    if is_deaf:
        stage.wire().tamper = deaf
    stage.wire().on("place", act)
    stage.start(after=600)
    forgive_tracebacks(stage)
    taken = stage.orders(Role.BASE)
    assert len([it for it in taken if it.order.executed]) == 1
    assert len(stage.wire().requests("place")) <= 6
    stage.expect_position()


@pytest.mark.parametrize("act", [lost_request, refused(ValueError("cannot parse"))])
def test_orders_that_never_arrive_are_tried_again_ever_more_slowly(stage: Stage, act: Act) -> None:
    line = stage.wire().on("place", act, times=10_000)
    stage.start(after=600)
    early = len(stage.wire().requests("place"))
    stage.run(3000)
    forgive_tracebacks(stage)
    assert 2 <= early <= 15
    assert len(stage.wire().requests("place")) - early <= 40
    line.times = 0
    stage.run(150)
    stage.expect_position()


@pytest.mark.parametrize("is_from_the_start", [False, True])
def test_the_user_of_an_account_that_nothing_is_heard_of_is_told_once(stage: Stage, is_from_the_start: bool) -> None:
    if is_from_the_start:
        stage.venues.fails[ACCOUNT] = Unavailable("the exchange cannot be reached")
    stage.start(after=5)
    if not is_from_the_start:
        stage.wire().lose_stream()
    stage.run(300)
    why = " (the exchange cannot be reached)" if is_from_the_start else ""
    text = f"nothing is heard of account account{why}: its bots wait, their orders stay on the exchange"
    told = [line.text for line in stage.activity() if line.kind.startswith("account_")]
    assert told == [text]
    stage.venues.fails.clear()
    stage.wire().open_stream()
    stage.run(60)
    told = [line.text for line in stage.activity() if line.kind.startswith("account_")]
    assert told == [text, "account account is heard of again"]
    stage.expect_position()


@FAILURES
@pytest.mark.parametrize("is_deaf", [False, True])
def test_a_target_whose_cancelling_fails_in_a_way_nobody_foresaw(stage: Stage, act: Act, is_deaf: bool) -> None:
    stage.start()
    if is_deaf:
        stage.wire().tamper = deaf
    stage.wire().on("cancel", act)
    stage.ask(RequestKind.STOP, sell="true", after=600)
    forgive_tracebacks(stage)
    assert stage.bot().phase is Phase.STOPPED
    assert not stage.resting()
    assert stage.free("ABC") == 0
    assert len(stage.wire().requests("cancel")) <= 12


@FAILURES
def test_an_order_whose_finding_fails_in_a_way_nobody_foresaw(stage: Stage, act: Act) -> None:
    stage.wire().tamper = deaf
    stage.wire().on("place", lost_reply)
    stage.wire().on("find", act, times=3)
    stage.start(after=600)
    forgive_tracebacks(stage)
    assert [it.order.status for it in stage.orders(Role.BASE)] == [VenueStatus.FILLED]
    stage.expect_position()


@FAILURES
@pytest.mark.parametrize("name", ["listing", "fees", "open_orders", "trades"])
def test_a_start_whose_questions_fail_in_a_way_nobody_foresaw(stage: Stage, act: Act, name: str) -> None:
    line = stage.wire().on(name, act, times=1_000)
    stage.start(after=300)
    forgive_tracebacks(stage)
    assert len(stage.wire().requests(name)) <= 160  # one each two seconds
    assert not stage.orders()
    line.times = 0
    stage.run(60)
    stage.expect_position()


def test_cancels_that_fail_for_an_hour_are_tried_now_and_then(stage: Stage) -> None:
    stage.start()
    line = stage.wire().on("cancel", refused(ValueError("cannot parse")), times=1e9)
    stage.ask(RequestKind.STOP, sell="true", after=3600)
    forgive_tracebacks(stage)
    assert len(stage.wire().requests("*")) <= 1_000
    assert stage.bot().phase is Phase.CLOSING
    line.times = 0
    stage.run(120)
    assert stage.bot().phase is Phase.STOPPED
    assert not stage.resting()
    assert stage.free("ABC") == 0


def test_orders_that_cannot_be_found_for_an_hour_are_asked_for_now_and_then(stage: Stage) -> None:
    stage.start()
    stage.wire().tamper = deaf
    stage.wire().on("place", lost_reply)
    line = stage.wire().on("find", refused(ValueError("cannot parse")), times=1e9)
    stage.move("90", after=3600)
    forgive_tracebacks(stage)
    assert len(stage.wire().requests("*")) <= 1_000
    line.times = 0
    stage.run(120)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


def test_a_bot_that_starts_with_rungs_that_cannot_be_placed_says_so(empty_stage: Stage) -> None:
    stage = empty_stage
    market = attrs.evolve(MARKET, min_notional=Decimal("99.99"))
    stage.list_pair(market)
    stage.open_account()
    stage.add_bot(
        market=market, base_order_size="200", safety_order_size="100", max_safety_orders=3, price_deviation="7"
    )
    stage.start(after=10)
    assert any(line.kind == "ladder_warning" and "left out" in line.text for line in stage.activity())
