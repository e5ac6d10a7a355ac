"""JSON, read field by field: what is missing or of another kind is an error with the field's name, never a guess."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from dcacore.domain.money import plain

Row: TypeAlias = Mapping[str, object]
"""A JSON object."""
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_LONGEST: Final = 40


class Unreadable(Exception):
    """What the exchange sent is not what it documents; the text names the field, and repeats nothing secret."""


def parse(text: str | bytes) -> object:
    """Return the JSON value in *text*; numbers with a point are `Decimal`.

    Raises:
        Unreadable: it is no JSON, cut short, or names a field twice, of which nobody can say which one counts.
    """
    try:
        value: object = json.loads(text, parse_float=Decimal, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as exc:
        raise Unreadable("it is no whole JSON") from exc
    return value


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise Unreadable("it names a field twice")
    return row


def _no_number(name: str) -> object:
    raise Unreadable(f"it has {name} for a number")


def row_of(value: object) -> Row:
    """Return *value*, which must be an object."""
    if not isinstance(value, dict):
        raise Unreadable("it is no object")
    return value


def rows_of(value: object) -> tuple[Row, ...]:
    """Return *value*, which must be a list of objects."""
    if not isinstance(value, list):
        raise Unreadable("it is no list")
    return tuple(row_of(item) for item in value)


def text_in(row: Row, name: str) -> str:
    """Return a text that is not empty."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{name} is no text")
    return value


def integer_in(row: Row, name: str) -> int:
    """Return a whole number."""
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"{name} is no whole number")
    return value


def flag_in(row: Row, name: str) -> bool | None:
    """Return a truth value; None where it is not told."""
    value = row.get(name)
    return value if isinstance(value, bool) else None


def number_in(row: Row, name: str) -> Decimal:
    """Return a finite number that is 0 or more, without the zeros that the exchange fills its decimals up with."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > _LONGEST:
        raise Unreadable(f"{name} is no number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise Unreadable(f"{name} is no number") from None
    if not number.is_finite() or number < 0:
        raise Unreadable(f"{name} is no number of 0 or more")
    if number and abs(number.adjusted()) >= _LONGEST:  # written out it might fill the memory
        raise Unreadable(f"{name} is out of range")
    return Decimal(plain(number))


def positive_in(row: Row, name: str) -> Decimal:
    """Return a finite number above 0."""
    number = number_in(row, name)
    if number == 0:
        raise Unreadable(f"{name} is 0")
    return number


def time_in(row: Row, name: str) -> datetime.datetime:
    """Return a time that is given in milliseconds."""
    return time_of(integer_in(row, name))


def time_of(milliseconds: int) -> datetime.datetime:
    """Return the time, exactly."""
    try:
        return _EPOCH + datetime.timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise Unreadable("a time is out of range") from None


def milliseconds_of(time: datetime.datetime) -> int:
    """Return *time* as the exchange writes it, cut to whole milliseconds."""
    return (time - _EPOCH) // datetime.timedelta(milliseconds=1)


def named(rows: Iterable[Row], name: str) -> dict[str, Row]:
    """Return the rows by the text in their field *name*; those without one are left out."""
    by_name: dict[str, Row] = {}
    for row in rows:
        value = row.get(name)
        if isinstance(value, str):
            by_name[value] = row
    return by_name
