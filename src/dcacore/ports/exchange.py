"""The exchange as a bot's runner sees it: one account, in the domain's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Protocol

import attrs

from dcacore.domain.events import Report
from dcacore.domain.ids import OrderId
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.domain.orders import Order


@attrs.frozen
class Balance:
    """What an account holds of one asset: free to spend, and locked by resting orders."""

    free: Decimal
    locked: Decimal


@attrs.frozen
class PairReport:
    """Something that happened to an order of the account without being asked for just now."""

    pair: str
    report: Report


class Exchange(Protocol):
    """One account on one exchange.

    What comes of an order is told as reports, never as an exception: the caller hands them to `decide` as they are.
    Prices and quantities go out exactly as given.
    """

    async def market(self, pair: str) -> Market:
        """Return the pair's rules.

        Raises:
            UnknownPair: the exchange does not trade it.
        """

    async def price(self, pair: str) -> Price | None:
        """Return the last price; None while there has been no trade.

        Raises:
            UnknownPair: the exchange does not trade it.
        """

    async def balances(self) -> Mapping[str, Balance]:
        """Return what the account holds, by asset; assets that it has never held are left out."""

    async def place(self, pair: str, order: Order) -> tuple[Report, ...]:
        """Send the order, once, and return what came of it: accepted, filled, refused, or lost.

        Never sends a second time by itself. `Lost` means that the order may exist.

        Raises:
            UnknownPair: the exchange does not trade the pair; nothing was sent.
        """

    async def cancel(self, pair: str, order_id: OrderId) -> tuple[Report, ...]:
        """Take the order off and return how it ended; safe to repeat.

        Nothing is returned for an order that does not rest: its fills are told by `reports`.
        """

    async def open_orders(self, pair: str) -> tuple[Order, ...]:
        """Return the account's orders that rest, oldest first, as they were placed."""

    def reports(self) -> AsyncIterator[PairReport]:
        """Yield fills and cancels from now on, in the order in which they happen, whoever caused them."""
