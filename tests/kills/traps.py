"""Ports that do something to their own process at the n-th call: kill it, or make it stand still."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import attrs

from dcacore.domain.ids import OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment, Lease
from dcacore.ports.store import Store, Work
from dcacore.ports.venues import Venues

POINTS: Final = (
    "begin",  # a transaction that writes is about to begin
    "commit",  # everything of it is said
    "committed",  # it is on disk, and nobody knows of it yet
    "place",  # an order is about to go out
    "sent",  # it has gone out; what the exchange does comes after
    "placed",  # the exchange has answered
    "cancel",
    "cancelled",
    "find",
    "found",
)


@attrs.frozen
class Spot:
    """Where something happens to the process: at the n-th time that it comes to a point.

    Attributes:
        point: one of `POINTS`.
        number: counts from 1.
        signal: what it sends itself.
    """

    point: str
    number: int
    signal: int = signal.SIGKILL

    def __str__(self) -> str:
        return f"{self.point}:{self.number}"


@attrs.define
class Trap:
    """Waits for its spot."""

    spot: Spot | None
    seen: Counter[str] = attrs.field(factory=Counter)

    def at(self, point: str) -> None:
        """Note that the process has come to *point*."""
        self.seen[point] += 1
        if self.spot is not None and (self.spot.point, self.spot.number) == (point, self.seen[point]):
            os.kill(os.getpid(), self.spot.signal)
            time.sleep(0.01)  # nothing else happens in this process before the signal has arrived

    def is_near(self, point: str) -> bool:
        """Say whether the next time at *point* is the one."""
        return self.spot is not None and (self.spot.point, self.spot.number) == (point, self.seen[point] + 1)


@attrs.define
class TrappedStore(Store):
    """A database, with a trap; what is stored for a bot under a lease is noted in the log.

    Attributes:
        ignores_leases: whether it writes for those who have lost their lease: the fault that the tests must notice.
    """

    inner: Store
    trap: Trap
    ignores_leases: bool = False

    def begin(self, lease: Lease | None = None, *, reads_only: bool = False) -> AbstractAsyncContextManager[Work]:
        return self.inner.begin(lease, reads_only=True) if reads_only else self._begin(lease)

    @asynccontextmanager
    async def _begin(self, lease: Lease | None) -> AsyncIterator[Work]:
        self.trap.at("begin")
        async with self.inner.begin(None if self.ignores_leases else lease) as work:
            commit = work.commit

            async def trapped() -> None:
                self.trap.at("commit")
                await commit()
                if lease is not None:
                    os.write(2, json.dumps({"stored": lease.bot_id}).encode() + b"\n")
                self.trap.at("committed")

            vars(work)["commit"] = trapped
            yield work

    async def check(self) -> None:
        await self.inner.check()

    async def epoch(self) -> str:
        return await self.inner.epoch()

    async def close(self) -> None:
        await self.inner.close()


@attrs.define
class TrappedVenues(Venues):
    """Exchanges, with a trap."""

    inner: Venues
    trap: Trap

    async def exchange(self, account: Account) -> Exchange:
        return TrappedExchange(await self.inner.exchange(account), self.trap)

    async def prices(self, environment: Environment) -> Prices:
        return await self.inner.prices(environment)

    async def forget(self, account: Account) -> None:
        await self.inner.forget(account)


@attrs.define
class TrappedExchange(Exchange):
    """An exchange account, with a trap."""

    inner: Exchange
    trap: Trap

    def now(self) -> datetime.datetime:
        return self.inner.now()

    async def listing(self, pair: str) -> Listing:
        return await self.inner.listing(pair)

    async def reload_rules(self, pair: str) -> None:
        await self.inner.reload_rules(pair)

    async def fees(self, pair: str) -> Fees:
        return await self.inner.fees(pair)

    async def price(self, pair: str) -> Price | None:
        return await self.inner.price(pair)

    async def balances(self) -> Mapping[str, Balance]:
        return await self.inner.balances()

    async def place(self, pair: str, order: Order, **sent: Any) -> VenueOrder:
        self.trap.at("place")
        if self.trap.is_near("sent"):
            going = asyncio.ensure_future(self.inner.place(pair, order, **sent))
            await asyncio.sleep(0)  # it runs until it waits for the answer: the request is in the kernel's hands
            self.trap.at("sent")
            answer = await going
        else:
            self.trap.seen["sent"] += 1
            answer = await self.inner.place(pair, order, **sent)
        self.trap.at("placed")
        return answer

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        self.trap.at("cancel")
        await self.inner.cancel(pair, order_id)
        self.trap.at("cancelled")

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        self.trap.at("find")
        found = await self.inner.find(pair, order_id=order_id, venue_order_id=venue_order_id)
        self.trap.at("found")
        return found

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        return await self.inner.trades(pair, venue_order_id=venue_order_id, after=after)

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        return await self.inner.open_orders(pair)

    def events(self) -> AsyncIterator[AccountEvent]:
        return self.inner.events()
