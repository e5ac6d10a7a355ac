"""Parameters as a user writes them: read exactly, refused by name.

`as_number` and its like are attrs converters, which cannot know the name of the field; what they cannot read
becomes an `Unreadable`, which the field's validator, `rule`, refuses with name, text and rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Final, Protocol, TypeVar

from dcacore.domain.errors import InvalidParameter

Number = Decimal | int | str
E = TypeVar("E", bound=Enum)
V = TypeVar("V")  # what a field holds: type checkers take it from the validator

_PLAIN: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_EXPONENT: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)[eE][+-]?\d+", re.ASCII)
_LARGEST: Final = Decimal(10) ** 20
_DECIMALS: Final = 40
PLAIN_RULE: Final = "must be a plain decimal number such as 12.5, with at most 20 digits before and 40 after the point"


class Field(Protocol):
    """What a validator needs to know of an attrs field."""

    @property
    def name(self) -> str:
        """The parameter's name."""


class Unreadable(Decimal):
    """A not-a-number that remembers what was written in its place."""

    written: object

    @classmethod
    def of(cls, written: object) -> Unreadable:
        """Return the mark for *written*."""
        mark = cls("NaN")
        mark.written = written
        return mark


def as_number(value: Number) -> Decimal:
    """Return *value* as an exact `Decimal`, or an `Unreadable`.

    Floats are not read: 0.1 is not a tenth. Digits are ASCII only, at most 20 before and 40 after the point.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        return Unreadable.of(value)
    if isinstance(value, int) and abs(value) >= _LARGEST:
        return Unreadable.of("a number of too many digits")
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        return Unreadable.of(value)
    number = Decimal(value)
    if not number.is_finite() or number.copy_abs() >= _LARGEST or int(number.as_tuple().exponent) < -_DECIMALS:
        return Unreadable.of(value)
    return number


def has_exponent(text: str) -> bool:
    """Return whether *text* is a number written like 1e3: programs may, people who type it have mistyped."""
    return _EXPONENT.fullmatch(text) is not None


def typed_number(name: str, text: str) -> Decimal:
    """Return the number that somebody has typed for the parameter *name*, without an exponent.

    Raises:
        InvalidParameter: it is none.
    """
    number = as_number(text)
    if isinstance(number, Unreadable) or has_exponent(text):
        raise InvalidParameter(name, text, PLAIN_RULE)
    return number


def as_count(value: Number) -> int:
    """Return *value* as an `int` when it is a whole number; what it is otherwise, for the validator to refuse."""
    number = as_number(value)
    if isinstance(number, Unreadable) or number % 1:
        return number  # type: ignore[return-value]  # the validator refuses it by name
    return int(number)


Check = Callable[[Decimal | int], str | None]


def rule(*checks: Check) -> Callable[[object, Field, V], None]:
    """Return an attrs validator: the value is not given, or a number for which none of *checks* has a complaint.

    Raises (the validator):
        InvalidParameter: with the field's name, the value and the rule it breaks.
    """

    def validate(_: object, field: Field, value: V) -> None:
        if isinstance(value, Unreadable):
            raise InvalidParameter(field.name, value.written, _number_rule(value.written))
        if not isinstance(value, Decimal | int):
            return
        for check in checks:
            complaint = check(value)
            if complaint:
                raise InvalidParameter(field.name, value, complaint)

    return validate


def _number_rule(written: object) -> str:
    if isinstance(written, float):
        return "must be exact: write it as text or Decimal, not as a float"
    return PLAIN_RULE


def above(bound: int) -> Check:
    """Return the check that a value is above *bound*."""
    return lambda value: None if value > bound else f"must be above {bound}"


def at_least(bound: int) -> Check:
    """Return the check that a value is *bound* or more."""
    return lambda value: None if value >= bound else f"must be {bound} or more"


def below(bound: int) -> Check:
    """Return the check that a value is below *bound*."""
    return lambda value: None if value < bound else f"must be below {bound}"


def at_most(bound: int) -> Check:
    """Return the check that a value is *bound* or less."""
    return lambda value: None if value <= bound else f"must be {bound} or less"


def counted(value: object) -> str | None:
    """Complain about what is not a whole number."""
    return None if isinstance(value, int) and not isinstance(value, bool) else "must be a whole number"


def named(_: object, field: Field, value: V) -> None:
    """Refuse, as an attrs validator, what is not a text of printable characters.

    Raises:
        InvalidParameter: with the field's name.
    """
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InvalidParameter(field.name, value, "must be a text that is not empty")


def true_or_false(_: object, field: Field, value: V) -> None:
    """Refuse, as an attrs validator, what is neither True nor False.

    Raises:
        InvalidParameter: with the field's name and the value.
    """
    if not isinstance(value, bool):
        raise InvalidParameter(field.name, value, "must be true or false")


def as_member(kind: type[E], value: E | str) -> E:
    """Return the member of *kind* that *value* is or names; any other value as it is, for the validator to refuse."""
    by_value = {member.value: member for member in kind}
    return by_value.get(value, value) if isinstance(value, str) else value  # type: ignore[return-value]  # validated


def one_of(kind: type[E]) -> Callable[[object, Field, V], None]:
    """Return an attrs validator that refuses what is no member of *kind*, listing the members."""

    def validate(_: object, field: Field, value: V) -> None:
        if not isinstance(value, kind):
            raise InvalidParameter(field.name, value, "must be " + " or ".join(str(member.value) for member in kind))

    return validate
