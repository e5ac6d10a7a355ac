"""The live engine under everything that goes wrong, in virtual time. A seed that fails once stays in the list."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Final

import pytest

from dcacore.adapters.simulated.faults import Plan
from tests.simulation.__main__ import replay
from tests.simulation.faults import ALL
from tests.simulation.life import Outcome, simulate

ROOT: Final = Path(__file__).parents[2]
SEEDS: Final = tuple(range(200, 240))
MANY: Final = tuple(range(1000, 1200))
_HITS: Final[Counter[Enum]] = Counter()
_LIVED: Final[set[int]] = set()


def _live(seed: int) -> Outcome:
    outcome = simulate(seed)
    report = "\n".join(outcome.violations[:10])
    assert not outcome.violations, f"{report}\nlive it again: {replay(seed, 1)}"
    return outcome


@pytest.mark.parametrize("seed", SEEDS)
def test_an_hour_of_everything_going_wrong_breaks_nothing(seed: int) -> None:
    _HITS.update(_live(seed).hits)
    _LIVED.add(seed)


def test_every_kind_of_fault_has_struck() -> None:
    if len(_LIVED) < len(SEEDS):
        pytest.skip("not all lives were lived")
    assert len(ALL) >= 25
    assert [kind.value for kind in ALL if not _HITS[kind]] == []


@pytest.mark.parametrize("seed", [1, 2])
def test_an_hour_of_nothing_going_wrong_closes_deals(seed: int) -> None:
    outcome = simulate(seed, plan=Plan({}))
    assert outcome.violations == ()
    assert outcome.deals > 20


def test_one_seed_gives_one_trace_in_every_process() -> None:
    told = {_digest("5", hash_seed) for hash_seed in ("0", "1", "4711")}
    assert len(told) == 1
    assert told != {_digest("6", "0")}


def test_one_seed_gives_one_trace_whatever_was_lived_before() -> None:
    first = simulate(5, 0.3)
    simulate(6, 0.3)
    assert simulate(5, 0.3).digest == first.digest


def _digest(seed: str, hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--seed", seed, "--hours", "0.3", "--digest"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.prove
@pytest.mark.parametrize("seed", MANY)
def test_two_hundred_hours_of_it_break_nothing_either(seed: int) -> None:
    _live(seed)
