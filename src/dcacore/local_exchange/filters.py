"""The filters of a symbol: how `exchangeInfo` shows them, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.domain.market import Market
from dcacore.domain.orders import Side
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.formats import amount

HIGHEST_PRICE: Final = Decimal(1_000_000)
LARGEST_QUANTITY: Final = Decimal(900000000)
LARGEST_NOTIONAL: Final = Decimal(900000000)
PERCENT_UP: Final = Decimal(5)
PERCENT_DOWN: Final = Decimal("0.2")
MOST_ORDERS: Final = 200
AVERAGE_MINUTES: Final = 5


@attrs.frozen(kw_only=True)
class Asked:
    """An order as filters see it.

    Attributes:
        price: its limit; None at market.
        reference: the symbol's reference price, which is the last one; None when there is none yet.
    """

    side: Side
    quantity: Decimal
    price: Decimal | None
    reference: Decimal | None


@attrs.frozen
class Filter:
    """One kind of filter: what it says of a market, and whether it lets an order through."""

    told: Callable[[Market], dict[str, Any]]
    allows: Callable[[Market, Asked], bool]


def _price(market: Market, asked: Asked) -> bool:
    price = asked.price
    return price is None or (market.tick_size <= price <= HIGHEST_PRICE and not price % market.tick_size)


def _percent(market: Market, asked: Asked) -> bool:  # noqa: ARG001  # every symbol has the same multipliers
    if asked.price is None or asked.reference is None:
        return True
    return asked.reference * PERCENT_DOWN <= asked.price <= asked.reference * PERCENT_UP


def _lot(market: Market, asked: Asked) -> bool:
    return market.min_quantity <= asked.quantity <= LARGEST_QUANTITY and not asked.quantity % market.step_size


def _notional(market: Market, asked: Asked) -> bool:
    price = asked.price if asked.price is not None else asked.reference
    return price is None or market.min_notional <= price * asked.quantity <= LARGEST_NOTIONAL


FILTERS: Final[Mapping[str, Filter]] = {
    "PRICE_FILTER": Filter(
        lambda market: {
            "minPrice": amount(market.tick_size),
            "maxPrice": amount(HIGHEST_PRICE),
            "tickSize": amount(market.tick_size),
        },
        _price,
    ),
    "LOT_SIZE": Filter(
        lambda market: {
            "minQty": amount(market.min_quantity),
            "maxQty": amount(LARGEST_QUANTITY),
            "stepSize": amount(market.step_size),
        },
        _lot,
    ),
    "MARKET_LOT_SIZE": Filter(  # real symbols switch its minimum and its step off, and so do these
        lambda _: {"minQty": amount(Decimal(0)), "maxQty": amount(LARGEST_QUANTITY), "stepSize": amount(Decimal(0))},
        lambda _, asked: asked.price is not None or asked.quantity <= LARGEST_QUANTITY,
    ),
    "PERCENT_PRICE_BY_SIDE": Filter(
        lambda _: {
            "bidMultiplierUp": amount(PERCENT_UP),
            "bidMultiplierDown": amount(PERCENT_DOWN),
            "askMultiplierUp": amount(PERCENT_UP),
            "askMultiplierDown": amount(PERCENT_DOWN),
            "avgPriceMins": AVERAGE_MINUTES,
        },
        _percent,
    ),
    "NOTIONAL": Filter(
        lambda market: {
            "minNotional": amount(market.min_notional),
            "applyMinToMarket": True,
            "maxNotional": amount(LARGEST_NOTIONAL),
            "applyMaxToMarket": True,
            "avgPriceMins": AVERAGE_MINUTES,
        },
        _notional,
    ),
    "MAX_NUM_ORDERS": Filter(lambda _: {"maxNumOrders": MOST_ORDERS}, lambda *_: True),  # the venue counts
    "MAX_NUM_ALGO_ORDERS": Filter(lambda _: {"maxNumAlgoOrders": 5}, lambda *_: True),  # there are none
    "MAX_NUM_ORDER_AMENDS": Filter(lambda _: {"maxNumOrderAmends": 10}, lambda *_: True),  # amending counts
}
"""By `filterType`, in the order in which they are applied."""


def told_filters(market: Market) -> list[dict[str, Any]]:
    """Return the filters of *market*, as `exchangeInfo` shows them."""
    return [{"filterType": name, **known.told(market)} for name, known in FILTERS.items()]


def check_filters(market: Market, asked: Asked) -> None:
    """Refuse an order that a filter does not let through (filters.md).

    Raises:
        ApiError: -1013, naming the first of them.
    """
    for name, known in FILTERS.items():
        if not known.allows(market, asked):
            raise error(-1013, filter=name)
