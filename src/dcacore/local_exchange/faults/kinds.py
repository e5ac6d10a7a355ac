"""The kinds of faults, and reading one from what the control interface is told."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

import attrs

from dcacore.domain.errors import DcaError
from dcacore.local_exchange.formats import is_workable


class BadFault(DcaError):
    """A fault that cannot be set up as it was described."""


class Strikes(Enum):
    """When a fault does what it does."""

    BEFORE = "a request, before it is carried out"
    AFTER = "a request, after it was carried out"
    EVENT = "an event of an account"
    NOW = "at once"


@attrs.frozen
class Kind:
    """A kind of fault.

    Attributes:
        strikes: when.
        does: what.
        options: what else may be said of it, each with its default; None has to be given.
    """

    strikes: Strikes
    does: str
    options: Mapping[str, Any] = attrs.field(factory=dict)


_B, _A, _E, _N = Strikes.BEFORE, Strikes.AFTER, Strikes.EVENT, Strikes.NOW
_ORDER: Final = {"apiKey": None, "symbol": None, "orderId": 0}

KINDS: Final[Mapping[str, Kind]] = {
    "refuse": Kind(_B, "refuses with an error; nothing is done", {"code": -1000, "msg": "", "status": 0}),
    "fail_before": Kind(_B, "a server error; nothing is done", {"code": -1007, "status": 503}),
    "fail_after": Kind(_A, "a server error, though it was carried out", {"code": -1007, "status": 503}),
    "drop_before": Kind(_B, "the connection is cut; nothing is done"),
    "drop_after": Kind(_A, "the connection is cut, though it was carried out"),
    "delay": Kind(_B, "it is carried out so many seconds later", {"seconds": "1"}),
    "delay_after": Kind(_A, "it is answered so many seconds after it was carried out", {"seconds": "1"}),
    "rate_limit": Kind(_B, "429 with Retry-After", {"retry_after": 1}),
    "ban": Kind(_B, "418 with Retry-After, and the address is banned for so long", {"retry_after": 120}),
    "waf": Kind(_B, "403 with a page of HTML"),
    "garbage": Kind(_A, "it is carried out and answered with 200 and half a body"),
    "event_lost": Kind(_E, "it is not told", {"event": ""}),
    "event_twice": Kind(_E, "it is told twice", {"event": ""}),
    "events_swapped": Kind(_E, "it is told after the next one", {"event": ""}),
    "event_late": Kind(_E, "it is told so many seconds later", {"event": "", "seconds": "1"}),
    "clock_skew": Kind(_N, "the server's clock goes so far ahead, or behind when it is below 0", {"ms": 0}),
    "close_streams": Kind(
        _N, "all connections of a kind are closed: market, user or all", {"which": "all", "code": 1001}
    ),
    "abort_streams": Kind(_N, "they are cut without a word", {"which": "all"}),
    "server_shutdown": Kind(_N, "all of them are told serverShutdown", {"which": "all"}),
    "stop_events": Kind(_N, "user streams stay open and tell nothing any more, until they are subscribed anew"),
    "partial_fill": Kind(_N, "an open order, the oldest one unless named, fills in part", _ORDER | {"quantity": None}),
    "expire_order": Kind(_N, "an open order, the oldest one unless named, is ended by the exchange", _ORDER),
    "self_trade": Kind(
        _N, "the same, because it meets another order of its owner: EXPIRED_IN_MATCH, by self-trade prevention", _ORDER
    ),
    "thin_market": Kind(
        _N,
        "the next market order finds only this share of what it wants; in_match: because it meets an own order",
        {"symbol": None, "share": "0.5", "in_match": False},
    ),
    "symbol_status": Kind(_N, "a symbol takes no orders, or trades again", {"symbol": None, "status": "BREAK"}),
    "balance_taken": Kind(
        _N, "so much is taken out, or all that is free", {"apiKey": None, "asset": None, "amount": ""}
    ),
    "revoke_key": Kind(_N, "a key is accepted no more, or again", {"apiKey": None, "restore": False}),
    "disable_account": Kind(_N, "an account may not trade, or may again", {"apiKey": None, "restore": False}),
    "wipe": Kind(_N, "orders and trades of all accounts vanish, as on a testnet"),
}
"""By name."""
_NUMBERS: Final = frozenset({"seconds", "quantity", "share", "amount"})
"""Options that are numbers and need not be whole."""
_MOST: Final = 10**12
"""As milliseconds more than 30 years: clocks go on with that."""
_RANGES: Final = {"status": (400, 599), "retry_after": (1, 10**9), "orderId": (0, 10**18)}
"""Whole numbers with a range of their own; a status of 0 is the one that goes with the code."""


@attrs.define
class Fault:
    """A fault that waits for what it strikes.

    Attributes:
        kind: its name in `KINDS`.
        match: what it strikes: a request such as `POST /api/v3/order` or `order.place`; `*` stands for anything.
        times: how often it still strikes; None is always.
        options: what else was said of it.
        key: the API key whose requests or events it strikes; None is everybody's.
    """

    kind: str
    match: str = "*"
    times: int | None = 1
    options: dict[str, Any] = attrs.field(factory=dict)
    key: str | None = None

    def strikes(self, label: str, key: str) -> bool:
        """Say whether it strikes this, and count it if it does."""
        if self.times == 0 or not fnmatch.fnmatchcase(label, self.match) or self.key not in {None, key}:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def seconds(self) -> float:
        """Return how long it delays."""
        return float(self.number("seconds"))

    def number(self, name: str) -> Decimal:
        """Return an option as a number.

        Raises:
            BadFault: it is none.
        """
        return _number(name, self.options[name])


def read_fault(told: Mapping[str, Any]) -> Fault:
    """Return the fault that *told* describes.

    Raises:
        BadFault: there is no such kind, it lacks an option, or has one too many.
    """
    name = told.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None or not isinstance(name, str):
        raise BadFault(f"kind has to be one of {', '.join(KINDS)}")
    times, match = told.get("times", 1), told.get("match", "*")
    if not (times is None or (isinstance(times, int) and times >= 0)) or not isinstance(match, str):
        raise BadFault("times has to be a whole number or null, match a text")
    given = {option: value for option, value in told.items() if option not in {"kind", "match", "times"}}
    key = given.pop("apiKey", None) if "apiKey" not in kind.options else None
    for option in given:
        if option not in kind.options:
            raise BadFault(f"{name} has no {option}; it has {', '.join(kind.options) or 'nothing else'}")
    options = dict(kind.options) | given
    lacking = [option for option, value in options.items() if value is None]
    if lacking:
        raise BadFault(f"{name} needs {', '.join(lacking)}")
    for option, value in options.items():
        _check(option, value, kind.options[option])
    _check("apiKey", key or "", "")
    return Fault(name, match, times, options, key)


def _check(option: str, value: object, usual: object) -> None:
    """Refuse a value that would be found wrong only when the fault strikes, and then in the midst of a request."""
    if isinstance(usual, bool):
        if not isinstance(value, bool):
            raise BadFault(f"{option} has to be true or false")
    elif isinstance(usual, int):
        _whole(option, value)
    elif option in _NUMBERS:
        if value != usual and _number(option, value) < 0:
            raise BadFault(f"{option} has to be 0 or more")
    elif not isinstance(value, str):
        raise BadFault(f"{option} has to be a text")


def _whole(option: str, value: object) -> None:
    least, most = _RANGES.get(option, (-_MOST, _MOST))
    number = _number(option, value)
    if number % 1 or not (least <= number <= most or (option == "status" and not number)):
        raise BadFault(f"{option} has to be a whole number from {least} to {most}")


def _number(name: str, value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadFault(f"{name} has to be a number") from None
    if not is_workable(number):
        raise BadFault(f"{name} has to be a number")
    return number


def listed() -> list[dict[str, Any]]:
    """Return all kinds, as the control interface lists them."""
    return [
        {"kind": name, "strikes": kind.strikes.value, "does": kind.does, "options": dict(kind.options)}
        for name, kind in KINDS.items()
    ]
