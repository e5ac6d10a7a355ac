"""What assets are worth in one of them, by the last prices of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from dcacore.domain.money import Price, Quotient, exact

BRIDGES: Final = ("BTC", "USDT")
"""Through which the value is found of an asset that no pair joins with the wanted one, the first that can be."""
_ONE: Final = Quotient(Decimal(1), Decimal(1))


@exact
def worth(amount: Decimal, asset: str, quote: str, prices: Mapping[str, Price]) -> Decimal | None:
    """Return what *amount* of *asset* is worth in *quote*, half-even at 8 decimals; None where no pair leads there.

    The pair of both decides, either way round; without it the way goes through one of `BRIDGES`.
    """
    rate = _direct(asset, quote, prices) or _through(asset, quote, prices)
    return None if rate is None else Quotient(amount * rate.numerator, rate.denominator).rounded()


def _direct(asset: str, quote: str, prices: Mapping[str, Price]) -> Quotient | None:
    if asset == quote:
        return _ONE
    if price := prices.get(f"{asset}{quote}"):
        return Quotient(price, Decimal(1))
    if price := prices.get(f"{quote}{asset}"):
        return Quotient(Decimal(1), price)
    return None


def _through(asset: str, quote: str, prices: Mapping[str, Price]) -> Quotient | None:
    for bridge in BRIDGES:
        there, on = _direct(asset, bridge, prices), _direct(bridge, quote, prices)
        if there is not None and on is not None:
            return Quotient(there.numerator * on.numerator, there.denominator * on.denominator)
    return None
