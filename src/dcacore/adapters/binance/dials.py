"""How often connections may be tried: the exchange counts that by internet address too."""

from __future__ import annotations

from collections import deque

import attrs

from dcacore.adapters.binance.limiter import BAN_S, Limiter
from dcacore.adapters.binance.pace import DIALS, DIALS_WITHIN_S
from dcacore.ports.clock import Clock


@attrs.define(eq=False)
class Dials:
    """Lets connections be tried, and none while the exchange wants nothing at all."""

    _clock: Clock
    _limiter: Limiter
    _most: int = DIALS
    _tried: deque[float] = attrs.field(factory=deque, init=False)

    async def permission(self) -> None:
        """Return when the next connection may be tried."""
        while (wait := self._wait_s()) > 0:
            await self._clock.sleep(wait)
        self._tried.append(self._clock.monotonic())

    def turned(self, status: int, text: str, retry_after: str | None) -> None:
        """Learn that something was refused with *status*, before or after the connection was there."""
        if status in BAN_S:
            self._limiter.punish(status, text, retry_after)

    def _wait_s(self) -> float:
        now = self._clock.monotonic()
        while self._tried and now - self._tried[0] >= DIALS_WITHIN_S:
            self._tried.popleft()
        full = self._tried[0] + DIALS_WITHIN_S - now if len(self._tried) >= self._most else 0.0
        return max(self._limiter.hold_s, full)
