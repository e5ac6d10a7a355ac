"""Where steps stop, what they tell and when, and that the clock is the data's."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal

import pytest

from dcacore.adapters.simulated.hands import Hand
from dcacore.adapters.simulated.path import Path
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.ids import AccountId
from dcacore.domain.money import BaseQty, Price
from dcacore.local_exchange.driving.clock import ExchangeClock
from dcacore.local_exchange.driving.points import PointKind, Position, Series, candle_points
from dcacore.local_exchange.driving.stepper import Pending, Stand, Stepper, Stop
from dcacore.ports.exchange import OrderChanged
from tests.strategies import MARKET, NOON, candles

ANNA = AccountId("anna")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
ROWS = [("100", "104", "95", "101"), ("98", "99", "90", "92")]


def p(text: str) -> Price:
    """Return a price."""
    return Price(Decimal(text))


class Scene:
    """A venue that is stepped through some candles, and what is told on it."""

    def __init__(self, rows: list[tuple[str, str, str, str]] | None = None) -> None:
        self.clock = ExchangeClock(lambda: NOON)
        self.venue = SimulatedVenue(self.clock.now)
        self.venue.list_pair(MARKET)
        self.venue.open_account(ANNA, {"XYZ": Decimal(10_000), "ABC": Decimal(10)})
        self.stepper = Stepper(self.venue, self.clock, candle_points([Series(MARKET, candles(rows or ROWS))]))
        self.told: list[str] = []
        self.venue.price_listeners.append(lambda pair, price, at: self.told.append(f"price {price}"))
        self.venue.account(ANNA).listeners.append(
            lambda event: (
                self.told.extend(f"fill {trade.price}" for trade in event.order.trades)
                if isinstance(event, OrderChanged)
                else None
            )
        )

    def rest(self, *prices: str) -> None:
        """Rest a buy of one coin at each of *prices*."""
        for price in prices:
            Hand(self.venue, ANNA).buy(MARKET.pair, BaseQty(Decimal(1)), p(price))

    def steps(self, count: int) -> list[Stand]:
        """Make so many steps."""
        return [self.stepper.step() for _ in range(count)]


def prices(stands: Iterable[Stand]) -> list[str]:
    """Return where they stand."""
    return [str(stand.price.normalize()) for stand in stands]


def test_without_anything_to_meet_steps_stop_at_the_four_points_of_each_candle() -> None:
    scene = Scene()
    stands = scene.steps(8)
    assert [int(stand.price) for stand in stands] == [100, 104, 95, 101, 98, 99, 90, 92]
    assert [stand.point for stand in stands] == [*PointKind] * 2
    assert [stand.candle for stand in stands] == [0] * 4 + [1] * 4
    assert {stand.stopped_by for stand in stands} == {Stop.POINT}
    assert [stand.is_over for stand in stands] == [False] * 7 + [True]
    assert scene.stepper.step() == stands[-1]
    assert len(scene.told) == 8


def test_the_clock_is_that_of_the_data() -> None:
    scene = Scene()
    assert scene.venue.now() == EPOCH
    assert not scene.clock.is_running
    scene.steps(5)
    assert scene.venue.now() == EPOCH + datetime.timedelta(minutes=1)


def test_a_step_stops_at_orders_and_tells_the_price_first() -> None:
    scene = Scene()
    scene.steps(2)
    scene.rest("97")
    scene.told.clear()
    first, second, third = scene.steps(3)
    assert (first.price, first.stopped_by, first.pending, first.point) == (p("97"), Stop.ORDER, Pending.FILLS, None)
    assert (second.price, second.pending) == (p("97"), Pending.NOTHING)
    assert (third.price, third.point) == (p("95"), PointKind.SECOND)
    assert scene.told == ["price 97", "fill 97", "price 95.00"]


def test_a_step_stops_at_watched_prices_until_others_are_watched() -> None:
    scene = Scene()
    scene.stepper.watch(MARKET.pair, [p("102.5"), p("97"), p("80")])
    stands = scene.steps(5)
    assert [(int(one.price * 10), one.stopped_by) for one in stands] == [
        (1000, Stop.POINT),
        (1025, Stop.WATCHED),
        (1040, Stop.POINT),
        (1025, Stop.WATCHED),
        (970, Stop.WATCHED),
    ]
    scene.stepper.watch(MARKET.pair, [])
    assert [int(one.price) for one in scene.steps(2)] == [95, 101]


def test_where_a_price_is_watched_and_an_order_rests_the_fill_is_told_first() -> None:
    scene = Scene()
    scene.steps(2)
    scene.rest("97")
    scene.stepper.watch(MARKET.pair, [p("97")])
    scene.told.clear()
    near, filled, told = scene.steps(3)
    assert (near.price, near.stopped_by) == (p("97.01"), Stop.NEAR)
    assert (filled.price, filled.pending) == (p("97"), Pending.PRICE)
    assert (told.price, told.pending) == (p("97"), Pending.NOTHING)
    assert [what.split()[0] for what in scene.told] == ["price", "fill", "price"]


def test_a_jump_fills_what_it_has_passed_at_its_own_limits_before_the_watched_price_is_told() -> None:
    scene = Scene()
    scene.steps(4)
    scene.rest("100", "99.5")
    scene.stepper.watch(MARKET.pair, [p("99")])
    scene.told.clear()
    filled, told = scene.steps(2)
    assert (filled.price, filled.pending, filled.point) == (p("98"), Pending.PRICE, PointKind.OPEN)
    assert told.pending is Pending.NOTHING
    assert [what.split()[0] for what in scene.told] == ["fill", "fill", "price"]


def test_a_step_can_go_on_past_points_at_which_there_is_nothing_and_tells_nobody_of_them() -> None:
    scene = Scene()
    scene.steps(1)
    scene.rest("92.5")
    scene.stepper.watch(MARKET.pair, [p("103")])
    scene.told.clear()
    stands = [scene.stepper.step(past_points=True) for _ in range(5)]
    assert prices(stands) == ["103", "103", "92.5", "92.5", "92"]
    assert [one.stopped_by for one in stands[1:4]] == [Stop.WATCHED, Stop.ORDER, Stop.ORDER]
    assert [one.is_over for one in stands] == [False] * 4 + [True]
    assert scene.told == ["price 103", "price 103", "price 92.5", "fill 92.5", "price 92.00"]


def test_on_its_way_past_points_a_step_stops_at_a_new_high_and_at_a_time() -> None:
    scene = Scene()
    scene.stepper.watch(MARKET.pair, [], p("102"))
    minute = EPOCH + datetime.timedelta(minutes=1)
    high, opened = (scene.stepper.step(past_points=True, until=minute) for _ in range(2))
    assert (high.price, high.point, high.stopped_by) == (p("104"), PointKind.FIRST, Stop.POINT)
    assert (opened.price, opened.point, opened.at) == (p("98"), PointKind.OPEN, minute)
    later = scene.stepper.step(past_points=True, until=minute)
    assert later.price == p("99")  # it is that time already


def test_before_a_jump_over_an_order_and_a_watched_price_a_step_tells_where_it_begins() -> None:
    scene = Scene([("100", "104", "99", "101"), ("95", "96", "94", "95.5")])
    scene.steps(1)
    scene.rest("98")
    scene.stepper.watch(MARKET.pair, [p("97")])
    scene.told.clear()
    before, filled, told = (scene.stepper.step(past_points=True) for _ in range(3))
    assert (before.price, before.stopped_by, before.at) == (p("101"), Stop.NEAR, EPOCH)
    assert (filled.price, filled.pending, told.pending) == (p("95"), Pending.PRICE, Pending.NOTHING)
    assert scene.told == ["price 101.00", "fill 98", "price 95.00"]


def test_where_a_step_ends_the_prices_of_all_markets_have_been_told() -> None:
    other = MARKET.__class__(pair="DEFXYZ", base_asset="DEF", quote_asset="XYZ", tick_size="0.5", step_size="1")
    rows = [("10", "12", "9.5", "11"), ("11.5", "12", "11", "11")]
    both = [Series(MARKET, candles(ROWS)), Series(other, candles(rows))]
    clock = ExchangeClock(lambda: NOON)
    venue = SimulatedVenue(clock.now)
    for one in both:
        venue.list_pair(one.market)
    stepper = Stepper(venue, clock, candle_points(both))
    told: dict[str, Price] = {}
    venue.price_listeners.append(lambda pair, price, _at: told.update({pair: price}))
    stepper.watch("DEFXYZ", [p("11.5")])
    while not (stand := stepper.step(past_points=True)).is_over:
        assert told == venue.prices()
        assert stand.symbol == "DEFXYZ"
    assert told == venue.prices() == {"ABCXYZ": p("92"), "DEFXYZ": p("11")}


def test_it_is_known_which_point_is_behind_all_that_has_been_told() -> None:
    scene = Scene()
    scene.steps(1)
    scene.rest("98")
    seen = []
    for _ in range(5):
        scene.stepper.step(past_points=True)
        seen.append(None if scene.stepper.behind is None else (scene.stepper.behind.candle, scene.stepper.behind.kind))
    last = (1, PointKind.CLOSE)
    assert seen == [(0, PointKind.FIRST), (0, PointKind.FIRST), last, last, last]


def test_several_markets_go_along_together() -> None:
    other = MARKET.__class__(pair="DEFXYZ", base_asset="DEF", quote_asset="XYZ", tick_size="0.5", step_size="1")
    both = [Series(MARKET, candles(ROWS)), Series(other, candles([("10", "12", "9.5", "9.5")]))]
    points = list(candle_points(both))
    assert [point.symbol for point in points[:4]] == ["ABCXYZ", "DEFXYZ"] * 2
    assert [point.at for point in points] == sorted(point.at for point in points)
    assert len(points) == 12
    for number, point in enumerate(points):
        assert list(candle_points(both, after=Position.of(point))) == points[number + 1 :]


def test_the_path_is_that_of_a_backtest() -> None:
    series = Series(MARKET, candles(ROWS))
    assert [int(point.price) for point in candle_points([series], Path.LOW_FIRST)][:4] == [100, 95, 104, 101]
    assert [int(point.price) for point in candle_points([series], Path.HIGH_FIRST)][:4] == [100, 104, 95, 101]


def test_no_candles_are_nothing_to_step_through() -> None:
    clock = ExchangeClock(lambda: NOON)
    with pytest.raises(ValueError, match="no candles"):
        Stepper(SimulatedVenue(clock.now), clock, iter(()))
