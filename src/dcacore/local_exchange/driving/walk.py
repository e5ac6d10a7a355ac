"""Markets made of chance: the random walk that the rest of the program plays, of several symbols and without an end."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import attrs
import numpy as np

from dcacore.adapters.random_walk import YEAR, random_walk
from dcacore.adapters.simulated.path import Path
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.local_exchange.driving.points import Point, Series, in_turn

_YEAR: Final = datetime.timedelta(minutes=YEAR)


@attrs.frozen
class Walk:
    """One market that wanders by chance.

    Attributes:
        market: its rules.
        start: where it begins; it stays between 1.2 times that and a 1.2th of it.
    """

    market: Market
    start: Price


def walk_points(walks: Sequence[Walk], seed: int, path: Path = Path.NEAREST) -> Iterator[Point]:
    """Yield points of one-minute candles for ever, each symbol by a chance of its own; *seed* decides all of them.

    A year is drawn at a time; the next one begins at the start again, with a jump.

    Raises:
        InvalidParameter: a market starts below one tick.
    """
    return in_turn([_points(walk, seed, path) for walk in walks])


def _points(walk: Walk, seed: int, path: Path) -> Iterator[Point]:
    rng = np.random.default_rng([seed, *walk.market.pair.encode()])
    start_ticks = int(walk.start // walk.market.tick_size)
    for year in itertools.count():
        candles = random_walk(walk.market, rng, start_ticks=start_ticks)
        for point in Series(walk.market, candles).points(path):
            yield attrs.evolve(point, at=point.at + year * _YEAR, candle=point.candle + year * YEAR)
