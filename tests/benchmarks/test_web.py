"""What measures the dashboard finds its pages, and all of them answer."""

from __future__ import annotations

from pathlib import Path

from benchmarks import pages, streams
from benchmarks.history import Size

TINY = Size(users=2, bots=2, deals=30)


def test_every_page_over_a_filled_database_answers(tmp_path: Path) -> None:
    with pages.filled(tmp_path, TINY) as it:
        found = pages.ask(it, 1)
        known = {path for path in it.served.pages if "/deals" in path or "/bots" in path}
    assert known <= found.keys()
    failed = {path: costs.statuses for path, costs in found.items() if max(costs.statuses) >= 500}
    assert not failed
    assert {len(costs.wall) for costs in found.values()} == {TINY.users}
    assert pages.table_of(found).row_count == len(found)


def test_streams_are_held_and_told(tmp_path: Path) -> None:
    found = streams.held(tmp_path, 4, quiet_s=0, ticks=1)
    assert (found.streams, len(found.seen_ms), len(found.last_ms)) == (4, 4, 1)
    assert len(list(found.rows())) == 8
