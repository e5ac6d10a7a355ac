"""The databases, and what sets up stages over them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import URL, make_url

from tests.contract.databases import PostgresServer, postgres, sqlite_template
from tests.kills.stage import Stage

__all__ = ["postgres", "sqlite_template"]


Disk = Callable[[Path], AbstractContextManager[Path]]
"""Yields where in a folder a database is to lie."""


class NewStage(Protocol):
    """Sets up a stage over a new database of a kind, or one that is there, and clears it in the end."""

    def __call__(
        self, kind: str, *, url: URL | None = None, disk: Disk | None = None, **options: Any
    ) -> AbstractAsyncContextManager[Stage]: ...


@pytest.fixture(scope="session")
def new_stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewStage:
    """Return what sets up stages."""
    numbers = itertools.count()

    @asynccontextmanager
    async def make(
        kind: str, *, url: URL | None = None, disk: Disk | None = None, **options: Any
    ) -> AsyncIterator[Stage]:
        folder = tmp_path_factory.mktemp(f"stage{next(numbers)}-")
        with nullcontext(folder) if disk is None else disk(folder) as where:
            stage = await Stage.set_up(folder, url or new_url(request, kind, where), **options)
            try:
                yield stage
            finally:
                await stage.clear()

    return make


def new_url(request: pytest.FixtureRequest, kind: str, folder: Path) -> URL:
    """Return the address of a new database with tables."""
    if kind == "sqlite":
        file = folder / "dca.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        return make_url(f"sqlite:///{file}")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(server.new_database("filled"))
