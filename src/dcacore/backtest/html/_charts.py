"""The charts over time, as what a template needs to draw them: paths, markers, ticks and words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import attrs
import numpy as np

from dcacore.backtest import curves
from dcacore.backtest.html._scales import (
    Scale,
    Tick,
    amount_scale,
    level_ticks,
    price_scale,
    round_step,
    step_places,
    time_ticks,
)
from dcacore.backtest.html._text import length_text, minute, number
from dcacore.backtest.player import to_ms
from dcacore.backtest.report import BacktestReport
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.market import Fees, Market
from dcacore.domain.orders import Role
from dcacore.ports.candle_rules import Column
from dcacore.ports.candles import Candles

MOST_POINTS: Final = 3_000
"""Most points of one series; under the 5,000 that a report may have, and more than a screen has columns."""
MOST_MARKERS: Final = 1_000
"""Most markers of one kind."""
MOST_CANDLESTICKS: Final = 400
"""Most candlesticks; more would touch each other on a wide screen."""
FULL_SIZE_MARKERS: Final = 250
"""With more markers than this in one chart, all of them are drawn smaller."""
SIZE: Final = 10_000
"""Paths are drawn on a square of this side and stretched over the plot."""

_LONG_GAP: Final = 0.01
_BODY: Final = 0.7
_TRAILING: Final = "trailing"
_MARKER_NAMES: Final = {
    Role.BASE.value: "base order",
    Role.SAFETY.value: "safety order",
    Role.TAKE_PROFIT.value: "take profit",
    _TRAILING: "trailing take profit",
    Role.STOP_LOSS.value: "stop loss",
    Role.CLOSE.value: "close",
}


@attrs.frozen(kw_only=True)
class Line:
    """A path, with what the readout needs to call it by name."""

    kind: str
    path: str
    name: str = ""


@attrs.frozen(kw_only=True)
class Markers:
    """The fills of one kind: where they lie in percent from left and top, and how many there are in all."""

    kind: str
    name: str
    points: tuple[tuple[str, str], ...]
    total: int


@attrs.frozen(kw_only=True)
class Chart:
    """One chart over time.

    Attributes:
        places: how many decimals the readout has.
        candlestick: how long one candlestick is, in words; nothing where there are none.
    """

    key: str
    title: str
    description: str
    unit: str
    across: Scale
    up: Scale
    places: int
    levels: tuple[Tick, ...]
    times: tuple[Tick, ...]
    lines: tuple[Line, ...]
    markers: tuple[Markers, ...] = ()
    candlestick: str = ""

    @property
    def zero(self) -> float | None:
        """Where zero lies, in percent from the top; None when it is not in sight."""
        return None if self.up.is_log or not self.up.low <= 0 <= self.up.high else self.up.from_top(0)

    @property
    def marker_size(self) -> str:
        """How large every marker is drawn, `m` or `s`."""
        return "m" if sum(len(each.points) for each in self.markers) <= FULL_SIZE_MARKERS else "s"

    @property
    def widest_label(self) -> int:
        """How many characters the longest label of a level has."""
        return max((len(level.label) for level in self.levels), default=1)


@attrs.frozen
class _Canvas:
    """The time axis that all charts share, and where the data has long gaps."""

    times: Column
    stretches: curves.Indices
    across: Scale
    ticks: tuple[Tick, ...]

    @classmethod
    def over(cls, candles: Candles) -> _Canvas:
        times = candles.open_time.astype(np.float64)
        half = candles.interval_ms / 2
        across = Scale(low=float(times[0]) - half, high=float(times[-1]) + half)
        longest = max(_LONG_GAP * (across.high - across.low), 1.5 * candles.interval_ms)
        stretches = np.concatenate([[0], np.cumsum(np.diff(times) > longest)])
        return cls(times, stretches, across, time_ticks(across))

    def path(self, values: Column, up: Scale) -> str:
        kept = curves.thin(values, MOST_POINTS)
        return "".join("M" + _joined(run) for run in self._runs(kept, values[kept], up))

    def area(self, values: Column, up: Scale) -> str:
        kept, base = curves.thin(values, MOST_POINTS), round(SIZE - SIZE * up.share(0))
        runs = self._runs(kept, values[kept], up)
        return "".join(f"M{run[0][0]} {base}L{_joined(run)}L{run[-1][0]} {base}Z" for run in runs)

    def _runs(self, kept: curves.Indices, values: Column, up: Scale) -> Iterator[list[tuple[int, int]]]:
        across = np.rint(SIZE * self.across.shares(self.times[kept])).astype(np.int64).tolist()
        down = np.rint(SIZE - SIZE * up.shares(values)).astype(np.int64).tolist()
        points = zip(self.stretches[kept].tolist(), across, down, strict=True)
        for _, run in itertools.groupby(points, key=lambda point: point[0]):
            yield [(x, y) for _, x, y in run]


def _joined(run: list[tuple[int, int]]) -> str:
    # A path of one point is drawn as a dot, but only when it goes somewhere.
    points = run if len(run) > 1 else run * 2
    return "L".join(f"{x} {y}" for x, y in points)


def time_charts(
    report: BacktestReport, candles: Candles, market: Market, fees: Fees, price_places: int
) -> dict[str, Chart]:
    """Return the charts of price, equity and drawdown by these names; without the last where nothing ever fell."""
    canvas = _Canvas.over(candles)
    equity = curves.equity(report.marks, candles)
    fallen = curves.drawdown(equity)
    funds = report.statistics.max_funds
    held = curves.buy_and_hold(funds, candles, fees) if funds else None
    charts = [
        _price(report, candles, market, canvas, price_places),
        _equity(equity, held, market, canvas),
    ]
    if fallen.min() < 0:
        charts.append(_drawdown(fallen, candles, market, canvas))
    return {chart.key: chart for chart in charts}


def _price(report: BacktestReport, candles: Candles, market: Market, canvas: _Canvas, places: int) -> Chart:
    lowest, highest = int(candles.low.argmin()), int(candles.high.argmax())
    up = price_scale(float(candles.low[lowest]), float(candles.high[highest]))
    sticks = curves.Candlesticks.of(candles, MOST_CANDLESTICKS)
    deals = [deal.deal for deal in report.deals] + ([report.open_deal.deal] if report.open_deal is not None else [])
    return Chart(
        key="price",
        title=f"Price of {market.pair} and the bot's orders",
        description=(
            f"From {number(float(candles.open[0]), places)} to {number(float(candles.close[-1]), places)} "
            f"{market.quote_asset}; lowest {number(float(candles.low[lowest]), places)} on "
            f"{minute(int(candles.open_time[lowest]))}, highest {number(float(candles.high[highest]), places)} on "
            f"{minute(int(candles.open_time[highest]))}." + (" Markers show where orders filled." if deals else "")
        ),
        unit=market.quote_asset,
        across=canvas.across,
        up=up,
        places=min(places, _amount_places(up)),
        levels=level_ticks(up),
        times=canvas.ticks,
        lines=_candlesticks(candles, sticks, canvas, up),
        markers=tuple(_markers(deals, canvas.across, up)),
        candlestick=length_text(sticks.length_ms),
    )


def _candlesticks(candles: Candles, sticks: curves.Candlesticks, canvas: _Canvas, up: Scale) -> tuple[Line, ...]:
    # The axis has a candle's middle at its opening time, which is where the fills inside it are marked, too.
    edges = [
        canvas.across.shares(times.astype(np.float64) - candles.interval_ms / 2) for times in (sticks.start, sticks.end)
    ]
    middle, half = SIZE * (edges[0] + edges[1]) / 2, SIZE * (edges[1] - edges[0]) / 2 * _BODY
    left, centre, right = (np.rint(each).astype(np.int64).tolist() for each in (middle - half, middle, middle + half))
    opens, highs, lows, closes = (
        np.rint(SIZE - SIZE * up.shares(column)).astype(np.int64)
        for column in (sticks.open, sticks.high, sticks.low, sticks.close)
    )
    top, bottom = np.minimum(opens, closes).tolist(), np.maximum(opens, closes).tolist()
    wicks = zip(centre, highs.tolist(), top, bottom, lows.tolist(), strict=True)
    bodies: dict[bool, list[str]] = {True: [], False: []}
    for x, end, above, below, has_risen in zip(left, right, top, bottom, sticks.close >= sticks.open, strict=True):
        bodies[bool(has_risen)].append(f"M{x} {above}H{end}V{below}H{x}Z")
    return (
        Line(
            kind="wick", path="".join(f"M{x} {high}V{above}M{x} {below}V{low}" for x, high, above, below, low in wicks)
        ),
        Line(kind="rise", path="".join(bodies[True])),
        Line(kind="fall", path="".join(bodies[False])),
        Line(kind="hidden", name="close", path=canvas.path(candles.close, up)),
    )


def _markers(deals: Sequence[Deal], across: Scale, up: Scale) -> Iterator[Markers]:
    fills = [
        (_kind(deal, order.role), to_ms(fill.at), float(fill.price))
        for deal in deals
        for order in deal.orders.values()
        for fill in order.fills
    ]
    for kind, name in _MARKER_NAMES.items():
        mine = [(time_ms, price) for fill_kind, time_ms, price in fills if fill_kind == kind]
        if mine:
            times, prices = (np.array(column, dtype=np.float64) for column in zip(*mine, strict=True))
            kept = curves.thin(prices, MOST_MARKERS)
            left, top = 100 * across.shares(times[kept]), 100 - 100 * up.shares(prices[kept])
            yield Markers(
                kind=kind,
                name=name,
                points=tuple((f"{x:.2f}", f"{y:.2f}") for x, y in zip(left.tolist(), top.tolist(), strict=True)),
                total=len(mine),
            )


def _kind(deal: Deal, role: Role) -> str:
    is_trailing = role is Role.TAKE_PROFIT and deal.exit is Exit.TRAILING_TAKE_PROFIT
    return _TRAILING if is_trailing else role.value


def _equity(equity: Column, held: Column | None, market: Market, canvas: _Canvas) -> Chart:
    series = [equity] if held is None else [equity, held]
    up = amount_scale(float(min(values.min() for values in series)), float(max(values.max() for values in series)))
    up = up if up.high > up.low else Scale(low=-1, high=1)
    places = _amount_places(up)
    lines = [Line(kind="equity", name="bot", path=canvas.path(equity, up))]
    ends = f"The bot ends at {number(float(equity[-1]), places)} {market.quote_asset}"
    if held is not None:
        lines.insert(0, Line(kind="held", name="buy and hold", path=canvas.path(held, up)))
        ends += f", buy and hold at {number(float(held[-1]), places)}"
    return Chart(
        key="equity",
        title="Profit so far plus unrealized, against buy and hold",
        description=f"{ends}.",
        unit=market.quote_asset,
        across=canvas.across,
        up=up,
        places=places,
        levels=level_ticks(up),
        times=canvas.ticks,
        lines=tuple(lines),
    )


def _drawdown(fallen: Column, candles: Candles, market: Market, canvas: _Canvas) -> Chart:
    up = amount_scale(float(fallen.min()), 0.0)
    places, deepest = _amount_places(up), int(fallen.argmin())
    return Chart(
        key="drawdown",
        title="How far the bot stood below its earlier peak",
        description=(
            f"Deepest on {minute(int(candles.open_time[deepest]))}, {number(-float(fallen[deepest]), places)} "
            f"{market.quote_asset} below the peak before it."
        ),
        unit=market.quote_asset,
        across=canvas.across,
        up=up,
        places=places,
        levels=level_ticks(up),
        times=canvas.ticks,
        lines=(
            Line(kind="under", path=canvas.area(fallen, up)),
            Line(kind="fallen", name="drawdown", path=canvas.path(fallen, up)),
        ),
    )


def _amount_places(up: Scale) -> int:
    return step_places(round_step((up.high - up.low) / 1000))
