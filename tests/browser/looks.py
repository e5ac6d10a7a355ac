"""What a page must be, whoever looks at it and however: no fault that axe knows, nothing wider than the screen."""

from __future__ import annotations

from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES: Final = {"desk": (1360, 900), "tablet": (820, 1180), "phone": (390, 844)}
THEMES: Final = ("light", "dark")


def ready(page: Page, path: str) -> None:
    """Open *path*, and return when its scripts have begun."""
    page.goto(path)
    page.wait_for_selector("html[data-ready]")


def faults(page: Page) -> list[str]:
    """Return what axe finds wrong, a line each, from the top of the page: nothing is half below the bar there."""
    page.evaluate("window.scrollTo(0, 0)")
    found: Any = Axe().run(page, options={"runOnly": RULES}).response
    return [
        f"{it['id']}: {node['html'][:150]} {node.get('failureSummary', '')[:200]}"
        for it in found["violations"]
        for node in it["nodes"]
    ]


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


def in_theme(page: Page, theme: str) -> None:
    """Let the browser prefer *theme*."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
