"""Addresses of databases, as users write them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from dcacore.ports.errors import StoreError

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_EXAMPLES: Final = "sqlite:///dca.db or postgresql://user:password@host/name"


class BadDatabaseUrl(StoreError):
    """The address of the database cannot be used; what it says is not repeated, as it may hold a password."""


def database_url(text: str | URL) -> URL:
    """Return the address that *text* gives, with the driver that this library uses.

    Raises:
        BadDatabaseUrl: it is no address, or not one of SQLite or PostgreSQL.
    """
    try:
        url = make_url(text.strip() if isinstance(text, str) else text)
    except (ArgumentError, ValueError):
        raise BadDatabaseUrl(f"DATABASE_URL is no address of a database, such as {_EXAMPLES}") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise BadDatabaseUrl(f"DATABASE_URL begins with {url.drivername}, but must be like {_EXAMPLES}")
    if driver.startswith("sqlite") and url.database in {None, "", ":memory:"}:
        raise BadDatabaseUrl("DATABASE_URL names no file: sqlite:///dca.db lies in this folder")
    if driver.startswith("postgresql") and not url.database:
        raise BadDatabaseUrl(f"DATABASE_URL names no database, such as {_EXAMPLES}")
    return url.set(drivername=driver)


def shown(url: URL) -> str:
    """Return *url* for people, without its password."""
    return url.render_as_string(hide_password=True)
