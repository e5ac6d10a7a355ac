"""Times to come, of many bots, with one sleeper for all of them."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Hashable

import attrs

from dcacore.application.engine.surroundings import first_of
from dcacore.ports.clock import Clock


@attrs.define
class Alarms:
    """Calls functions when their time has come, by the monotonic clock: nobody's setting of the clock moves them."""

    _clock: Clock
    _heap: list[tuple[float, int, Hashable]] = attrs.field(factory=list, init=False)
    _set: dict[Hashable, tuple[int, Callable[[], None]]] = attrs.field(factory=dict, init=False)
    _count: int = attrs.field(default=0, init=False)
    _earlier: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def set(self, name: Hashable, seconds: float, ring: Callable[[], None]) -> None:
        """Call *ring* after *seconds*; an alarm of that *name* that was set before is dropped."""
        self._count += 1
        due = self._clock.monotonic() + max(0.0, seconds)
        self._set[name] = (self._count, ring)
        if not self._heap or due < self._heap[0][0]:
            self._earlier.set()
        heapq.heappush(self._heap, (due, self._count, name))

    def drop(self, name: Hashable) -> None:
        """Let the alarm of that name not ring."""
        self._set.pop(name, None)

    def has(self, name: Hashable) -> bool:
        """Say whether an alarm of that name is set."""
        return name in self._set

    async def run(self) -> None:
        """Ring for ever."""
        while True:
            self._ring_what_is_due()
            self._earlier.clear()
            if not self._heap:
                await self._earlier.wait()
                continue
            pause = asyncio.ensure_future(self._clock.sleep(max(0.0, self._heap[0][0] - self._clock.monotonic())))
            wake = asyncio.ensure_future(self._earlier.wait())
            await first_of(pause, wake)

    def _ring_what_is_due(self) -> None:
        now = self._clock.monotonic()
        while self._heap and self._heap[0][0] <= now:
            _, number, name = heapq.heappop(self._heap)
            current = self._set.get(name)
            if current is not None and current[0] == number:
                del self._set[name]
                current[1]()
