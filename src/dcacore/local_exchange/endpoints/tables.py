"""Every endpoint by its name, with its weight (rest-api.md and web-socket-api.md; limits since 2026-04-02)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dcacore.local_exchange.endpoints import accounts, general, prices, trading
from dcacore.local_exchange.endpoints.call import Endpoint, Security
from dcacore.local_exchange.params import Params

_DEPTH_WEIGHTS: Final = ((100, 5), (500, 25), (1_000, 50))
_DEEPEST: Final = 250
_DAY_WEIGHTS: Final = ((20, 2), (100, 40))
_WHOLE_DAY: Final = 80


def _depth(params: Params) -> int:
    levels = params.integer("limit") or 100
    return next((weight for most, weight in _DEPTH_WEIGHTS if levels <= most), _DEEPEST)


def _ticker(params: Params) -> int:
    return 2 if params.has("symbol") else 4


def _day(params: Params) -> int:
    wanted = params.symbols()
    if wanted is None:
        return _WHOLE_DAY
    return next((weight for most, weight in _DAY_WEIGHTS if len(wanted) <= most), _WHOLE_DAY)


def _open_orders(params: Params) -> int:
    return 6 if params.has("symbol") else 80


def _trades(params: Params) -> int:
    return 5 if params.has("orderId") else 20


_SIGNED: Final = Security.SIGNED
_PLACE: Final = Endpoint(trading.place, 1, _SIGNED, is_order=True, is_free=True)
_CANCEL: Final = Endpoint(trading.cancel, 1, _SIGNED, is_free=True)
_CANCEL_ALL: Final = Endpoint(trading.cancel_all, 1, _SIGNED, is_free=True)
_QUERY: Final = Endpoint(trading.query, 4, _SIGNED)
_TEST: Final = Endpoint(trading.test, 1, _SIGNED)
_AMEND: Final = Endpoint(trading.amend, 4, _SIGNED)
_OPEN: Final = Endpoint(accounts.open_orders, _open_orders, _SIGNED)
_ALL: Final = Endpoint(accounts.all_orders, 20, _SIGNED)
_TRADES: Final = Endpoint(accounts.my_trades, _trades, _SIGNED)
_ACCOUNT: Final = Endpoint(accounts.account, 20, _SIGNED)
_COMMISSION: Final = Endpoint(accounts.commission, 20, _SIGNED)
_COUNTS: Final = Endpoint(accounts.order_counts, 40, _SIGNED)
_PING: Final = Endpoint(general.ping, 1)
_TIME: Final = Endpoint(general.server_time, 1)
_INFO: Final = Endpoint(general.info, 20)
_PRICE: Final = Endpoint(prices.of_symbols(prices.price_row), _ticker)
_BOOK: Final = Endpoint(prices.of_symbols(prices.book_row), _ticker)
_DAY: Final = Endpoint(prices.of_symbols(prices.day), _day)
_DEPTH: Final = Endpoint(prices.depth, _depth)
_KLINES: Final = Endpoint(prices.klines, 2)
_AVERAGE: Final = Endpoint(prices.average, 2)
_PUBLIC: Final = Endpoint(prices.trades, 25)
_AGGREGATED: Final = Endpoint(prices.aggregated, 4)

REST: Final[Mapping[tuple[str, str], Endpoint]] = {
    ("GET", "/api/v3/ping"): _PING,
    ("GET", "/api/v3/time"): _TIME,
    ("GET", "/api/v3/exchangeInfo"): _INFO,
    ("GET", "/api/v3/depth"): _DEPTH,
    ("GET", "/api/v3/klines"): _KLINES,
    ("GET", "/api/v3/uiKlines"): _KLINES,
    ("GET", "/api/v3/trades"): _PUBLIC,
    ("GET", "/api/v3/aggTrades"): _AGGREGATED,
    ("GET", "/api/v3/avgPrice"): _AVERAGE,
    ("GET", "/api/v3/ticker/price"): _PRICE,
    ("GET", "/api/v3/ticker/bookTicker"): _BOOK,
    ("GET", "/api/v3/ticker/24hr"): _DAY,
    ("POST", "/api/v3/order"): _PLACE,
    ("GET", "/api/v3/order"): _QUERY,
    ("DELETE", "/api/v3/order"): _CANCEL,
    ("POST", "/api/v3/order/test"): _TEST,
    ("PUT", "/api/v3/order/amend/keepPriority"): _AMEND,
    ("GET", "/api/v3/openOrders"): _OPEN,
    ("DELETE", "/api/v3/openOrders"): _CANCEL_ALL,
    ("GET", "/api/v3/allOrders"): _ALL,
    ("GET", "/api/v3/myTrades"): _TRADES,
    ("GET", "/api/v3/account"): _ACCOUNT,
    ("GET", "/api/v3/account/commission"): _COMMISSION,
    ("GET", "/api/v3/rateLimit/order"): _COUNTS,
    ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(accounts.restrictions, 1, _SIGNED),
}
"""By method and path."""

WS_API: Final[Mapping[str, Endpoint]] = {
    "ping": _PING,
    "time": _TIME,
    "exchangeInfo": _INFO,
    "depth": _DEPTH,
    "klines": _KLINES,
    "uiKlines": _KLINES,
    "trades.recent": _PUBLIC,
    "trades.aggregate": _AGGREGATED,
    "avgPrice": _AVERAGE,
    "ticker.price": _PRICE,
    "ticker.book": _BOOK,
    "ticker.24hr": _DAY,
    "order.place": _PLACE,
    "order.status": _QUERY,
    "order.cancel": _CANCEL,
    "order.test": _TEST,
    "order.amend.keepPriority": _AMEND,
    "openOrders.status": _OPEN,
    "openOrders.cancelAll": _CANCEL_ALL,
    "allOrders": _ALL,
    "myTrades": _TRADES,
    "account.status": _ACCOUNT,
    "account.commission": _COMMISSION,
    "account.rateLimits.orders": _COUNTS,
}
"""By method."""
