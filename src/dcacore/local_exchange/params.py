"""What a request asks for: its parameters, from the query, the body or both, or from JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs
import msgspec

from dcacore.local_exchange.errors import error

PRECISION: Final = 8
"""Decimals of every asset."""
LEGAL: Final[Mapping[str, tuple[str, re.Pattern[str]]]] = {
    kind: (legal, re.compile(legal, re.ASCII))
    for kind, legal in {
        "decimal": r"^([0-9]{1,20})(\.[0-9]{1,20})?$",
        "integer": r"^[0-9]{1,20}$",
        "client id": r"^[a-zA-Z0-9-_]{1,36}$",
        "symbol": r"^[A-Z0-9-_.]{1,20}$",
    }.items()
}
"""By kind of parameter: what may stand in it, as the exchange says it and as it is checked."""


def decode(query: bytes, body: bytes) -> dict[str, str]:
    """Return the parameters of a request; what stands in both places is taken from the query (rest-api.md).

    Raises:
        ApiError: -1101, one stands twice in the same place, so that nobody can know which is meant.
    """
    params: dict[str, str] = {}
    for part in (body, query):
        pairs = parse_qsl(part.decode("utf-8", "replace"), keep_blank_values=True)
        told = dict(pairs)
        if len(told) < len(pairs):
            raise error(-1101)
        params |= told
    return params


def from_json(params: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters of a WebSocket request as text."""
    return {name: _text(value) for name, value in params.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


@attrs.frozen
class Params:
    """Parameters by name. Every method raises the `ApiError` that the exchange answers a bad one with."""

    values: Mapping[str, str]

    def has(self, name: str) -> bool:
        """Say whether it was sent."""
        return name in self.values

    def get(self, name: str, kind: str | None = None) -> str | None:
        """Return an optional parameter; None when it was not sent."""
        value = self.values.get(name)
        if value is None:
            return None
        if not value:
            raise error(-1105, name=name)
        if kind is not None and not LEGAL[kind][1].fullmatch(value):
            raise error(-1100, name=name, legal=LEGAL[kind][0])
        return value

    def need(self, name: str, kind: str | None = None) -> str:
        """Return a mandatory parameter."""
        if not self.values.get(name):
            raise error(-1102, name=name)
        return self.get(name, kind) or ""

    def integer(self, name: str) -> int | None:
        """Return an optional whole number, 0 or more."""
        value = self.get(name, "integer")
        return None if value is None else int(value)

    def decimal(self, name: str) -> Decimal | None:
        """Return an optional number, with no more decimals than an asset has."""
        value = self.get(name, "decimal")
        if value is None:
            return None
        if len(value.partition(".")[2].rstrip("0")) > PRECISION:
            raise error(-1111, name=name)
        return Decimal(value)

    def flag(self, name: str) -> bool | None:
        """Return an optional yes or no."""
        value = self.get(name)
        if value is None:
            return None
        if value.lower() not in {"true", "false"}:
            raise error(-1130, name=name)
        return value.lower() == "true"

    def one_of(self, name: str, choices: frozenset[str], code: int, default: str | None = None) -> str | None:
        """Return an optional word out of *choices*; another one is error *code*."""
        value = self.get(name)
        if value is None:
            return default
        if value not in choices:
            raise error(code, name=name)
        return value

    def symbols(self) -> tuple[str, ...] | None:
        """Return the symbols that `symbol`, or `symbols` as a JSON array, asks for; None when neither was sent."""
        if self.has("symbol") and self.has("symbols"):
            raise error(-1128)
        if self.has("symbol"):
            return (self.need("symbol", "symbol"),)
        text = self.get("symbols")
        if text is None:
            return None
        try:
            names = msgspec.json.decode(text, type=list[str])
        except msgspec.MsgspecError:
            raise error(-1100, name="symbols", legal=r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$') from None
        return tuple(names)
