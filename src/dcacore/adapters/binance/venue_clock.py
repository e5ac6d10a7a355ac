"""The exchange's time: the local clock, and how far it is off."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from dcacore.ports.clock import Clock
from dcacore.ports.errors import RateLimited, Unavailable

log = structlog.get_logger("dcacore.binance")

AskTime = Callable[[], Awaitable[datetime.datetime]]

LASTS_S: Final = 1800
"""How long a measurement is believed."""
JUMP_S: Final = 1.0
"""The local clock has been set, or the machine has slept, when it and the monotonic clock part by so much."""
ALARMING: Final = datetime.timedelta(seconds=1)
SLOW: Final = datetime.timedelta(seconds=1)
"""Half of a longer way is more than the exchange forgives."""
TRIES_AFTER_S: Final = (0, 0.2, 0.5)


class VenueClock:
    """Tells the exchange's time; it is measured by whoever asks something, when the last measurement is no good."""

    def __init__(self, clock: Clock, ask: AskTime) -> None:
        self._clock = clock
        self._ask = ask
        self._measuring = asyncio.Lock()
        self._measured: tuple[datetime.datetime, float] | None = None
        self.offset = datetime.timedelta(0)
        """What is added to the local clock."""
        self.latency = datetime.timedelta(0)
        """How long the exchange took to say what time it is."""

    def now(self) -> datetime.datetime:
        """Return the exchange's time."""
        return self._clock.now() + self.offset

    def doubt(self) -> None:
        """Measure before the next question: the exchange finds our time wrong."""
        self._measured = None

    @property
    def measured_at(self) -> float | None:
        """When the last good measurement was made, by the monotonic clock; None without one."""
        return None if self._measured is None else self._measured[1]

    @property
    def is_good(self) -> bool:
        """Whether the last measurement may be believed."""
        if self._measured is None:
            return False
        wall, monotonic = self._measured
        passed = self._clock.monotonic() - monotonic
        jump = (self._clock.now() - wall).total_seconds() - passed
        return passed < LASTS_S and abs(jump) < JUMP_S

    async def refresh(self) -> None:
        """Measure if the last measurement is no good.

        Raises:
            Unavailable: the exchange does not say what time it is.
        """
        if self.is_good:
            return
        async with self._measuring:  # whoever comes meanwhile takes what the first one finds
            if not self.is_good:
                await self.measure()

    async def measure(self) -> None:
        """Ask the exchange what time it is, several times if need be.

        Raises:
            Unavailable: it does not say.
        """
        for number, pause in enumerate(TRIES_AFTER_S, start=1):
            if pause:
                await self._clock.sleep(pause)
            sent, began = self._clock.now(), self._clock.monotonic()
            try:
                told = await self._ask()
            except RateLimited:
                raise
            except Unavailable:
                if number == len(TRIES_AFTER_S):
                    raise
                continue
            self.latency = datetime.timedelta(seconds=self._clock.monotonic() - began)
            self.offset = told - (sent + self.latency / 2)
            self._measured = (sent, began)
            if self.latency > SLOW and number < len(TRIES_AFTER_S):
                continue  # it may have waited for its turn, all on one side of the way
            if abs(self.offset) > ALARMING:
                log.warning("clock_is_off", seconds=round(self.offset.total_seconds(), 3))
            return
