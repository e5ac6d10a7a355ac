"""Where the markets go: the turning points of candles, as a backtest plays them, of one symbol or of several."""

from __future__ import annotations

import datetime
import heapq
import itertools
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
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)


class PointKind(Enum):
    """Which point of a candle it is."""

    OPEN = "open"  # the market jumps there; to the others it moves
    FIRST = "first"  # the high or the low, as the path has it
    SECOND = "second"  # the other one
    CLOSE = "close"


_RANKS: Final = {kind: rank for rank, kind in enumerate(PointKind)}


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

    def points(self, path: Path, since: datetime.datetime = _EPOCH) -> Iterator[Point]:
        """Yield four points a candle, from the first on that opens at *since* or later."""
        ticks, tick_size = self.ticks, self.market.tick_size
        lasts = datetime.timedelta(milliseconds=self.candles.interval_ms)
        start = int(ticks.open_time.searchsorted((since - _EPOCH) // _MILLISECOND))
        for index in range(start, len(ticks)):
            at = _EPOCH + datetime.timedelta(milliseconds=int(ticks.open_time[index]))
            columns = (ticks.open, ticks.high, ticks.low, ticks.close)
            opened, high, low, close = (int(column[index]) for column in columns)
            turns = turning_points(path, opened, high, low, close)
            for kind, count in zip(PointKind, (opened, *turns), strict=True):
                price = Price(count * tick_size)
                yield Point(symbol=self.market.pair, price=price, at=at, candle=index, kind=kind, lasts=lasts)


@attrs.frozen(kw_only=True)
class Position:
    """Which point was the last one, so that a restart goes on behind it."""

    symbol: str
    at: datetime.datetime
    kind: PointKind

    @classmethod
    def of(cls, point: Point) -> Position:
        """Return where *point* is."""
        return cls(symbol=point.symbol, at=point.at, kind=point.kind)


def candle_points(
    series: Sequence[Series], path: Path = Path.NEAREST, after: Position | None = None
) -> Iterator[Point]:
    """Yield the points of all *series*, oldest first, those behind *after* if it is given.

    Points of one time and kind come in turn, symbol by symbol.
    """
    since = _EPOCH if after is None else after.at
    points = in_turn([one.points(path, since) for one in series])
    if after is None:
        return points
    numbers = {one.market.pair: number for number, one in enumerate(series)}
    last = (after.at, _RANKS[after.kind], numbers.get(after.symbol, len(series)))
    return itertools.dropwhile(lambda point: (point.at, _RANKS[point.kind], numbers[point.symbol]) <= last, points)


def in_turn(streams: Sequence[Iterator[Point]]) -> Iterator[Point]:
    """Yield the points of all *streams*, each of them oldest first, in the order of their times."""
    ranked = [_ranked(points, number) for number, points in enumerate(streams)]
    return (point for _, point in heapq.merge(*ranked, key=lambda pair: pair[0]))


def _ranked(points: Iterator[Point], number: int) -> Iterator[tuple[tuple[datetime.datetime, int, int], Point]]:
    return (((point.at, _RANKS[point.kind], number), point) for point in points)
