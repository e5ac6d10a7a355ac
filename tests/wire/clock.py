"""Time for both ends of a wire: it goes on a second at a time, when everybody has done what there was to do."""

from __future__ import annotations

import asyncio
import datetime
import heapq
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs

from dcacore.ports.clock import Clock

START: Final = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


@attrs.define(eq=False)
class SteppedClock(Clock):
    """The clock of the exchange and of the program.

    Attributes:
        at: what time it is.
    """

    at: datetime.datetime = START
    _sleepers: list[tuple[datetime.datetime, int, asyncio.Future[None]]] = attrs.field(factory=list)
    _count: itertools.count[int] = attrs.field(factory=itertools.count)

    def now(self) -> datetime.datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        due = self.at + datetime.timedelta(seconds=max(seconds, 0))
        heapq.heappush(self._sleepers, (due, next(self._count), future))
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            await future

    @contextmanager
    def ruling(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Let the timers of *loop* go by this clock, until the block ends; then time goes on from there by itself."""
        began, by_itself = loop.time(), loop.time
        loop.time = lambda: began + self.monotonic()  # type: ignore[method-assign]  # a loop has no other way
        try:
            yield
        finally:
            ahead = loop.time() - by_itself()
            loop.time = lambda: ahead + by_itself()  # type: ignore[method-assign]

    def go_on(self, seconds: float) -> None:
        """Let time pass, and wake whose time has come."""
        self.at += datetime.timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self.at:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)
