"""Rules for a pair that is only named, with its first price: like those of real pairs of about that price."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from dcacore.domain.market import Market

QUOTES: Final = ("USDT", "USDC", "FDUSD", "TUSD", "EUR", "TRY", "BTC", "ETH", "BNB")
"""Assets that others are priced in, the ones of money first."""


def market_of(named: str) -> tuple[Market, str]:
    """Return the market and first price of a text such as BTCUSDT=30000.

    Raises:
        ValueError: it is no such text.
    """
    pair, _, price = named.partition("=")
    quote = next((quote for quote in QUOTES if pair.endswith(quote) and pair != quote), None)
    if quote is None or not price.replace(".", "", 1).isdecimal() or not Decimal(price):
        message = f"{named!r} names no pair and price: write BTCUSDT=30000"
        raise ValueError(message)
    magnitude = Decimal(price).adjusted()
    market = Market(
        pair=pair,
        base_asset=pair.removesuffix(quote),
        quote_asset=quote,
        tick_size=Decimal(1).scaleb(magnitude - 6),
        step_size=Decimal(1).scaleb(min(0, -magnitude - 1)),
        min_notional=5 if quote in QUOTES[:5] else Decimal("0.0001"),
    )
    return market, price
