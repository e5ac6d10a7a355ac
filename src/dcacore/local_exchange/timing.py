"""When a signed request is still, or already, good."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from dcacore.local_exchange.errors import error
from dcacore.local_exchange.params import Params

AHEAD_MS: Final = 1_000
RECV_WINDOW_MS: Final = Decimal(5_000)
LONGEST_WINDOW_MS: Final = Decimal(60_000)
_MICROSECONDS_FROM: Final = 100_000_000_000_000
"""A time stamp as large as this counts microseconds."""


def check_timing(params: Params, server_ms: int) -> tuple[int, Decimal]:
    """Return the request's time and window in milliseconds.

    It is good iff `timestamp < serverTime + 1000` and `serverTime - timestamp <= recvWindow` (rest-api.md, "Timing
    security").

    Raises:
        ApiError: -1021, or whatever is wrong with the two parameters.
    """
    params.need("timestamp")
    at = params.integer("timestamp") or 0
    if at >= _MICROSECONDS_FROM:
        at //= 1_000
    window = params.decimal("recvWindow")
    window = RECV_WINDOW_MS if window is None else window
    if window > LONGEST_WINDOW_MS:
        raise error(-1131)
    if at >= server_ms + AHEAD_MS:
        raise error(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if server_ms - at > window:
        raise error(-1021)
    return at, window
