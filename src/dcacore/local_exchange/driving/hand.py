"""Markets moved by hand: POST /control/price and POST /control/move."""

from __future__ import annotations

from collections.abc import Callable, Collection

import attrs

from dcacore.domain.money import Price, exact
from dcacore.local_exchange.driving.market import Movable, jump, move


@attrs.frozen
class Hand:
    """Moves a market when it is told to, whatever else drives it.

    Attributes:
        market: what is moved.
        watched: returns the watched prices of a symbol; a continuous move is told at each of them.
    """

    market: Movable
    watched: Callable[[str], Collection[Price]] = lambda _: ()

    @exact
    def price(self, symbol: str, price: Price) -> None:
        """Let the market jump to *price*: what it has passed fills at its own limits.

        Raises:
            UnknownPair: there is no such market.
            ValueError: *price* is no price, or not on the market's tick grid.
        """
        self._check(symbol, price)
        jump(self.market, symbol, price)

    @exact
    def move(self, symbol: str, price: Price) -> None:
        """Let the market move to *price* with a trade at every tick on the way.

        Raises:
            UnknownPair: there is no such market.
            ValueError: *price* is no price, or not on the market's tick grid.
        """
        self._check(symbol, price)
        move(self.market, symbol, price, self.watched(symbol))

    def _check(self, symbol: str, price: Price) -> None:
        tick = self.market.listing(symbol).market.tick_size
        if not price.is_finite() or price <= 0 or price % tick:
            message = f"{price} is no price of {symbol}: its tick size is {tick}"
            raise ValueError(message)
