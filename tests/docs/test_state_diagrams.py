"""The diagrams in the docs are drawn from the tables that the engine runs on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import pytest

from dcacore.domain.bot import PHASE_TRANSITIONS
from dcacore.domain.orders import ORDER_TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "states.md"


def diagram(table: Mapping[tuple[Enum, Enum], Enum]) -> str:
    """Return *table* as a Mermaid state diagram; steps that change nothing are left out, as the page says."""
    lines = [
        f"    {before.value} --> {after.value}: {step.value.replace('_', ' ')}"
        for (before, step), after in table.items()
        if before is not after
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


@pytest.mark.parametrize("table", [PHASE_TRANSITIONS, ORDER_TRANSITIONS], ids=["phases", "orders"])
def test_the_page_shows_the_table(table: Mapping[tuple[Enum, Enum], Enum]) -> None:
    drawn = diagram(table)
    assert drawn in PAGE.read_text(encoding="utf-8"), f"docs/reference/states.md should hold:\n{drawn}"
