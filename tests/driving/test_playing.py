"""Candles at a pace, markets made of chance, and markets moved by hand."""

from __future__ import annotations

import asyncio
import itertools
from decimal import Decimal
from random import Random
from typing import ClassVar

import pytest

from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.local_exchange.driving.hand import Hand
from dcacore.local_exchange.driving.pace import REAL_TIME, Player
from dcacore.local_exchange.driving.points import Series, candle_points
from dcacore.local_exchange.driving.walk import Walk, walk_points
from dcacore.ports.errors import UnknownPair
from tests.driving.test_stepper import ANNA, ROWS, Scene, p
from tests.simulation.clock import VirtualClock
from tests.simulation.loop import VirtualLoop
from tests.strategies import MARKET, NOON, candles

OTHER = Market(pair="DEFXYZ", base_asset="DEF", quote_asset="XYZ", tick_size="0.5", step_size="1")


@pytest.mark.parametrize(("pace", "seconds"), [(REAL_TIME, 60), (Decimal(4), 0.25), (Decimal("0.1"), 10)])
def test_candles_are_played_at_a_pace(pace: Decimal | None, seconds: float) -> None:
    loop = VirtualLoop(Random(1))
    venue = SimulatedVenue(lambda: NOON)
    seen: list[tuple[float, str, int]] = []
    venue.price_listeners.append(lambda pair, price, at: seen.append((loop.time(), pair, int(price))))
    venue.list_pair(MARKET)
    venue.list_pair(OTHER)
    series = [Series(MARKET, candles(ROWS)), Series(OTHER, candles([("10", "12", "9.5", "9.5")]))]
    player = Player(market=venue, points=candle_points(series), clock=VirtualClock(loop), candles_per_second=pace)
    loop.run_until_complete(player.run())
    loop.close()
    times = [at for at, pair, _ in seen if pair == MARKET.pair]
    assert times == pytest.approx([seconds * number / 4 for number in range(8)])
    assert [price for _, pair, price in seen if pair == MARKET.pair] == [100, 104, 95, 101, 98, 99, 90, 92]
    assert [at for at, pair, _ in seen if pair == OTHER.pair] == times[:4]


class Late(VirtualClock):
    """A clock by which everything is long due."""

    def monotonic(self) -> float:
        return float(next(self.hurry))

    hurry: ClassVar[itertools.count[int]] = itertools.count(0, 1_000)


def test_however_fast_it_is_others_get_their_turn() -> None:
    venue = SimulatedVenue(lambda: NOON)
    venue.list_pair(MARKET)
    loop = VirtualLoop(Random(1))
    turns: list[Price | None] = []

    async def other() -> None:
        while True:
            turns.append(venue.price(MARKET.pair))
            await asyncio.sleep(0)

    async def both() -> None:
        task = loop.create_task(other())
        points = candle_points([Series(MARKET, candles(ROWS))])
        await Player(venue, points, Late(loop), Decimal(10)).run()
        task.cancel()

    loop.run_until_complete(both())
    loop.close()
    assert len(set(turns)) >= 4


def test_the_walk_is_the_same_for_the_same_seed_and_never_ends() -> None:
    walks = [Walk(MARKET, p("250")), Walk(OTHER, p("1000"))]
    one, same, other = (list(itertools.islice(walk_points(walks, seed), 2_000)) for seed in (1, 1, 2))
    assert one == same
    assert [point.price for point in one] != [point.price for point in other]
    assert [one[0].price, one[1].price] == [250, 1000]
    assert {point.symbol for point in one} == {MARKET.pair, OTHER.pair}
    ratios = [[point.price / walk.start for point in one if point.symbol == walk.market.pair] for walk in walks]
    assert max(ratios[0]) != pytest.approx(max(ratios[1]), rel=Decimal("0.0001"))
    assert all(Decimal("0.8") < ratio < Decimal("1.25") for ratio in (*ratios[0], *ratios[1]))


def test_a_year_follows_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcacore.local_exchange.driving.walk.random_walk", _two_candles)
    points = list(itertools.islice(walk_points([Walk(MARKET, p("100"))], 1), 16))
    assert [point.at for point in points] == sorted(point.at for point in points)
    assert len({point.candle for point in points}) == 4


def _two_candles(*_: object, **__: object) -> object:
    return candles(ROWS)


def test_a_jump_by_hand_fills_at_own_limits_and_a_move_trades_through_every_tick() -> None:
    jumped, moved = Scene(), Scene()
    for scene in (jumped, moved):
        scene.steps(1)
        scene.rest("98", "99")
        scene.told.clear()
    Hand(jumped.venue).price(MARKET.pair, p("95"))
    Hand(moved.venue, lambda symbol: [p("97"), p("120")]).move(MARKET.pair, p("95"))
    assert jumped.told == ["fill 99", "fill 98", "price 95"]
    assert moved.told == ["fill 99", "price 99", "fill 98", "price 98", "price 97", "price 95"]
    Hand(moved.venue).move(MARKET.pair, p("95"))
    assert moved.told[-1] == "price 95"
    assert len(moved.venue.books(ANNA).trades) == 2


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "100.001"])
def test_what_is_no_price_is_refused(price: str) -> None:
    scene = Scene()
    for act in (Hand(scene.venue).price, Hand(scene.venue).move):
        with pytest.raises(ValueError, match="no price"):
            act(MARKET.pair, p(price))
        with pytest.raises(UnknownPair):
            act("NONE", p("5"))
    assert scene.venue.price(MARKET.pair) is None
