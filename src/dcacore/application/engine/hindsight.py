"""What a bot's buys say of the prices that it knows: the market was lower since."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Final

import attrs

from dcacore.domain.money import Price

HOLDS_S: Final = 6
"""How long a buy leaves prices behind, from when it was heard: by then one of after it has come, or the word that none
has. Should the exchange's clock have been set back between the two, no stop and no trail waits for longer."""
_MOMENT: Final = datetime.timedelta(milliseconds=1)
"""Times of the exchange say no more than in which millisecond something was."""


@attrs.frozen
class Bought:
    """A fill of a buy: at which price, and when by the exchange's time."""

    price: Price
    at: datetime.datetime


@attrs.define
class Hindsight:
    """One bot's newest buy, and which prices it has left behind.

    Fills and prices come on two ways: of a fall over a safety order the buy may be heard while the last price that is
    known, or still on its way, is one of before the fall. To judge the new target by it would arm a trail up there.
    """

    _buy: Bought | None = None
    _learned_at: float = 0.0
    _followed_at: datetime.datetime | None = None

    def learn(self, buys: Iterable[Bought], now: float) -> Price | None:
        """Take note of *buys* at *now*, by the monotonic clock; return the price of the newest, if one is new."""
        self._forget_in_time(now)
        learned = None
        for buy in buys:
            if self._buy is None or buy.at >= self._buy.at:
                self._buy, self._learned_at, self._followed_at = buy, now, None
                learned = buy.price
        return learned

    def overtakes(self, price: Price, made_at: datetime.datetime, now: float) -> bool:
        """Say at *now* whether *price*, made at that time of the exchange, is one of before the newest buy.

        Only a price above the buy's can be: at any other one the order would have filled earlier. Of prices of the very
        moment of the buy, those above it are of before it until one has come that is not.
        """
        self._forget_in_time(now)
        buy = self._buy
        if buy is None:
            return False
        if price <= buy.price:
            if made_at >= buy.at:
                self._followed_at = min(self._followed_at or made_at, made_at)
            return False
        if made_at < buy.at + _MOMENT:
            return self._followed_at is None or made_at < self._followed_at
        return False

    def _forget_in_time(self, now: float) -> None:
        if now - self._learned_at >= HOLDS_S:
            self._buy = None
