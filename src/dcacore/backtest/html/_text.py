"""Numbers, times and durations as the page shows them."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from dcacore.domain.money import plain

MINUS: Final = "\N{MINUS SIGN}"
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_PLAIN_NUMBER: Final = re.compile(r"(?<![\w.,:/-])[0-9]+(?:\.[0-9]+)?(?![\w-]|[.,:/][0-9])")
_MOST_PLACES: Final = 8
_CENTS_FROM, _FOUR_FROM = 100, 1


def number(value: Decimal | float, places: int) -> str:
    """Return *value* with *places* decimals and thousands separators."""
    text = f"{value:,.{places}f}"
    if not text.startswith("-"):
        return text
    return MINUS + text[1:] if text.strip("-0.,") else text[1:]


def regrouped(text: str, amounts: Mapping[str, str]) -> str:
    """Return *text* with thousands separators in its plain numbers; those in *amounts* as it has them."""
    return _PLAIN_NUMBER.sub(lambda found: amounts.get(found[0], exactly(Decimal(found[0]))), text)


def signed(value: Decimal | float, places: int) -> str:
    """Return *value* like `number`, with a plus sign when it is above zero."""
    text = number(value, places)
    return text if text.startswith(MINUS) or not text.strip("0.,") else "+" + text


def exactly(value: Decimal) -> str:
    """Return every digit of *value*, with thousands separators."""
    whole, point, rest = plain(value).removeprefix("-").partition(".")
    return (MINUS if value < 0 else "") + f"{int(whole):,}" + point + rest


def decimals(grid: Decimal) -> int:
    """Return how many decimals multiples of *grid* need."""
    return len(plain(grid).partition(".")[2])


def price_places(tick_size: Decimal, lowest: float) -> int:
    """Return how many decimals prices are shown with: those of the grid, or what seven digits of the lowest need."""
    return min(decimals(tick_size), max(2, 6 - math.floor(math.log10(lowest))))


def money_places(size: Decimal) -> int:
    """Return how many decimals amounts are shown with where the largest is about *size*."""
    if size >= _CENTS_FROM:
        return 2
    return 4 if size >= _FOUR_FROM else _MOST_PLACES


def moment(time_ms: int) -> datetime.datetime:
    """Return Unix milliseconds as a time in UTC."""
    return _EPOCH + datetime.timedelta(milliseconds=time_ms)


def minute(time_ms: int) -> str:
    """Return *time_ms* as `2021-04-20 02:00`, with seconds only where it has them."""
    at = moment(time_ms)
    return at.strftime("%Y-%m-%d %H:%M:%S" if at.second else "%Y-%m-%d %H:%M")


def duration(seconds: int) -> str:
    """Return a duration in its two largest units."""
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return _two(seconds // _HOUR, "h", seconds % _HOUR // _MINUTE, "min")
    return _two(seconds // _DAY, "d", seconds % _DAY // _HOUR, "h")


def length_text(length_ms: int) -> str:
    """Return how long a candle is, a candlestick of whole days in days."""
    seconds, rest = divmod(length_ms, 1000)
    return f"{length_ms:,} ms" if rest else duration(seconds)


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large:,} {unit} {small} {smaller}" if small else f"{large:,} {unit}"


def counted(count: int, noun: str) -> str:
    """Return `1 deal`, `2 deals`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
