"""What drivers complain of, as the errors of the ports. No sentence holds SQL, values, or a password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dcacore.domain.errors import DomainError
from dcacore.ports.errors import Conflict, SchemaMismatch, StoreError, StoreUnavailable

FORBIDDEN: Final = "what was to be stored is there already, or something that it belongs to is not"
NOT_OURS: Final = "the database lacks tables or columns of this program; run dca db upgrade"

# By what SQLite says; its error codes come without names before Python 3.11's sqlite_errorname, and not from aiosqlite.
_SQLITE: Final = (
    ("locked", "the database is locked by another program"),
    ("busy", "the database is locked by another program"),
    ("full", "there is no room left on the database's disk"),
    ("disk i/o", "the database's disk cannot be read or written"),
    ("unable to open", "the database file cannot be opened"),
    ("readonly", "the database file may not be written"),
    ("not a database", "the file is no SQLite database"),
    ("malformed", "the database file is damaged"),
)
# By the SQLSTATE of PostgreSQL: the first two characters, or all five.
_POSTGRES: Final = {
    "53100": "there is no room left on the database's disk",
    "53": "the database server is out of resources",
    "57": "the database server is shutting down, or has ended the connection",
    "58": "the database server has trouble with its disk",
    "40": "another transaction was in the way",
    "55": "another transaction was in the way",
    "28": "the database server refuses the user or the password",
    "3D": "there is no such database on the server",
    "25": "the transaction may not write",
}
# By what libpq and psycopg say while connecting, where no SQLSTATE comes along. The first that fits is taken.
_CONNECTING: Final = (
    ("password authentication failed", "the database server refuses the user or the password"),
    ("no password supplied", "the database server wants a password, and DATABASE_URL has none"),
    ("authentication failed", "the database server refuses the user or the password"),
    ("pg_hba.conf", "the database server's rules (pg_hba.conf) do not admit this user to this database from here"),
    ("could not translate host name", "the database cannot be reached: its server's name is not known"),
    ("failed to resolve host", "the database cannot be reached: its server's name is not known"),
    ("connection refused", "the database cannot be reached: no server answers at that host and port"),
    ("no such file or directory", "the database cannot be reached: no server answers at that socket"),
    ("no route to host", "the database cannot be reached: there is no way to its server in the network"),
    ("network is unreachable", "the database cannot be reached: there is no way to its server in the network"),
    ("timeout expired", "the database cannot be reached: its server does not answer in time"),
    ("timed out", "the database cannot be reached: its server does not answer in time"),
    ("does not support ssl", "the database server offers no encryption, which DATABASE_URL demands"),
    ("certificate", "the database server's certificate is not accepted"),
    ("starting up", "the database server is starting up"),
    ("shutting down", "the database server is shutting down, or has ended the connection"),
    ("too many clients", "the database server is out of resources"),
    ("connection slots", "the database server is out of resources"),
)
# What is missing comes first: its name may hold any of the words above.
_MISSING: Final = (
    ("database", "there is no such database on the server"),
    ("role", "there is no such user on the database server"),
)
_NO_TABLE: Final = ("42P01", "42703")


def translated(error: Exception, conflict: str = FORBIDDEN) -> StoreError:
    """Return the port's error for what the driver or SQLAlchemy raised.

    Args:
        error: what was raised.
        conflict: the sentence for a broken constraint.
    """
    if isinstance(error, IntegrityError):
        return Conflict(conflict)
    if isinstance(error, StatementError) and isinstance(error.orig, ValueError):
        return StoreError(str(error.orig))  # what our own column types refuse
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("all connections to the database are in use")
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        return _by_state(state)
    if type(cause).__module__.partition(".")[0] == "psycopg" and _is_operational(cause):
        return StoreUnavailable(_why_no_connection(str(cause).lower()))
    is_gone = not isinstance(error, DBAPIError) or error.connection_invalidated or _is_operational(cause)
    return _by_words(str(cause).lower(), type(cause).__name__, is_gone=is_gone)


def _by_words(words: str, kind: str, *, is_gone: bool) -> StoreError:
    if "no such table" in words or "no such column" in words or "has no column" in words:
        return SchemaMismatch(NOT_OURS)
    for part, sentence in _SQLITE:
        if part in words:
            return StoreUnavailable(sentence)
    if is_gone:
        return StoreUnavailable("the database cannot be reached")
    return StoreError(f"the database refused what it was asked ({kind})")


def _why_no_connection(words: str) -> str:
    for what, sentence in _MISSING:
        if re.search(rf'fatal: +{what} ".*" does not exist', words):
            return sentence
    fits = (sentence for part, sentence in _CONNECTING if part in words)
    return next(fits, "the database cannot be reached")


def _by_state(state: str) -> StoreError:
    if state in _NO_TABLE:
        return SchemaMismatch(NOT_OURS)
    sentence = _POSTGRES.get(state) or _POSTGRES.get(state[:2])
    if sentence is not None:
        return StoreUnavailable(sentence)
    if state.startswith("08"):
        return StoreUnavailable("the database cannot be reached")
    return StoreError(f"the database refused what it was asked (SQLSTATE {state})")


def _is_operational(cause: BaseException) -> bool:
    return any(kind.__name__ in {"OperationalError", "InterfaceError"} for kind in type(cause).__mro__)


@contextmanager
def translating(conflict: str = FORBIDDEN) -> Iterator[None]:
    """Translate what is raised inside.

    Raises:
        StoreError: of the class that says what the caller may do.
    """
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise translated(error, conflict) from error


_MAKES_NO_SENSE: Final = (
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    ExceptionGroup,
    DomainError,
)


@contextmanager
def making_sense_of(what: str) -> Iterator[None]:
    """Yield once, and translate what is raised by rows that no version of this program can have written.

    Raises:
        StoreError: *what* cannot be read. The values themselves are not quoted.
    """
    try:
        yield
    except _MAKES_NO_SENSE as error:
        raise StoreError(f"{what} cannot be read: what is stored makes no sense ({type(error).__name__})") from error
