"""How far a long run is, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

_PATIENCE_S: Final = 0.5
_PAUSE_S: Final = 0.1
_WIDTH: Final = 40


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Yield what is to be told the share that is done; a bar appears after half a second, if a terminal is there."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    due = time.monotonic() + _PATIENCE_S
    is_drawn = False

    def tell(share: float) -> None:
        nonlocal due, is_drawn
        if (now := time.monotonic()) < due:
            return
        due, is_drawn = now + _PAUSE_S, True
        done = round(_WIDTH * share)
        click.echo(f"\r{label} [{'#' * done}{'-' * (_WIDTH - done)}] {share:4.0%}", err=True, nl=False)

    try:
        yield tell
    finally:
        if is_drawn:
            click.echo("\r\x1b[2K", err=True, nl=False)
