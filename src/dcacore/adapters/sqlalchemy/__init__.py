"""The database: SQLite in a file, or PostgreSQL, through SQLAlchemy."""

from __future__ import annotations

from dcacore.adapters.sqlalchemy._store import SqlStore, open_store, postgres_store, sqlite_store
from dcacore.adapters.sqlalchemy._urls import BadDatabaseUrl, database_url

__all__ = ["BadDatabaseUrl", "SqlStore", "database_url", "open_store", "postgres_store", "sqlite_store"]
