"""How often each program may ask."""

from __future__ import annotations

import math
from typing import Final

import attrs

from dcacore.ports.clock import Clock

_MOST_KNOWN: Final = 10_000


@attrs.define
class Pace:
    """Lets each key have *burst* requests at once, and *rate* of them a second in the long run.

    Attributes:
        clock: for how much time has gone by.
        burst: how many at once.
        rate: how many a second.
    """

    clock: Clock
    burst: int = 60
    rate: float = 5.0
    _left: dict[str, tuple[float, float]] = attrs.field(factory=dict, init=False)

    def wait_s(self, key: str) -> int:
        """Count a request of *key* and return 0, or count nothing and return in how many seconds it may come again."""
        now = self.clock.monotonic()
        left, since = self._left.get(key, (float(self.burst), now))
        left = min(float(self.burst), left + (now - since) * self.rate)
        if left < 1:
            return max(1, math.ceil((1 - left) / self.rate))
        if key not in self._left and len(self._left) >= _MOST_KNOWN:
            self._forget(now)
        self._left[key] = (left - 1, now)
        return 0

    def _forget(self, now: float) -> None:
        """Forget those that have all of theirs again; to forget a key means the same as to know that."""
        full = [key for key, (left, since) in self._left.items() if left + (now - since) * self.rate >= self.burst]
        for key in full:
            del self._left[key]
