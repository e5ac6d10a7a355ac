"""Every fault of a stream, of account events or of prices, does what its name says."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator
from decimal import Decimal

import attrs

from dcacore.adapters.simulated.exchange import SimulatedPrices
from dcacore.adapters.simulated.faults import Fault, FaultyPrices, Plan
from dcacore.domain.ids import OrderId
from dcacore.domain.money import Price
from dcacore.ports.exchange import AccountEvent, OrderChanged, StreamLost, StreamOpened
from dcacore.ports.prices import Tick
from tests.unit.simulated.stage import PAIR
from tests.unit.simulated.wires import Wire, settle, wire

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
