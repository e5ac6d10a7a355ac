"""Column types that give back exactly what was put in, whatever the database makes of numbers and times."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)

Number: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database gives out. SQLite only does that for the type it calls INTEGER."""


class ExactDecimal(TypeDecorator[Decimal]):
    """A finite `Decimal` of any size: NUMERIC without precision on PostgreSQL, text in plain notation on SQLite.

    SQLite would make a binary float of it. Text cannot be summed or compared as a number there: do that in Python.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return what the column is made of."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Return what the driver is given.

        Raises:
            ValueError: the number is not finite.
        """
        if value is None:
            return None
        if not value.is_finite():
            message = f"{value} cannot be stored: it is not finite"
            raise ValueError(message)
        return format(value, "f") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return the number that was stored."""
        return Decimal(value) if value.__class__ is str else value


class UtcDateTime(TypeDecorator[datetime.datetime]):
    """A moment, to the microsecond: timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return what the column is made of."""
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime.datetime | None, dialect: Dialect) -> Any:
        """Return what the driver is given.

        Raises:
            ValueError: the time does not say in which zone it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value} cannot be stored: it has no time zone"
            raise ValueError(message)
        return (value - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime.datetime | None:  # noqa: ARG002
        """Return the moment in UTC."""
        if value is None:
            return None
        return _EPOCH + value * _MICROSECOND if value.__class__ is int else value.astimezone(datetime.UTC)
