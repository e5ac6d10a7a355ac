"""Every fault does what its name says, within its bounds, and is counted."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Coroutine
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

import attrs
import pytest

from dcacore.adapters.simulated.exchange import SimulatedExchange, SimulatedPrices
from dcacore.adapters.simulated.faults import Dice, Fault, FaultyExchange, FaultyPrices, Gate, Mischief, Plan
from dcacore.domain.ids import OrderId
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.venue import VenueOrder, VenueStatus
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
from dcacore.ports.exchange import AccountEvent, OrderChanged, StreamLost, StreamOpened
from dcacore.ports.prices import Tick
from tests.strategies import MARKET
from tests.unit.simulated.clock import ManualClock
from tests.unit.simulated.test_venue import ME, PAIR, WINDOW, Stage, staged

T = TypeVar("T")


class WaitingClock(ManualClock):
    """Sleepers wait until the clock has been set on far enough."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._number = 0

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._number += 1
        self._sleepers.append((self.monotonic() + seconds, self._number, woken))
        await woken.wait()

    async def run_on(self, seconds: float) -> None:
        """Let *seconds* go by, waking all that is due on the way, one after the other."""
        await settle()
        end = self.monotonic() + seconds
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= end]:
            first = min(due)
            self._sleepers.remove(first)
            self.pass_by(max(0.0, first[0] - self.monotonic()))
            first[2].set()
            await settle()
        self.pass_by(end - self.monotonic())
        await settle()


async def settle() -> None:
    """Let all that can run run."""
    for _ in range(20):
        await asyncio.sleep(0)


@attrs.define
class Wire:
    """A venue behind faults that strike always, or not at all."""

    stage: Stage
    clock: WaitingClock
    dice: Dice
    exchange: FaultyExchange
    gate: Gate

    async def place(self, name: str = "it", price: str | None = None) -> VenueOrder:
        order = Order(
            id=OrderId(name),
            side=Side.BUY,
            role=Role.BASE,
            quantity=BaseQty(Decimal(1)),
            price=None if price is None else Price(Decimal(price)),
        )
        return await self.run(self.exchange.place(PAIR, order, sent_at=self.exchange.now(), recv_window=WINDOW))

    async def run(self, work: Coroutine[Any, Any, T], seconds: float = 15) -> T:
        """Return what comes of *work* when *seconds* go by."""
        task = asyncio.ensure_future(work)
        await self.clock.run_on(seconds)
        assert task.done()
        return task.result()

    def calm(self) -> None:
        self.dice.is_calm = True


def wire(*kinds: Fault, seed: int = 1) -> Wire:
    stage, clock = staged(), WaitingClock()
    stage.clock, stage.venue.now = clock, clock.now
    dice = Dice(Random(seed), Plan(dict.fromkeys(kinds, 1.0)))
    gate = Gate(clock, dice)
    exchange = FaultyExchange(SimulatedExchange(stage.venue, ME, clock), clock, dice, gate)
    return Wire(stage, clock, dice, exchange, gate)


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


# ------------------------------------------------------------------------------------------------------------- events


@attrs.define
class Heard:
    """What a stream has told so far."""

    events: list[AccountEvent]
    task: asyncio.Task[None]

    @property
    def orders(self) -> list[OrderId]:
        return [event.order.order_id for event in self.events if isinstance(event, OrderChanged)]

    @property
    def other(self) -> list[type[AccountEvent]]:
        return [type(event) for event in self.events if not isinstance(event, OrderChanged)]


@contextlib.asynccontextmanager
async def hearing(it: Wire) -> AsyncIterator[Heard]:
    events: list[AccountEvent] = []
    stream = it.exchange.events()

    async def listen() -> None:
        async for event in stream:
            events.append(event)  # noqa: PERF401  # a test looks while it grows

    task = asyncio.get_running_loop().create_task(listen())
    await settle()
    yield Heard(events, task)
    task.cancel()
    await settle()


async def test_f23_events_are_dropped() -> None:
    it = wire(Fault.EVENT_DROPPED)
    async with hearing(it) as heard:
        it.stage.buy("1", "90", "a")
        await settle()
        it.calm()
        it.stage.buy("1", "90", "b")
        await it.clock.run_on(100)
        assert (heard.orders, heard.other) == (["b"], [StreamOpened])


async def test_f21_events_come_twice() -> None:
    it = wire(Fault.EVENT_TWICE)
    async with hearing(it) as heard:
        it.stage.buy("1", "90", "a")
        await settle()
        assert heard.orders == ["a", "a"]


async def test_f22_events_come_late() -> None:
    it = wire(Fault.EVENT_LATE)
    async with hearing(it) as heard:
        it.stage.buy("1", "90", "a")
        await settle()
        assert heard.orders == []
        await it.clock.run_on(20)
        assert heard.orders == ["a"]


async def test_f22_events_change_places_or_wait_for_a_while_when_none_follows() -> None:
    it = wire(Fault.EVENTS_SWAPPED)
    async with hearing(it) as heard:
        it.stage.buy("1", "90", "a")
        it.stage.buy("1", "90", "b")
        await settle()
        assert heard.orders == ["b", "a"]
        it.stage.buy("1", "90", "c")
        await it.clock.run_on(6)
        assert heard.orders == ["b", "a", "c"]


async def test_f24_a_dead_stream_tells_nothing_until_it_is_noticed() -> None:
    it = wire(Fault.STREAM_DEAD)
    async with hearing(it) as heard:
        it.stage.buy("1", "90", "a")
        await it.clock.run_on(14)
        it.calm()
        it.stage.buy("1", "90", "b")
        await settle()
        assert (heard.orders, heard.other) == ([], [StreamOpened])
        await it.clock.run_on(90)
        assert heard.other == [StreamOpened, StreamLost, StreamOpened]
        it.stage.buy("1", "90", "c")
        await settle()
        assert heard.orders == ["c"]


async def test_a_lost_stream_says_so_and_opens_again() -> None:
    it = wire(Fault.STREAM_LOST)
    async with hearing(it) as heard:
        it.stage.buy("1", "90", "a")
        await settle()
        assert (heard.orders, heard.other) == ([], [StreamOpened, StreamLost])
        it.calm()
        await it.clock.run_on(30)
        assert heard.other == [StreamOpened, StreamLost, StreamOpened]


# ------------------------------------------------------------------------------------------------------------- prices


async def ticks_of(it: Wire, count: int) -> list[Tick]:
    prices = FaultyPrices(SimulatedPrices(it.stage.venue), it.clock, it.dice)
    ticks = prices.ticks()
    await prices.watch(PAIR)
    await prices.unwatch("NONE")
    return [await anext(ticks) for _ in range(count)]


async def test_f29_a_stale_tick_comes_before_the_true_one() -> None:
    it = wire(Fault.PRICE_STALE)
    old, new = await ticks_of(it, 2)
    assert (old.price, new.price) == (Decimal(100), Decimal(100))
    assert new.at - old.at == datetime.timedelta(seconds=60)


async def test_a_price_that_cannot_be_true_comes_before_the_true_one() -> None:
    assert [tick.price for tick in await ticks_of(wire(Fault.PRICE_ABSURD), 2)] == [1000, 100]


async def test_prices_fall_silent() -> None:
    it = wire(Fault.PRICES_SILENT)
    task = asyncio.ensure_future(ticks_of(it, 1))
    await it.clock.run_on(60)
    it.dice.plan = Plan({})
    it.stage.venue.move(PAIR, Price(Decimal(107)))
    await settle()
    assert [tick.price for tick in task.result()] == [107]
    assert it.dice.hits[Fault.PRICES_SILENT] == 1


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
