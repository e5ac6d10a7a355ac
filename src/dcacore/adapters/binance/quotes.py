"""Last prices, asked for: of one pair, or of many at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from dcacore.adapters.binance.calls import PRICE, PRICES
from dcacore.adapters.binance.reading import Row, Unreadable, number_in, row_of, rows_of, text_in
from dcacore.adapters.binance.rest import Rest
from dcacore.domain.money import Price
from dcacore.ports.errors import Unavailable, UnknownPair

NAMED_TOGETHER: Final = 100
"""For more pairs than that all prices are asked for, which weighs no more."""


class Quotes:
    """Asks for the last price."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def one(self, pair: str) -> Price | None:
        """Return the last price; None while there has been no trade.

        Raises:
            UnknownPair: the exchange does not trade it.
            Unavailable: it does not say.
        """
        answer = await self._rest.ask(PRICE, {"symbol": pair}, pair=pair)
        try:
            return _price_of(pair, row_of(answer))
        except Unreadable as exc:
            raise Unavailable(f"the price cannot be read: {exc}") from None

    async def many(self, pairs: Iterable[str]) -> Mapping[str, Price]:
        """Return the last prices of those of *pairs* that the exchange trades and that have one.

        Raises:
            Unavailable: it does not say.
        """
        wanted = sorted(pairs)
        if len(wanted) == 1:
            price = await self._one_if_listed(wanted[0])
            return {} if price is None else {wanted[0]: price}
        named = {"symbols": json.dumps(wanted, separators=(",", ":"))} if len(wanted) <= NAMED_TOGETHER else {}
        try:
            answer = await self._rest.ask(PRICES, named, pair=wanted[0])
        except UnknownPair:  # one of them is listed no more: each for itself
            found = {pair: await self._one_if_listed(pair) for pair in wanted}
            return {pair: price for pair, price in found.items() if price is not None}
        try:
            prices = {text_in(row, "symbol"): _price_in(row) for row in rows_of(answer)}
        except Unreadable as exc:
            raise Unavailable(f"the prices cannot be read: {exc}") from None
        return {pair: price for pair, price in prices.items() if price is not None and pair in wanted}

    async def all(self) -> Mapping[str, Price]:
        """Return the last price of every pair that has one.

        Raises:
            Unavailable: it does not say.
        """
        answer = await self._rest.ask(PRICES)
        try:
            prices = {text_in(row, "symbol"): _price_in(row) for row in rows_of(answer)}
        except Unreadable as exc:
            raise Unavailable(f"the prices cannot be read: {exc}") from None
        return {pair: price for pair, price in prices.items() if price is not None}

    async def _one_if_listed(self, pair: str) -> Price | None:
        try:
            return await self.one(pair)
        except UnknownPair:
            return None


def _price_of(pair: str, row: Row) -> Price | None:
    if text_in(row, "symbol") != pair:
        raise Unreadable("it is of another pair")
    return _price_in(row)


def _price_in(row: Row) -> Price | None:
    price = number_in(row, "price")
    return Price(price) if price else None
