"""Events of an account (user-data-stream.md)."""

from __future__ import annotations

from typing import Any, Final

from dcacore.adapters.simulated.account import Account
from dcacore.adapters.simulated.books import KeptOrder
from dcacore.domain.money import ZERO, exact
from dcacore.domain.venue import Trade, VenueStatus
from dcacore.local_exchange.clock import to_ms
from dcacore.local_exchange.formats import ZERO_TEXT, amount
from dcacore.local_exchange.orders import PREVENTION
from dcacore.local_exchange.shapes.orders import NO_LIST, expiry_reason, is_prevented, kind, prevented, spent, status

Shape = dict[str, Any]
_NONE: Final = -1
_ENDS: Final = {VenueStatus.CANCELED: "CANCELED", VenueStatus.EXPIRED: "EXPIRED", VenueStatus.REJECTED: "REJECTED"}


def what_happened(order: KeptOrder, trade: Trade | None, *, is_known: bool) -> str:
    """Return the execution type of a report: NEW, TRADE, CANCELED, EXPIRED, REJECTED,
    REPLACED or TRADE_PREVENTION.
    """
    if trade is not None:
        return "TRADE"
    if is_prevented(order):
        return "TRADE_PREVENTION"
    if order.status in _ENDS:
        return _ENDS[order.status]
    return "REPLACED" if is_known else "NEW"


@exact
def execution_report(
    order: KeptOrder, trade: Trade | None, happened: str, *, execution: int, now: int, cancel_id: str | None
) -> Shape:
    """Return a report on *order* as it stands.

    Args:
        order: whose report it is.
        trade: the trade that it is about; None for any other cause.
        happened: the execution type.
        execution: the report's number.
        now: Unix milliseconds.
        cancel_id: what the request calls itself that took the order off.
    """
    ticket, is_cancelled = order.ticket, happened == "CANCELED"
    changed = to_ms(order.changed_at)
    resting = order.status is VenueStatus.OPEN
    shape = {
        "e": "executionReport",
        "E": now,
        "s": order.pair,
        "c": (cancel_id or ticket.order_id) if is_cancelled else ticket.order_id,
        "S": ticket.side.name,
        "o": kind(order),
        "f": ticket.time_in_force.value,
        "q": amount(ticket.quantity),
        "p": ZERO_TEXT if ticket.price is None else amount(ticket.price),
        "P": ZERO_TEXT,
        "F": ZERO_TEXT,
        "g": NO_LIST,
        "C": ticket.order_id if is_cancelled else "",
        "x": happened,
        "X": status(order),
        "r": "NONE",
        "i": int(order.venue_order_id),
        "l": ZERO_TEXT if trade is None else amount(trade.quantity),
        "z": amount(order.executed),
        "L": ZERO_TEXT if trade is None else amount(trade.price),
        "n": "0" if trade is None else amount(trade.fee),
        "N": None if trade is None else trade.fee_asset,
        "T": changed,
        "t": _NONE if trade is None else int(trade.trade_id),
        "I": execution,
        "w": resting and ticket.price is not None,
        "m": trade is not None and order.has_rested,
        "M": False,
        "O": to_ms(order.placed_at),
        "Z": amount(spent(order)),
        "Y": ZERO_TEXT if trade is None else amount(trade.price * trade.quantity),
        "Q": amount(ticket.quote_amount or ZERO),
        "W": to_ms(order.placed_at),
        "V": ticket.labels.get("selfTradePreventionMode", PREVENTION),
    }
    for field, name in (("j", "strategyId"), ("J", "strategyType")):
        if name in ticket.labels:
            shape[field] = int(ticket.labels[name])
    if happened == "TRADE_PREVENTION":
        told = prevented(order)
        shape |= {"v": told["preventedMatchId"], "A": told["preventedQuantity"], "B": told["preventedQuantity"]}
    reason = expiry_reason(order)
    return shape if reason is None else shape | {"eR": reason}


def position(account: Account, assets: list[str], now: int) -> Shape:
    """Return what *account* holds now of the assets that were touched."""
    wallet = account.wallet
    balances = [{"a": asset, "f": amount(wallet.free(asset)), "l": amount(wallet.locked(asset))} for asset in assets]
    return {"e": "outboundAccountPosition", "E": now, "u": now, "B": balances}
