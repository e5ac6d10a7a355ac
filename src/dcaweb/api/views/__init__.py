"""What programs get to see: frozen, with money as plain decimal text and times as ISO 8601 in UTC."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

import attrs

from dcacore.application.stamps import utc_stamp
from dcacore.domain.money import plain

V = TypeVar("V", bound=attrs.AttrsInstance)


def shown(value: Any) -> Any:
    """Return *value* as JSON has it."""
    match value:
        case Decimal():
            return plain(value)
        case datetime.datetime():
            return utc_stamp(value)
        case datetime.date():
            return value.isoformat()
        case Enum():
            return value.value
        case _:
            return value


def view(kind: type[V], source: object, **given: Any) -> V:
    """Return *source* as a *kind*: each field is what is *given*, else what *source* has under that name."""
    names = [field.name for field in attrs.fields(kind)]
    return kind(**{name: given[name] if name in given else shown(getattr(source, name)) for name in names})
