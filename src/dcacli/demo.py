"""`dca demo`: a throw-away program with bots that have a history, to look at."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import click

from dcacli.progress import progress_bar
from dcacli.session import settings

if TYPE_CHECKING:
    from dcacore.bootstrap.demo import Demo

FASTEST: Final = 10_000


@click.command(epilog="\b\nExample:\n  dca demo\n  dca demo --seed 11 --speed 600")
@click.option("--seed", type=click.IntRange(min=0), metavar="S", help="Which chance makes the markets. Default: 7.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, max=FASTEST),
    metavar="X",
    help="Seconds of the markets that go by in one; 0 lets them stand. Default: 120.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address of the dashboard.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535), help="0 takes any free one.")
def demo(seed: int | None, speed: float | None, host: str, port: int) -> None:
    """See three bots trade on markets of chance, with thirty days behind them, on a dashboard.

    It goes on until SIGTERM or Ctrl-C. Database, key and exchange are made in a temporary folder, and nothing of them
    is left at the end. What is set for a database of yours plays no part.
    """
    if speed is not None and math.isnan(speed):
        raise click.UsageError("--speed takes a number")
    chosen = settings()  # what is wrong there is told before anything slow is imported
    from dcacore.bootstrap.demo import SEED, SPEED, DemoOptions
    from dcaweb.serving import show_demo

    options = DemoOptions(seed=SEED if seed is None else seed, speed=SPEED if speed is None else speed, settings=chosen)
    with ExitStack() as until_it_runs:
        tell = until_it_runs.enter_context(progress_bar("playing 30 days"))

        def ready(it: Demo, address: str) -> None:
            until_it_runs.close()
            _say_where(it, address)

        show_demo(options, host=host, port=port, tell=tell, ready=ready)


def _say_where(demo: Demo, address: str) -> None:
    settings = demo.app.settings
    click.echo(
        f"The demo runs at {address}: sign in as {demo.email} with the password {demo.password}. Ctrl-C ends it."
    )
    click.echo("Other terminals look at it with:")
    click.echo(f"  export DATABASE_URL={settings.database_url}")
    click.echo(f"  export PAPER_EXCHANGE_URL={settings.paper_exchange_url}")
    click.echo(f"  export DATA_DIR={settings.data_dir}")
