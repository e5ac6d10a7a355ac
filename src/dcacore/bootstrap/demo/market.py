"""The markets of the demo: prices that wander by chance, and slide now and then; the same seed makes the same ones."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from dcacore.adapters.known_markets import known_markets
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.market import Market
from dcacore.domain.money import Price, exact
from dcacore.local_exchange.driving.market import jump, move
from dcacore.local_exchange.paper import first_price
from dcacore.ports.clock import Clock

Ticks = npt.NDArray[np.int64]

BETWEEN: Final = datetime.timedelta(seconds=15)
"""From one price to the next, in the time of the market."""
A_DAY: Final = datetime.timedelta(days=1) // BETWEEN
AN_HOUR: Final = datetime.timedelta(hours=1) // BETWEEN
_PULL: Final = math.log(2) / (2 * A_DAY)
"""How strongly a price is drawn home: half of a distance is gone after two days."""
_USUAL: Final = 0.03
_LATELY: Final = 2 * AN_HOUR
_BACK_AFTER: Final = 6 * AN_HOUR


@attrs.frozen(kw_only=True)
class Slide:
    """A fall, and the way back.

    Attributes:
        begins: with which price, counted from the first.
        falls_for: how many prices it takes down ...
        rises_for: ... and back up.
        depth: how far it goes, as a logarithm.
    """

    begins: int
    falls_for: int
    rises_for: int
    depth: float

    def at(self, number: int) -> float:
        """Return how far below its course the price is."""
        since = number - self.begins
        if since <= 0 or since >= self.falls_for + self.rises_for:
            return 0.0
        if since < self.falls_for:
            return -self.depth * since / self.falls_for
        return -self.depth * (1 - (since - self.falls_for) / self.rises_for)


@attrs.frozen(kw_only=True)
class Character:
    """What a market is like.

    Attributes:
        pair: its symbol.
        home: the price that it wanders around.
        daily: its usual move in a day, as a fraction.
        slides: when it slides and how deep: days since the start and a fraction.
        lately: how far it has slid when the history ends.
    """

    pair: str
    home: str
    daily: float
    slides: tuple[tuple[float, float], ...] = ()
    lately: float = 0.0


CHARACTERS: Final = (
    Character(pair="BTCUSDT", home="64000", daily=0.022, slides=((6, 0.05), (15, 0.08)), lately=0.012),
    Character(pair="ETHUSDT", home="3200", daily=0.03, slides=((11, 0.08), (21, 0.06)), lately=0.016),
    Character(pair="SOLUSDT", home="150", daily=0.035, slides=((8, 0.16), (18, 0.09)), lately=0.02),
)


class Walk:
    """One market that wanders, without an end.

    Attributes:
        market: its rules.
        count: how many prices there have been.
    """

    def __init__(
        self, market: Market, home: Price, chance: Random, *, daily: float = _USUAL, slides: Sequence[Slide] = ()
    ) -> None:
        self.market = market
        self.count = 0
        self._home = float(home / market.tick_size)
        self._chance = chance
        self._step = daily / math.sqrt(A_DAY)
        self._slides = slides
        self._away = 0.0

    def next(self) -> int:
        """Return the next price, in ticks."""
        self._away += self._chance.gauss(0, self._step) - _PULL * self._away
        slid = sum(slide.at(self.count) for slide in self._slides)
        self.count += 1
        return max(1, round(self._home * math.exp(self._away + slid)))

    def price(self) -> Price:
        """Return the next price."""
        return Price(self.next() * self.market.tick_size)


def walks(seed: int, count: int) -> Mapping[str, Walk]:
    """Return the markets by symbol; *count* prices are their history, at the end of which they have slid a little."""
    known = known_markets()
    made = {}
    for character in CHARACTERS:
        chance = Random(f"{seed}/{character.pair}")  # noqa: S311  # a market, and nobody's secret
        market = Market(pair=character.pair, **known[character.pair])
        made[character.pair] = Walk(
            market,
            Price(first_of(market, character.home)),
            chance,
            daily=character.daily,
            slides=_slides(character, chance, count),
        )
    return made


@exact
def first_of(market: Market, home: str) -> Price:
    """Return the price that *home* says, on the market's grid."""
    return Price(int(Price(market.tick_size.__class__(home)) // market.tick_size) * market.tick_size)


def _slides(character: Character, chance: Random, count: int) -> tuple[Slide, ...]:
    """Return the slides of a history of *count* prices, each about when and about as deep as its market is like."""
    scale = count / (30 * A_DAY)
    slides = [
        Slide(
            begins=round((day + chance.uniform(-1.5, 1.5)) * A_DAY * scale),
            falls_for=round(chance.uniform(6, 10) * AN_HOUR),
            rises_for=round(chance.uniform(24, 48) * AN_HOUR),
            depth=depth * chance.uniform(0.9, 1.15),
        )
        for day, depth in character.slides
    ]
    lately = Slide(begins=count - _LATELY, falls_for=_LATELY, rises_for=_BACK_AFTER, depth=character.lately)
    return (*slides, lately)


@attrs.define(eq=False, kw_only=True)
class LivelyMarkets:
    """Moves the markets on from where they stand, faster than real ones; the exchange's clock is the machine's.

    Attributes:
        venue: what is moved; markets that are opened later wander, too.
        walks: how, by symbol.
        clock: this machine's.
        chance: for markets that come later.
        speed: how many seconds of a market go by in one.
    """

    venue: SimulatedVenue
    walks: dict[str, Walk]
    clock: Clock
    chance: Random
    speed: float

    async def run(self) -> None:
        """Move the markets, for ever."""
        while True:
            await self.clock.sleep(BETWEEN.total_seconds() / self.speed)
            self.beat()

    def beat(self) -> None:
        """Let each market take a step."""
        for symbol in self.venue.pairs:
            walk = self.walks.get(symbol) or self._walk(symbol)
            move(self.venue, symbol, walk.price())

    def _walk(self, symbol: str) -> Walk:
        market, price = self.venue.listing(symbol).market, self.venue.price(symbol)
        if price is None:
            price = first_price(market)
            jump(self.venue, symbol, price)
        self.walks[symbol] = Walk(market, price, Random(self.chance.random()))  # noqa: S311  # likewise
        return self.walks[symbol]
