"""What the dashboard costs: pages on the server and in a browser, event streams, and the way of a price to a page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks import pages, paint, reach, streams
from benchmarks.history import Size


def measure(size: Size | None = None, rounds: int = pages.ROUNDS) -> Iterator[Table]:
    """Yield the tables, each as soon as it is there."""
    with tempfile.TemporaryDirectory() as folder:
        with pages.filled(Path(folder), size or Size()) as it:
            yield pages.table_of(pages.ask(it, rounds))
            if looked := paint.look(it):
                yield paint.table_of(looked)
        yield _live(Path(folder))


def _live(folder: Path) -> Table:
    table = Table("what", "measured", "goal", title="open pages")
    for row in streams.held(folder).rows():
        table.add_row(*row)
    if found := reach.delays(folder):
        table.add_row("from the exchange to a browser's page", f"median {median(found):.0f} ms", "")
        table.add_row("", f"95 % {pages.worst(found):.0f} ms, longest {max(found):.0f} ms", f"{reach.GOAL_MS}")
    return table


if __name__ == "__main__":
    for shown in measure():
        Console(width=150).print(shown)
