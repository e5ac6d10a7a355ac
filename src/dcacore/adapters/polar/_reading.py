"""Reads values out of JSON of which nothing is taken for granted."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, TypeVar

Fields = Mapping[str, Any]
"""A JSON object."""

LONGEST_TEXT: Final = 200
_MOST: Final = 10**12  # hundredths: more is no amount of money
_YEARS: Final = range(2000, 2200)  # outside of them a time is a mistake, and adding days to it may fail
_NONE: Final[Fields] = {}

E = TypeVar("E", bound=Enum)


class Unreadable(Exception):
    """Something that is needed is missing, or is of another kind; the text names it."""


def parsed(text: bytes) -> Any:
    """Return what JSON says.

    Raises:
        Unreadable: it is none.
    """
    try:
        return json.loads(text.decode())
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None


def fields(it: object) -> Fields:
    """Return a JSON object; an empty one for anything else."""
    return it if isinstance(it, dict) else _NONE


def text(it: Fields, name: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text that can be stored and shown; an empty one where there is none."""
    value = it.get(name)
    return value if isinstance(value, str) and value.isprintable() and len(value) <= longest else ""


def needed_text(it: Fields, name: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text.

    Raises:
        Unreadable: there is none.
    """
    found = text(it, name, longest)
    if not found:
        raise Unreadable(f"it has no {name}")
    return found


def moment(it: Fields, name: str) -> datetime.datetime | None:
    """Return a time in UTC; None where there is none."""
    written = text(it, name)
    try:
        found = datetime.datetime.fromisoformat(written)
        found = found.astimezone(datetime.UTC) if found.tzinfo else found.replace(tzinfo=datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in _YEARS else None


def hundredths(it: Fields, name: str) -> int | None:
    """Return an amount of money in hundredths; None where there is none."""
    value = it.get(name)
    return value if type(value) is int and abs(value) <= _MOST else None


def one_of(kind: type[E], value: str, other: E) -> E:
    """Return the member of an enumeration; *other* for a word that it does not have."""
    try:
        return kind(value)
    except ValueError:
        return other
