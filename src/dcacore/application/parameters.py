"""A bot's parameters as texts by their names in the bot file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs

from dcacore.domain.errors import InvalidParameter
from dcacore.domain.money import plain
from dcacore.domain.numbers import PLAIN_RULE, has_exponent
from dcacore.domain.strategy import Strategy

_NAMES = frozenset(field.name for field in attrs.fields(Strategy))
_TRUTHS = {"true": True, "false": False}


def texts_of(strategy: Strategy) -> dict[str, str]:
    """Return every parameter that is set, as text."""
    values = ((field.name, getattr(strategy, field.name)) for field in attrs.fields(Strategy))
    return {name: _text(value) for name, value in values if value is not None}


def values_of(strategy: Strategy) -> dict[str, str | int | bool]:
    """Return every parameter that is set, as JSON has it: counts as integers, what is true or false so, else text."""
    values = ((field.name, getattr(strategy, field.name)) for field in attrs.fields(Strategy))
    return {name: it if isinstance(it, int) else _text(it) for name, it in values if it is not None}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    return plain(value) if isinstance(value, Decimal) else str(value)


def strategy_of(texts: Mapping[str, str]) -> Strategy:
    """Return the strategy that *texts* describe.

    Raises:
        InvalidParameter: one is missing, unknown or out of range.
    """
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in _NAMES:
            raise InvalidParameter(name, text, "there is no such parameter")
        if name != "pair" and has_exponent(text):
            raise InvalidParameter(name, text, PLAIN_RULE)
        values[name] = _TRUTHS.get(text, text)
    for field in attrs.fields(Strategy):
        if field.default is attrs.NOTHING and field.name not in values:
            raise InvalidParameter(field.name, None, "is missing")
    return Strategy(**values)
