"""What tests of pages may use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.desk import Desk, desk_in
from tests.web.stage import Browser, Stage, stage_in


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage_in(tmp_path) as made:
        yield made


@pytest.fixture
def browser(stage: Stage) -> Browser:
    return stage.browser


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr("dcaweb.pages.asked.PATIENCE_S", 60.0)  # the engine answers, however busy the machine is
    async with desk_in(tmp_path) as made:
        yield made


@pytest.fixture
async def idle_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk without an engine: what is asked is kept."""
    async with desk_in(tmp_path, has_engine=False) as made:
        yield made
