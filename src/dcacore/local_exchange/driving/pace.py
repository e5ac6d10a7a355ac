"""Points played by themselves: at so many candles a second, or each as long as it lasted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

import attrs

from dcacore.local_exchange.driving.market import Movable, jump, move
from dcacore.local_exchange.driving.points import Point, PointKind
from dcacore.ports.clock import Clock

REAL_TIME: Final = None
"""As pace: a candle of a minute takes a minute."""
_POINTS: Final = len(PointKind)


@attrs.define(eq=False)
class Player:
    """Plays points on markets. The exchange's clock is the machine's: prices of the data, and the time of now.

    Attributes:
        market: what is moved.
        points: where to.
        clock: this machine's.
        candles_per_second: how fast; None plays each candle as long as it lasted.
        arrived: told of each point that has been played.
        last: the point that was played last; None before the first.
    """

    market: Movable
    points: Iterator[Point]
    clock: Clock
    candles_per_second: Decimal | None = REAL_TIME
    arrived: Callable[[Point], object] = lambda _: None
    last: Point | None = attrs.field(default=None, init=False)

    async def run(self) -> None:
        """Play until the data ends, for ever where it has no end."""
        due = self.clock.monotonic()
        for point in self.points:
            if self.last is not None and (point.at, point.kind) != (self.last.at, self.last.kind):
                due += self._lasts(self.last) / _POINTS  # the points of several markets at one time come together
                await self.clock.sleep(max(0.0, due - self.clock.monotonic()))
            play(self.market, point)
            self.last = point
            self.arrived(point)

    def _lasts(self, point: Point) -> float:
        """Return how many seconds the candle of *point* takes."""
        if self.candles_per_second is None:
            return point.lasts.total_seconds()
        return float(1 / self.candles_per_second)


def play(market: Movable, point: Point) -> None:
    """Bring a market to *point*: by a jump to the open of a candle, through every tick to its other points."""
    if point.kind is PointKind.OPEN:
        jump(market, point.symbol, point.price)
    else:
        move(market, point.symbol, point.price)
