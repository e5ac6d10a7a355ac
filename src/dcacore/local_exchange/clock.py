"""The exchange's own clock, in whole milliseconds, and as wrong as somebody wants it to be."""

from __future__ import annotations

import datetime
import time
from typing import Final

import attrs

from dcacore.local_exchange.driving.clock import ExchangeClock

EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)


def to_ms(at: datetime.datetime) -> int:
    """Return *at* in Unix milliseconds."""
    return (at - EPOCH) // _MILLISECOND


def from_ms(at: int) -> datetime.datetime:
    """Return the time of *at*, in Unix milliseconds."""
    return EPOCH + at * _MILLISECOND


def wall() -> datetime.datetime:
    """Return this machine's time, in whole milliseconds: an exchange has a clock of its own."""
    return from_ms(time.time_ns() // 1_000_000)


def _running() -> ExchangeClock:
    return ExchangeClock(wall)


@attrs.define
class ServerClock:
    """What the exchange takes for the time.

    Attributes:
        true: the time that it is.
        skew_ms: how far this clock goes ahead of it.
    """

    true: ExchangeClock = attrs.field(factory=_running)
    skew_ms: int = 0

    @property
    def is_running(self) -> bool:
        """Whether time passes by itself; where it does not, no request is refused for the time that it bears."""
        return self.true.is_running

    def ms(self) -> int:
        """Return the server time in Unix milliseconds."""
        return to_ms(self.true.now()) + self.skew_ms

    def now(self) -> datetime.datetime:
        """Return the server time, as the matching engine wants it."""
        return self.true.now() + self.skew_ms * _MILLISECOND
