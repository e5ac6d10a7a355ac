"""What happens to an account's orders, as the exchange tells it over a connection of its own.

The reader only queues; one task values fees and hands on, so that no event waits in a buffer that could be full. A gap
is told as such, and so is an event that cannot be read: whoever listens compares then.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Final

import attrs
import structlog

from dcacore.adapters.binance.dials import Dials
from dcacore.adapters.binance.keeper import Keeper
from dcacore.adapters.binance.link import Dead, Link
from dcacore.adapters.binance.listeners import Listeners
from dcacore.adapters.binance.orders import reported
from dcacore.adapters.binance.pace import Pace
from dcacore.adapters.binance.rates import Rates
from dcacore.adapters.binance.reading import Row, Unreadable, text_in
from dcacore.adapters.binance.rules import Rules
from dcacore.adapters.binance.session import Session
from dcacore.adapters.binance.talk import Talk
from dcacore.adapters.binance.venue_clock import VenueClock
from dcacore.domain.venue import VenueOrder
from dcacore.ports.clock import Clock
from dcacore.ports.errors import PortError
from dcacore.ports.exchange import AccountEvent, OrderChanged, StreamLost, StreamOpened
from dcacore.ports.secrets import ApiKey

log = structlog.get_logger("dcacore.binance")

VALUED_WITHIN_S: Final = 5
_ENDED: Final = "eventStreamTerminated"
_REPORT: Final = "executionReport"


@attrs.frozen(kw_only=True)
class Shared:
    """What all streams of one environment work with."""

    url: Callable[[], str]
    clock: Clock
    time: VenueClock
    rules: Rules
    rates: Rates
    dials: Dials
    pace: Pace
    chance: random.Random
    spend: Callable[[int], None]
    limited: Callable[[int, str], None]


class UserStream(Talk):
    """The account events of one key."""

    def __init__(self, shared: Shared, key: ApiKey) -> None:
        self._shared = shared
        self._session = Session(key, shared.time, shared.spend, shared.limited)
        self.on_order: Callable[[str, VenueOrder], None] | None = None
        """Called with every order that is told of, before anybody else."""
        self._listeners = Listeners(self._stop)
        self._heard: asyncio.Queue[Row | AccountEvent] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._is_open = False
        self._subscription: dict[Link, int] = {}
        self.heard_at: float | None = None
        """When the exchange last said anything, by the monotonic clock; None before."""
        self.bad_frames = 0

    def events(self) -> AsyncIterator[AccountEvent]:
        """Yield what happens from now on; see `Exchange.events`."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(self._ending), name="binance account events")
        return self._listeners.join(StreamOpened()) if self._is_open else self._listeners.join()

    async def close(self) -> None:
        """Hang up."""
        self._stop()
        if self._ending is not None:
            await asyncio.wait({self._ending})

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._ending, self._task = self._task, None
        self._is_open = False
        self.heard_at = None

    async def _run(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:  # two that hand on would share one queue
            await asyncio.wait({before})
        shared = self._shared
        self._heard = asyncio.Queue()  # what a stream before this one has left is for nobody
        keeper = Keeper(self, "account events", shared.clock, shared.pace, shared.dials, shared.chance)
        parts = [
            asyncio.create_task(keeper.run(), name="binance account events, kept open"),
            asyncio.create_task(self._tell_on(), name="binance account events, told"),
        ]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in parts:
                if part.done() and (failure := part.exception()) is not None:
                    self._listeners.tell(failure)  # whoever listens begins anew, or stops for its key
        finally:
            self._is_open = False
            for part in parts:
                part.cancel()
            await asyncio.wait(parts)

    # ------------------------------------------------------------------------------------------------- the connection

    def url(self) -> str:
        return self._shared.url()

    async def greet(self, link: Link) -> None:
        self._subscription = {it: number for it, number in self._subscription.items() if not it.ended.done()}
        self._subscription[link] = await self._session.subscribe(link)
        self.heard_at = self._shared.clock.monotonic()

    async def attend(self, link: Link) -> None:
        while not link.ended.done():
            await self._shared.clock.sleep(self._shared.pace.looks_every)
            if self._subscription.get(link) not in await self._session.subscriptions(link):
                raise Dead("the exchange has dropped the subscription")
            self.heard_at = self._shared.clock.monotonic()

    def hear(self, link: Link, frame: Row) -> None:
        self.heard_at = self._shared.clock.monotonic()
        event = frame.get("event", frame)
        if not isinstance(event, dict):
            self.bad_frame()
        elif event.get("e") == _ENDED:
            link.fail("the exchange has ended the subscription")
        elif event.get("e") == _REPORT:
            self._heard.put_nowait(event)

    def bad_frame(self) -> None:
        """Take it for an event that was missed."""
        self.bad_frames += 1
        self._heard.put_nowait(StreamLost("an event could not be read"))
        self._heard.put_nowait(StreamOpened())

    def up(self) -> None:
        self._heard.put_nowait(StreamOpened())

    def down(self, reason: str) -> None:
        self._heard.put_nowait(StreamLost(reason))

    # ------------------------------------------------------------------------------------------------------ handing on

    async def _tell_on(self) -> None:
        while True:
            heard = await self._heard.get()
            match heard:
                case OrderChanged() | StreamOpened() | StreamLost():
                    self._is_open = not isinstance(heard, StreamLost)
                    self._listeners.tell(heard)
                case _:
                    await self._tell_report(heard)

    async def _tell_report(self, event: Row) -> None:
        try:
            pair = text_in(event, "s")
            order = await self._valued(pair, reported(event))
        except Unreadable as exc:
            log.error("account_event_not_read", reason=str(exc))  # noqa: TRY400  # the traceback says no more
            self.bad_frame()
            return
        if self.on_order is not None:
            self.on_order(pair, order)
        self._listeners.tell(OrderChanged(pair, order))

    async def _valued(self, pair: str, order: VenueOrder) -> VenueOrder:
        """Return *order* with what its trade's fee was worth; without the trade when that is not known in time."""
        if not order.trades:
            return order
        try:
            async with asyncio.timeout(VALUED_WITHIN_S):
                market = self._shared.rules.market(pair) or (await self._shared.rules.listing(pair)).market
                trades = tuple([await self._shared.rates.valued(trade, market) for trade in order.trades])
        except (PortError, TimeoutError) as exc:
            log.warning("fees_not_valued_yet", pair=pair, reason=str(exc))
            return attrs.evolve(order, trades=())
        return attrs.evolve(order, trades=trades)
