"""The simulated exchange behind the ports of live trading: one account's `Exchange`, and the `Prices` of its markets.

No timing and no faults of its own: every call is carried out at once, and everything is told. What goes wrong in
between is added by `dcacore.adapters.simulated.faults`.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Mapping
from typing import Final

from dcacore.adapters.simulated.books import Ticket
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.clock import Clock
from dcacore.ports.exchange import AccountEvent, Balance, Directory, Exchange, Listing, StreamOpened
from dcacore.ports.prices import Prices, Tick
from dcacore.ports.tick_box import TickBox

RULES_LAST: Final = 3600.0
"""Seconds for which the rules of a pair are believed."""


class SimulatedExchange(Exchange):
    """One account of a simulated venue."""

    def __init__(self, venue: SimulatedVenue, account: AccountId, clock: Clock) -> None:
        self._venue = venue
        self._account = account
        self._clock = clock
        self._listings: dict[str, tuple[float, Listing]] = {}

    def now(self) -> datetime.datetime:
        return self._venue.now()

    async def listing(self, pair: str) -> Listing:
        known = self._listings.get(pair)
        if known is None or self._clock.monotonic() - known[0] >= RULES_LAST:
            known = self._listings[pair] = (self._clock.monotonic(), self._venue.listing(pair))
        return known[1]

    async def reload_rules(self, pair: str) -> None:
        self._listings.pop(pair, None)

    async def fees(self, pair: str) -> Fees:
        return self._venue.fees(self._account, pair)

    async def price(self, pair: str) -> Price | None:
        return self._venue.price(pair)

    async def balances(self) -> Mapping[str, Balance]:
        return self._venue.balances(self._account)

    async def place(
        self, pair: str, order: Order, *, sent_at: datetime.datetime, recv_window: datetime.timedelta
    ) -> VenueOrder:
        return self._venue.place(self._account, pair, Ticket.of(order), sent_at=sent_at, recv_window=recv_window)

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        self._venue.cancel(self._account, pair, order_id)

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        return self._venue.find(self._account, pair, order_id=order_id, venue_order_id=venue_order_id)

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        return self._venue.trades(self._account, pair, venue_order_id=venue_order_id, after=after)

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        return self._venue.open_orders(self._account, pair)

    def events(self) -> AsyncIterator[AccountEvent]:
        queue: asyncio.Queue[AccountEvent] = asyncio.Queue()
        queue.put_nowait(StreamOpened())
        leave = self._venue.listen(self._account, queue.put_nowait)

        async def told() -> AsyncIterator[AccountEvent]:
            try:
                while True:
                    yield await queue.get()
            finally:
                leave()

        return told()


class SimulatedPrices(Prices):
    """The prices of a simulated venue, as they move."""

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue
        self._watched: set[str] = set()
        self._boxes: list[TickBox] = []
        venue.price_listeners.append(self._heard)

    def close(self) -> None:
        """Hear no more of the venue."""
        self._venue.price_listeners.remove(self._heard)

    def now(self) -> datetime.datetime:
        return self._venue.now()

    async def watch(self, pair: str) -> None:
        price = self._venue.price(pair)
        if pair not in self._watched:
            self._watched.add(pair)
            self._tell(Tick(pair, price, self._venue.now()))

    async def unwatch(self, pair: str) -> None:
        self._watched.discard(pair)

    def ticks(self) -> AsyncIterator[Tick]:
        box = TickBox()
        self._boxes.append(box)
        for pair in sorted(self._watched):
            box.put(Tick(pair, self._venue.price(pair), self._venue.now()))

        async def told() -> AsyncIterator[Tick]:
            try:
                while True:
                    yield await box.get()
            finally:
                self._boxes.remove(box)

        return told()

    def _heard(self, pair: str, price: Price, at: datetime.datetime) -> None:
        if pair in self._watched:
            self._tell(Tick(pair, price, at))

    def _tell(self, tick: Tick) -> None:
        for box in self._boxes:
            box.put(tick)


class SimulatedDirectory(Directory):
    """All pairs of a simulated venue."""

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue

    async def prices(self) -> Mapping[str, Price]:
        return self._venue.prices()

    async def listings(self) -> tuple[Listing, ...]:
        return self._venue.listings()
