"""An account's exchange as every part of an engine uses it: nothing is asked before the exchange wants to be asked."""

from __future__ import annotations

import asyncio
import datetime
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, TypeVar

import attrs

from dcacore.application.engine.surroundings import log
from dcacore.domain.ids import OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.clock import Clock
from dcacore.ports.errors import BadCredentials, OutcomeUnknown, PortError, RateLimited, Unavailable
from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing

T = TypeVar("T")

ANSWER_WITHIN_S: Final = 30
"""A question that takes longer has no answer ..."""
PLACED_WITHIN_S: Final = 15
"""... and an order is taken for lost then: its deadline of 5 s and the 10 s of the matching engine are over."""


@attrs.define
class Hold:
    """Until when nothing may be asked of an exchange; one for all accounts that this program trades on there.

    Attributes:
        until: by the monotonic clock.
    """

    until: float = 0.0


@attrs.define(eq=False)
class PatientExchange(Exchange):
    """Waits with every question until it may be asked, and tells when the account's key is refused.

    An order does not wait: when it may not go out now it is refused as the exchange would refuse it, before the wire.
    Whoever places one waits for `permission` first, and marks it as being sent afterwards.
    """

    _inner: Exchange
    _clock: Clock
    _on_bad_key: Callable[[str], None]
    _hold: Hold = attrs.field(factory=Hold)

    async def permission(self) -> None:
        """Return when the exchange may be asked for something."""
        while (wait := self._wait_s) > 0:
            await self._clock.sleep(wait)

    @property
    def is_on_hold(self) -> bool:
        """Whether nothing may be asked now."""
        return self._wait_s > 0

    @property
    def _wait_s(self) -> float:
        return self._hold.until - self._clock.monotonic()

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        await self.permission()
        return await self._note(question, ANSWER_WITHIN_S, Unavailable)

    async def _note(
        self, question: Callable[[], Awaitable[T]], within_s: float, otherwise: Callable[[str], PortError]
    ) -> T:
        try:
            async with asyncio.timeout(within_s):
                return await question()
        except RateLimited as exc:
            wait = (exc.retry_at - self._clock.now()).total_seconds()
            self._hold.until = max(self._hold.until, self._clock.monotonic() + wait)
            log.warning("exchange_on_hold", seconds=wait)
            raise
        except BadCredentials as exc:
            self._on_bad_key(str(exc))
            raise
        except PortError:
            raise
        except TimeoutError as exc:
            raise otherwise("the exchange does not answer") from exc
        except Exception as exc:
            # Whatever an adapter failed to foresee: nothing that waits for the exchange may die of it.
            log.error("exchange_failed", reason=str(exc), exc_info=True)
            raise otherwise(f"the exchange could not be asked ({type(exc).__name__})") from exc

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
        send = functools.partial(self._inner.place, pair, order, sent_at=sent_at, recv_window=recv_window)
        return await self._note(send, PLACED_WITHIN_S, OutcomeUnknown)

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
