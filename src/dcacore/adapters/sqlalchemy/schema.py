"""The database's schema: bringing it to this program's revision, and seeing that it is there.

All of a migration is one transaction, on both databases: one that is interrupted leaves the schema as it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, create_engine, event, inspect, select, text

from dcacore.adapters.sqlalchemy._errors import translating
from dcacore.adapters.sqlalchemy._file import make, uri
from dcacore.adapters.sqlalchemy._people_rows import MetaRow
from dcacore.adapters.sqlalchemy._rows import Base
from dcacore.adapters.sqlalchemy._urls import database_url
from dcacore.adapters.sqlalchemy.sqlite_files import copy_database, free_name
from dcacore.ports.errors import SchemaMismatch

REVISIONS: Final = Path(__file__).parent / "migrations"
_UPGRADE: Final = "run dca db upgrade"
_ONE_AT_A_TIME: Final = 7_263_540_311
_BUSY_S: Final = 30


def upgrade(url: str | URL, *, revisions: Path = REVISIONS) -> Path | None:
    """Bring the database to this program's revision; an empty one is filled. Blocks: call it off the event loop.

    Returns:
        The copy of the database that was made before, beside it; None where there was nothing to change or to lose.
        Of a PostgreSQL database no copy is made.

    Raises:
        SchemaMismatch: the database is newer than this program, or no database of this program.
        StoreUnavailable: it cannot be reached or written.
    """
    return _move(database_url(url), None, revisions)


def downgrade(url: str | URL, to: str, *, revisions: Path = REVISIONS) -> Path | None:
    """Bring the database back to revision *to*, "base" being before the first; what the later ones hold is lost.

    Returns:
        As `upgrade`.

    Raises:
        SchemaMismatch: there is no such revision, or the database is newer than this program.
        StoreUnavailable: it cannot be reached or written.
    """
    return _move(database_url(url), to, revisions)


def current(url: str | URL, *, revisions: Path = REVISIONS) -> str | None:
    """Return the revision of the database, this program's or an older one; None when it is empty.

    Raises:
        SchemaMismatch: it is newer than this program, or not whole, or no database of this program.
        StoreUnavailable: it cannot be reached.
    """
    where = database_url(url)
    if where.get_backend_name() == "sqlite" and not Path(where.database or "").exists():
        return None  # asking SQLite would make the file
    with _connected(where) as connection:
        found = _revision(connection)
        if found is not None:
            _known(found, revisions)
        if found == head():
            _whole(connection)
        return found


def head(revisions: Path = REVISIONS) -> str:
    """Return this program's revision."""
    found = ScriptDirectory(str(revisions)).get_current_head()
    assert found is not None  # noqa: S101  # a test sees that there is exactly one
    return found


def check_schema(connection: Connection) -> None:
    """See that the database is at this program's revision, and whole.

    Raises:
        SchemaMismatch: it is not; with what to do.
    """
    wanted, found = head(), _revision(connection)
    if found is None:
        raise SchemaMismatch(f"the database is empty; {_UPGRADE}")
    if found != wanted:
        raise _mismatch(found, wanted, REVISIONS)
    _whole(connection)


def _whole(connection: Connection) -> None:
    missing = Base.metadata.tables.keys() - set(inspect(connection).get_table_names())
    if missing or connection.execute(select(MetaRow.__table__)).first() is None:
        raise SchemaMismatch("the database is not whole: a migration was interrupted; restore a backup")


def _move(url: URL, to: str | None, revisions: Path) -> Path | None:
    if url.get_backend_name() == "sqlite":
        make(Path(url.database or ""))
    with _connected(url) as connection:
        found, wanted = _revision(connection), to or head(revisions)
        if found == wanted:
            return None
        if found is not None:
            _known(found, revisions)
        saved = _copy_of(url, wanted) if found is not None else None
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(revisions).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        try:
            if to is None:
                command.upgrade(config, wanted)
            else:
                command.downgrade(config, wanted)
        except CommandError as error:
            raise SchemaMismatch(f"the database cannot be brought to revision {wanted}: {error}") from error
    return saved


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    """Yield a connection in a transaction that is stored when nothing was raised."""
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite:
        where = uri(Path(url.database or ""))
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(where, uri=True, timeout=_BUSY_S, isolation_level=None),
            poolclass=NullPool,
            hide_parameters=True,
        )
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        engine = create_engine(url, hide_parameters=True, connect_args={"connect_timeout": 10})
    try:
        with translating(), engine.begin() as connection:
            if not is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
            yield connection
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_heads()
    if len(found) > 1:
        raise SchemaMismatch(
            "the database is not whole: it names several revisions (alembic_version); restore a backup"
        )
    if found:
        return found[0]
    names = set(inspect(connection).get_table_names()) - {"alembic_version"}
    if names & Base.metadata.tables.keys():
        raise SchemaMismatch("the database is not whole: its revision is missing (alembic_version); restore a backup")
    if names:
        raise SchemaMismatch("the database holds tables, but not those of this program")
    return None


def _known(found: str, revisions: Path) -> None:
    if found not in {script.revision for script in ScriptDirectory(str(revisions)).walk_revisions()}:
        raise _mismatch(found, head(revisions), revisions)


def _mismatch(found: str, wanted: str, revisions: Path) -> SchemaMismatch:
    known = {script.revision for script in ScriptDirectory(str(revisions)).walk_revisions()}
    if found in known:
        return SchemaMismatch(f"the database is at revision {found}, this program needs {wanted}; {_UPGRADE}")
    return SchemaMismatch(
        f"this program is older than the database (revision {found}, it knows up to {wanted}); install the newer one"
    )


def _copy_of(url: URL, wanted: str) -> Path | None:
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    file = Path(url.database)
    saved = free_name(file, f"before-{wanted}")
    copy_database(file, saved)
    return saved
