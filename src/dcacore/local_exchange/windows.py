"""Windows of the clock, and what is counted in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

_SECONDS: Final[Mapping[str, int]] = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}


@attrs.frozen
class Limit:
    """One entry of `exchangeInfo.rateLimits`."""

    kind: str
    interval: str
    number: int
    limit: int

    @property
    def window_ms(self) -> int:
        """How long its window is."""
        return _SECONDS[self.interval] * self.number * 1_000

    @property
    def suffix(self) -> str:
        """What a header calls its window."""
        return f"{self.number}{self.interval[0]}"

    @property
    def per(self) -> str:
        """What a text calls its window."""
        return f"{self.number} {self.interval}"

    def told(self) -> dict[str, object]:
        """Return it as `exchangeInfo` shows it."""
        return {
            "rateLimitType": self.kind,
            "interval": self.interval,
            "intervalNum": self.number,
            "limit": self.limit,
        }


WEIGHT: Final = Limit("REQUEST_WEIGHT", "MINUTE", 1, 6_000)
RAW: Final = Limit("RAW_REQUESTS", "MINUTE", 5, 300_000)
ORDERS: Final = (Limit("ORDERS", "SECOND", 10, 100), Limit("ORDERS", "DAY", 1, 200_000))
CONNECTIONS: Final = Limit("CONNECTIONS", "MINUTE", 5, 300)
"""Attempts to open a WebSocket, by address (web-socket-streams.md); `exchangeInfo` does not show it."""
LIMITS: Final = (WEIGHT, *ORDERS, RAW)


@attrs.define
class Count:
    """What was used in the window that began at *since* ms; windows begin when the clock says so, and do not slide."""

    limit: Limit
    since: int = 0
    used: int = 0
    refused: int = 0

    def at(self, now: int) -> Count:
        """Return it as it stands at *now*."""
        since = now - now % self.limit.window_ms
        if since != self.since:
            self.since, self.used, self.refused = since, 0, 0
        return self

    def seconds_left(self, now: int) -> int:
        """Return for how long the window goes on, at least 1."""
        return max(1, -(-(self.since + self.limit.window_ms - now) // 1_000))
