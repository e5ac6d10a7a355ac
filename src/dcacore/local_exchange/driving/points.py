"""Where the markets go: the turning points of candles, as a backtest plays them, of one symbol or of several."""

from __future__ import annotations

import datetime
import heapq
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

import attrs

from dcacore.adapters.simulated.candle_ticks import TickCandles, to_ticks
from dcacore.adapters.simulated.path import Path, turning_points
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.ports.candles import Candles

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class PointKind(Enum):
    """Which point of a candle it is."""

    OPEN = "open"  # the market jumps there; to the others it moves
    FIRST = "first"  # the high or the low, as the path has it
    SECOND = "second"  # the other one
    CLOSE = "close"


@attrs.frozen(kw_only=True)
class Point:
    """A price that a market comes to.

    Attributes:
        symbol: the market.
        price: where it comes to: by a jump to an open, continuously to all others.
        at: the open time of its candle, the time of all that happens inside of it.
        candle: its number in the symbol's candles, from 0.
        kind: which of the candle's points.
        lasts: how long the candle is.
    """

    symbol: str
    price: Price
    at: datetime.datetime
    candle: int
    kind: PointKind
    lasts: datetime.timedelta


@attrs.frozen
class Series:
    """The candles of one market.

    Raises:
        OffGrid: a price is not a multiple of the market's tick size.
        InvalidParameter: the tick size is too fine for the prices to be counted in it.
    """

    market: Market
    candles: Candles
    ticks: TickCandles = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "ticks", to_ticks(self.candles, self.market))

    def points(self, path: Path, start: int = 0) -> Iterator[Point]:
        """Yield four points a candle, from candle *start* on."""
        ticks, tick_size = self.ticks, self.market.tick_size
        lasts = datetime.timedelta(milliseconds=self.candles.interval_ms)
        for index in range(start, len(ticks)):
            at = _EPOCH + datetime.timedelta(milliseconds=int(ticks.open_time[index]))
            columns = (ticks.open, ticks.high, ticks.low, ticks.close)
            opened, high, low, close = (int(column[index]) for column in columns)
            turns = turning_points(path, opened, high, low, close)
            for kind, count in zip(PointKind, (opened, *turns), strict=True):
                price = Price(count * tick_size)
                yield Point(symbol=self.market.pair, price=price, at=at, candle=index, kind=kind, lasts=lasts)


def candle_points(series: Sequence[Series], path: Path = Path.NEAREST) -> Iterator[Point]:
    """Yield the points of all *series*, oldest first; those of one time in turn, symbol by symbol."""
    streams = [_ranked(one.points(path), number) for number, one in enumerate(series)]
    return (point for _, point in heapq.merge(*streams, key=lambda ranked: ranked[0]))


def _ranked(points: Iterator[Point], number: int) -> Iterator[tuple[tuple[datetime.datetime, int, int], Point]]:
    rank = {kind: place for place, kind in enumerate(PointKind)}
    return (((point.at, rank[point.kind], number), point) for point in points)
