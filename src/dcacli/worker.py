"""`dca worker`: an engine, without the web."""

from __future__ import annotations

from typing import Final

import click

from dcacli.errors import complain
from dcacli.session import settings

ENGINE_RUNNING: Final = 3
"""The exit code when another engine runs over the database."""


@click.command(epilog="\b\nExample:\n  dca worker\n  LOG_FORMAT=json dca worker 2>>dca.log")
def worker() -> None:
    """Run an engine: it acts for the bots until SIGTERM or Ctrl-C.

    Over SQLite it is the only one: another ends with exit code 3. Over PostgreSQL several share the bots. A SQLite
    database that is not there yet is made. Orders stay on the exchange when it ends; the next one takes them up.
    The log goes to stderr.
    """
    chosen = settings()  # what is wrong there is told before anything slow is imported
    from dcacore.bootstrap.worker import run_worker
    from dcacore.ports.errors import EngineRunning

    try:
        run_worker(chosen)
    except EngineRunning as exc:
        complain(str(exc))
        raise SystemExit(ENGINE_RUNNING) from None
