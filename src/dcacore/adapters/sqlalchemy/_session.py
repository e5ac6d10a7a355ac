"""One open transaction, as the collections use it: statements go in, plain rows come out, driver errors do not."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import attrs
from sqlalchemy import ColumnElement, Executable, Interval, Table, bindparam, func, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from dcacore.adapters.sqlalchemy._errors import FORBIDDEN, translated
from dcacore.adapters.sqlalchemy._rows import Base
from dcacore.adapters.sqlalchemy._types import UtcDateTime
from dcacore.ports.clock import Clock
from dcacore.ports.errors import StoreError

R = TypeVar("R", bound=Base)
T = TypeVar("T")
Values = Mapping[str, object]
Insert = sqlite.Insert | postgresql.Insert

CHUNK: Final = 500
"""How many ids go into one statement."""


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield *items*, each once, in lists that fit into one statement."""
    whole = list(dict.fromkeys(items))
    for start in range(0, len(whole), CHUNK):
        yield whole[start : start + CHUNK]


def insert_into(table: Table, dialect: str) -> Insert:
    """Return the insert statement that knows what this database does on conflict."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@attrs.define
class Session:
    """An open transaction.

    Attributes:
        connection: the one connection it runs on.
        clock: the wall clock; None where the database's own is used.
        reads_only: whether nothing may be written.
    """

    connection: AsyncConnection
    clock: Clock | None
    reads_only: bool = False

    @property
    def dialect(self) -> str:
        """The kind of database: sqlite or postgresql."""
        return self.connection.dialect.name

    async def write(
        self, statement: Executable, values: Values | Sequence[Values] | None = None, conflict: str = FORBIDDEN
    ) -> int:
        """Carry out *statement*, once for each of *values*, and return how many rows it touched.

        Raises:
            Conflict: a constraint forbids it; *conflict* is the sentence.
            StoreError: anything else.
        """
        self._refuse(statement)
        try:
            if isinstance(values, Sequence) and self.dialect == "postgresql":
                # One by one: psycopg ends a list with a Flush after its Sync, and PostgreSQL does not count a session
                # that stands still there as idle, so that its locks would outlive every time-out.
                return sum([(await self.connection.execute(statement, value)).rowcount for value in values])
            return (await self.connection.execute(statement, cast("Any", values))).rowcount
        except (SQLAlchemyError, OSError) as error:
            raise translated(error, conflict) from error

    def _refuse(self, statement: Executable) -> None:
        if self.reads_only and statement.is_dml:
            raise StoreError("this work only reads")

    async def read(
        self,
        kind: type[R],  # noqa: ARG002  # tells the type checker what the rows look like
        statement: Executable,
        values: Values | None = None,
    ) -> Sequence[R]:
        """Return what *statement* finds: plain rows, with the columns of *kind* as attributes.

        Raises:
            StoreError: it cannot be read.
        """
        return cast("Sequence[R]", await self.read_any(statement, values))

    async def read_any(self, statement: Executable, values: Values | None = None) -> Sequence[Any]:
        """Return what *statement* finds, as rows of whatever it selects.

        Raises:
            StoreError: it cannot be read.
        """
        self._refuse(statement)
        try:
            return (await self.connection.execute(statement, values)).all()
        except (SQLAlchemyError, OSError) as error:
            raise translated(error) from error

    def now(self, later: datetime.timedelta = datetime.timedelta()) -> ColumnElement[datetime.datetime]:
        """Return the time by the database's own clock, or *later*; SQLite has none, so it is this machine's."""
        if self.clock is not None:
            return literal(self.clock.now() + later, UtcDateTime())
        moment: ColumnElement[datetime.datetime] = func.clock_timestamp(type_=UtcDateTime())
        return moment + bindparam(None, later, Interval()) if later else moment
