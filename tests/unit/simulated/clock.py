"""A clock that stands until a test, or a sleep, sets it on."""

from __future__ import annotations

import asyncio
import datetime

from dcacore.ports.clock import Clock
from tests.strategies import NOON


class ManualClock(Clock):
    """Shows noon at first. Sleeping sets it on at once and lets others run."""

    def __init__(self) -> None:
        self.at = NOON
        self._seconds = 0.0

    def now(self) -> datetime.datetime:
        return self.at

    def monotonic(self) -> float:
        return self._seconds

    def pass_by(self, seconds: float) -> None:
        """Let *seconds* go by."""
        self._seconds += seconds
        self.at += datetime.timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)
        await asyncio.sleep(0)
