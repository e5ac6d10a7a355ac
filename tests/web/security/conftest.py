"""The dashboard without its looks: what is proven here depends on no template and on no build."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

import dcaweb.plugin
from dcaweb import assets
from tests.web.stage import Browser, Stage, stage_in

_BARE: Final = "token={{ csrf_token() }} {{ title }} {{ detail }} {{ form.errors if form }} {{ onwards }} {{ email }}"
_PAGES: Final = (
    "landing.html",
    "error.html",
    "dashboard/show.html",
    "settings/show.html",
    *[f"accounts/{it}.html" for it in ("login", "register", "mail_sent", "verify", "unusable", "forgot")],
    *[f"accounts/{it}.html" for it in ("reset", "reset_sent")],
)


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages be one line each, and the front end one file."""
    templates, static = tmp_path / "templates", tmp_path / "static"
    for name in _PAGES:
        file = templates / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_BARE, encoding="utf-8")
    static.mkdir()
    (static / "app-1.css").write_text("a{}" * 400, encoding="utf-8")
    (static / "manifest.json").write_text(json.dumps({"app.css": "app-1.css"}), encoding="utf-8")
    monkeypatch.setattr(dcaweb.plugin, "TEMPLATES", templates)
    monkeypatch.setattr(assets, "FOLDER", static)
    monkeypatch.setattr(assets, "built", lambda: assets.Assets({"app.css": "app-1.css"}))


@pytest.fixture
async def stage(tmp_path: Path, bare: None) -> AsyncIterator[Stage]:  # first the front end
    async with stage_in(tmp_path) as made:
        yield made


@pytest.fixture
def browser(stage: Stage) -> Browser:
    return stage.browser
