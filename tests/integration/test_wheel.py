"""What people install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/dcaweb"


def test_the_wheel_holds_all_that_the_dashboard_shows(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "DCA_SKIP_FRONTEND": "1"},  # what is built already: nothing is fetched
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        held = set(packed.namelist())
        named = json.loads(packed.read("dcaweb/static/manifest.json"))
    assert {"app.css", "app.js"} <= named.keys()
    assert {f"dcaweb/static/{name}" for name in named.values()} <= held
    templates = {f"dcaweb/{path.relative_to(PACKAGE).as_posix()}" for path in PACKAGE.rglob("templates/**/*.html")}
    assert templates
    assert templates <= held
    assert {f"{package}/py.typed" for package in ("dcacore", "dcaweb")} <= held
