"""What plots draw, as JSON. Their numbers are doubles, which is what a canvas can draw; tables carry the exact ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from dcacore.application.analytics import Bucket, OfDay
from dcacore.application.zones import beginning_of
from dcacore.domain.money import ZERO, plain
from dcacore.ports.identity import Preferences
from dcaweb.formats import MINUS

_NOON_S: Final = 43_200
"""A day is drawn at its middle, so that it is that day by every clock that shows it."""


def places_of(wishes: Preferences) -> int:
    """Return with how many decimals a plot tells money; a canvas has no room for more than eight."""
    return 8 if wishes.currency_digits is None else wishes.currency_digits


def profit_so_far(days: Sequence[OfDay], asset: str, zone: ZoneInfo, *, digits: int = 2) -> dict[str, Any]:
    """Return the line of all that was earned up to each day."""
    values = [float(it.cumulative) for it in days]
    series = {"label": "Profit so far", "values": values, "kind": "area"}
    return {"x": _times(days, zone), "time": True, "unit": asset, "digits": digits, "series": [series]}


def profit_by_day(days: Sequence[OfDay], asset: str, zone: ZoneInfo, *, digits: int = 2) -> dict[str, Any]:
    """Return a bar for each day with what it brought."""
    series = {"label": "Profit", "values": [float(it.profit) for it in days], "kind": "bars"}
    return {"x": _times(days, zone), "time": True, "unit": asset, "digits": digits, "series": [series]}


def distribution(buckets: Iterable[Bucket]) -> dict[str, Any]:
    """Return a bar for each bucket from the lowest to the highest that a deal fell into."""
    found = list(buckets)
    filled = [index for index, it in enumerate(found) if it.deals]
    shown = found[filled[0] : filled[-1] + 1] if filled else []
    series = {"label": "Deals", "values": [it.deals for it in shown], "kind": "bars", "tone": "primary"}
    return {"x": list(range(len(shown))), "labels": [_span(it) for it in shown], "digits": 0, "series": [series]}


def _times(days: Iterable[OfDay], zone: ZoneInfo) -> list[int]:
    return [int(beginning_of(it.day, zone).timestamp()) + _NOON_S for it in days]


def _span(bucket: Bucket) -> str:
    if bucket.low is None:
        return f"below {_percent(bucket.high or ZERO)}"
    if bucket.high is None:
        return f"{_percent(bucket.low)} and more"
    return f"{_percent(bucket.low)} to {_percent(bucket.high)}"


def _percent(value: Decimal) -> str:
    return f"{plain(value).replace('-', MINUS)} %"
