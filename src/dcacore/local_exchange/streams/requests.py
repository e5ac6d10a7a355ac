"""What a client may ask on a market stream: SUBSCRIBE, UNSUBSCRIBE and the like."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from dcacore.local_exchange.streams.broadcast import Broadcast
from dcacore.local_exchange.streams.hub import Hub, Subscriber, encode
from dcacore.local_exchange.streams.names import StreamName, parse_name

MOST_STREAMS: Final = 1_024
METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_LONGEST_ID: Final = 36


class BadRequest(Exception):
    """A request that cannot be carried out.

    Attributes:
        code: 0 to 3 (web-socket-streams.md, "Error Messages").
        msg: what is wrong.
    """

    def __init__(self, code: int, msg: str) -> None:
        self.code, self.msg = code, msg
        super().__init__(msg)


def answer(text: str, connection: Subscriber, hub: Hub, broadcast: Broadcast) -> None:
    """Do what a client asks for, and answer."""
    number: Any = None
    fresh: list[StreamName] = []
    try:
        request = _read(text)
        number = request.get("id")
        result = _carry_out(request, connection, hub, fresh)
    except BadRequest as wrong:
        connection.put(encode({"code": wrong.code, "msg": wrong.msg, "id": number}))
    else:
        connection.put(encode({"result": result, "id": number}))
        broadcast.greet(connection, fresh)


def _read(text: str) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(3, "Invalid JSON: expected value at line 1 column 1") from None
    if not isinstance(request, dict) or "method" not in request:
        raise BadRequest(2, f"Invalid request: missing field `method` at line 1 column {len(text)}")
    number = request.get("id")
    is_good = number is None or (isinstance(number, str) and len(number) <= _LONGEST_ID) or type(number) is int
    if not is_good:
        request["id"] = None
        raise BadRequest(2, "Invalid request: request ID must be an unsigned integer")
    return request


def _carry_out(request: dict[str, Any], connection: Subscriber, hub: Hub, fresh: list[StreamName]) -> Any:
    params = request.get("params", [])
    if not isinstance(params, list):
        raise BadRequest(2, "Invalid request: params must be an array")
    match request["method"]:
        case "SUBSCRIBE":
            fresh.extend(_names(params))
            if len(connection.names) + len(fresh) > MOST_STREAMS:
                fresh.clear()
                raise BadRequest(2, "Invalid request: too many subscriptions")
            hub.subscribe(connection, fresh)
            return None
        case "UNSUBSCRIBE":
            hub.unsubscribe(connection, [str(name) for name in params])
            return None
        case "LIST_SUBSCRIPTIONS":
            return list(connection.names)
        case "GET_PROPERTY" | "SET_PROPERTY":
            return _property(request["method"], params, connection)
        case other:
            expected = ", ".join(METHODS)
            raise BadRequest(2, f"Invalid request: unknown variant {other}, expected one of {expected}")


def _names(params: list[Any]) -> list[StreamName]:
    names = [parse_name(name) if isinstance(name, str) else None for name in params]
    known = [name for name in names if name is not None]
    if not params or len(known) < len(params):
        raise BadRequest(2, "Invalid request: invalid stream")
    return known


def _property(method: str, params: list[Any], connection: Subscriber) -> bool | None:
    if not params or params[0] != "combined":
        raise BadRequest(0, "Unknown property")
    if method == "GET_PROPERTY":
        return connection.is_combined
    if len(params) < len(("combined", True)) or not isinstance(params[1], bool):
        raise BadRequest(1, "Invalid value type: expected Boolean")
    connection.is_combined = params[1]
    return None
