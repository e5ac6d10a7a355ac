"""What the exchange answers when it says no: its codes, their HTTP statuses and their texts.

Codes and texts are those of Binance's `errors.md`; clients match the code first and then the text, letter by letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

_BAD, _KEY, _MANY = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS

ERRORS: Final[Mapping[int, tuple[int, str]]] = {
    -1000: (HTTPStatus.INTERNAL_SERVER_ERROR, "An unknown error occurred while processing the request."),
    -1001: (HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; unable to process your request. Please try again."),
    -1003: (
        _MANY,
        (
            "Too much request weight used; current limit is {limit} request weight per {per}. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        ),
    ),
    -1006: (
        HTTPStatus.BAD_GATEWAY,
        "An unexpected response was received from the message bus. Execution status unknown.",
    ),
    -1007: (
        HTTPStatus.GATEWAY_TIMEOUT,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    ),
    -1008: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
    ),
    -1013: (_BAD, "Filter failure: {filter}"),
    -1015: (_MANY, "Too many new orders; current limit is {limit} orders per {per}."),
    -1020: (_BAD, "This operation is not supported."),
    -1021: (_BAD, "Timestamp for this request is outside of the recvWindow."),
    -1022: (_BAD, "Signature for this request is not valid."),
    -1100: (_BAD, "Illegal characters found in parameter '{name}'; legal range is '{legal}'."),
    -1101: (_BAD, "Duplicate values for a parameter detected."),
    -1102: (_BAD, "Mandatory parameter '{name}' was not sent, was empty/null, or malformed."),
    -1105: (_BAD, "Parameter '{name}' was empty."),
    -1106: (_BAD, "Parameter '{name}' sent when not required."),
    -1111: (_BAD, "Parameter '{name}' has too much precision."),
    -1115: (_BAD, "Invalid timeInForce."),
    -1116: (_BAD, "Invalid orderType."),
    -1117: (_BAD, "Invalid side."),
    -1120: (_BAD, "Invalid interval."),
    -1121: (_BAD, "Invalid symbol."),
    -1127: (_BAD, "More than {hours} hours between startTime and endTime."),
    -1128: (_BAD, "Combination of optional parameters invalid."),
    -1130: (_BAD, "Data sent for parameter '{name}' is not valid."),
    -1131: (_BAD, "recvWindow must be less than 60000."),
    -1135: (_BAD, "Invalid JSON Request"),
    -1145: (_BAD, "Invalid cancelRestrictions."),
    -1220: (_BAD, "The symbol's status does not match the requested symbolStatus."),
    -2010: (_BAD, "Account has insufficient balance for requested action."),
    -2011: (_BAD, "Unknown order sent."),
    -2013: (_BAD, "Order does not exist."),
    -2014: (_KEY, "API-key format invalid."),
    -2015: (_KEY, "Invalid API-key, IP, or permissions for action."),
    -2026: (
        _BAD,
        "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
    ),
    -2035: (_BAD, "User Data Stream subscription is already active."),
    -2042: (_BAD, "No more subscription ids are left on this connection: reconnect."),
    -2036: (_BAD, "User Data Stream subscription is not active."),
    -2038: (_BAD, "Order amend was rejected."),
    -2039: (_BAD, "Client order ID is not correct for this order ID."),
}
"""By code: the HTTP status, and the text with its blanks."""

BANNED: Final = (
    "Way too much request weight used; IP banned until {until}. "
    "Please use WebSocket Streams for live updates to avoid bans."
)
"""The text of code -1003 with HTTP 418; *until* in Unix milliseconds."""


class ApiError(Exception):
    """The exchange refuses, in its own words.

    Attributes:
        code: its number for it.
        msg: its text.
        status: the HTTP status.
        headers: what the answer's head says besides.
    """

    def __init__(self, code: int, msg: str, status: int = _BAD, headers: Mapping[str, str] | None = None) -> None:
        self.code, self.msg, self.status = code, msg, int(status)
        self.headers = headers or {}
        super().__init__(f"{code} {msg}")

    @property
    def body(self) -> dict[str, object]:
        """The answer's body."""
        return {"code": self.code, "msg": self.msg}


def error(code: int, msg: str | None = None, **blanks: object) -> ApiError:
    """Return the error *code*, with its usual text unless *msg* is another."""
    status, text = ERRORS[code]
    return ApiError(code, msg if msg is not None else text.format(**blanks), status)
