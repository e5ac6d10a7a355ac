"""A process that dies in any of its calls leaves nothing behind that the next one cannot mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest

from tests.simulation.gate import Crash
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.stage import points, tell

WHOLE: Final = "safety_orders"
"""The scenario that is told with a crash at each point in every run of the tests."""
SOME: Final = 24
"""How many points of each other one are, spread evenly."""


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_without_a_crash(name: str) -> None:
    told = tell(name, SCENARIOS[name])
    assert told.violations == ()
    assert len(told.names) > 30


def _crash_at(name: str, chosen: Sequence[Crash]) -> None:
    failed = []
    for crash in chosen:
        told = tell(name, SCENARIOS[name], crash)
        if told.violations:
            failed.append((crash, told.violations))
    assert failed == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_here_and_there(name: str) -> None:
    every = points(tell(name, SCENARIOS[name]).names)
    count = min(SOME, len(every))
    _crash_at(name, every if name == WHOLE else [every[index * len(every) // count] for index in range(count)])


@pytest.mark.prove
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_everywhere(name: str) -> None:
    _crash_at(name, points(tell(name, SCENARIOS[name]).names))
