"""Ticks on their way to a reader who may be slow: few are kept, and never a new high or low is lost."""

from __future__ import annotations

import asyncio

from dcacore.domain.money import Price
from dcacore.ports.prices import Tick


class TickBox:
    """Keeps, of each pair, the highest, the lowest and the last tick that have not been read."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[tuple[int, Tick]]] = {}
        self._filled = asyncio.Event()
        self._number = 0
        self._failure: BaseException | None = None

    def fail(self, why: BaseException) -> None:
        """Let nothing come any more after what waits, but *why*."""
        self._failure = why
        self._filled.set()

    def put(self, tick: Tick) -> None:
        """Add a tick; those that it makes needless go."""
        self._number += 1
        waiting = [*self._waiting.get(tick.pair, []), (self._number, tick)]
        prices = [told.price for _, told in waiting if told.price is not None]
        self._waiting[tick.pair] = _needed(waiting, max(prices), min(prices)) if prices else waiting[-1:]
        self._filled.set()

    async def get(self) -> Tick:
        """Return the oldest tick, as soon as there is one; raise what `fail` was told."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            self._filled.clear()
            await self._filled.wait()
        pair = min(self._waiting, key=lambda pair: self._waiting[pair][0][0])
        _, tick = self._waiting[pair].pop(0)
        if not self._waiting[pair]:
            del self._waiting[pair]
        return tick


def _needed(waiting: list[tuple[int, Tick]], highest: Price, lowest: Price) -> list[tuple[int, Tick]]:
    """Return the first tick at each extreme, and the last one of all."""
    keep = {len(waiting) - 1}
    for extreme in (highest, lowest):
        keep.add(next(index for index, (_, tick) in enumerate(waiting) if tick.price == extreme))
    return [tick for index, tick in enumerate(waiting) if index in keep]
