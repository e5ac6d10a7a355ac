"""The exchange as an engine sees it: one account, in the exchange's own terms.

What an order is to a bot (`dcacore.domain.orders.Order`) and what the exchange says of it (`VenueOrder`) are kept
apart: `dcacore.domain.hearing` turns the second into reports on the first, wherever it was heard.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Protocol

import attrs

from dcacore.domain.ids import OrderId
from dcacore.domain.limits import Limits
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId


@attrs.frozen
class Balance:
    """What an account holds of one asset: free to spend, and locked by resting orders."""

    free: Decimal
    locked: Decimal


@attrs.frozen
class Listing:
    """A pair as the exchange lists it.

    Attributes:
        market: its rules.
        is_trading: whether it takes orders now.
        limits: how far its orders may go; None where the exchange sets no limits.
    """

    market: Market
    is_trading: bool
    limits: Limits | None = None


@attrs.frozen
class OrderChanged:
    """Something happened to an order of the account; *order* brings the trades that made it known.

    The same may be told twice, late, or out of order.
    """

    pair: str
    order: VenueOrder


@attrs.frozen
class StreamOpened:
    """Account events come from now on; what happened before is not told: ask."""


@attrs.frozen
class StreamLost:
    """Account events may have been missed; the adapter reconnects by itself and tells of it by `StreamOpened`."""

    reason: str


AccountEvent = OrderChanged | StreamOpened | StreamLost


class Exchange(Protocol):
    """One account on one exchange.

    Every method may raise the errors of reading: `Unavailable` (nothing was learned; ask again later), `RateLimited`
    (not before its time), `BadCredentials`. Reads may be repeated by an adapter; `place` never is.
    """

    def now(self) -> datetime.datetime:
        """Return the exchange's time: the local clock and the measured offset."""

    async def listing(self, pair: str) -> Listing:
        """Return the pair's rules, at most an hour old.

        Raises:
            UnknownPair: the exchange does not trade it.
        """

    async def reload_rules(self, pair: str) -> None:
        """Forget what is known of the pair's rules, so that `listing` asks for them."""

    async def fees(self, pair: str) -> Fees:
        """Return what the account pays on *pair*."""

    async def price(self, pair: str) -> Price | None:
        """Return the last price; None while there has been no trade.

        Raises:
            UnknownPair: the exchange does not trade it.
        """

    async def balances(self) -> Mapping[str, Balance]:
        """Return what the account holds, by asset; assets that it has never held are left out."""

    async def place(
        self, pair: str, order: Order, *, sent_at: datetime.datetime, recv_window: datetime.timedelta
    ) -> VenueOrder:
        """Send the order, once, and return what the exchange made of it, with the fills of its answer.

        The request bears *sent_at* and *recv_window* exactly as given, so that the exchange refuses it when it arrives
        after their sum. Price and quantity go out as they are. Nothing below this call ever sends it a second time.

        Raises:
            Rejected: a definite no, of the kind that the class says; the order does not exist and never will.
            OutcomeUnknown: anything else: the order may exist.
        """

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        """Take the order off; safe to repeat. Whatever comes of it, `find` says how the order stands.

        Raises:
            Rejected: there is no such order to take off: it may have filled.
            OutcomeUnknown: no answer.
        """

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        """Return how the order stands, by our id of it or by the exchange's; None when the exchange knows of none now.

        Reads lag: one None proves nothing. `VenueOrder.trades` may lack some or all; `trades` has them.
        """

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        """Return the account's trades of *pair*, oldest first: of one order, or all with an id beyond *after*.

        All of them, however many pages that takes; without either argument, those of the last 24 hours.
        """

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        """Return the account's orders that rest, oldest first, the bots' and the user's own."""

    def events(self) -> AsyncIterator[AccountEvent]:
        """Yield what happens to the account's orders, whoever caused it; `StreamOpened` comes first."""


class Directory(Protocol):
    """All pairs of an exchange, as everybody may read them: no account is needed for that.

    Each method may raise `Unavailable` (nothing was learned; ask again later) and `RateLimited` (not before its time).
    """

    async def prices(self) -> Mapping[str, Price]:
        """Return the last price of every pair that has one, by one cheap question; also of pairs that do not trade."""

    async def listings(self) -> tuple[Listing, ...]:
        """Return every pair that takes orders now, with its rules, at most an hour old."""
