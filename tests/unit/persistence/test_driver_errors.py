"""What drivers complain of, and what is made of it."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dcacore.adapters.sqlalchemy._errors import translated, translating
from dcacore.ports.errors import Conflict, SchemaMismatch, StoreError, StoreUnavailable


def wrapped(cause: Exception) -> DBAPIError:
    return OperationalError("SELECT canary", {"password": "canary"}, cause)


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (sqlite3.OperationalError("database is locked"), StoreUnavailable, "locked by another program"),
        (sqlite3.OperationalError("database or disk is full"), StoreUnavailable, "no room left"),
        (sqlite3.OperationalError("disk I/O error"), StoreUnavailable, "disk cannot be read"),
        (sqlite3.OperationalError("attempt to write a readonly database"), StoreUnavailable, "may not be written"),
        (sqlite3.DatabaseError("database disk image is malformed"), StoreUnavailable, "damaged"),
        (sqlite3.OperationalError("no such table: canary"), SchemaMismatch, "dca db upgrade"),
        (sqlite3.OperationalError("table bot has no column named canary"), SchemaMismatch, "dca db upgrade"),
        (sqlite3.OperationalError("canary"), StoreUnavailable, "cannot be reached"),
        (sqlite3.ProgrammingError("canary"), StoreError, "refused what it was asked"),
        (pg.UndefinedTable("canary"), SchemaMismatch, "dca db upgrade"),
        (pg.DiskFull("canary"), StoreUnavailable, "no room left"),
        (pg.AdminShutdown("canary"), StoreUnavailable, "shutting down"),
        (pg.TooManyConnections("canary"), StoreUnavailable, "out of resources"),
        (pg.DeadlockDetected("canary"), StoreUnavailable, "in the way"),
        (pg.InvalidPassword("canary"), StoreUnavailable, "refuses the user or the password"),
        (pg.InvalidCatalogName("canary"), StoreUnavailable, "no such database"),
        (pg.ConnectionFailure("canary"), StoreUnavailable, "cannot be reached"),
        (pg.SyntaxError("canary"), StoreError, "SQLSTATE 42601"),
        (psycopg.OperationalError("connection refused: canary"), StoreUnavailable, "cannot be reached"),
    ],
)
def test_the_class_says_what_to_do(cause: Exception, kind: type[StoreError], words: str) -> None:
    made = translated(wrapped(cause))
    assert type(made) is kind
    assert words in str(made)
    assert "canary" not in str(made)


def test_constraints_are_conflicts_in_the_callers_words() -> None:
    made = translated(IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed")), "taken")
    assert (type(made), str(made)) == (Conflict, "taken")


def test_a_pool_that_is_used_up_is_unavailable() -> None:
    assert "in use" in str(translated(PoolTimeout("canary")))


def test_what_the_system_refuses_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"), translating():
        raise ConnectionRefusedError


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(KeyError), translating():
        raise KeyError("a bug")
