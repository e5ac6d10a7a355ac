"""Every fault of a request or on the exchange does what its name says, within its bounds, and is counted."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from decimal import Decimal
from random import Random

import pytest

from dcacore.adapters.simulated.faults import Dice, Fault, Mischief, Plan
from dcacore.domain.ids import OrderId
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.venue import VenueStatus
from dcacore.ports.errors import (
    BadCredentials,
    FilterViolation,
    InsufficientBalance,
    OutcomeUnknown,
    PortError,
    RateLimited,
    TooLate,
    Unavailable,
)
from tests.strategies import MARKET
from tests.unit.simulated.stage import ME, PAIR, WINDOW, staged
from tests.unit.simulated.wires import Wire, wire


def orders(it: Wire) -> int:
    return len(it.stage.venue.books(ME).orders)


# ------------------------------------------------------------------------------------------------------------ placing


@pytest.mark.parametrize(
    ("kind", "arrives"),
    [
        (Fault.LOST_REQUEST, False),
        (Fault.LOST_REPLY, True),
        (Fault.LATE_REQUEST, True),
        (Fault.OVERDUE_REQUEST, False),
        (Fault.FAILED_AFTER, True),
        (Fault.FAILED_BEFORE, False),
    ],
)
async def test_f01_f02_f03_f05_an_answer_is_lost_whether_the_order_arrives_or_not(kind: Fault, arrives: bool) -> None:
    it = wire(kind)
    with pytest.raises(OutcomeUnknown):
        await it.place()
    await it.clock.run_on(60)
    assert orders(it) == arrives
    assert it.dice.hits[kind] == 1


async def test_f03_a_late_request_arrives_after_its_sender_has_given_up() -> None:
    it = wire(Fault.LATE_REQUEST)
    order = Order(id=OrderId("it"), side=Side.BUY, role=Role.BASE, quantity=BaseQty(Decimal(1)))
    sent_at = it.exchange.now()
    work = asyncio.ensure_future(it.exchange.place(PAIR, order, sent_at=sent_at, recv_window=WINDOW))
    await it.clock.run_on(2)
    assert isinstance(work.exception(), OutcomeUnknown)
    assert orders(it) == 0
    await it.clock.run_on(3)
    assert orders(it) == 1
    assert it.stage.venue.books(ME).orders[0].placed_at <= sent_at + WINDOW


@pytest.mark.parametrize("kind", [Fault.LOST_REPLY, Fault.FAILED_AFTER])
async def test_a_refusal_can_be_lost_as_well(kind: Fault) -> None:
    it = wire(kind)
    with pytest.raises(OutcomeUnknown):
        await it.place(price="0.001")
    assert orders(it) == 0


async def test_a_slow_reply_comes() -> None:
    it = wire(Fault.SLOW_REPLY)
    began = it.clock.monotonic()
    assert (await it.place()).status is VenueStatus.FILLED
    assert it.clock.monotonic() > began


@pytest.mark.parametrize(
    ("kind", "error"), [(Fault.FILTER_REFUSAL, FilterViolation), (Fault.BALANCE_REFUSAL, InsufficientBalance)]
)
async def test_orders_are_refused_for_nothing(kind: Fault, error: type[PortError]) -> None:
    it = wire(kind)
    with pytest.raises(error):
        await it.place()
    assert orders(it) == 0


@pytest.mark.parametrize(
    ("kind", "is_off"),
    [
        (Fault.LOST_REQUEST, False),
        (Fault.LOST_REPLY, True),
        (Fault.FAILED_AFTER, True),
        (Fault.FAILED_BEFORE, False),
    ],
)
async def test_f13_a_cancel_gets_lost_on_its_way_or_back(kind: Fault, is_off: bool) -> None:
    it = wire(kind)
    it.stage.buy("1", "90")
    with pytest.raises(OutcomeUnknown):
        await it.run(it.exchange.cancel(PAIR, OrderId("it")))
    assert (it.stage.venue.open_orders(ME, PAIR) == ()) is is_off


# -------------------------------------------------------------------------------------------------- limits and clocks


@pytest.mark.parametrize(("kind", "least"), [(Fault.RATE_LIMIT, 1), (Fault.BAN, 120)])
async def test_f51_f52_nobody_is_let_through_before_the_time_that_was_told(kind: Fault, least: int) -> None:
    it = wire(kind)
    with pytest.raises(RateLimited) as limited:
        await it.place()
    told = limited.value.retry_at
    assert told - it.clock.now() >= datetime.timedelta(seconds=least - 0.001 - 15)
    it.dice.plan = Plan({})
    if it.gate.is_shut:
        with pytest.raises(RateLimited):
            await it.exchange.balances()
        assert it.gate.violations == 1
    it.clock.pass_by((told - it.clock.now()).total_seconds())
    violations = it.gate.violations
    assert await it.exchange.balances()
    assert it.gate.violations == violations
    assert it.gate.requests >= 2


async def test_calm_opens_the_gate() -> None:
    it = wire(Fault.BAN)
    with pytest.raises(RateLimited):
        await it.exchange.balances()
    it.calm()
    assert await it.exchange.balances()


async def test_f54_a_drifting_clock_is_set_right_when_a_request_was_too_late() -> None:
    it = wire(Fault.CLOCK_DRIFT, seed=2)
    await it.exchange.balances()
    assert abs(it.exchange.now() - it.clock.now()) > datetime.timedelta(seconds=1)
    it.calm()
    seen = 0
    for size in (-6, 2):
        it.exchange._drift = size
        with pytest.raises(TooLate):
            await it.place()
        seen += 1
        assert it.exchange.now() == it.clock.now()
    assert seen == 2
    it.exchange._drift = 1
    it.clock.pass_by(600)
    await it.exchange.balances()
    assert it.exchange.now() == it.clock.now()


# ------------------------------------------------------------------------------------------------------------ reading


async def test_f06_a_new_order_is_not_found_for_some_seconds() -> None:
    it = wire(Fault.HIDDEN_ORDER)
    order = Order(
        id=OrderId("it"), side=Side.BUY, role=Role.BASE, quantity=BaseQty(Decimal(1)), price=Price(Decimal(9))
    )
    await it.exchange.place(PAIR, order, sent_at=it.exchange.now(), recv_window=WINDOW)
    assert await it.exchange.find(PAIR, order_id=OrderId("it")) is None
    assert await it.exchange.open_orders(PAIR) == ()
    it.clock.pass_by(5)
    assert await it.exchange.find(PAIR, order_id=OrderId("it")) is not None
    assert len(await it.exchange.open_orders(PAIR)) == 1


async def test_a_cancelled_order_may_seem_open_for_some_seconds() -> None:
    it = wire(Fault.OLDER_STATE)
    it.stage.buy("1", "90")
    await it.exchange.cancel(PAIR, OrderId("it"))
    told = await it.exchange.find(PAIR, order_id=OrderId("it"))
    assert told is not None
    assert told.status is VenueStatus.OPEN
    it.clock.pass_by(5.1)
    told = await it.exchange.find(PAIR, order_id=OrderId("it"))
    assert told is not None
    assert told.status is VenueStatus.CANCELED
    assert it.dice.hits[Fault.OLDER_STATE] == 1


async def test_the_newest_trades_come_late() -> None:
    it = wire(Fault.LAGGING_TRADES)
    it.stage.buy("1", name="one")
    it.clock.pass_by(6)
    it.stage.buy("1", name="two")
    assert [trade.order_id for trade in await it.exchange.trades(PAIR)] == ["one"]
    it.clock.pass_by(5)
    assert len(await it.exchange.trades(PAIR)) == 2


async def test_reads_fail() -> None:
    it = wire(Fault.FAILED_READ)
    exchange = it.exchange
    reads = (
        exchange.listing(PAIR),
        exchange.fees(PAIR),
        exchange.price(PAIR),
        exchange.balances(),
        exchange.find(PAIR, order_id=OrderId("it")),
        exchange.trades(PAIR),
        exchange.open_orders(PAIR),
    )
    for read in reads:
        with pytest.raises(Unavailable):
            await read
    it.calm()
    await exchange.reload_rules(PAIR)
    assert (await exchange.listing(PAIR)).market == MARKET
    assert await exchange.price(PAIR) == 100
    assert (await exchange.fees(PAIR)).fee_taker == Decimal("0.001")


# --------------------------------------------------------------------------------------------------- on the exchange


def test_the_exchange_itself_strikes_and_calm_ends_all_that_lasts() -> None:
    stage = staged(ABC="5")
    dice = Dice(Random(7), Plan(dict.fromkeys(Fault, 0.1)))
    mischief = Mischief(stage.venue, dice)
    for number in range(300):
        with contextlib.suppress(PortError):
            stage.buy("0.2", "60" if number % 2 else None, f"o{number}")
        mischief.step()
        stage.clock.pass_by(1)
        if number % 10 == 0:
            stage.venue.move(PAIR, Price(Decimal(100)))
    missed = {kind for kind in list(Fault)[list(Fault).index(Fault.PARTIAL_FILL) :] if not dice.hits[kind]}
    assert missed == set()
    dice.is_calm = True
    mischief.calm()
    assert stage.venue.listing(PAIR).is_trading
    assert stage.venue.listing(PAIR).market == MARKET
    assert stage.venue.balances(ME)
    before = stage.venue.books(ME)
    for _ in range(100):
        mischief.step()
        stage.clock.pass_by(1)
    assert stage.venue.books(ME) == before


def test_a_revoked_key_comes_back_by_itself() -> None:
    stage = staged()
    dice = Dice(Random(1), Plan({Fault.KEY_REVOKED: 1.0}))
    mischief = Mischief(stage.venue, dice)
    mischief.step()
    with pytest.raises(BadCredentials):
        stage.venue.balances(ME)
    dice.is_calm = True
    stage.clock.pass_by(120)
    mischief.step()
    assert stage.venue.balances(ME)


# ------------------------------------------------------------------------------------------------------------- chance


def test_a_swarm_switches_some_kinds_on_and_the_seed_says_which() -> None:
    plans = [Plan.swarm(Random(seed)) for seed in range(40)]
    assert plans[3] == Plan.swarm(Random(3))
    assert all(0 < chance <= 0.05 for plan in plans for chance in plan.chances.values())
    assert {kind for plan in plans for kind in plan.chances} == set(Fault)
    assert all(0 < len(plan.chances) < len(Fault) for plan in plans)


def test_what_is_not_planned_never_strikes_and_takes_no_chance() -> None:
    random = Random(1)
    before = random.getstate()
    assert not Dice(random, Plan({})).strikes(Fault.BAN)
    assert random.getstate() == before
