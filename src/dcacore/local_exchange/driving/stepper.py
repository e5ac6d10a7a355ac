"""Steps by hand: the market goes on to the next price that matters, and stands there until somebody has reacted.

A backtest tells a bot what happens in one exact order. A bot at the other end of a wire hears of fills and of prices
on two ways, and which comes first changes what it does. So that it does the same, a step that fills orders becomes
two, with time to react in between:

* the price first, then the fills: the next deal begins at the price at which the last one was sold;
* where the price is a watched one, the fills first: buys come before the stop loss that stands at their price.

At most points of a candle there is nothing to react to. Who says what it waits for can let a step go on past them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Final

import attrs

from dcacore.domain.money import Price, exact
from dcacore.local_exchange.driving.clock import ExchangeClock
from dcacore.local_exchange.driving.market import Movable, is_order_at, next_stop
from dcacore.local_exchange.driving.points import Point, PointKind


class Stop(Enum):
    """What ended a step."""

    POINT = "point"  # a point of the candle, and nothing else
    ORDER = "order"  # a price at which orders rest
    WATCHED = "watched"  # a watched price
    NEAR = "near"  # one tick before a price that is watched and at which orders rest, or the point before such a jump


class Pending(Enum):
    """What of a step comes with the next one, at the same price."""

    NOTHING = "nothing"
    FILLS = "fills"  # the price has been told
    PRICE = "price"  # the fills have been told


@attrs.frozen(kw_only=True)
class Stand:
    """Where a step has come to.

    Attributes:
        symbol: the market that moved.
        price: where it stands.
        at: the exchange's time.
        candle: the number of the symbol's candle, from 0.
        point: which point of the candle that is; None on the way to one.
        stopped_by: what ended the step.
        pending: what has not been told yet, and comes with the next step.
        is_over: whether nothing is left to come.
    """

    symbol: str
    price: Price
    at: datetime.datetime
    candle: int
    point: PointKind | None
    stopped_by: Stop
    pending: Pending = Pending.NOTHING
    is_over: bool = False


@attrs.frozen
class _Watch:
    """What a market is watched for."""

    prices: frozenset[Price] = frozenset()
    above: Price | None = None


@attrs.frozen
class _Reach:
    """How far a market goes towards a point in one step."""

    price: Price
    stopped_by: Stop
    pending: Pending
    is_jump: bool


_UNWATCHED: Final = _Watch()


class Stepper:
    """Moves markets along points, a step at a time; meanwhile the exchange's clock stands at the time of the data.

    Attributes:
        last: where the last step has come to; None before the first.
        behind: the last point that has been come to and that nothing is pending of; None before the first.
    """

    def __init__(
        self,
        market: Movable,
        clock: ExchangeClock,
        points: Iterator[Point],
        arrived: Callable[[Point], object] = lambda _: None,
    ) -> None:
        """Stand before the first of *points*, at its time; *arrived* is told of each that the market has come to.

        Raises:
            ValueError: there are none.
        """
        self._market = market
        self._clock = clock
        self._points = points
        self._arrived = arrived
        self._target: Point | None = None  # where the market is going; None where it has arrived
        self._ahead = next(points, None)
        self._watches: dict[str, _Watch] = {}
        self._untold: dict[str, Point] = {}  # by market: the point that it stands at, if it went there without a word
        self._reached: Point | None = None
        self.behind: Point | None = None
        self.last: Stand | None = None
        if self._ahead is None:
            message = "there are no candles to step through"
            raise ValueError(message)
        clock.stands_at = self._ahead.at

    def watch(self, symbol: str, prices: Iterable[Price], above: Price | None = None) -> None:
        """Let steps of *symbol* stop at *prices* too, and no more at those of the call before.

        Steps that go on past points stop all the same at a point above *above*: a new high.
        """
        self._watches[symbol] = _Watch(frozenset(prices), above)

    def watched(self, symbol: str) -> frozenset[Price]:
        """Return the prices of *symbol* at which steps stop too."""
        return self._watches.get(symbol, _UNWATCHED).prices

    def step(self, *, past_points: bool = False, until: datetime.datetime | None = None) -> Stand:
        """Go on to the next candle's point, resting order or watched price, and return where that is.

        Where the data has ended nothing moves, and the last stand is returned once more.

        Args:
            past_points: go on past points at which there is nothing else, and tell nobody of their prices.
            until: stop at the first point of this time or later.
        """
        if self.last is not None and self.last.pending is not Pending.NOTHING:
            self.last = self._tell_rest(self.last)
        elif self.last is None or not self.last.is_over:
            self.last = self._go_on(past_points=past_points, until=until)
        return self.last

    def _tell_rest(self, stand: Stand) -> Stand:
        if stand.pending is Pending.FILLS:
            self._market.fill_reached(stand.symbol)
        else:
            self._market.tell_price(stand.symbol)
        if stand.point is not None:
            self.behind = self._reached
        return attrs.evolve(stand, pending=Pending.NOTHING, is_over=self._is_over)

    @property
    def _is_over(self) -> bool:
        return self._target is None and self._ahead is None

    @exact
    def _go_on(self, *, past_points: bool, until: datetime.datetime | None) -> Stand:
        while True:
            target = self._target or self._ahead
            if target is None:
                message = "the data has ended"
                raise AssertionError(message)
            reach = self._reach(target)
            if reach.is_jump and reach.pending is Pending.PRICE and target.symbol in self._untold:
                return self._stand_before(self._untold[target.symbol])
            is_there = self._go_to(target, reach)
            is_point = is_there and reach.stopped_by is Stop.POINT
            if past_points and is_point and not self._is_over and not self._is_wanted(target, until):
                self._untold[target.symbol] = self.behind = target
                continue
            self._tell_where_others_stand(target.symbol)
            if reach.pending is Pending.PRICE:
                self._market.fill_reached(target.symbol)
            else:
                self._market.tell_price(target.symbol)
            if is_there and reach.pending is Pending.NOTHING:
                self.behind = target
            return Stand(
                symbol=target.symbol,
                price=reach.price,
                at=target.at,
                candle=target.candle,
                point=target.kind if is_there else None,
                stopped_by=reach.stopped_by,
                pending=reach.pending,
                is_over=reach.pending is Pending.NOTHING and self._is_over,
            )

    def _go_to(self, target: Point, reach: _Reach) -> bool:
        """Bring the market as far as it reaches, and say whether that is its point."""
        if self._target is None:
            self._target, self._ahead = target, next(self._points, None)
        self._clock.stands_at = target.at
        self._market.set_price(target.symbol, reach.price)
        if reach.price != target.price:
            return False
        self._target, self._reached = None, target
        self._arrived(target)
        return True

    def _reach(self, target: Point) -> _Reach:
        market, symbol = self._market, target.symbol
        here, watched = market.price(symbol), self.watched(symbol)
        is_jump = target.kind is PointKind.OPEN or here is None
        price = target.price if is_jump else next_stop(market, symbol, target.price, watched)
        is_order = is_order_at(market, symbol, price)
        is_watched = here is not None and any(_is_passed(level, here, price) for level in watched)
        stopped_by = Stop.ORDER if is_order else Stop.WATCHED if is_watched else Stop.POINT
        pending = Pending.NOTHING
        if is_order:
            pending = Pending.PRICE if is_watched else Pending.FILLS
        if pending is Pending.PRICE and here is not None and not is_jump:
            tick = market.listing(symbol).market.tick_size
            near = Price(price + tick if price < here else price - tick)
            if near != here:  # who hears of the fill before the price then knows the price all but for a tick
                return _Reach(near, Stop.NEAR, Pending.NOTHING, is_jump)
        return _Reach(price, stopped_by, pending, is_jump)

    def _is_wanted(self, point: Point, until: datetime.datetime | None) -> bool:
        above = self._watches.get(point.symbol, _UNWATCHED).above
        return (until is not None and point.at >= until) or (above is not None and point.price > above)

    def _stand_before(self, point: Point) -> Stand:
        """Tell the price from which a jump over orders and watched prices begins: of the fills it is heard first."""
        self._tell_where_others_stand("")
        return Stand(
            symbol=point.symbol,
            price=point.price,
            at=point.at,
            candle=point.candle,
            point=point.kind,
            stopped_by=Stop.NEAR,
        )

    def _tell_where_others_stand(self, symbol: str) -> None:
        """Tell the price of each market that has moved without a word; that of *symbol* is told by who calls."""
        self._untold.pop(symbol, None)
        for untold in tuple(self._untold):
            self._market.tell_price(untold)
        self._untold.clear()


def _is_passed(level: Price, here: Price, there: Price) -> bool:
    return here < level <= there or there <= level < here
