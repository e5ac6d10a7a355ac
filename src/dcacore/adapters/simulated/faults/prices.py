"""Prices as a stream over a network tells them: none for a while, old ones, or one that cannot be true."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from typing import Final

import attrs

from dcacore.adapters.simulated.faults.kinds import Dice, Fault
from dcacore.domain.money import Price, exact
from dcacore.ports.clock import Clock
from dcacore.ports.prices import Prices, Tick

STALE: Final = datetime.timedelta(seconds=60)
"""How old a stale tick is."""
_ABSURD: Final = 10


class FaultyPrices(Prices):
    """The prices of *inner*, with faults in between."""

    def __init__(self, inner: Prices, clock: Clock, dice: Dice) -> None:
        self._inner = inner
        self._clock = clock
        self._dice = dice

    def now(self) -> datetime.datetime:
        return self._inner.now()

    async def watch(self, pair: str) -> None:
        await self._inner.watch(pair)

    async def unwatch(self, pair: str) -> None:
        await self._inner.unwatch(pair)

    def ticks(self) -> AsyncIterator[Tick]:
        return self._told(self._inner.ticks())

    async def _told(self, inner: AsyncIterator[Tick]) -> AsyncIterator[Tick]:
        silent_until = self._clock.monotonic()
        async for tick in inner:
            if self._clock.monotonic() < silent_until and not self._dice.is_calm:
                continue
            if self._dice.strikes(Fault.PRICES_SILENT):
                silent_until = self._clock.monotonic() + self._dice.within(5, 60)
                continue
            if self._dice.strikes(Fault.PRICE_STALE):
                yield attrs.evolve(tick, at=tick.at - STALE)
            if tick.price is not None and self._dice.strikes(Fault.PRICE_ABSURD):
                yield attrs.evolve(tick, price=_absurd(tick.price))
            yield tick


@exact
def _absurd(price: Price) -> Price:
    return Price(price * _ABSURD)
