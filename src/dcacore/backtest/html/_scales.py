"""Where values lie on a chart, and the round numbers along its axes."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterator
from typing import Final

import attrs
import numpy as np

from dcacore.backtest.html._text import MONTHS, moment, number
from dcacore.ports.candle_rules import Column

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_WITHIN_A_DAY: Final = tuple(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720))
_DAYS_OF_A_MONTH: Final = (
    tuple(range(1, 32)),
    tuple(range(1, 31, 2)),
    (1, 6, 11, 16, 21, 26),
    (1, 11, 21),
    (1, 16),
)
_MONTHS_APART: Final = (1, 2, 3, 6, 12, 24, 60, 120, 240)
_MOST_TICKS: Final = 9
_MOST_LEVELS: Final = 6
_LOG_FROM: Final = 8.0
_DECADES_WITH_STEPS: Final = 2.2
_MARGIN: Final = 0.05


@attrs.frozen(kw_only=True)
class Tick:
    """A labelled place on an axis.

    Attributes:
        at: percent of the axis, from the left or from the top.
        label: what stands there.
        is_minor: whether a narrow screen may leave the label out.
    """

    at: float
    label: str
    is_minor: bool = False


@attrs.frozen(kw_only=True)
class Scale:
    """Maps values onto an axis: *low* is 0, *high* is 1."""

    low: float
    high: float
    is_log: bool = False

    def shares(self, values: Column) -> Column:
        """Return where *values* lie, from 0 to 1."""
        if self.is_log:
            return np.asarray(np.log(values / self.low) / math.log(self.high / self.low))
        return np.asarray((values - self.low) / (self.high - self.low))

    def share(self, value: float) -> float:
        """Return where *value* lies, from 0 to 1."""
        return float(self.shares(np.array([value]))[0])

    def from_top(self, value: float) -> float:
        """Return where *value* lies on an axis that points up, in percent from its top."""
        return round(100 - 100 * self.share(value), 2)


def price_scale(low: float, high: float) -> Scale:
    """Return a scale with some room around *low* and *high* (above 0); logarithmic where they are far apart."""
    if high / low >= _LOG_FROM:
        room = (high / low) ** _MARGIN
        return Scale(low=low / room, high=high * room, is_log=True)
    room = (high - low or low) * _MARGIN
    return Scale(low=low - room, high=high + room)


def amount_scale(low: float, high: float) -> Scale:
    """Return a scale that holds *low*, *high* and zero, with some room."""
    low, high = min(low, 0.0), max(high, 0.0)
    room = (high - low or 1.0) * _MARGIN
    return Scale(low=low - room if low else 0.0, high=high + room if high else 0.0)


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that is not below *least* (above 0)."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))


def step_places(step: float) -> int:
    """Return how many decimals multiples of *step*, a `round_step`, need."""
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    return places if math.isclose(step * 10**places, round(step * 10**places), rel_tol=1e-6) else places + 1


def level_ticks(scale: Scale) -> tuple[Tick, ...]:
    """Return round levels along a scale that points up, lowest first."""
    if scale.is_log:
        return tuple(_log_ticks(scale))
    step = round_step((scale.high - scale.low) / _MOST_LEVELS)
    places = step_places(step)
    first, last = math.ceil(scale.low / step - 1e-9), math.floor(scale.high / step + 1e-9)
    return tuple(
        Tick(at=scale.from_top(count * step), label=number(count * step, places)) for count in range(first, last + 1)
    )


def count_ticks(scale: Scale) -> tuple[Tick, ...]:
    """Return round whole numbers along a scale that starts at zero and points up."""
    step = max(1, math.ceil(round_step(scale.high / _MOST_LEVELS)))
    return tuple(
        Tick(at=scale.from_top(count), label=number(count, 0)) for count in range(0, math.floor(scale.high) + 1, step)
    )


def _log_ticks(scale: Scale) -> Iterator[Tick]:
    decades = math.log10(scale.high / scale.low)
    factors = (1, 2, 5) if decades <= _DECADES_WITH_STEPS else (1,)
    stride = max(1, math.ceil(decades / _MOST_LEVELS)) if len(factors) == 1 else 1
    for power in range(math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high)) + 1):
        if power % stride:
            continue
        for factor in factors:
            value = factor * 10.0**power
            if scale.low <= value <= scale.high:
                yield Tick(at=scale.from_top(value), label=number(value, max(0, -power)))


def time_ticks(scale: Scale) -> tuple[Tick, ...]:
    """Return round times along a scale of Unix milliseconds, each label as short as its neighbours allow."""
    low, high = math.ceil(scale.low), math.floor(scale.high)
    for step in _WITHIN_A_DAY:
        if (high - low) // step < _MOST_TICKS:
            return _labelled(scale, list(range(-(-low // step) * step, high + 1, step)), _clock)
    for days in _DAYS_OF_A_MONTH:
        times = list(_calendar(low, high, 1, days))
        if len(times) <= _MOST_TICKS:
            return _labelled(scale, times, _day)
    for months in _MONTHS_APART:
        times = list(_calendar(low, high, months, (1,)))
        if len(times) <= _MOST_TICKS:
            return _labelled(scale, times, _month)
    return ()


def _calendar(low: int, high: int, months_apart: int, days: tuple[int, ...]) -> Iterator[int]:
    start, end = moment(low), moment(high)
    first = start.year * 12 + start.month - 1
    for month in range(first - first % months_apart, end.year * 12 + end.month, months_apart):
        opens = datetime.datetime(month // 12, month % 12 + 1, 1, tzinfo=datetime.UTC)
        for day in days:
            at = opens + datetime.timedelta(days=day - 1)
            time_ms = int(at.timestamp()) * 1000
            if at.month == opens.month and low <= time_ms <= high:
                yield time_ms


def _labelled(scale: Scale, times: list[int], label: Callable[[datetime.datetime, bool], str]) -> tuple[Tick, ...]:
    return tuple(
        Tick(at=round(100 * scale.share(time_ms), 2), label=label(moment(time_ms), place == 0), is_minor=place % 2 == 1)
        for place, time_ms in enumerate(times)
    )


def _clock(at: datetime.datetime, is_first: bool) -> str:  # noqa: FBT001  # called with a place, not by people
    day, time = f"{at.day} {MONTHS[at.month - 1]}", f"{at:%H:%M}"
    if at.hour == at.minute == 0:
        return day
    return f"{day} {time}" if is_first else time


def _day(at: datetime.datetime, is_first: bool) -> str:  # noqa: FBT001
    text = f"{at.day} {MONTHS[at.month - 1]}"
    return f"{text} {at.year}" if is_first else text


def _month(at: datetime.datetime, is_first: bool) -> str:  # noqa: FBT001
    text = MONTHS[at.month - 1]
    return f"{text} {at.year}" if is_first or at.month == 1 else text
