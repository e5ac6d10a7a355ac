"""Addresses of databases, as users write them."""

from __future__ import annotations

import pytest

from dcacore.adapters.sqlalchemy import BadDatabaseUrl, database_url


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///dca.db", "sqlite+aiosqlite"),
        (" sqlite+aiosqlite:////data/dca.db\n", "sqlite+aiosqlite"),
        ("postgresql://dca:secret@host/dca", "postgresql+psycopg"),
        ("postgres://host/dca", "postgresql+psycopg"),
        ("postgresql+psycopg:///dca?host=/run/postgresql", "postgresql+psycopg"),
    ],
)
def test_addresses_get_the_driver(given: str, driver: str) -> None:
    url = database_url(given)
    assert url.drivername == driver
    assert "secret" not in str(url)
    assert database_url(url) == url


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("", "is no address"),
        ("dca.db", "is no address"),
        ("canary@host", "is no address"),
        ("postgresql://dca:canary@host:port/dca", "is no address"),
        ("mysql://dca:canary@host/dca", "begins with mysql"),
        ("postgresql+asyncpg://dca:canary@host/dca", r"begins with postgresql\+asyncpg"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://dca:canary@host", "names no database"),
    ],
)
def test_others_are_refused_without_showing_them(given: str, rule: str) -> None:
    with pytest.raises(BadDatabaseUrl, match=rule) as refusal:
        database_url(given)
    assert "canary" not in str(refusal.value)
    assert refusal.value.__cause__ is None
