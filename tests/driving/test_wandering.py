"""One step of chance after the other."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.money import Price
from dcacore.local_exchange.driving.wandering import wander
from tests.strategies import MARKET, NOON


def path(seed: int, start: str = "100", steps: int = 50) -> list[Price]:
    venue = SimulatedVenue(lambda: NOON)
    venue.list_pair(MARKET, Price(Decimal(start)))
    chance, seen = Random(seed), []
    for _ in range(steps):
        wander(venue, MARKET.pair, chance)
        price = venue.price(MARKET.pair)
        assert price is not None
        seen.append(price)
    return seen


def test_prices_wander_on_the_grid_as_the_seed_says() -> None:
    first = path(5)
    assert first == path(5) != path(6)
    assert len(set(first)) > 20
    assert all(80 < price < 125 and price % MARKET.tick_size == 0 for price in first)


def test_they_neither_sink_nor_rise_in_the_long_run() -> None:
    ends = [path(seed, steps=2_000)[-1] for seed in range(15)]
    assert {price > 100 for price in ends} == {True, False}


def test_a_price_does_not_sink_below_one_tick_and_none_is_made_up() -> None:
    assert set(path(1, start="0.01")) == {Decimal("0.01")}
    venue = SimulatedVenue(lambda: NOON)
    venue.list_pair(MARKET)
    wander(venue, MARKET.pair, Random(1))
    assert venue.price(MARKET.pair) is None
