"""An exchange as it is met over a network: requests and answers get lost, come late, or are refused for nothing.

Everything is bounded as real exchanges are: a request never arrives later than `LATEST` seconds after it was sent, and
reads lag behind by at most `LAG` seconds. A program that waits longer than both may believe what it reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from typing import Final, TypeVar

from dcacore.adapters.simulated.faults.events import AccountStream
from dcacore.adapters.simulated.faults.gate import Gate
from dcacore.adapters.simulated.faults.kinds import Dice, Fault
from dcacore.adapters.simulated.faults.lag import Lag
from dcacore.domain.ids import OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.clock import Clock
from dcacore.ports.errors import FilterViolation, InsufficientBalance, OutcomeUnknown, PortError, TooLate, Unavailable
from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing

T = TypeVar("T")
TIMEOUT: Final = 10.0
"""Seconds that a sender waits for an answer."""
LATEST: Final = 60.0
_SYNCED_EACH: Final = 600.0


class FaultyExchange(Exchange):
    """One account of *inner*, with faults in between; several accounts behind one address share a *gate*."""

    def __init__(self, inner: Exchange, clock: Clock, dice: Dice, gate: Gate | None = None) -> None:
        self._inner = inner
        self._clock = clock
        self._dice = dice
        self._gate = gate or Gate(clock, dice)
        self._lag = Lag(clock, dice)
        self._drift = 0.0
        self._synced_at = clock.monotonic()
        self._on_the_way: set[asyncio.Task[None]] = set()

    def now(self) -> datetime.datetime:
        return self._inner.now() + datetime.timedelta(seconds=self._drift)

    # ----------------------------------------------------------------------------------------- placing and cancelling

    async def place(
        self, pair: str, order: Order, *, sent_at: datetime.datetime, recv_window: datetime.timedelta
    ) -> VenueOrder:
        self._enter()
        strikes = self._dice.strikes
        if strikes(Fault.FILTER_REFUSAL):
            raise FilterViolation("Filter failure: PERCENT_PRICE_BY_SIDE", -1013)
        if strikes(Fault.BALANCE_REFUSAL):
            raise InsufficientBalance("Account has insufficient balance for requested action.", -2010)

        async def send() -> VenueOrder:
            placed = await self._inner.place(pair, order, sent_at=sent_at, recv_window=recv_window)
            self._lag.placed(pair, placed)
            return placed

        window = recv_window.total_seconds()
        if strikes(Fault.LATE_REQUEST):
            await self._give_up(send, arrives_after=self._dice.within(window * 0.4, window * 0.98))
        if strikes(Fault.OVERDUE_REQUEST):
            await self._give_up(send, arrives_after=self._dice.within(min(window + 0.5, LATEST), LATEST))
        try:
            return await self._over_the_wire(send)
        except TooLate:
            self._sync()
            raise

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        self._enter()

        async def send() -> None:
            before = await self._inner.find(pair, order_id=order_id)
            await self._inner.cancel(pair, order_id)
            self._lag.was(pair, before)

        await self._over_the_wire(send)

    async def _over_the_wire(self, send: Callable[[], Awaitable[T]]) -> T:
        strikes = self._dice.strikes
        if strikes(Fault.LOST_REQUEST):
            await self._clock.sleep(TIMEOUT)
            raise OutcomeUnknown("no answer")
        if strikes(Fault.FAILED_BEFORE):
            raise OutcomeUnknown("503 Service Unavailable")
        if strikes(Fault.LOST_REPLY):
            with contextlib.suppress(PortError):
                await send()
            await self._clock.sleep(TIMEOUT)
            raise OutcomeUnknown("no answer")
        if strikes(Fault.FAILED_AFTER):
            with contextlib.suppress(PortError):
                await send()
            raise OutcomeUnknown("502 Bad Gateway")
        answer = await send()
        if strikes(Fault.SLOW_REPLY):
            await self._clock.sleep(self._dice.within(0.5, TIMEOUT * 0.9))
        return answer

    async def _give_up(self, send: Callable[[], Coroutine[None, None, VenueOrder]], *, arrives_after: float) -> None:
        async def arrive() -> None:
            await self._clock.sleep(arrives_after)
            with contextlib.suppress(PortError):
                await send()

        task = asyncio.get_running_loop().create_task(arrive())
        self._on_the_way.add(task)
        task.add_done_callback(self._on_the_way.discard)
        await self._clock.sleep(min(2.0, arrives_after / 2))
        raise OutcomeUnknown("connection reset by peer")

    # -------------------------------------------------------------------------------------------------------- reading

    async def listing(self, pair: str) -> Listing:
        self._read()
        return await self._inner.listing(pair)

    async def reload_rules(self, pair: str) -> None:
        await self._inner.reload_rules(pair)

    async def fees(self, pair: str) -> Fees:
        self._read()
        return await self._inner.fees(pair)

    async def price(self, pair: str) -> Price | None:
        self._read()
        return await self._inner.price(pair)

    async def balances(self) -> Mapping[str, Balance]:
        self._read()
        return await self._inner.balances()

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        self._read()
        return self._lag.found(pair, await self._inner.find(pair, order_id=order_id, venue_order_id=venue_order_id))

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        self._read()
        return self._lag.traded(await self._inner.trades(pair, venue_order_id=venue_order_id, after=after), self._inner)

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        self._read()
        return self._lag.rest(pair, await self._inner.open_orders(pair))

    def events(self) -> AsyncIterator[AccountEvent]:
        return AccountStream(self._inner.events(), self._clock, self._dice).told()

    # --------------------------------------------------------------------------------------------------------- inside

    def _read(self) -> None:
        self._enter()
        if self._dice.strikes(Fault.FAILED_READ):
            raise Unavailable("no answer")

    def _enter(self) -> None:
        self._gate.enter()
        if self._clock.monotonic() - self._synced_at >= _SYNCED_EACH:
            self._sync()
        if self._dice.strikes(Fault.CLOCK_DRIFT):
            size = self._dice.within(1.5, 8.0)
            self._drift = size if self._dice.random.random() < 1 / 2 else -size

    def _sync(self) -> None:
        self._drift, self._synced_at = 0.0, self._clock.monotonic()
