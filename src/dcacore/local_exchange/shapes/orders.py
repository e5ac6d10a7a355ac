"""Orders, as answers and as rows (rest-api.md, "New order", "Query order", "Cancel order", "Order amend")."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from dcacore.adapters.simulated.books import KeptOrder
from dcacore.domain.money import ZERO, exact
from dcacore.domain.venue import Trade, VenueStatus
from dcacore.local_exchange.clock import to_ms
from dcacore.local_exchange.formats import ZERO_TEXT, amount
from dcacore.local_exchange.orders import PREVENTION

NO_LIST: Final = -1
"""`orderListId` of an order that belongs to no list."""
Shape = dict[str, Any]

_STATUS: Final = {
    VenueStatus.FILLED: "FILLED",
    VenueStatus.CANCELED: "CANCELED",
    VenueStatus.EXPIRED: "EXPIRED",
    VenueStatus.REJECTED: "REJECTED",
}


def is_prevented(order: KeptOrder) -> bool:
    """Say whether the order has ended because it met another one of its owner's: self-trade prevention."""
    return order.is_prevented and order.status is VenueStatus.EXPIRED


def prevented(order: KeptOrder) -> Shape:
    """Return what is told besides of an order that has ended so."""
    if not is_prevented(order):
        return {}
    left = order.ticket.quantity - order.executed
    return {"preventedMatchId": int(order.venue_order_id), "preventedQuantity": amount(left)}


def status(order: KeptOrder) -> str:
    """Return the order's status in the exchange's word."""
    if is_prevented(order):
        return "EXPIRED_IN_MATCH"
    return _STATUS.get(order.status) or ("PARTIALLY_FILLED" if order.executed else "NEW")


def kind(order: KeptOrder) -> str:
    """Return the order's type."""
    if order.ticket.price is None:
        return "MARKET"
    return "LIMIT_MAKER" if order.ticket.is_maker_only else "LIMIT"


@exact
def spent(order: KeptOrder) -> Decimal:
    """Return the quote that its trades have moved."""
    return sum((trade.price * trade.quantity for trade in order.trades), ZERO)


def expiry_reason(order: KeptOrder) -> str | None:
    """Return why an expired order has ended; None for any other."""
    if order.status is not VenueStatus.EXPIRED or is_prevented(order):
        return None
    if order.ticket.price is None:
        return "INSUFFICIENT_LIQUIDITY"
    force = order.ticket.time_in_force.value
    return (
        "EXCHANGE_CANCELED"
        if force == "GTC"
        else f"UNFILLED_{force}_{'QUANTITY' if force == 'IOC' else 'ORDER'}_EXPIRED"
    )


def ack(order: KeptOrder) -> Shape:
    """Return the least that a new order is answered with."""
    return {
        "symbol": order.pair,
        "orderId": int(order.venue_order_id),
        "orderListId": NO_LIST,
        "clientOrderId": order.ticket.order_id,
        "transactTime": to_ms(order.placed_at),
    }


def _amounts(order: KeptOrder) -> Shape:
    ticket = order.ticket
    return {
        "price": ZERO_TEXT if ticket.price is None else amount(ticket.price),
        "origQty": amount(ticket.quantity),
        "executedQty": amount(order.executed),
        "origQuoteOrderQty": amount(ticket.quote_amount or ZERO),
        "cummulativeQuoteQty": amount(spent(order)),
        "status": status(order),
        "timeInForce": ticket.time_in_force.value,
        "type": kind(order),
        "side": ticket.side.name,
    }


def _labels(order: KeptOrder) -> Shape:
    labels = order.ticket.labels
    shape: Shape = {name: int(labels[name]) for name in ("strategyId", "strategyType") if name in labels}
    reason = expiry_reason(order)
    if reason is not None:
        shape["expiryReason"] = reason
    shape |= prevented(order)
    shape["selfTradePreventionMode"] = labels.get("selfTradePreventionMode", PREVENTION)
    return shape


def result(order: KeptOrder) -> Shape:
    """Return how a new order stands."""
    return ack(order) | _amounts(order) | {"workingTime": to_ms(order.placed_at)} | _labels(order)


def _fill(trade: Trade) -> Shape:
    return {
        "price": amount(trade.price),
        "qty": amount(trade.quantity),
        "commission": amount(trade.fee),
        "commissionAsset": trade.fee_asset,
        "tradeId": int(trade.trade_id),
    }


def full(order: KeptOrder) -> Shape:
    """Return how a new order stands, with its trades."""
    return result(order) | {"fills": [_fill(trade) for trade in order.trades]}


def row(order: KeptOrder) -> Shape:
    """Return an order as queries and lists show it."""
    placed = to_ms(order.placed_at)
    return (
        {
            "symbol": order.pair,
            "orderId": int(order.venue_order_id),
            "orderListId": NO_LIST,
            "clientOrderId": order.ticket.order_id,
        }
        | _amounts(order)
        | {
            "stopPrice": ZERO_TEXT,
            "icebergQty": ZERO_TEXT,
            "time": placed,
            "updateTime": to_ms(order.changed_at),
            "isWorking": True,
            "workingTime": placed,
        }
        | _labels(order)
    )


def cancelled(order: KeptOrder, cancel_id: str) -> Shape:
    """Return what a cancel that is called *cancel_id* is answered with."""
    return (
        {
            "symbol": order.pair,
            "origClientOrderId": order.ticket.order_id,
            "orderId": int(order.venue_order_id),
            "orderListId": NO_LIST,
            "clientOrderId": cancel_id,
            "transactTime": to_ms(order.changed_at),
        }
        | _amounts(order)
        | _labels(order)
    )


def amended(order: KeptOrder, execution: int, former_id: str) -> Shape:
    """Return what a request to lower the quantity is answered with; before it the order was called *former_id*."""
    ticket = order.ticket
    return {
        "transactTime": to_ms(order.changed_at),
        "executionId": execution,
        "amendedOrder": {
            "symbol": order.pair,
            "orderId": int(order.venue_order_id),
            "orderListId": NO_LIST,
            "origClientOrderId": former_id,
            "clientOrderId": ticket.order_id,
            "price": amount(ticket.price or ZERO),
            "qty": amount(ticket.quantity),
            "executedQty": amount(order.executed),
            "preventedQty": ZERO_TEXT,
            "quoteOrderQty": amount(ticket.quote_amount or ZERO),
            "cumulativeQuoteQty": amount(spent(order)),
            "status": status(order),
            "timeInForce": ticket.time_in_force.value,
            "type": kind(order),
            "side": ticket.side.name,
            "workingTime": to_ms(order.placed_at),
            "selfTradePreventionMode": ticket.labels.get("selfTradePreventionMode", PREVENTION),
        },
    }
