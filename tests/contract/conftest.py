"""The databases, for every suite of contracts."""

from __future__ import annotations

from tests.contract.databases import database, empty_url, postgres, shared, sqlite_template

__all__ = ["database", "empty_url", "postgres", "shared", "sqlite_template"]
