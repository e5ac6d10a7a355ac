"""All pairs of one environment at once: what they cost, and which take orders. Nobody's key is needed for that."""

from __future__ import annotations

from collections.abc import Mapping

from dcacore.adapters.binance.quotes import Quotes
from dcacore.adapters.binance.rules import Rules
from dcacore.domain.money import Price
from dcacore.ports.exchange import Directory, Listing


class BinanceDirectory(Directory):
    """All pairs of one environment."""

    def __init__(self, quotes: Quotes, rules: Rules) -> None:
        self._quotes = quotes
        self._rules = rules

    async def prices(self) -> Mapping[str, Price]:
        return await self._quotes.all()

    async def listings(self) -> tuple[Listing, ...]:
        return await self._rules.all()
