"""One step of chance: where a market that nobody moves goes next."""

from __future__ import annotations

import math
from random import Random
from typing import Final

from dcacore.domain.money import Price, exact
from dcacore.local_exchange.driving.market import Movable, move

STEP: Final = 0.0008
"""The usual move from one price to the next, as a fraction."""


@exact
def wander(market: Movable, symbol: str, chance: Random) -> None:
    """Move a market that has a price by a step: up as likely as down, and never below one tick."""
    price, tick = market.price(symbol), market.listing(symbol).market.tick_size
    if price is None:
        return
    ticks = int(price // tick)
    move(market, symbol, Price(max(1, round(ticks * math.exp(chance.gauss(0, STEP)))) * tick))
