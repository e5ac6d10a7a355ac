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
from dcacore.backtest.html._text import minute, number
from dcacore.backtest.player import to_ms
from dcacore.backtest.report import BacktestReport
from dcacore.domain.deal import Deal
from dcacore.domain.market import Fees, Market
from dcacore.domain.orders import Role
from dcacore.ports.candle_rules import Column
from dcacore.ports.candles import Candles

MOST_POINTS: Final = 3_000
"""Most points of one series; under the 5,000 that a report may have, and more than a screen has columns."""
MOST_MARKERS: Final = 1_000
"""Most markers of one role."""
MOST_CANDLES: Final = 240
"""Up to so many candles are drawn one by one."""
SIZE: Final = 10_000
"""Paths are drawn on a square of this side and stretched over the plot."""

_LONG_GAP: Final = 0.01
_BODY: Final = 0.7
_ROLE_NAMES: Final = {
    Role.BASE: "base order",
    Role.SAFETY: "safety order",
    Role.TAKE_PROFIT: "take profit",
    Role.STOP_LOSS: "stop loss",
    Role.CLOSE: "close",
}


@attrs.frozen(kw_only=True)
class Line:
    """A path, with what the readout needs to call it by name."""

    kind: str
    path: str
    name: str = ""


@attrs.frozen(kw_only=True)
class Markers:
    """The fills of one role: where they lie in percent from left and top, and how many there are in all."""

    kind: str
    name: str
    points: tuple[tuple[str, str], ...]
    total: int


@attrs.frozen(kw_only=True)
class Chart:
    """One chart over time; *places* is how many decimals the readout has."""

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
    has_candles: bool = False

    @property
    def zero(self) -> float | None:
        """Where zero lies, in percent from the top; None when it is not in sight."""
        return None if self.up.is_log or not self.up.low <= 0 <= self.up.high else self.up.from_top(0)

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

    def band(self, lows: Column, highs: Column, up: Scale) -> str:
        edges = curves.bucket_edges(len(lows), MOST_POINTS // 2)
        floor, ceiling = np.minimum.reduceat(lows, edges), np.maximum.reduceat(highs, edges)
        pairs = zip(self._runs(edges, ceiling, up), self._runs(edges, floor, up), strict=True)
        return "".join(f"M{_joined([*above, *reversed(below)])}Z" for above, below in pairs)

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
    few = len(candles) <= MOST_CANDLES
    lines = _candlesticks(candles, canvas, up) if few else _band_and_close(candles, canvas, up)
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
        lines=lines,
        markers=tuple(_markers(deals, canvas.across, up)),
        has_candles=few,
    )


def _band_and_close(candles: Candles, canvas: _Canvas, up: Scale) -> tuple[Line, ...]:
    return (
        Line(kind="band", path=canvas.band(candles.low, candles.high, up)),
        Line(kind="close", name="close", path=canvas.path(candles.close, up)),
    )


def _candlesticks(candles: Candles, canvas: _Canvas, up: Scale) -> tuple[Line, ...]:
    middle = SIZE * canvas.across.shares(canvas.times)
    width = SIZE * candles.interval_ms / (canvas.across.high - canvas.across.low) * _BODY
    left, centre = np.rint(middle - width / 2).astype(np.int64), np.rint(middle).astype(np.int64)
    opens, highs, lows, closes = (
        np.rint(SIZE - SIZE * up.shares(column)).astype(np.int64)
        for column in (candles.open, candles.high, candles.low, candles.close)
    )
    top, bottom = np.minimum(opens, closes), np.maximum(opens, closes)
    is_up = candles.close >= candles.open
    rows = list(zip(centre, left, highs, lows, top, bottom, is_up, strict=True))
    wicks = "".join(f"M{x} {high}V{above}M{x} {below}V{low}" for x, _, high, low, above, below, _ in rows)
    bodies = {
        rising: "".join(
            f"M{x} {above}h{round(width)}V{below}h{-round(width)}Z"
            for _, x, _, _, above, below, is_up in rows
            if is_up == rising
        )
        for rising in (True, False)
    }
    return (
        Line(kind="wick", path=wicks),
        Line(kind="rise", path=bodies[True]),
        Line(kind="fall", path=bodies[False]),
        Line(kind="hidden", name="close", path=canvas.path(candles.close, up)),
    )


def _markers(deals: Sequence[Deal], across: Scale, up: Scale) -> Iterator[Markers]:
    fills = [
        (order.role, to_ms(fill.at), float(fill.price))
        for deal in deals
        for order in deal.orders.values()
        for fill in order.fills
    ]
    for role, name in _ROLE_NAMES.items():
        mine = [(time_ms, price) for fill_role, time_ms, price in fills if fill_role is role]
        if mine:
            times, prices = (np.array(column, dtype=np.float64) for column in zip(*mine, strict=True))
            kept = curves.thin(prices, MOST_MARKERS)
            left, top = 100 * across.shares(times[kept]), 100 - 100 * up.shares(prices[kept])
            yield Markers(
                kind=role.value,
                name=name,
                points=tuple((f"{x:.2f}", f"{y:.2f}") for x, y in zip(left.tolist(), top.tolist(), strict=True)),
                total=len(mine),
            )


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
