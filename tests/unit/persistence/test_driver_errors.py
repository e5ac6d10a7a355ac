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


TO = 'connection failed: connection to server at "10.0.0.1", port 5432 failed: '
NOT_REACHED = "the database cannot be reached"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            TO + 'FATAL:  password authentication failed for user "canary"',
            "the database server refuses the user or the password",
        ),
        (
            TO + 'FATAL:  Peer authentication failed for user "canary"',
            "the database server refuses the user or the password",
        ),
        (
            TO + "fe_sendauth: no password supplied",
            "the database server wants a password, and DATABASE_URL has none",
        ),
        (
            TO + 'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "canary", database "full", no encryption',
            "the database server's rules (pg_hba.conf) do not admit this user to this database from here",
        ),
        (TO + 'FATAL:  database "canary" does not exist', "there is no such database on the server"),
        (TO + 'FATAL:  database "timed out" does not exist', "there is no such database on the server"),
        (TO + 'FATAL:  role "canary" does not exist', "there is no such user on the database server"),
        (
            TO + "Connection refused\n\tIs the server running?",
            f"{NOT_REACHED}: no server answers at that host and port",
        ),
        (
            'connection is bad: connection to server on socket "/canary/full" failed: No such file or directory',
            f"{NOT_REACHED}: no server answers at that socket",
        ),
        (
            'could not translate host name "canary" to address: Name or service not known',
            f"{NOT_REACHED}: its server's name is not known",
        ),
        (
            "failed to resolve host 'canary.full': [Errno -2] Name or service not known",
            f"{NOT_REACHED}: its server's name is not known",
        ),
        ("connection timeout expired", f"{NOT_REACHED}: its server does not answer in time"),
        (TO + "Connection timed out", f"{NOT_REACHED}: its server does not answer in time"),
        (TO + "No route to host", f"{NOT_REACHED}: there is no way to its server in the network"),
        (TO + "FATAL:  the database system is starting up", "the database server is starting up"),
        (TO + "FATAL:  sorry, too many clients already", "the database server is out of resources"),
        (
            TO + "server does not support SSL, but SSL was required",
            "the database server offers no encryption, which DATABASE_URL demands",
        ),
        ("server closed the connection unexpectedly: full, locked, canary", NOT_REACHED),
    ],
)
def test_why_there_is_no_connection_to_a_server(said: str, sentence: str) -> None:
    made = translated(wrapped(psycopg.OperationalError(said)))
    assert (type(made), str(made)) == (StoreUnavailable, sentence)


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
