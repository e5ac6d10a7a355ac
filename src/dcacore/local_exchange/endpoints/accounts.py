"""What an account sees of itself: balances, lists of orders and trades, fees, limits, the rights of its key."""

from __future__ import annotations

from typing import Any, Final

from dcacore.adapters.simulated.books import KeptOrder
from dcacore.domain.venue import VenueOrderId
from dcacore.local_exchange.clock import to_ms
from dcacore.local_exchange.endpoints.call import Call
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.shapes.orders import row
from dcacore.local_exchange.shapes.trades import account_shape, commission_shape, trade_row

Row = dict[str, Any]
MOST: Final = 1_000
USUAL: Final = 500
DAY_MS: Final = 86_400_000


def account(call: Call) -> Row:
    """Return the account with its balances."""
    omit_zero = bool(call.params.flag("omitZeroBalances"))
    held = call.account
    return account_shape(held, call.exchange.uid(call.key), call.exchange.clock.ms(), omit_zero=omit_zero)


def commission(call: Call) -> Row:
    """Return what the account pays on a symbol."""
    held = call.account
    return commission_shape(call.symbol, held.fees, pays_with_bnb=held.pays_with is not None)


def open_orders(call: Call) -> list[Row]:
    """Return the orders that rest, oldest first: of a symbol or of all."""
    symbol = call.symbol if call.params.has("symbol") else None
    return [row(order) for order in call.account.open.values() if symbol is None or order.pair == symbol]


def all_orders(call: Call) -> list[Row]:
    """Return orders of a symbol, oldest first: from an id on, of a time, or the latest."""
    symbol, params = call.symbol, call.params
    first = params.integer("orderId")
    since, until = _range(call)
    limit = _limit(call)
    orders = [
        order
        for order in _orders(call, symbol)
        if (first is None or int(order.venue_order_id) >= first)
        and (since is None or to_ms(order.placed_at) >= since)
        and (until is None or to_ms(order.placed_at) <= until)
    ]
    chosen = orders[:limit] if first is not None or since is not None else orders[-limit:]
    return [row(order) for order in chosen]


def my_trades(call: Call) -> list[Row]:
    """Return trades of a symbol, oldest first: of an order, from an id on, of a time, or the latest."""
    symbol, params, held = call.symbol, call.params, call.account
    number, first = params.integer("orderId"), params.integer("fromId")
    since, until = _range(call)
    if first is not None and (since is not None or until is not None):
        raise error(-1128)
    limit = _limit(call)
    trades = [
        trade
        for trade in held.trades(symbol)
        if (number is None or trade.venue_order_id == VenueOrderId(str(number)))
        and (first is None or int(trade.trade_id) >= first)
        and (since is None or to_ms(trade.at) >= since)
        and (until is None or to_ms(trade.at) <= until)
    ]
    chosen = trades[:limit] if first is not None or since is not None else trades[-limit:]
    rows = ((trade, held.by_venue_id(symbol, trade.venue_order_id)) for trade in chosen)
    return [trade_row(trade, order) for trade, order in rows if order is not None]


def order_counts(call: Call) -> list[Row]:
    """Return how many unfilled orders count against the limits."""
    counts = call.exchange.limits.orders(call.key, call.exchange.clock.ms())
    return [count.limit.told() | {"count": count.used} for count in counts]


def restrictions(call: Call) -> Row:
    """Return the rights of the key: it trades, and withdraws nothing."""
    return {
        "ipRestrict": True,
        "createTime": call.exchange.clock.ms() - DAY_MS,
        "enableReading": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": not call.account.is_disabled,
        "enablePortfolioMarginTrading": False,
    }


def _orders(call: Call, symbol: str) -> list[KeptOrder]:
    return [order for order in call.account.orders if order.pair == symbol]


def _range(call: Call) -> tuple[int | None, int | None]:
    since, until = call.params.integer("startTime"), call.params.integer("endTime")
    if since is not None and until is not None and until - since > DAY_MS:
        raise error(-1127, hours=24)
    return since, until


def _limit(call: Call) -> int:
    wanted = call.params.integer("limit")
    return USUAL if wanted is None else max(1, min(wanted, MOST))
