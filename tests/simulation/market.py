"""Markets that a seed moves: quiet and wild hours, jumps, wicks, and a pull back to where they began."""

from __future__ import annotations

import math
from decimal import Decimal
from random import Random
from typing import Final

import attrs

from dcacore.domain.market import Market
from dcacore.domain.money import Price


def _market(base: str, tick: str, step: str) -> Market:
    return Market(
        pair=f"{base}USDT", base_asset=base, quote_asset="USDT", tick_size=tick, step_size=step, min_notional=5
    )


MARKETS: Final = (
    (_market("BTC", "0.01", "0.00001"), 60_000.0),
    (_market("ETH", "0.01", "0.0001"), 3_000.0),
    (_market("BNB", "0.1", "0.001"), 600.0),
)
"""The markets of every world, and where each begins."""
_JUMP: Final = 0.002
_WICK: Final = 0.0015
_REGIME: Final = 0.005
_PULL: Final = 0.002


@attrs.define
class Walk:
    """The path of one market's price."""

    market: Market
    start: float
    chance: Random
    _deviation: float = attrs.field(default=0.0, init=False)
    _wildness: float = attrs.field(default=0.0015, init=False)
    _back: float | None = attrs.field(default=None, init=False)

    def next(self, *, is_calm: bool = False) -> Price:
        """Return the next price."""
        chance = self.chance
        if chance.random() < _REGIME:
            self._wildness = chance.choice((0.0003, 0.001, 0.002, 0.004))
        if self._back is not None:
            self._deviation, self._back = self._back, None
        else:
            self._deviation += chance.gauss(0, self._wildness) - _PULL * self._deviation
            if not is_calm and chance.random() < _JUMP:
                self._deviation += chance.uniform(-0.06, 0.05)
            if not is_calm and chance.random() < _WICK:
                self._back = self._deviation
                self._deviation += chance.uniform(-0.12, 0.08)
        tick = self.market.tick_size
        ticks = round(self.start * math.exp(self._deviation) / float(tick))
        return Price(max(tick, Decimal(ticks) * tick))
