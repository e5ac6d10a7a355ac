"""What the exchange's codes, and its silence, mean to the port: tables of codes, of texts and of HTTP statuses."""

from __future__ import annotations

import datetime
from typing import Final

from dcacore.ports.errors import (
    BadCredentials,
    FilterViolation,
    InsufficientBalance,
    NotAccepted,
    OrdersLimited,
    OutcomeUnknown,
    PortError,
    RateLimited,
    Rejected,
    TooLate,
    TradingHalted,
    Unavailable,
    UnknownPair,
)

NO_SUCH_ORDER: Final = frozenset({-2013, -2026})
"""The exchange knows no such order; or it ended without a fill more than 90 days ago."""
CLOCK_IS_OFF: Final = -1021
WRONG_PAIR: Final = -1121
TOO_MANY_ORDERS: Final = -1015
_ENGINE_REFUSED: Final = -2010
_LONGEST_TEXT: Final = 200


class Refused(Exception):
    """The exchange answered, and the answer is no.

    Attributes:
        status: HTTP's.
        code: Binance's; 0 where the answer had none, as of something that stands before the exchange.
        text: the exchange's words.
        retry_at: not before then, by the local clock; None unless it is a limit.
    """

    def __init__(self, status: int, code: int, text: str, retry_at: datetime.datetime | None = None) -> None:
        self.status = status
        self.code = code
        self.text = text[:_LONGEST_TEXT]
        self.retry_at = retry_at
        super().__init__(f"{self.text or 'no reason given'} (HTTP {status}, code {code})")


class NoAnswer(Exception):
    """There is no answer, or none that can be read; the text holds nothing of the request."""


CODES: Final[dict[int, type[PortError]]] = {
    # Nobody knows what came of it ...
    -1000: OutcomeUnknown,
    -1001: OutcomeUnknown,
    -1006: OutcomeUnknown,
    -1007: OutcomeUnknown,
    -1008: OutcomeUnknown,
    -1016: OutcomeUnknown,
    # ... and surely nothing was done.
    -1003: RateLimited,
    -1015: RateLimited,
    -1002: BadCredentials,
    -1022: BadCredentials,
    -2008: BadCredentials,
    -2014: BadCredentials,
    -2015: BadCredentials,
    -1013: FilterViolation,
    -1111: FilterViolation,
    -1021: TooLate,
    -1121: TradingHalted,
    -1220: TradingHalted,
    -2010: NotAccepted,
    -2011: NotAccepted,
    -2013: NotAccepted,
    -2026: NotAccepted,
}
"""What a request that acts may have come to, by code; a code that is not here is judged by its HTTP status."""

TEXTS: Final[tuple[tuple[frozenset[int], str, type[PortError]], ...]] = (
    (frozenset({-1013, -2010}), "Market is closed", TradingHalted),
    (frozenset({-2010}), "Duplicate order sent", OutcomeUnknown),
    (frozenset({-2010}), "insufficient balance", InsufficientBalance),
    (frozenset({-2010}), "Filter failure", FilterViolation),
    (frozenset({-2010, -2011}), "disabled on this account", TradingHalted),
    (frozenset({-2010, -2011}), "may not place or cancel orders", TradingHalted),
    (frozenset({-2010}), "not permitted for this account", TradingHalted),
    (frozenset({-2010}), "restricted for this account", TradingHalted),
    (frozenset({-2010}), "trading is disabled", TradingHalted),
)
"""Codes that mean several things, told apart by a part of their text, in small letters or not."""

STATUSES: Final[dict[int, type[PortError]]] = {
    400: NotAccepted,
    401: BadCredentials,
    403: RateLimited,  # the firewall before the exchange, with a page of HTML: it says nothing of the key
    418: RateLimited,
    429: RateLimited,
}
"""The same by HTTP status; whatever is not here is unknown."""


def kind_of(refused: Refused) -> type[PortError]:
    """Return what *refused* means for a request that acts."""
    text = refused.text.lower()
    if refused.status in {418, 429} and refused.code != TOO_MANY_ORDERS:
        return RateLimited
    for codes, part, kind in TEXTS:
        if refused.code in codes and part.lower() in text:
            return kind
    by_code = CODES.get(refused.code)
    if by_code is None:
        return STATUSES.get(refused.status, OutcomeUnknown)
    if refused.status >= 500 and issubclass(by_code, Rejected):  # noqa: PLR2004  # a server's failure proves nothing
        return OutcomeUnknown
    return by_code


def of_acting(failure: Refused | NoAnswer) -> PortError:
    """Return the error of a request that was to do something."""
    if isinstance(failure, NoAnswer):
        return OutcomeUnknown(str(failure))
    kind = kind_of(failure)
    if kind is RateLimited:
        return _limited(failure) or OutcomeUnknown(str(failure))
    if issubclass(kind, Rejected):
        return kind(failure.text or str(failure), failure.code)
    return kind(str(failure))


def of_reading(failure: Refused | NoAnswer, pair: str | None = None) -> PortError:
    """Return the error of a question, which was about *pair*."""
    if isinstance(failure, NoAnswer):
        return Unavailable(str(failure))
    if failure.code == WRONG_PAIR and pair is not None:
        return UnknownPair(pair)
    kind = kind_of(failure)
    if kind is BadCredentials:
        return BadCredentials(str(failure))
    return (_limited(failure) if kind is RateLimited else None) or Unavailable(str(failure))


def _limited(failure: Refused) -> RateLimited | None:
    if failure.retry_at is None:  # the limiter gives every limit its time; without one nothing is known of it
        return None
    return (OrdersLimited if failure.code == TOO_MANY_ORDERS else RateLimited)(failure.retry_at)
