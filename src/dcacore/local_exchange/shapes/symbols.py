"""Symbols, as `exchangeInfo` lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dcacore.adapters.simulated.floor import PairState
from dcacore.local_exchange.filters import told_filters
from dcacore.local_exchange.orders import PREVENTION, PREVENTIONS, TYPES
from dcacore.local_exchange.params import PRECISION
from dcacore.local_exchange.windows import LIMITS

Shape = dict[str, Any]


def symbol_shape(state: PairState, status: str) -> Shape:
    """Return a symbol with its filters."""
    market = state.market
    return {
        "symbol": market.pair,
        "status": status,
        "baseAsset": market.base_asset,
        "baseAssetPrecision": PRECISION,
        "quoteAsset": market.quote_asset,
        "quotePrecision": PRECISION,
        "quoteAssetPrecision": PRECISION,
        "baseCommissionPrecision": PRECISION,
        "quoteCommissionPrecision": PRECISION,
        "orderTypes": list(TYPES),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": told_filters(state),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": PREVENTION,
        "allowedSelfTradePreventionModes": sorted(PREVENTIONS),
    }


def exchange_info(server_ms: int, symbols: Iterable[Shape], *, has_limits: bool = True) -> Shape:
    """Return the exchange with *symbols*, and with its limits if it has any: clients hold back by what is told here."""
    return {
        "timezone": "UTC",
        "serverTime": server_ms,
        "rateLimits": [limit.told() for limit in LIMITS] if has_limits else [],
        "exchangeFilters": [],
        "symbols": list(symbols),
    }
