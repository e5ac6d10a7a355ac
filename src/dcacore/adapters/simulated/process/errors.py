"""Errors of the ports as JSON, and back."""

from __future__ import annotations

from typing import Any, Final

from dcacore.ports.errors import (
    BadCredentials,
    FilterViolation,
    InsufficientBalance,
    NotAccepted,
    OutcomeUnknown,
    PortError,
    Rejected,
    TooLate,
    TradingHalted,
    Unavailable,
    UnknownPair,
)

_REJECTIONS: Final = {
    kind.__name__: kind for kind in (FilterViolation, InsufficientBalance, NotAccepted, TooLate, TradingHalted)
}
_OTHERS: Final = {kind.__name__: kind for kind in (BadCredentials, OutcomeUnknown, Unavailable)}


def pack_error(error: BaseException) -> dict[str, Any]:
    """Return *error* as JSON can carry it."""
    packed: dict[str, Any] = {"kind": type(error).__name__, "reason": str(error)}
    if isinstance(error, Rejected):
        packed["code"] = error.code
    if isinstance(error, UnknownPair):
        packed["reason"] = error.pair
    return packed


def unpack_error(packed: dict[str, Any]) -> PortError:
    """Return the error that `pack_error` was given; one that no port knows is a request that made no sense."""
    kind, reason = packed["kind"], packed["reason"]
    if kind in _REJECTIONS:
        return _REJECTIONS[kind](reason, packed["code"])
    if kind == UnknownPair.__name__:
        return UnknownPair(reason)
    if kind == OSError.__name__:  # the journal: nothing was done
        return Unavailable(reason)
    return _OTHERS[kind](reason) if kind in _OTHERS else NotAccepted(f"{kind}: {reason}")
