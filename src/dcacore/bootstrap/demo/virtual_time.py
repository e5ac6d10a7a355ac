"""Time that does not pass but is passed: an event loop that never waits, and a clock that can leave hours out."""

from __future__ import annotations

import asyncio
import datetime
import random
import selectors
from typing import Final

import attrs

from dcacore.local_exchange.clock import from_ms, to_ms
from dcacore.ports.clock import Clock, Ids

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_LENGTH: Final = 8
_A_SECOND: Final = datetime.timedelta(seconds=1)


class _NeverWaits(selectors.DefaultSelector):
    """Takes the wait for the next timer for done at once."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if timeout is None and not ready:
            message = "everything waits, and nothing will ever happen"
            raise RuntimeError(message)
        if timeout and not ready:
            self.passed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Goes from one timer to the next without waiting. What is asked of threads or other programs never comes."""

    def __init__(self) -> None:
        self._time = _NeverWaits()
        super().__init__(self._time)

    def time(self) -> float:
        """Return the seconds that have been passed."""
        return self._time.passed


@attrs.define(eq=False)
class VirtualClock(Clock):
    """The clock of a history.

    Stretches in which nothing can happen are left out, as by a machine that is suspended: the wall clock is on, and
    whoever measures or sleeps has not noticed. Times are whole milliseconds, as an exchange has them.

    Attributes:
        began: what time it was at first.
        left_out: how much of the time since nobody has lived through.
    """

    began: datetime.datetime
    left_out: datetime.timedelta = datetime.timedelta(0)

    def now(self) -> datetime.datetime:
        return from_ms(to_ms(self.began + self.left_out + datetime.timedelta(seconds=self.monotonic())))

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def leave_out_until(self, at: datetime.datetime) -> None:
        """Let it be *at*, if that is later than now."""
        self.left_out += max(at - self.now(), datetime.timedelta(0))


@attrs.define
class CountingClock(Clock):
    """A clock that goes on by a second whenever somebody looks at it: for what is made before a history begins.

    Attributes:
        at: what time it is.
    """

    at: datetime.datetime

    def now(self) -> datetime.datetime:
        self.at += _A_SECOND
        return self.at

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002  # nobody waits here
        await asyncio.sleep(0)


@attrs.define
class SeededIds(Ids):
    """Ids that a seed decides, for what nobody has to guess."""

    chance: random.Random
    _used: set[str] = attrs.field(factory=set)

    def new(self) -> str:
        while True:
            text = "".join(self.chance.choices(_LETTERS, k=_LENGTH))
            if text not in self._used:
                self._used.add(text)
                return text
