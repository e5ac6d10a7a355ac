"""What tests of pages may use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.stage import Browser, Stage, stage_in


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage_in(tmp_path) as made:
        yield made


@pytest.fixture
def browser(stage: Stage) -> Browser:
    return stage.browser
