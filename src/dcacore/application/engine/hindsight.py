"""What a bot's buys say of the prices that it knows: the market was lower since."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import attrs

from dcacore.domain.money import Price
from dcacore.domain.orders import Side
from dcacore.domain.venue import Trade


@attrs.define
class Hindsight:
    """One bot's newest buy, and which prices it has left behind.

    Fills and prices come on two ways: of a fall over a safety order the buy may be heard while the last price that is
    known, or still on its way, is one of before the fall. To judge the new target by it would arm a trail up there.
    """

    _bought_at: datetime.datetime | None = None
    _price: Price | None = None
    _is_followed: bool = False

    def learn(self, trades: Iterable[Trade]) -> Price | None:
        """Take note of the buys among *trades*; return the price of the newest, if it is one of them."""
        learned = None
        for trade in trades:
            if trade.side is Side.BUY and (self._bought_at is None or trade.at >= self._bought_at):
                self._bought_at, self._price, self._is_followed = trade.at, trade.price, False
                learned = trade.price
        return learned

    def overtakes(self, price: Price, made_at: datetime.datetime) -> bool:
        """Say whether *price*, made at that time of the exchange, is one of before the newest buy.

        Only a price above the buy's can be: at any other one the order would have filled earlier. Of prices of the very
        moment of the buy, those above it are of before it until one has been told that is not.
        """
        if self._bought_at is None or self._price is None:
            return False
        if price > self._price and (
            made_at < self._bought_at or (made_at == self._bought_at and not self._is_followed)
        ):
            return True
        self._is_followed = True
        return False
