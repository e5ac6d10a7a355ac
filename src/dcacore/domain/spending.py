"""What a deal may cost at most, before there is one."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from dcacore.domain.ladder import buy_quantity
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import HUNDRED, Price, QuoteAmount, ceil_to, exact, whole
from dcacore.domain.strategy import Strategy, legs

_EIGHT_PLACES: Final = Decimal("1E-8")


@attrs.frozen(kw_only=True)
class Spending:
    """What a deal may cost at most, in quote.

    Attributes:
        price: quote per base, at which its base order would fill.
        orders: how many buys it may come to, the base order among them.
        for_orders: what they cost together, rounded up at 8 decimals.
        for_fees: what their fees are worth, in whichever asset they are taken, rounded up likewise.
    """

    price: Price
    orders: int
    for_orders: QuoteAmount
    for_fees: QuoteAmount

    @property
    @exact
    def total(self) -> QuoteAmount:
        """Orders and fees together."""
        return QuoteAmount(self.for_orders + self.for_fees)


@exact
def most_spent(strategy: Strategy, market: Market, fees: Fees, price: Price) -> Spending:
    """Return what a deal that begins at *price* may cost, if every safety order fills.

    An order counts with its size, or with what it costs where its quantity is rounded up: so that orders that are too
    small at this price, and may be placed at another, are counted too. Fees count at the higher of both rates.
    """
    sizes = [(Decimal(0), strategy.base_order_size), *((leg.deviation, leg.size) for leg in legs(strategy))]
    cost = Decimal(0)
    for deviation, size in sizes:
        at = Price(whole(price).percent(HUNDRED - deviation).floor(market.tick_size))
        cost += max(size, at * buy_quantity(strategy, market, size, at))
    return Spending(
        price=price,
        orders=len(sizes),
        for_orders=QuoteAmount(ceil_to(cost, _EIGHT_PLACES)),
        for_fees=QuoteAmount(ceil_to(cost * max(fees.fee_maker, fees.fee_taker), _EIGHT_PLACES)),
    )


def raises(before: Strategy, after: Strategy, market: Market, fees: Fees, price: Price) -> bool:
    """Say whether a deal may cost more with *after* than with *before*, the market being the same."""
    return most_spent(after, market, fees, price).total > most_spent(before, market, fees, price).total
