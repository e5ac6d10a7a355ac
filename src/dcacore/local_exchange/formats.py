"""How numbers are written on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from dcacore.domain.money import plain

_PLACES: Final = 8
ZERO_TEXT: Final = "0.00000000"


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
