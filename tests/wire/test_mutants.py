"""Whoever takes a safeguard out of the order protocol is found out over the wire, too."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.simulation.mutants import MUTANTS
from tests.wire.life import Script, live

LOSSY: Final = ("drop_before", "drop_after", "fail_after", "fail_before", "garbage")
DEAF: Final = ("event_lost", "event_twice", "events_swapped", "drop_after", "partial_fill")
FOUND: Final = {
    "silence_is_retried": ("I1", LOSSY),
    "fills_count_twice": ("logged", DEAF),
    "silence_is_a_no": ("I", LOSSY),
    "ends_without_fills": ("I", DEAF),
    "troubles_stay": ("I9", ("symbol_status",)),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_missing_safeguard_is_found_out(name: str, tmp_path: Path) -> None:
    finds, kinds = FOUND[name]
    with MUTANTS[name]():
        violations = live(Script(1, 4, every_s=3, kinds=kinds), tmp_path).violations
    assert [it for it in violations if it.startswith(finds)]
