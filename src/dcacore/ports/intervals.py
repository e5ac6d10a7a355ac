"""The candle lengths that Binance has, by name and in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dcacore.domain.errors import InvalidParameter

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
DAY_MS: Final = 24 * _HOUR

INTERVALS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "1s": _SECOND,
        "1m": _MINUTE,
        "3m": 3 * _MINUTE,
        "5m": 5 * _MINUTE,
        "15m": 15 * _MINUTE,
        "30m": 30 * _MINUTE,
        "1h": _HOUR,
        "2h": 2 * _HOUR,
        "4h": 4 * _HOUR,
        "6h": 6 * _HOUR,
        "8h": 8 * _HOUR,
        "12h": 12 * _HOUR,
        "1d": DAY_MS,
        "3d": 3 * DAY_MS,
        "1w": 7 * DAY_MS,
    },
)
"""Length in milliseconds of each interval, shortest first. Months are left out: they have no fixed length."""

_NAMES: Final = {length: name for name, length in INTERVALS.items()}
_MONTHS: Final = frozenset({"1M", "1mo"})


def interval_ms(name: str) -> int:
    """Return the length of the interval *name* in milliseconds.

    Raises:
        InvalidParameter: there is no such interval, or it is a month.
    """
    if name in _MONTHS:
        raise InvalidParameter("interval", name, "months have no fixed length and are not supported")
    if name not in INTERVALS:
        raise InvalidParameter("interval", name, f"must be one of {', '.join(INTERVALS)}")
    return INTERVALS[name]


def interval_name(length_ms: int) -> str:
    """Return the name of the interval of *length_ms* milliseconds.

    Raises:
        InvalidParameter: no interval is that long.
    """
    if length_ms not in _NAMES:
        raise InvalidParameter("interval", f"{length_ms} ms", f"must be as long as one of {', '.join(INTERVALS)}")
    return _NAMES[length_ms]
