"""The exchange and price ports over a connection to a venue process."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from dcacore.adapters.simulated.books import Books, Ticket
from dcacore.adapters.simulated.process.link import Address, Link, Lost
from dcacore.adapters.simulated.wire import pack, unpack
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.clock import Clock
from dcacore.ports.errors import BadCredentials, TooLate, Unavailable, UnknownPair
from dcacore.ports.exchange import (
    AccountEvent,
    Balance,
    Directory,
    Exchange,
    Listing,
    OrderChanged,
    StreamLost,
    StreamOpened,
)
from dcacore.ports.prices import Prices, Tick
from dcacore.ports.tick_box import TickBox

RULES_LAST: Final = 3600.0
"""Seconds for which the rules of a pair are believed."""


class VenueClient(Exchange, Prices, Directory):
    """One account of a venue in another process, and the prices there; without an account, the prices only."""

    def __init__(self, address: Address, clock: Clock, account: AccountId | None = None) -> None:
        self._clock = clock
        self._account = account
        self._link = Link(address, clock, opened=self._opened, told=self._told, lost=self._lost)
        self._offset = datetime.timedelta(0)
        self._listings: dict[str, tuple[float, Listing]] = {}
        self._listeners: list[asyncio.Queue[AccountEvent]] = []
        self._watched: dict[str, Tick | None] = {}
        self._boxes: list[TickBox] = []

    async def close(self) -> None:
        """Hang up for good."""
        await self._link.close()

    async def act(self, name: str, /, **params: Any) -> None:
        """Do something to the venue; see `dcacore.adapters.simulated.acts`."""
        await self._link.change("act", name=name, params=params)

    async def books(self, account: AccountId) -> Books:
        """Return all that the venue knows of an account."""
        return unpack(await self._link.read("books", account=account), Books)

    # ------------------------------------------------------------------------------------------------------- exchange

    def now(self) -> datetime.datetime:
        return self._clock.now() + self._offset

    async def listing(self, pair: str) -> Listing:
        known = self._listings.get(pair)
        if known is None or self._clock.monotonic() - known[0] >= RULES_LAST:
            told = unpack(await self._link.read("listing", pair=pair), Listing)
            known = self._listings[pair] = (self._clock.monotonic(), told)
        return known[1]

    async def reload_rules(self, pair: str) -> None:
        self._listings.pop(pair, None)

    async def fees(self, pair: str) -> Fees:
        return unpack(await self._link.read("fees", account=self._account, pair=pair), Fees)

    async def price(self, pair: str) -> Price | None:
        told = await self._link.read("price", pair=pair)
        return None if told is None else unpack(told, Price)

    async def prices(self) -> Mapping[str, Price]:
        return unpack(await self._link.read("prices"), dict[str, Price])

    async def listings(self) -> tuple[Listing, ...]:
        return unpack(await self._link.read("listings"), tuple[Listing, ...])

    async def balances(self) -> Mapping[str, Balance]:
        return unpack(await self._link.read("balances", account=self._account), dict[str, Balance])

    async def place(
        self, pair: str, order: Order, *, sent_at: datetime.datetime, recv_window: datetime.timedelta
    ) -> VenueOrder:
        ticket, window = pack(Ticket.of(order)), pack(recv_window)
        try:
            told = await self._link.change(
                "place", account=self._account, pair=pair, ticket=ticket, sent_at=pack(sent_at), recv_window=window
            )
        except TooLate:
            with contextlib.suppress(Lost, Unavailable):
                await self._sync()
            raise
        return unpack(told, VenueOrder)

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        await self._link.change("cancel", account=self._account, pair=pair, order_id=order_id)

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        told = await self._link.read(
            "find", account=self._account, pair=pair, order_id=order_id, venue_order_id=venue_order_id
        )
        return None if told is None else unpack(told, VenueOrder)

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        told = await self._link.read(
            "trades", account=self._account, pair=pair, venue_order_id=venue_order_id, after=after
        )
        return unpack(told, tuple[Trade, ...])

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        told = await self._link.read("open_orders", account=self._account, pair=pair)
        return unpack(told, tuple[VenueOrder, ...])

    def events(self) -> AsyncIterator[AccountEvent]:
        queue: asyncio.Queue[AccountEvent] = asyncio.Queue()
        self._listeners.append(queue)
        self._link.start()
        if self._link.is_open:
            queue.put_nowait(StreamOpened())

        async def told() -> AsyncIterator[AccountEvent]:
            try:
                while True:
                    yield await queue.get()
            finally:
                self._listeners.remove(queue)

        return told()

    # --------------------------------------------------------------------------------------------------------- prices

    async def watch(self, pair: str) -> None:
        if pair not in self._watched:
            tick = unpack(await self._link.read("watch", pair=pair), Tick)
            self._watched[pair] = None
            self._tick(tick)

    async def unwatch(self, pair: str) -> None:
        if pair in self._watched:
            del self._watched[pair]
            await self._link.read("unwatch", pair=pair)

    def ticks(self) -> AsyncIterator[Tick]:
        box = TickBox()
        self._boxes.append(box)
        for tick in self._watched.values():
            if tick is not None:
                box.put(tick)

        async def told() -> AsyncIterator[Tick]:
            try:
                while True:
                    yield await box.get()
            finally:
                self._boxes.remove(box)

        return told()

    # ------------------------------------------------------------------------------------------------- the connection

    async def _opened(self) -> None:
        await self._sync()
        for pair in tuple(self._watched):
            with contextlib.suppress(UnknownPair):  # delisted since
                self._tick(unpack(await self._link.ask("watch", pair=pair), Tick))
        if self._account is not None:
            with contextlib.suppress(BadCredentials):  # no such account: every request will say so
                await self._link.ask("subscribe", account=self._account)
                self._publish(StreamOpened())

    async def _sync(self) -> None:
        asked_at = self._clock.now()
        told = unpack(await self._link.ask("time"), datetime.datetime)
        self._offset = told - asked_at - (self._clock.now() - asked_at) / 2

    def _told(self, message: dict[str, Any]) -> None:
        if "event" in message:
            self._publish(unpack(message["event"], OrderChanged))
        elif "tick" in message:
            self._tick(unpack(message["tick"], Tick))

    def _lost(self, reason: str) -> None:
        self._publish(StreamLost(reason))

    def _publish(self, event: AccountEvent) -> None:
        for queue in self._listeners:
            queue.put_nowait(event)

    def _tick(self, tick: Tick) -> None:
        if tick.pair in self._watched:
            self._watched[tick.pair] = tick
            for box in self._boxes:
                box.put(tick)
