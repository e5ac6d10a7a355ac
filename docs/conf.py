"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

from importlib import metadata

project = "dcabot"
author = "DCA bot contributors"
release = metadata.version(project)

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
# State diagrams are drawn where Mermaid is known and shown as text where it is not.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "dcabot"
