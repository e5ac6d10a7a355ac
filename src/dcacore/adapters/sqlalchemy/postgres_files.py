"""Backups of PostgreSQL databases, by the server's own programs. The password goes through the environment only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from sqlalchemy import URL, create_engine, text

from dcacore.adapters.sqlalchemy._errors import translating
from dcacore.ports.errors import BadFile, EngineRunning, StoreUnavailable

MAGIC: Final = b"PGDMP"


def dump(url: URL, file: Path) -> None:
    """Write the database into the new file *file*, in pg_dump's own format.

    Raises:
        BadFile: *file* is there already.
        StoreUnavailable: pg_dump is not installed, or has failed.
    """
    if file.exists():
        raise BadFile(str(file), "is there already")
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch(mode=0o600)
        _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={part}", *_where(url))
        part.rename(file)
    except OSError as error:
        raise StoreUnavailable(f"{file} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def load(url: URL, file: Path, epoch: str) -> None:
    """Replace the database by what *file* holds, under a new *epoch*: all of it, or nothing.

    Raises:
        BadFile: *file* is damaged.
        EngineRunning: an engine holds a lease.
        StoreUnavailable: a program is not installed or has failed.
    """
    _refuse_engines(url)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        script = Path(folder) / "restore.sql"
        options = ("--clean", "--if-exists", "--no-owner", "--no-privileges", f"--file={script}", str(file))
        try:
            _run(url, "pg_restore", *options)
        except _Failed as failure:
            raise BadFile(str(file), "the backup is damaged") from failure
        with script.open("a") as opened:
            opened.write(f"\nUPDATE public.meta SET epoch = '{epoch}';\n")
        _run(
            url,
            "psql",
            "--quiet",
            "--no-psqlrc",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            f"--file={script}",
            *_where(url),
        )


class _Failed(StoreUnavailable):
    pass


def _where(url: URL) -> list[str]:
    named = {"--host": url.host or url.query.get("host"), "--port": url.port, "--username": url.username}
    return [f"{name}={value}" for name, value in named.items() if value] + [f"--dbname={url.database}"]


def _run(url: URL, program: str, *options: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise StoreUnavailable(f"{program} is not installed; it comes with PostgreSQL's client programs")
    password = {"PGPASSWORD": url.password} if url.password else {}
    done = subprocess.run(  # noqa: S603  # a fixed program, and no shell
        [found, *options], env={**os.environ, **password}, capture_output=True, check=False, text=True
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise _Failed(f"{program} has failed: {said[-1] if said else f'exit code {done.returncode}'}")


def _refuse_engines(url: URL) -> None:
    engine = create_engine(url, hide_parameters=True)
    wanted = "SELECT count(*) FROM bot_lease WHERE owner <> '' AND expires_at > clock_timestamp()"
    try:
        with translating(), engine.connect() as connection:
            if connection.execute(text("SELECT to_regclass('bot_lease')")).scalar() is None:
                return
            if connection.execute(text(wanted)).scalar():
                raise EngineRunning("an engine runs over this database; end it first")
    finally:
        engine.dispose()
