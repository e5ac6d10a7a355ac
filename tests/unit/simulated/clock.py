"""Clocks for tests: one that stands until it is set on, and the real one for tests that talk over sockets."""

from __future__ import annotations

import asyncio
import datetime
import time

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


class RealClock(Clock):
    """The machine's."""

    def now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(time.time(), datetime.UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
