"""Placing, asking for, changing and taking off orders."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from dcacore.adapters.simulated.books import KeptOrder
from dcacore.adapters.simulated.venue import KEPT_UNFILLED
from dcacore.domain.errors import DcaError
from dcacore.domain.ids import OrderId
from dcacore.domain.money import BaseQty
from dcacore.domain.venue import VenueOrderId, VenueStatus
from dcacore.local_exchange.endpoints.call import Call
from dcacore.local_exchange.errors import ApiError, error
from dcacore.local_exchange.formats import ZERO_TEXT, amount
from dcacore.local_exchange.orders import read_order
from dcacore.local_exchange.shapes import orders as shapes
from dcacore.ports.errors import (
    FilterViolation,
    InsufficientBalance,
    OutcomeUnknown,
    Rejected,
    TooLate,
    TradingHalted,
)

RESPONSES: Final[Mapping[str, Callable[[KeptOrder], dict[str, Any]]]] = {
    "ACK": shapes.ack,
    "RESULT": shapes.result,
    "FULL": shapes.full,
}
RESTRICTIONS: Final = frozenset({"ONLY_NEW", "ONLY_PARTIALLY_FILLED"})
MOST_AMENDS: Final = 10
_ID_LETTERS: Final = 22


def make_id() -> str:
    """Return a client id for an order, or a cancel, that brings none."""
    return secrets.token_urlsafe(_ID_LETTERS)[:_ID_LETTERS]


def place(call: Call) -> dict[str, Any]:
    """Take an order, and return what came of it."""
    exchange, symbol = call.exchange, call.symbol
    state, account = exchange.pair(symbol), call.account
    new = read_order(call.params, state, account, make_id)
    now = exchange.clock.ms()
    exchange.limits.check_order(call.key, now)
    exchange.limits.placed(call.key, now)  # before it can fill, which gives it back
    try:
        placed = exchange.venue.place(
            account.name,
            symbol,
            new.ticket,
            sent_at=call.sent_at or exchange.clock.now(),
            recv_window=call.recv_window,
        )
    except DcaError as refusal:
        exchange.limits.filled(call.key, now)
        raise in_its_words(refusal) from refusal
    return RESPONSES[new.response](_kept(call, symbol, placed.venue_order_id))


def test(call: Call) -> dict[str, Any]:
    """Check an order without placing it."""
    state, account = call.exchange.pair(call.symbol), call.account
    read_order(call.params, state, account, make_id)
    if not call.params.flag("computeCommissionRates"):
        return {}
    rates = {"maker": account.fees.fee_maker, "taker": account.fees.fee_taker}
    standard = {name: amount(rate) for name, rate in rates.items()}
    none = dict.fromkeys(rates, ZERO_TEXT)
    return {
        "standardCommissionForOrder": standard,
        "specialCommissionForOrder": none,
        "taxCommissionForOrder": none,
        "discount": {
            "enabledForAccount": account.pays_with is not None,
            "enabledForSymbol": True,
            "discountAsset": "BNB",
            "discount": "0.75000000",
        },
    }


def query(call: Call) -> dict[str, Any]:
    """Return how an order stands."""
    order = named(call)
    if order is None:
        raise error(-2013)
    ended_empty = order.status is not VenueStatus.OPEN and not order.executed
    if ended_empty and call.exchange.clock.now() - order.changed_at > KEPT_UNFILLED:
        raise error(-2026)
    return shapes.row(order)


def cancel(call: Call) -> dict[str, Any]:
    """Take an open order off."""
    restriction = call.params.one_of("cancelRestrictions", RESTRICTIONS, -1145)
    order = named(call)
    if order is None or order.venue_order_id not in call.account.open:
        raise error(-2011)
    if restriction is not None and restriction != f"ONLY_{shapes.status(order)}":
        raise error(-2011, "Order was not canceled due to cancel restrictions.")
    return _take_off(call, order, call.params.get("newClientOrderId", "client id"))


def cancel_all(call: Call) -> list[dict[str, Any]]:
    """Take off all open orders of a symbol."""
    symbol = call.symbol
    orders = [order for order in call.account.open.values() if order.pair == symbol]
    if not orders:
        raise error(-2011)
    return [_take_off(call, order, None) for order in orders]


def amend(call: Call) -> dict[str, Any]:
    """Lower the quantity of an open order, which keeps its priority."""
    exchange, order = call.exchange, named(call)
    quantity = call.params.decimal("newQty")
    if quantity is None:
        raise error(-1102, name="newQty")
    if order is None or order.venue_order_id not in call.account.open:
        raise error(-2013)
    if order.amended >= MOST_AMENDS:
        raise error(-1013, filter="MAX_NUM_ORDER_AMENDS")
    market = exchange.pair(order.pair).market
    if quantity % market.step_size or quantity < market.min_quantity:
        raise error(-1013, filter="LOT_SIZE")
    if order.ticket.price is not None and not market.allows(order.ticket.price, quantity):
        raise error(-1013, filter="NOTIONAL")
    former = order.ticket.order_id
    renamed = OrderId(call.params.get("newClientOrderId", "client id") or make_id())
    if any(other.ticket.order_id == renamed for other in _others(call, order)):
        raise error(-2038, "Duplicate order sent.")
    try:
        exchange.venue.amend(call.account, order, BaseQty(quantity), renamed)
    except Rejected as refusal:
        raise error(-2038, refusal.reason) from refusal
    return shapes.amended(order, exchange.feed.executions, former)


def _others(call: Call, order: KeptOrder) -> list[KeptOrder]:
    return [other for other in call.account.open.values() if other.pair == order.pair and other is not order]


def named(call: Call) -> KeptOrder | None:
    """Return the order that a request names by either id; None when there is none.

    Raises:
        ApiError: it names none, or its two ids are not those of one order.
    """
    symbol, account = call.symbol, call.account
    number = call.params.integer("orderId")
    client_id = call.params.get("origClientOrderId", "client id")
    if number is not None:
        order = account.by_venue_id(symbol, VenueOrderId(str(number)))
        if order is not None and client_id is not None and order.ticket.order_id != client_id:
            raise error(-2039)
        return order
    if client_id is None:
        raise error(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    return account.by_client_id(symbol, OrderId(client_id))


def in_its_words(refusal: DcaError) -> ApiError:
    """Return what the exchange says where the matching engine says *refusal*."""
    match refusal:
        case InsufficientBalance():
            return error(-2010)
        case OutcomeUnknown():  # an order of this id is open; the venue lets nobody take that for a no
            return error(-2010, "Duplicate order sent.")
        case TooLate():
            return error(-1021)
        case FilterViolation(reason=reason):
            return error(-1013, reason if reason.startswith("Filter failure") else "Filter failure: NOTIONAL")
        case TradingHalted(reason=reason, code=code) | Rejected(reason=reason, code=code):
            return error(code or -2010, reason)
        case _:
            return error(-1000)


def _take_off(call: Call, order: KeptOrder, cancel_id: str | None) -> dict[str, Any]:
    exchange, cancel_id = call.exchange, cancel_id or make_id()
    with exchange.feed.cancelling(cancel_id):
        exchange.venue.take_off(call.account, exchange.pair(order.pair), order, VenueStatus.CANCELED)
    return shapes.cancelled(order, cancel_id)


def _kept(call: Call, symbol: str, number: VenueOrderId) -> KeptOrder:
    order = call.account.by_venue_id(symbol, number)
    if order is None:
        raise error(-1000)
    return order
