"""`dca serve`: the dashboard, with an engine beside it."""

from __future__ import annotations

from typing import Final

import click

from dcacli.errors import complain
from dcacli.session import settings
from dcacli.worker import ENGINE_RUNNING

_HIGHEST_PORT: Final = 65_535


@click.command(epilog="\b\nExample:\n  dca serve\n  dca serve --host 0.0.0.0 --port 8080 --no-engine")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, _HIGHEST_PORT), help="0 takes any free one."
)
@click.option("--no-engine", "has_no_engine", is_flag=True, help="Only pages: `dca worker` acts for the bots.")
def serve(host: str, port: int, *, has_no_engine: bool) -> None:
    """Serve the dashboard, and act for the bots, until SIGTERM or Ctrl-C.

    It needs ENCRYPTION_KEY (`dca keys generate` makes one). Over SQLite only one engine may run: with another one it
    ends with exit code 3, and --no-engine leaves the bots to that one. A SQLite database that is not there yet is made.
    Behind a proxy that speaks HTTPS, set BASE_URL and TRUSTED_PROXIES. The log goes to stderr.
    """
    chosen = settings()  # what is wrong there is told before anything slow is imported
    from dcacore.ports.errors import EngineRunning
    from dcaweb.serving import serve as serve_pages

    try:
        serve_pages(
            chosen,
            host=host,
            port=port,
            has_engine=not has_no_engine,
            tell=lambda address: click.echo(f"The dashboard is at {address} (Ctrl-C ends it)."),
        )
    except EngineRunning as exc:
        complain(f"{exc}; or serve pages only: dca serve --no-engine")
        raise SystemExit(ENGINE_RUNNING) from None
