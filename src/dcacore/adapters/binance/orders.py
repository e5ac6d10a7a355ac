"""Orders and trades as the exchange writes them, in the port's words."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Final

import attrs
import structlog

from dcacore.adapters.binance.reading import Row, Unreadable, integer_in, number_in, positive_in, text_in, time_in
from dcacore.domain.ids import OrderId, TradeId
from dcacore.domain.money import BaseQty, Price, plain
from dcacore.domain.orders import Order, Side
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId, VenueStatus

log = structlog.get_logger("dcacore.binance")

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
_WORDS: Final = {side: word for word, side in SIDES.items()}
STATUSES: Final = {
    "NEW": VenueStatus.OPEN,
    "PENDING_NEW": VenueStatus.OPEN,
    "PARTIALLY_FILLED": VenueStatus.OPEN,
    "PENDING_CANCEL": VenueStatus.OPEN,
    "FILLED": VenueStatus.FILLED,
    "CANCELED": VenueStatus.CANCELED,
    "EXPIRED": VenueStatus.EXPIRED,
    "EXPIRED_IN_MATCH": VenueStatus.EXPIRED,
    "REJECTED": VenueStatus.REJECTED,
}
_WITHOUT_LIMIT: Final = frozenset({"MARKET", "STOP_LOSS", "TAKE_PROFIT"})


@attrs.frozen(kw_only=True)
class Names:
    """How an order's fields are called: in answers one way, in account events another."""

    order_id: str = "clientOrderId"
    venue_order_id: str = "orderId"
    side: str = "side"
    kind: str = "type"
    quantity: str = "origQty"
    price: str = "price"
    status: str = "status"
    executed: str = "executedQty"


IN_ANSWERS: Final = Names()
IN_EVENTS: Final = Names(
    order_id="c", venue_order_id="i", side="S", kind="o", quantity="q", price="p", status="X", executed="z"
)


def ticket(pair: str, order: Order) -> dict[str, str]:
    """Return what an order is placed with; its numbers are written as they are, without exponents."""
    common = {"symbol": pair, "side": _WORDS[order.side], "quantity": plain(order.quantity)}
    own = {"newClientOrderId": order.id, "newOrderRespType": "FULL"}
    if order.price is None:
        return {**common, "type": "MARKET", **own}
    return {**common, "type": "LIMIT", "timeInForce": "GTC", "price": plain(order.price), **own}


def order_of(row: Row, names: Names = IN_ANSWERS) -> VenueOrder:
    """Return the order that *row* tells of, without its trades.

    A status that is not known is none of an end: it is passed on as such, and logged.

    Raises:
        Unreadable: it names no order, or lacks how that stands.
    """
    word = text_in(row, names.status)
    status = STATUSES.get(word, VenueStatus.OTHER)
    if status is VenueStatus.OTHER:
        log.error("order_status_unknown", status=word[:40])
    price = Decimal(0) if row.get(names.kind) in _WITHOUT_LIMIT else number_in(row, names.price)
    return VenueOrder(
        order_id=OrderId(text_in(row, names.order_id)),
        venue_order_id=VenueOrderId(str(integer_in(row, names.venue_order_id))),
        side=side_in(row, names.side),
        quantity=BaseQty(number_in(row, names.quantity)),
        price=Price(price) if price else None,
        status=status,
        executed=BaseQty(number_in(row, names.executed)),
    )


def side_in(row: Row, name: str) -> Side:
    """Return the side in field *name*."""
    side = SIDES.get(text_in(row, name))
    if side is None:
        raise Unreadable(f"{name} is no side")
    return side


def trade_of(row: Row, order_id: OrderId | None) -> Trade:
    """Return the trade that a row of `myTrades` tells of; what its fee was worth is left open."""
    is_buyer = row.get("isBuyer")
    if not isinstance(is_buyer, bool):
        raise Unreadable("isBuyer is neither true nor false")
    return Trade(
        trade_id=TradeId(str(integer_in(row, "id"))),
        venue_order_id=VenueOrderId(str(integer_in(row, "orderId"))),
        order_id=order_id,
        at=time_in(row, "time"),
        side=Side.BUY if is_buyer else Side.SELL,
        price=Price(positive_in(row, "price")),
        quantity=BaseQty(positive_in(row, "qty")),
        fee=number_in(row, "commission"),
        fee_asset=text_in(row, "commissionAsset"),
    )


def fill_of(row: Row, order: VenueOrder, at: datetime.datetime) -> Trade:
    """Return one of the fills that come with the answer to *order*."""
    return Trade(
        trade_id=TradeId(str(integer_in(row, "tradeId"))),
        venue_order_id=order.venue_order_id,
        order_id=order.order_id,
        at=at,
        side=order.side,
        price=Price(positive_in(row, "price")),
        quantity=BaseQty(positive_in(row, "qty")),
        fee=number_in(row, "commission"),
        fee_asset=text_in(row, "commissionAsset"),
    )


def reported(event: Row) -> VenueOrder:
    """Return the order of an `executionReport`, with the trade that made it.

    When an order is taken off, `c` is the id of the taking off, and `C` the order's.

    Raises:
        Unreadable: it is not to be understood.
    """
    original = event.get("C")
    names = attrs.evolve(IN_EVENTS, order_id="C") if isinstance(original, str) and original else IN_EVENTS
    order = order_of(event, names)
    if event.get("x") != "TRADE":
        return order
    fee = number_in(event, "n")
    trade = Trade(
        trade_id=TradeId(str(integer_in(event, "t"))),
        venue_order_id=order.venue_order_id,
        order_id=order.order_id,
        at=time_in(event, "T"),
        side=order.side,
        price=Price(positive_in(event, "L")),
        quantity=BaseQty(positive_in(event, "l")),
        fee=fee,
        fee_asset=text_in(event, "N") if fee else str(event.get("N") or ""),
    )
    return attrs.evolve(order, trades=(trade,))
