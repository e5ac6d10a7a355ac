"""How soon pages are to be seen, and what they weigh: in Chromium, with nothing kept from before.

A page's weight is what comes over the network until it stands still: itself and all files, packed as they come.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from typing import Any, Final

import attrs
from playwright.sync_api import Browser, Error, sync_playwright
from rich.table import Table

from benchmarks.pages import Filled, addresses
from benchmarks.served import Served

SIZES: Final = {"desk": (1360, 900), "phone": (390, 844)}
GOAL_MS: Final = 1000
GOAL_KB: Final = 400
FLAGS: Final = (
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
)
_PARTS: Final = ("/api/", "/exports", "/healthz", "/readyz", "/asked")
_HEAVIEST: Final = 3
_SETTLED_MS: Final = 500
"""How long a page is left to load what its scripts ask for."""
_FIGURES: Final = """() => {
  const sizes = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return {
    paint: paint ? paint.startTime : null,
    files: sizes.map((it) => [new URL(it.name).pathname, it.transferSize]),
  };
}"""


@attrs.frozen
class Painted:
    """What a browser has noted of a page.

    Attributes:
        paint_ms: until the first content was to be seen; None when nothing ever was.
        files: what came, with its bytes on the wire, the heaviest first.
    """

    paint_ms: float | None
    files: tuple[tuple[str, int], ...]

    @property
    def weight(self) -> int:
        """All bytes."""
        return sum(size for _, size in self.files)


def program() -> str | None:
    """Return where Chromium is; None when there is none."""
    return os.environ.get("DCA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def whole_pages(it: Filled) -> dict[str, str]:
    """Return by path the addresses of the pages that a browser shows, without their parts and without files."""
    found = addresses(it.served.pages, it.people[0], it.today)
    parts = ("/chart", "/export", "/funds", "/balances", "/health", "/pairs")
    return {path: to for path, to in found.items() if not path.startswith(_PARTS) and not path.endswith(parts)}


def painted(browser: Browser, served: Served, cookie: str, address: str, size: str) -> Painted:
    """Return what it takes to see a page for the first time."""
    width, height = SIZES[size]
    context = browser.new_context(base_url=served.url, viewport={"width": width, "height": height})
    context.add_cookies([{"name": "session", "value": cookie, "url": served.url}])
    page = context.new_page()
    try:
        page.goto(address)
        page.wait_for_selector("html[data-ready]", timeout=10_000)
        page.wait_for_timeout(_SETTLED_MS)
        found: Any = page.evaluate(_FIGURES)
    finally:
        context.close()
    files = sorted(((name, int(size)) for name, size in found["files"]), key=lambda it: -it[1])
    return Painted(found["paint"], tuple(files))


def look(it: Filled, sizes: Iterable[str] = SIZES) -> dict[tuple[str, str], Painted]:
    """Return what Chromium notes of each page, by path and size; nothing where there is no Chromium."""
    where = program()
    if where is None:
        return {}
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=FLAGS)
        for path, address in whole_pages(it).items():
            for size in sizes:
                try:
                    found[path, size] = painted(browser, it.served, it.people[0].cookie, address, size)
                except Error:  # it is no page after all: a file to be kept, a part of another page
                    break
        browser.close()
    return found


def table_of(found: dict[tuple[str, str], Painted]) -> Table:
    """Return the figures of all pages, the heaviest first."""
    table = Table(title=f"first paint in milliseconds, goal {GOAL_MS}, and weight in kB, goal {GOAL_KB}; nothing kept")
    for name in ("page", "first paint: desk", "phone", "kB", "the heaviest of it"):
        table.add_column(name)
    pages = {path: it for (path, size), it in found.items() if size == "desk"}
    for path, it in sorted(pages.items(), key=lambda it: -it[1].weight):
        paints = [found.get((path, size)) for size in SIZES]
        texts = ["" if one is None or one.paint_ms is None else f"{one.paint_ms:.0f}" for one in paints]
        heavy = ", ".join(f"{name.rpartition('/')[2]} {size / 1e3:.0f}" for name, size in it.files[:_HEAVIEST])
        table.add_row(path, *texts, f"{it.weight / 1e3:.0f}", heavy)
    return table
