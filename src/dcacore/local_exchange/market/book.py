"""The order book of one market.

The market of this exchange is one price wide: whoever takes, buys and sells at the last price, in any quantity, and
this is what its book says: best bid and best ask are that price. Behind it lie levels without end, one tick apart, and
the orders that rest here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import attrs

from dcacore.adapters.simulated.books import KeptOrder
from dcacore.domain.market import Market
from dcacore.domain.money import ZERO, Quotient, exact
from dcacore.domain.orders import Side

LEVELS: Final = 50
"""Levels of a side that are made up."""
_WORTH: Final = Decimal(10_000)
"""What lies at each of them, in quote."""


@attrs.frozen
class Book:
    """Prices and quantities, the best first."""

    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


@exact
def quantity_at(market: Market, price: Decimal) -> Decimal:
    """Return what lies at a level."""
    return max(Quotient(_WORTH, price).floor(market.step_size), market.step_size, market.min_quantity)


@exact
def book_of(market: Market, price: Decimal, resting: Iterable[KeptOrder]) -> Book:
    """Return the book of a market at *price*, with what rests in it."""
    sides: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: defaultdict(Decimal), Side.SELL: defaultdict(Decimal)}
    for level in range(LEVELS):
        step = level * market.tick_size
        sides[Side.SELL][price + step] += quantity_at(market, price + step)
        if price - step > 0:
            sides[Side.BUY][price - step] += quantity_at(market, price - step)
    for order in resting:
        if order.ticket.price is not None:
            sides[order.ticket.side][order.ticket.price] += order.ticket.quantity - order.executed
    return Book(
        tuple(sorted(sides[Side.BUY].items(), reverse=True)),
        tuple(sorted(sides[Side.SELL].items())),
    )


def changes(before: Book | None, after: Book) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
    """Return what is new on either side; a level that is gone has the quantity 0."""
    if before is None:
        return list(after.bids), list(after.asks)
    return _side(dict(before.bids), dict(after.bids)), _side(dict(before.asks), dict(after.asks))


def _side(before: dict[Decimal, Decimal], after: dict[Decimal, Decimal]) -> list[tuple[Decimal, Decimal]]:
    gone = [(price, ZERO) for price in before if price not in after]
    return [level for level in after.items() if before.get(level[0]) != level[1]] + gone
