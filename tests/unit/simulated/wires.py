"""A simulated exchange behind faults, and a clock whose sleepers a test wakes in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

import attrs

from dcacore.adapters.simulated.exchange import SimulatedExchange
from dcacore.adapters.simulated.faults import Dice, Fault, FaultyExchange, Gate, Plan
from dcacore.domain.ids import OrderId
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.venue import VenueOrder
from tests.unit.simulated.clock import ManualClock
from tests.unit.simulated.stage import ME, PAIR, WINDOW, Stage, staged

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
