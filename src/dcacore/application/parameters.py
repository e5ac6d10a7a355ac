"""A bot's parameters as texts by their names in the bot file, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

import attrs

from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Fees
from dcacore.domain.money import plain
from dcacore.domain.numbers import PLAIN_RULE, as_count, has_exponent
from dcacore.domain.strategy import WITHOUT_SAFETY_ORDERS, Strategy

T = TypeVar("T", Strategy, Fees)
Wrong = Mapping[str, InvalidParameter]
"""By parameter what is wrong with it."""
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


def typed_strategy(texts: Mapping[str, str]) -> tuple[Strategy | None, Wrong]:
    """Return the strategy that a form's *texts* describe, or by parameter all that is wrong with them.

    An empty text leaves a parameter at its default, which the two of a ladder without safety orders have as well. What
    is no parameter is passed over: a form has other fields.
    """
    given = {name: text for name, text in texts.items() if text}
    if as_count(given.get("max_safety_orders", "")) == 0:
        given = {**{name: str(value) for name, value in WITHOUT_SAFETY_ORDERS.items()}, **given}
    return _typed(Strategy, given)


def typed_fees(texts: Mapping[str, str], otherwise: Fees) -> tuple[Fees | None, Wrong]:
    """Return the fees that a form's *texts* describe, likewise; what is empty is as in *otherwise*."""
    usual = {field.name: _text(getattr(otherwise, field.name)) for field in attrs.fields(Fees)}
    return _typed(Fees, {**usual, **{name: text for name, text in texts.items() if text}})


def _typed(kind: type[T], given: Mapping[str, str]) -> tuple[T | None, Wrong]:
    values: dict[str, Any] = {}
    wrong: dict[str, InvalidParameter] = {}
    for field in attrs.fields(kind):
        if field.name not in given:
            if field.default is attrs.NOTHING:
                wrong[field.name] = InvalidParameter(field.name, None, "is missing")
            continue
        try:
            values[field.name] = _checked(field, given[field.name])
        except InvalidParameter as exc:
            wrong[field.name] = exc
    if wrong:
        return None, wrong
    try:
        return kind(**values), {}
    except InvalidParameter as exc:  # what no parameter breaks by itself
        return None, {exc.name: exc}


def _checked(field: attrs.Attribute[Any], text: str) -> object:
    """Return what *text* means for one parameter, seen by itself."""
    if field.name != "pair" and has_exponent(text):
        raise InvalidParameter(field.name, text, PLAIN_RULE)
    value: object = _TRUTHS.get(text, text)
    convert: Callable[[object], object] | None = field.converter  # type: ignore[assignment]  # never a Converter here
    converted = value if convert is None else convert(value)
    if field.validator is not None:
        field.validator(None, field, converted)
    return value
