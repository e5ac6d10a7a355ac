"""The exchange behind its gate: requests take their time, and arrive even when their sender has died."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

import attrs

from dcacore.domain.ids import OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.errors import OutcomeUnknown, PortError, RateLimited, Rejected
from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing, OrderChanged
from dcacore.ports.prices import Prices, Tick
from dcacore.ports.records import Account, Environment
from dcacore.ports.venues import Venues
from tests.simulation.clock import VirtualClock
from tests.simulation.gate import Gate, Moment

T = TypeVar("T")
_QUICK: Final = 0.005
_SLOW: Final = 0.15
_LATE: Final = 2.0
_KNOWS_AFTER: Final = datetime.timedelta(seconds=1)


@attrs.define
class Manners:
    """How a program behaves towards the exchange.

    Attributes:
        refused: when orders were refused, by order id.
        pushed: requests that were made although the exchange had said not to.
    """

    refused: list[tuple[float, OrderId]] = attrs.field(factory=list)
    pushed: list[str] = attrs.field(factory=list)


class GatedExchange(Exchange):
    """One account behind a gate."""

    def __init__(  # noqa: PLR0917  # all that it is made of
        self,
        inner: Exchange,
        gate: Gate,
        account: str,
        manners: Manners,
        outside: contextvars.Context,
        machine: VirtualClock,
    ) -> None:
        self._inner = inner
        self._gate = gate
        self._account = account
        self._manners = manners
        self._outside = outside
        self._machine = machine
        self._shut: tuple[datetime.datetime, datetime.datetime] | None = None

    def now(self) -> datetime.datetime:
        return self._inner.now()

    async def _ask(self, name: str, ask: Callable[[], Awaitable[T]]) -> T:
        self._mind_manners(name)

        async def work() -> T:
            await self._gate.pass_time(_QUICK, _SLOW)
            try:
                return await ask()
            except RateLimited as exc:
                raise self._limited(exc) from exc
            finally:
                await self._gate.pass_time(_QUICK, _SLOW)

        return await self._gate.call(f"{self._account} {name}", work, told=_shape)

    def _gate_now(self) -> datetime.datetime:
        return VirtualClock(self._gate.loop).now()

    def _limited(self, exc: RateLimited) -> RateLimited:
        """Return what the machine makes of "not for so many seconds", by its own clock."""
        self._shut = (self._gate_now(), exc.retry_at)
        return RateLimited(exc.retry_at + datetime.timedelta(seconds=self._machine.ahead_s))

    def _mind_manners(self, name: str) -> None:
        if self._shut is not None:
            told_at, until = self._shut
            now = self._gate_now()
            if told_at + _KNOWS_AFTER < now < until - _KNOWS_AFTER:
                self._manners.pushed.append(
                    f"{name} at {now:%H:%M:%S}, {(until - now).total_seconds():.0f} s too early"
                )

    async def _send(self, name: str, send: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Send a request that changes something: it is on its own once it is out."""
        self._mind_manners(name)
        full = f"{self._account} {name}"
        moment = self._gate.moment(full)
        if moment is Moment.BEFORE:
            await self._gate.die_now(full, "dies before")
        loop, outside = asyncio.get_running_loop(), self._outside
        delay = _LATE if moment is Moment.LATER else self._gate.chance.uniform(_QUICK, _SLOW)

        async def travel() -> T:
            await asyncio.sleep(delay)
            return await send()

        request = loop.create_task(travel(), context=outside.copy())
        request.add_done_callback(_look, context=outside)
        if moment is Moment.LATER:
            await self._gate.die_now(full, "dies, and it arrives later")
        try:
            answer = await asyncio.shield(request)
        except PortError as error:
            exc = self._limited(error) if isinstance(error, RateLimited) else error
            self._gate.trace.note(f"{full} ! {type(exc).__name__}: {exc}")
            if moment is Moment.AFTER:
                await self._gate.die_now(full, "dies after")
            raise exc from error
        self._gate.trace.note(f"{full} = {_shape(answer)}")
        if moment is Moment.AFTER:
            await self._gate.die_now(full, "dies after")
        await self._gate.pass_time(_QUICK, _SLOW)
        if moment is Moment.UNANSWERED:
            raise OutcomeUnknown("no answer")
        return answer

    async def place(
        self, pair: str, order: Order, *, sent_at: datetime.datetime, recv_window: datetime.timedelta
    ) -> VenueOrder:
        try:
            return await self._send(
                f"place {order.id}", lambda: self._inner.place(pair, order, sent_at=sent_at, recv_window=recv_window)
            )
        except Rejected:
            self._manners.refused.append((self._gate.loop.time(), order.id))
            raise

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        await self._send(f"cancel {order_id}", lambda: self._inner.cancel(pair, order_id))

    async def listing(self, pair: str) -> Listing:
        return await self._ask(f"listing {pair}", lambda: self._inner.listing(pair))

    async def reload_rules(self, pair: str) -> None:
        await self._inner.reload_rules(pair)

    async def fees(self, pair: str) -> Fees:
        return await self._ask(f"fees {pair}", lambda: self._inner.fees(pair))

    async def price(self, pair: str) -> Price | None:
        return await self._ask(f"price {pair}", lambda: self._inner.price(pair))

    async def balances(self) -> Mapping[str, Balance]:
        return await self._ask("balances", self._inner.balances)

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        return await self._ask(
            f"find {order_id or venue_order_id}",
            lambda: self._inner.find(pair, order_id=order_id, venue_order_id=venue_order_id),
        )

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        return await self._ask(
            f"trades {pair} {venue_order_id or after}",
            lambda: self._inner.trades(pair, venue_order_id=venue_order_id, after=after),
        )

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        return await self._ask(f"open {pair}", lambda: self._inner.open_orders(pair))

    async def events(self) -> AsyncIterator[AccountEvent]:
        async for event in self._inner.events():
            told = _shape(event.order) if isinstance(event, OrderChanged) else type(event).__name__
            self._gate.trace.note(f"{self._account} event {told}")
            yield event


def _look(request: asyncio.Task[Any]) -> None:
    if not request.cancelled():
        request.exception()


def _shape(answer: object) -> str:
    if isinstance(answer, VenueOrder):
        return f"{answer.order_id} {answer.status.value} {answer.executed}"
    if isinstance(answer, tuple):
        return str(len(answer))
    if isinstance(answer, Mapping):
        return " ".join(f"{asset}:{held.free}+{held.locked}" for asset, held in answer.items())
    return type(answer).__name__


class Lines(Venues):
    """The lines of one process to the exchange."""

    def __init__(self, gate: Gate, exchange: Callable[[Account], Exchange], prices: Callable[[], Prices]) -> None:
        self._gate = gate
        self._open_exchange = exchange
        self._open_prices = prices
        self._exchanges: dict[str, Exchange] = {}
        self._prices: Prices | None = None

    async def exchange(self, account: Account) -> Exchange:
        async def work() -> Exchange:
            await self._gate.pass_time(_QUICK, _SLOW)
            if account.id not in self._exchanges:
                self._exchanges[account.id] = self._open_exchange(account)
            return self._exchanges[account.id]

        return await self._gate.call(f"exchange {account.id}", work, told=_shape)

    async def prices(self, environment: Environment) -> Prices:
        async def work() -> Prices:
            if self._prices is None:
                self._prices = self._open_prices()
            return self._prices

        return await self._gate.call(f"prices {environment.value}", work, told=_shape)

    async def forget(self, account: Account) -> None:
        self._exchanges.pop(account.id, None)


@attrs.define(eq=False)
class GatedPrices(Prices):
    """Prices behind a gate; of the ticks themselves nothing is noted."""

    inner: Prices
    gate: Gate

    def now(self) -> datetime.datetime:
        return self.inner.now()

    async def watch(self, pair: str) -> None:
        await self.gate.call(f"watch {pair}", lambda: self.inner.watch(pair))

    async def unwatch(self, pair: str) -> None:
        await self.inner.unwatch(pair)

    def ticks(self) -> AsyncIterator[Tick]:
        return self.inner.ticks()
