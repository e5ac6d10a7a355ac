"""The exchange itself: is it there, what time is it, what can be traded."""

from __future__ import annotations

from typing import Any

from dcacore.local_exchange.endpoints.call import Call
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.shapes.symbols import exchange_info, symbol_shape


def ping(_: Call) -> dict[str, Any]:
    """Return nothing."""
    return {}


def server_time(call: Call) -> dict[str, Any]:
    """Return the time."""
    return {"serverTime": call.exchange.clock.ms()}


def info(call: Call) -> dict[str, Any]:
    """Return the limits, and the symbols that were asked for."""
    exchange = call.exchange
    wanted = call.params.symbols()
    status = call.params.get("symbolStatus")
    if wanted is not None and status is not None:
        raise error(-1128)
    symbols = exchange.symbols if wanted is None else wanted
    shapes = [symbol_shape(exchange.standing(symbol), exchange.status(symbol)) for symbol in symbols]
    if status is not None:
        shapes = [shape for shape in shapes if shape["status"] == status]
    return exchange_info(exchange.clock.ms(), shapes, has_limits=exchange.limits.are_on)
