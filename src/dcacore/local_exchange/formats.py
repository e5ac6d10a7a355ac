"""How numbers are written on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from dcacore.domain.money import plain

_PLACES: Final = 8
ZERO_TEXT: Final = "0.00000000"
MOST_DIGITS: Final = 20
"""Digits of a number before the point, and behind it, that a request may have."""


def is_workable(value: Decimal) -> bool:
    """Say whether *value* is finite and has no more than `MOST_DIGITS` before the point, and behind it."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DIGITS and value.adjusted() < MOST_DIGITS


def amount(value: Decimal) -> str:
    """Return a price, a quantity or a sum as the exchange writes it: with eight decimals, or more if it needs them."""
    if not value:
        return ZERO_TEXT
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_PLACES:
        text = plain(value)
        if len(text.partition(".")[2]) > _PLACES:
            return text
    return format(value, ".8f")
