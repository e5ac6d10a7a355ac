"""Time and chance from outside: the clock, and the source of new ids."""

from __future__ import annotations

import datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, and waiting. Durations are measured with `monotonic`, which nobody sets."""

    def now(self) -> datetime.datetime:
        """Return the wall clock's time, in UTC and aware."""

    def monotonic(self) -> float:
        """Return seconds since some moment; it never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""


class Ids(Protocol):
    """A source of ids."""

    def new(self) -> str:
        """Return eight characters out of a-z and 2-7 that have not been returned before, and that nobody can guess."""
