"""The books of an account as the exchange itself holds them, for checks. All amounts in plain notation."""

from __future__ import annotations

from typing import Any

from dcacore.adapters.simulated.account import Account
from dcacore.adapters.simulated.books import KeptOrder
from dcacore.domain.money import plain
from dcacore.domain.venue import Trade
from dcacore.local_exchange.clock import to_ms
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.shapes.orders import kind, spent, status

Shape = dict[str, Any]


def books_of(exchange: LocalExchange, key: str) -> Shape:
    """Return orders, fills and balances of the account of an API key, each oldest first."""
    account = exchange.account(key)
    orders = list(account.orders)
    fills = [_fill(order, trade) for order in orders for trade in order.trades]
    fills.sort(key=lambda fill: (fill["time_ms"], fill["trade_id"]))
    return {
        "apiKey": key,
        "orders": [_order(order) for order in orders],
        "fills": fills,
        "balances": _balances(account),
        "transfers": [
            {"time_ms": to_ms(one.at), "asset": one.asset, "amount": plain(one.amount)}
            for one in account.books().transfers
        ],
    }


def _balances(account: Account) -> dict[str, Shape]:
    held = account.balances()
    return {asset: {"free": plain(one.free), "locked": plain(one.locked)} for asset, one in held.items()}


def _order(order: KeptOrder) -> Shape:
    ticket = order.ticket
    return {
        "symbol": order.pair,
        "order_id": int(order.venue_order_id),
        "client_order_id": ticket.order_id,
        "side": ticket.side.name,
        "type": kind(order),
        "time_in_force": ticket.time_in_force.value,
        "price": None if ticket.price is None else plain(ticket.price),
        "quantity": plain(ticket.quantity),
        "executed": plain(order.executed),
        "spent": plain(spent(order)),
        "status": status(order),
        "placed_ms": to_ms(order.placed_at),
        "changed_ms": to_ms(order.changed_at),
    }


def _fill(order: KeptOrder, trade: Trade) -> Shape:
    return {
        "symbol": order.pair,
        "trade_id": int(trade.trade_id),
        "order_id": int(trade.venue_order_id),
        "client_order_id": order.ticket.order_id,
        "side": trade.side.name,
        "price": plain(trade.price),
        "quantity": plain(trade.quantity),
        "fee": plain(trade.fee),
        "fee_asset": trade.fee_asset,
        "is_maker": order.has_rested,
        "time_ms": to_ms(trade.at),
    }
