"""Which pairs have been quiet, and for how long: those are said to be alive, and asked for beside their stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from dcacore.adapters.binance.pace import Pace
from dcacore.ports.clock import Clock

SUSPICIOUS: Final = 2
"""So many prices in a row that a quiet stream has not told are one too many: one may just have been on its way."""


@attrs.define
class _Pair:
    heard_at: float
    asked_at: float
    untold: int = 0


@attrs.define
class Quiet:
    """Keeps the times of each pair that is watched."""

    _clock: Clock
    _pace: Pace
    _pairs: dict[str, _Pair] = attrs.field(factory=dict, init=False)

    def add(self, pair: str) -> None:
        """Begin with *pair*, whose price has just been asked for."""
        now = self._clock.monotonic()
        self._pairs[pair] = _Pair(now, now)

    def remove(self, pair: str) -> None:
        """Forget *pair*."""
        self._pairs.pop(pair, None)

    def heard(self, pair: str) -> None:
        """Take note of a frame."""
        self._pairs[pair].heard_at = self._clock.monotonic()
        self._pairs[pair].untold = 0

    def asked(self, pairs: Iterable[str]) -> None:
        """Take note that prices have been asked for."""
        for pair in pairs:
            if pair in self._pairs:
                self._pairs[pair].asked_at = self._clock.monotonic()

    def to_be_called_alive(self, pairs: Iterable[str]) -> list[str]:
        """Return those of *pairs* that nobody has heard of since the last heartbeat."""
        return self._since(pairs, self._pace.heartbeat / 2)

    def to_be_asked_for(self, pairs: Iterable[str]) -> set[str]:
        """Return those that have been quiet for long and not been asked for lately."""
        now = self._clock.monotonic()
        quiet = self._since(pairs, self._pace.quiet_after)
        return {pair for pair in quiet if now - self._pairs[pair].asked_at >= self._pace.quiet_after}

    def is_suspicious(self, untold: Iterable[str]) -> bool:
        """Count prices that the stream has not told; say whether it can be believed no more."""
        for pair in untold:
            if pair in self._pairs:
                self._pairs[pair].untold += 1
        if all(pair.untold < SUSPICIOUS for pair in self._pairs.values()):
            return False
        for known in self._pairs.values():
            known.untold = 0
        return True

    def _since(self, pairs: Iterable[str], seconds: float) -> list[str]:
        now = self._clock.monotonic()
        return [pair for pair in sorted(pairs) if pair in self._pairs and now - self._pairs[pair].heard_at >= seconds]
