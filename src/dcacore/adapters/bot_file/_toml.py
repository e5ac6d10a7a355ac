"""TOML files as tables, and nothing but exact numbers in them."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from dcacore.domain.numbers import Unreadable, as_number
from dcacore.ports.errors import BadFile

Table = dict[str, object]

_LARGEST: Final = 64_000  # a bot file has some 30 lines, and TOML's parser is slow on what is made to hurt it
_LONGEST_SHOWN: Final = 60
_PLACE: Final = re.compile(r"(?P<what>.*) \(at (?P<place>.*)\)", re.DOTALL)


def read_toml(file: str) -> Table:
    """Return the tables of *file*; a float becomes the `Decimal` that is written there.

    Raises:
        BadFile: it is missing, no file, too large, empty, not UTF-8 or not TOML.
    """
    try:
        text = _bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise BadFile(file, f"is not UTF-8 text (byte {exc.start})") from exc
    return tables_of(file, text)


def tables_of(file: str, text: str) -> Table:
    """Return the tables of *text*, as `read_toml` those of a file.

    Raises:
        BadFile: it is empty or not TOML; *file* names it.
    """
    if not text.strip():
        raise BadFile(file, "is empty")
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except RecursionError:
        raise BadFile(file, "is nested too deeply") from None
    except tomllib.TOMLDecodeError as exc:
        raise BadFile(file, _complaint(str(exc))) from exc
    except ValueError as exc:  # an integer of more digits than Python converts
        raise BadFile(file, "holds a number of too many digits") from exc


def _bytes(file: str) -> bytes:
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as exc:
        raise BadFile(file, f"cannot be read: {exc.strerror or exc}") from exc
    except ValueError as exc:  # a NUL in the name
        raise BadFile(repr(file), f"cannot be read: {exc}") from exc
    if len(data) > _LARGEST:
        raise BadFile(file, f"is too large for a bot file: more than {_LARGEST:,} bytes")
    return data


def _complaint(message: str) -> str:
    placed = _PLACE.fullmatch(message)
    if placed is None:
        return f"is not TOML: {message}"
    return f"is not TOML: {placed['place']}: {placed['what']}"


def _decimal(written: str) -> Decimal:
    """Return what is written, remembered as it stands when it is no number that a parameter can be."""
    try:
        number = as_number(Decimal(written))
    except InvalidOperation:  # an exponent that no Decimal has room for
        return Unreadable.of(written)
    return Unreadable.of(written) if isinstance(number, Unreadable) else number


def shown(value: object) -> str:
    """Return *value* as it can stand in a message: as TOML spells it, short, without control characters."""
    match value:
        case bool():
            text = "true" if value else "false"
        case Unreadable():
            text = str(value.written)
        case Decimal() | int() | str():
            text = str(value)
        case dict():
            text = "a table"
        case list():
            text = "a list"
        case _:
            text = str(value)
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
