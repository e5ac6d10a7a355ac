"""Values of the venue as JSON and back: decimals as text, times in ISO 8601, enums by their values."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from cattrs import BaseValidationError
from cattrs.preconf.json import make_converter

T = TypeVar("T")

_CONVERTER: Final = make_converter()
_CONVERTER.register_unstructure_hook(Decimal, str)
_CONVERTER.register_structure_hook(Decimal, lambda value, _: Decimal(value))
_CONVERTER.register_unstructure_hook(datetime.timedelta, lambda value: value / datetime.timedelta(microseconds=1))
_CONVERTER.register_structure_hook(datetime.timedelta, lambda value, _: datetime.timedelta(microseconds=value))


def pack(value: object) -> Any:
    """Return *value* as JSON can carry it."""
    return _CONVERTER.unstructure(value)


def unpack(value: object, kind: type[T]) -> T:
    """Return what `pack` made of a *kind*.

    Raises:
        ValueError: *value* is nothing that it makes.
    """
    try:
        return _CONVERTER.structure(value, kind)
    except BaseValidationError as error:
        message = f"this is no {kind.__name__}"
        raise ValueError(message) from error
