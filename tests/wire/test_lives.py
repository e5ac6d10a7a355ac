"""Bots under everything that goes wrong, with the whole wire between them and the exchange."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.wire.life import Script, live


@pytest.mark.parametrize("seed", range(4))
def test_minutes_of_everything_going_wrong_break_nothing(seed: int, tmp_path: Path) -> None:
    outcome = live(Script(seed, 8), tmp_path)
    assert outcome.violations == ()
    assert outcome.struck


def test_minutes_of_nothing_going_wrong_close_deals(tmp_path: Path) -> None:
    outcome = live(Script(1, 20, every_s=math.inf), tmp_path)
    assert outcome.violations == ()
    assert outcome.deals > 5


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(100, 120))
def test_ten_hours_of_it_break_nothing_either(seed: int, tmp_path: Path) -> None:
    outcome = live(Script(seed, 30, every_s=12), tmp_path)
    assert outcome.violations == ()
