"""How the deals' profits and durations are spread."""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import attrs

from dcacore.backtest.html._scales import Scale, Tick, amount_scale, count_ticks, level_ticks, round_step, step_places
from dcacore.backtest.html._text import counted, duration, number
from dcacore.backtest.report import ClosedDeal

_BINS: Final = 24
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_DURATIONS: Final = (
    *(0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 16 * _HOUR),
    *(_DAY, 2 * _DAY, 4 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY, 60 * _DAY, 120 * _DAY, 365 * _DAY),
)
_GAP: Final = 0.08
_LEAST_HEIGHT: Final = 0.012  # so that a single deal among thousands is still seen
_MOST_EDGES: Final = 9


@attrs.frozen(kw_only=True)
class Bar:
    """One bar, in percent of the plot, and what it says."""

    left: float
    width: float
    height: float
    text: str
    is_loss: bool = False


@attrs.frozen(kw_only=True)
class Histogram:
    """Bars of how many deals fall in which range."""

    key: str
    title: str
    description: str
    unit: str
    bars: tuple[Bar, ...]
    levels: tuple[Tick, ...]
    ticks: tuple[Tick, ...]

    @property
    def widest_label(self) -> int:
        """How many characters the longest label of a level has."""
        return max(len(level.label) for level in self.levels)


def profit_histogram(deals: Sequence[ClosedDeal], quote_asset: str) -> Histogram:
    """Return how many deals made how much; *deals* must not be empty."""
    profits = [float(deal.profit) for deal in deals]
    low, high = min(profits), max(profits)
    step = round_step((high - low) / _BINS if high > low else (abs(high) or 1.0) / 4)
    places, first, last = step_places(step), math.floor(low / step), math.floor(high / step)
    counts = Counter(math.floor(profit / step) for profit in profits)
    across = Scale(low=first * step, high=(last + 1) * step)
    up = amount_scale(0, max(counts.values()))
    bars = tuple(
        _bar(
            place - first,
            last - first + 1,
            up.share(counts[place]),
            f"{counted(counts[place], 'deal')} from {number(place * step, places)} "
            f"to {number((place + 1) * step, places)} {quote_asset}",
            is_loss=place < 0,
        )
        for place in sorted(counts)
    )
    # The same round numbers as along any other axis, only that this one points to the right.
    ticks = tuple(
        Tick(at=round(100 - tick.at, 2), label=tick.label, is_minor=place % 2 == 1)
        for place, tick in enumerate(level_ticks(across))
    )
    losses = sum(profit <= 0 for profit in profits)
    return Histogram(
        key="profits",
        title="Profit of a deal",
        description=(
            f"{counted(len(profits) - losses, 'deal')} with a profit, {counted(losses, 'deal')} without; "
            f"from {number(low, places)} to {number(high, places)} {quote_asset}."
        ),
        unit=quote_asset,
        bars=bars,
        levels=count_ticks(up),
        ticks=ticks,
    )


def duration_histogram(deals: Sequence[ClosedDeal]) -> Histogram:
    """Return how many deals took how long, in ranges that grow; *deals* must not be empty."""
    seconds = [(deal.closed_ms - deal.opened_ms) // 1000 for deal in deals]
    counts = Counter(bisect.bisect_right(_DURATIONS, length) - 1 for length in seconds)
    first, last = min(counts), max(counts)
    many = last - first + 1
    up = amount_scale(0, max(counts.values()))
    bars = tuple(
        _bar(place - first, many, up.share(counts[place]), f"{counted(counts[place], 'deal')} {_range(place)}")
        for place in sorted(counts)
    )
    ticks = tuple(
        Tick(
            at=round(100 * (edge - first) / many, 2),
            label=_edge(edge),
            is_minor=many <= _MOST_EDGES and (edge - first) % 2 == 1,
        )
        for edge in range(first, min(last + 2, len(_DURATIONS)), 1 if many <= _MOST_EDGES else 2)
    )
    return Histogram(
        key="durations",
        title="Duration of a deal",
        description=f"From {duration(min(seconds))} to {duration(max(seconds))}; each range is longer than the last.",
        unit="",
        bars=bars,
        levels=count_ticks(up),
        ticks=ticks,
    )


def _bar(place: int, many: int, share: float, text: str, *, is_loss: bool = False) -> Bar:
    return Bar(
        left=round(100 * (place + _GAP) / many, 3),
        width=round(100 * (1 - 2 * _GAP) / many, 3),
        height=round(100 * max(share, _LEAST_HEIGHT), 2),
        text=text,
        is_loss=is_loss,
    )


def _edge(place: int) -> str:
    seconds = _DURATIONS[place]
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h" if seconds < _DAY else f"{seconds // _DAY} d"


def _range(place: int) -> str:
    if place + 1 == len(_DURATIONS):
        return f"longer than {_edge(place)}"
    return f"from {_edge(place)} to {_edge(place + 1)}"
