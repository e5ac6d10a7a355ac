"""Live prices as the engine hears them: one stream an environment, shared by all bots of all its accounts."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from typing import Protocol

import attrs

from dcacore.domain.money import Price


@attrs.frozen
class Tick:
    """The last trade's price of a pair, or the word that the stream of it is alive and nothing has traded.

    Attributes:
        pair: the market.
        price: above zero and on the tick grid; None when there is nothing new.
        at: the exchange's time of it.
    """

    pair: str
    price: Price | None
    at: datetime.datetime


class Prices(Protocol):
    """Where prices come from. An adapter reconnects by itself, for ever; silence is told by the absence of ticks."""

    def now(self) -> datetime.datetime:
        """Return the exchange's time, by which ticks are old or not: the local clock and the measured offset."""

    async def watch(self, pair: str) -> None:
        """Let ticks of *pair* come, the current price first; a second call changes nothing.

        Raises:
            UnknownPair: the exchange does not trade it.
        """

    async def unwatch(self, pair: str) -> None:
        """Let no more ticks of *pair* come."""

    def ticks(self) -> AsyncIterator[Tick]:
        """Yield ticks as they come. A slow reader may miss some, but never a new high or low since it last read."""
