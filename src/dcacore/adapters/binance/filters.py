"""The rules of a pair, read from what the exchange lists; filters that are not known here are its own affair.

A value of 0 switches a filter, or one side of it, off.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from dcacore.adapters.binance.reading import Row, Unreadable, flag_in, named, number_in, rows_of, text_in
from dcacore.domain.limits import Band, Bound, Limits
from dcacore.domain.market import Market
from dcacore.domain.money import ZERO
from dcacore.ports.exchange import Listing

_TRADING: Final = "TRADING"
_NOTIONALS: Final = ("NOTIONAL", "MIN_NOTIONAL")
_LOTS: Final = ("LOT_SIZE", "MARKET_LOT_SIZE")


def listing_of(symbol: Row) -> Listing:
    """Return the pair as one row of `exchangeInfo` lists it.

    A market order has filters of its own (MARKET_LOT_SIZE): of least sizes the stricter of both holds for all orders.

    Raises:
        Unreadable: it lacks what no pair can do without.
    """
    filters = named(rows_of(symbol.get("filters")), "filterType")
    market = Market(
        pair=text_in(symbol, "symbol"),
        base_asset=text_in(symbol, "baseAsset"),
        quote_asset=text_in(symbol, "quoteAsset"),
        tick_size=_size(filters, ("PRICE_FILTER",), "tickSize"),
        step_size=_size(filters, _LOTS, "stepSize"),
        min_notional=_most(filters, _NOTIONALS, "minNotional"),
        min_quantity=_least_quantity(filters),
    )
    is_spot = flag_in(symbol, "isSpotTradingAllowed") is not False
    return Listing(market, is_trading=is_spot and symbol.get("status") == _TRADING, limits=_limits(filters))


def _limits(filters: dict[str, Row]) -> Limits:
    notional = filters.get("NOTIONAL", {})
    most_worth = _bound(filters, "NOTIONAL", "maxNotional")
    return Limits(
        buys=_band(filters, "bid"),
        sells=_band(filters, "ask"),
        least_price=_bound(filters, "PRICE_FILTER", "minPrice"),
        most_price=_bound(filters, "PRICE_FILTER", "maxPrice"),
        quantity=_bound(filters, "LOT_SIZE", "maxQty"),
        market_quantity=_bound(filters, "MARKET_LOT_SIZE", "maxQty"),
        notional=most_worth,
        market_notional=most_worth if flag_in(notional, "applyMaxToMarket") is not False else None,
        orders=_bound(filters, "MAX_NUM_ORDERS", "maxNumOrders"),
        position=_bound(filters, "MAX_POSITION", "maxPosition"),
    )


def _bound(filters: dict[str, Row], kind: str, name: str) -> Bound | None:
    value = _most(filters, (kind,), name)
    return Bound(kind, value) if value else None


def _band(filters: dict[str, Row], side: str) -> Band | None:
    """Return how far from the market orders of *side*, bid or ask, may lie; older pairs have one band for both."""
    for kind, up, down in (
        ("PERCENT_PRICE_BY_SIDE", f"{side}MultiplierUp", f"{side}MultiplierDown"),
        ("PERCENT_PRICE", "multiplierUp", "multiplierDown"),
    ):
        if kind in filters:
            return Band(kind, _most(filters, (kind,), down), _most(filters, (kind,), up) or None)
    return None


def _least_quantity(filters: dict[str, Row]) -> Decimal:
    return max(_most(filters, _LOTS, "minQty"), _size(filters, _LOTS, "stepSize"))


def _size(filters: dict[str, Row], kinds: tuple[str, ...], name: str) -> Decimal:
    size = _most(filters, kinds, name)
    if not size:
        raise Unreadable(f"{kinds[0]} has no {name}")
    return size


def _most(filters: dict[str, Row], kinds: tuple[str, ...], name: str) -> Decimal:
    """Return the largest value of *name* in the filters of *kinds* that the pair has; 0 without any."""
    found = [number_in(filters[kind], name) for kind in kinds if name in filters.get(kind, {})]
    return max(found, default=ZERO)
