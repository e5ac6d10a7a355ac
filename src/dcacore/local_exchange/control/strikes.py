"""Faults that strike at once, when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from dcacore.adapters.simulated.books import KeptOrder
from dcacore.adapters.simulated.hands import Staff
from dcacore.domain.ids import AccountId
from dcacore.domain.money import BaseQty
from dcacore.domain.venue import VenueOrderId
from dcacore.local_exchange.faults.kinds import BadFault, Fault
from dcacore.local_exchange.site import Site

WHICH: Final = frozenset({"market", "user", "all"})
CODES: Final = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})
"""What may stand in a frame that closes a WebSocket (RFC 6455, 7.4)."""


def strike_now(site: Site, fault: Fault) -> dict[str, Any]:
    """Do what a fault does, and return what it was.

    Raises:
        BadFault: it cannot be done.
        ApiError: a symbol that there is not.
        PortError: as the venue says.
    """
    NOW[fault.kind](site, fault)
    site.desk.struck[fault.kind] = site.desk.struck.get(fault.kind, 0) + 1
    return {"kind": fault.kind, **fault.options}


def _which(fault: Fault) -> str:
    which = str(fault.options["which"])
    if which not in WHICH:
        raise BadFault("which has to be market, user or all")
    return which


def _close(site: Site, fault: Fault) -> None:
    code = int(fault.number("code"))
    if code not in CODES:
        raise BadFault("code has to be one that closes a WebSocket, such as 1001")
    site.close(_which(fault), code)


def _abort(site: Site, fault: Fault) -> None:
    for connection in site.connections(_which(fault)):
        connection.abort()


def _skew(site: Site, fault: Fault) -> None:
    site.exchange.clock.skew_ms = int(fault.number("ms"))


def _staff(site: Site) -> Staff:
    return Staff(site.exchange.venue)


def _order(site: Site, fault: Fault) -> KeptOrder:
    """Return the order that a fault names, or else the oldest one of the symbol that is open."""
    symbol, number = str(fault.options["symbol"]), int(fault.number("orderId"))
    account = site.exchange.account(str(fault.options["apiKey"]))
    if number:
        order = account.open.get(VenueOrderId(str(number)))
    else:
        order = next((one for one in account.open.values() if one.pair == symbol), None)
    if order is None or order.pair != symbol:
        raise BadFault("no such order is open")
    return order


def _partial_fill(site: Site, fault: Fault) -> None:
    order, quantity = _order(site, fault), fault.number("quantity")
    step = site.exchange.pair(order.pair).market.step_size
    if quantity <= 0 or quantity % step:
        raise BadFault(f"quantity has to be a multiple of {step}")
    account = AccountId(str(fault.options["apiKey"]))
    _staff(site).fill_in_part(account, order.pair, order.venue_order_id, BaseQty(quantity))


def _expire(site: Site, fault: Fault) -> None:
    order, account = _order(site, fault), AccountId(str(fault.options["apiKey"]))
    is_prevented = fault.kind == "self_trade"
    _staff(site).expire(account, order.pair, order.venue_order_id, is_prevented=is_prevented)


def _thin(site: Site, fault: Fault) -> None:
    share = fault.number("share")
    if not 0 <= share <= 1:
        raise BadFault("share has to be 0 to 1")
    symbol = str(fault.options["symbol"])
    site.exchange.pair(symbol)
    _staff(site).thin_out(symbol, share, is_prevented=bool(fault.options["in_match"]))


def _take(site: Site, fault: Fault) -> None:
    key, asset = str(fault.options["apiKey"]), str(fault.options["asset"])
    free = site.exchange.account(key).wallet.free(asset)
    amount = fault.number("amount") if fault.options["amount"] != "" else free
    if not Decimal(0) <= amount <= free:
        raise BadFault(f"amount has to be 0 to {free}")
    site.exchange.transfer(key, asset, -amount)


def _revoke(site: Site, fault: Fault) -> None:
    site.exchange.account(str(fault.options["apiKey"])).is_revoked = not fault.options["restore"]


def _disable(site: Site, fault: Fault) -> None:
    site.exchange.account(str(fault.options["apiKey"])).is_disabled = not fault.options["restore"]


NOW: Final[Mapping[str, Callable[[Site, Fault], object]]] = {
    "clock_skew": _skew,
    "close_streams": _close,
    "abort_streams": _abort,
    "server_shutdown": lambda site, fault: site.announce_shutdown(_which(fault)),
    "stop_events": lambda site, _: site.users.stop(),
    "partial_fill": _partial_fill,
    "expire_order": _expire,
    "self_trade": _expire,
    "thin_market": _thin,
    "symbol_status": lambda site, fault: site.exchange.set_status(
        str(fault.options["symbol"]), str(fault.options["status"])
    ),
    "balance_taken": _take,
    "revoke_key": _revoke,
    "disable_account": _disable,
    "wipe": lambda site, _: site.exchange.wipe(),
}
"""By kind: what is done."""
