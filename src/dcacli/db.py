"""`dca db`: the database's schema, and copies of it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dcacli.session import as_json, settings


@click.group(epilog="\b\nExample:\n  dca db upgrade\n  dca db backup dca-2026-11-22.db")
def db() -> None:
    """The database: migrations and backups."""


@db.command("upgrade", epilog="\b\nExample:\n  dca db upgrade")
@as_json
def upgrade(*, as_json: bool) -> None:
    """Bring the database to this version's schema; an empty or missing one is made.

    A SQLite database is copied first, beside itself. All of a migration is done, or nothing.
    """
    from dcacore.bootstrap import database

    url = settings().database_url
    saved = database.upgrade(url)
    revision = database.current(url)
    if as_json:
        click.echo(json.dumps({"revision": revision, "saved": str(saved) if saved else None}))
        return
    if saved is not None:
        click.echo(f"The database as it was: {saved}")
    click.echo(f"The database is at revision {revision}.")


@db.command("current", epilog="\b\nExample:\n  dca db current")
@as_json
def current(*, as_json: bool) -> None:
    """Show the schema's revision, and the one that this version needs."""
    from dcacore.bootstrap import database

    found, wanted = database.current(settings().database_url), database.head()
    if as_json:
        click.echo(json.dumps({"revision": found, "wanted": wanted, "is_current": found == wanted}))
    elif found is None:
        click.echo(f"The database is empty; dca db upgrade brings it to revision {wanted}.")
    elif found == wanted:
        click.echo(f"The database is at revision {found}, as it should be.")
    else:
        click.echo(f"The database is at revision {found}, this version has {wanted}: run dca db upgrade.")


@db.command("backup", epilog="\b\nExample:\n  dca db backup dca-2026-11-22.db")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@as_json
def backup(*, file: Path, as_json: bool) -> None:
    """Write the database into a new FILE. An engine may run meanwhile. PostgreSQL needs pg_dump."""
    from dcacore.bootstrap import database

    database.backup(settings().database_url, file)
    click.echo(json.dumps({"file": str(file)}) if as_json else f"The database is in {file}.")


@db.command("restore", epilog="\b\nExample:\n  dca db restore dca-2026-11-22.db")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@as_json
def restore(*, file: Path, as_json: bool) -> None:
    """Replace the database by what FILE holds. No engine may run.

    A SQLite database that is replaced is kept beside the new one. What was traded since the backup is found again at
    the next start, as far as the exchange still tells.
    """
    from dcacore.bootstrap import database

    replaced = database.restore(settings().database_url, file)
    if as_json:
        click.echo(json.dumps({"file": str(file), "replaced": str(replaced) if replaced else None}))
        return
    click.echo(f"The database is that of {file}.")
    if replaced is not None:
        click.echo(f"The one before: {replaced}")
