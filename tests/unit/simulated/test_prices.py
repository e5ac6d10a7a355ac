"""The prices of a simulated venue, and the box in which ticks wait for a slow reader."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcacore.adapters.simulated.exchange import SimulatedPrices
from dcacore.domain.money import Price
from dcacore.ports.errors import UnknownPair
from dcacore.ports.prices import Tick
from dcacore.ports.tick_box import TickBox
from tests.strategies import MARKET, NOON
from tests.unit.simulated.stage import staged

PAIR = MARKET.pair


async def prices_of(ticks: AsyncIterator[Tick], count: int) -> list[int]:
    """Return the next *count* prices."""
    told = [(await anext(ticks)).price for _ in range(count)]
    return [int(price or 0) for price in told]


async def test_what_is_watched_is_told_beginning_with_where_it_stands() -> None:
    stage = staged()
    prices = SimulatedPrices(stage.venue)
    ticks = prices.ticks()
    await prices.watch(PAIR)
    await prices.watch(PAIR)
    stage.venue.move(PAIR, Price(Decimal(101)))
    assert await prices_of(ticks, 2) == [100, 101]
    assert await prices_of(prices.ticks(), 1) == [101]
    await prices.unwatch(PAIR)
    stage.venue.move(PAIR, Price(Decimal(102)))
    await prices.watch(PAIR)
    stage.venue.move(PAIR, Price(Decimal(103)))
    assert await prices_of(ticks, 2) == [102, 103]
    with pytest.raises(UnknownPair):
        await prices.watch("NONE")
    prices.close()
    stage.venue.move(PAIR, Price(Decimal(104)))
    assert stage.venue.price_listeners == []


@given(st.lists(st.integers(1, 50), min_size=1))
async def test_a_slow_reader_misses_no_high_no_low_and_not_the_last(drawn: list[int]) -> None:
    box = TickBox()
    for second, price in enumerate(drawn):
        at = NOON + datetime.timedelta(seconds=second)
        box.put(Tick(PAIR, Price(Decimal(price)), at))
    read: list[Tick] = []
    while not read or read[-1].at != NOON + datetime.timedelta(seconds=len(drawn) - 1):
        read.append(await box.get())
    prices = [int(tick.price or 0) for tick in read]
    assert len(read) <= 3
    assert (max(prices), min(prices), prices[-1]) == (max(drawn), min(drawn), drawn[-1])
    assert read == sorted(read, key=lambda tick: tick.at)


async def test_pairs_take_turns_and_a_tick_without_a_price_is_told() -> None:
    box = TickBox()
    box.put(Tick("A", None, NOON))
    box.put(Tick("B", Price(Decimal(1)), NOON))
    assert [(await box.get()).pair for _ in range(2)] == ["A", "B"]
