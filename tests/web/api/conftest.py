from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dcaweb import assets
from tests.web.api.desk import Desk


@pytest.fixture
def built_assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A front end that has been built, with nothing in it."""
    (tmp_path / "manifest.json").write_text("{}")
    monkeypatch.setattr(assets.built, "__defaults__", (tmp_path,))
    monkeypatch.setattr(assets, "FOLDER", tmp_path)


@pytest.fixture
async def desk(built_assets: None, tmp_path: Path) -> AsyncIterator[Desk]:
    """The dashboard over what Ann and Bob have, with tokens of both."""
    async with Desk.opened(tmp_path) as made:
        yield made
