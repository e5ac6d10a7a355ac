"""The exchange's own clock: this machine's, in whole milliseconds, and as wrong as somebody wants it to be."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Final

import attrs

EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)


def wall_ms() -> int:
    """Return this machine's time in Unix milliseconds: an exchange has a clock of its own."""
    return time.time_ns() // 1_000_000


def to_ms(at: datetime.datetime) -> int:
    """Return *at* in Unix milliseconds."""
    return (at - EPOCH) // _MILLISECOND


def from_ms(at: int) -> datetime.datetime:
    """Return the time of *at*, in Unix milliseconds."""
    return EPOCH + at * _MILLISECOND


def always() -> bool:
    """Return True: this machine's time passes."""
    return True


@attrs.define
class ServerClock:
    """What the exchange takes for the time.

    Attributes:
        source: the time that it is, in Unix milliseconds.
        skew_ms: how far this clock goes ahead of it.
        is_running: whether time passes by itself. Where it does not, no client can know what time it is, and no request
            is refused for the time that it bears.
    """

    source: Callable[[], int] = wall_ms
    skew_ms: int = 0
    is_running: Callable[[], bool] = always

    def ms(self) -> int:
        """Return the server time in Unix milliseconds."""
        return self.source() + self.skew_ms

    def now(self) -> datetime.datetime:
        """Return the server time, as the matching engine wants it."""
        return from_ms(self.ms())
