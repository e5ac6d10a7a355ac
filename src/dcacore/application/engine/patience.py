"""An account's exchange as every part of an engine uses it: nothing is asked before the exchange wants to be asked."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TypeVar

import attrs

from dcacore.application.engine.surroundings import log
from dcacore.domain.ids import OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.clock import Clock
from dcacore.ports.errors import BadCredentials, RateLimited
from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing

T = TypeVar("T")


@attrs.define(eq=False)
class PatientExchange(Exchange):
    """Waits with every question until it may be asked, and tells when the account's key is refused.

    An order does not wait: when it may not go out now it is refused as the exchange would refuse it, before the wire.
    Whoever places one waits for `permission` first, and marks it as being sent afterwards.
    """

    _inner: Exchange
    _clock: Clock
    _on_bad_key: Callable[[str], None]
    _held_until: float = attrs.field(default=0.0, init=False)

    async def permission(self) -> None:
        """Return when the exchange may be asked for something."""
        while (wait := self._wait_s) > 0:
            await self._clock.sleep(wait)

    @property
    def _wait_s(self) -> float:
        return self._held_until - self._clock.monotonic()

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        await self.permission()
        return await self._note(question)

    async def _note(self, question: Callable[[], Awaitable[T]]) -> T:
        try:
            return await question()
        except RateLimited as exc:
            wait = (exc.retry_at - self._clock.now()).total_seconds()
            self._held_until = max(self._held_until, self._clock.monotonic() + wait)
            log.warning("exchange_on_hold", seconds=wait)
            raise
        except BadCredentials as exc:
            self._on_bad_key(str(exc))
            raise

    def now(self) -> datetime.datetime:
        return self._inner.now()

    async def listing(self, pair: str) -> Listing:
        return await self._ask(lambda: self._inner.listing(pair))

    async def reload_rules(self, pair: str) -> None:
        await self._ask(lambda: self._inner.reload_rules(pair))

    async def fees(self, pair: str) -> Fees:
        return await self._ask(lambda: self._inner.fees(pair))

    async def price(self, pair: str) -> Price | None:
        return await self._ask(lambda: self._inner.price(pair))

    async def balances(self) -> Mapping[str, Balance]:
        return await self._ask(self._inner.balances)

    async def place(
        self, pair: str, order: Order, *, sent_at: datetime.datetime, recv_window: datetime.timedelta
    ) -> VenueOrder:
        if (wait := self._wait_s) > 0:
            raise RateLimited(self._clock.now() + datetime.timedelta(seconds=wait))
        return await self._note(lambda: self._inner.place(pair, order, sent_at=sent_at, recv_window=recv_window))

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        await self._ask(lambda: self._inner.cancel(pair, order_id))

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        return await self._ask(lambda: self._inner.find(pair, order_id=order_id, venue_order_id=venue_order_id))

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        return await self._ask(lambda: self._inner.trades(pair, venue_order_id=venue_order_id, after=after))

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        return await self._ask(lambda: self._inner.open_orders(pair))

    def events(self) -> AsyncIterator[AccountEvent]:
        return self._inner.events()
