"""Time and ids of a simulated world."""

from __future__ import annotations

import asyncio
import datetime
import random
from typing import Final

import attrs

from dcacore.ports.clock import Clock, Ids

START: Final = datetime.datetime(2026, 3, 1, 23, 15, tzinfo=datetime.UTC)
"""When every world begins: so late in the day that it changes."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


@attrs.define
class VirtualClock(Clock):
    """The time of a loop.

    Attributes:
        loop: the loop.
        ahead_s: by how much the wall clock of this machine is wrong.
    """

    loop: asyncio.AbstractEventLoop
    ahead_s: float = 0.0

    def now(self) -> datetime.datetime:
        return START + datetime.timedelta(seconds=self.loop.time() + self.ahead_s)

    def monotonic(self) -> float:
        return self.loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@attrs.define
class SeededIds(Ids):
    """Ids that a seed decides."""

    chance: random.Random
    _used: set[str] = attrs.field(factory=set)

    def new(self) -> str:
        while True:
            text = "".join(self.chance.choices(_LETTERS, k=8))
            if text not in self._used:
                self._used.add(text)
                return text
