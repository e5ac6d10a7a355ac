"""The list of pages that `make shots` goes by has all of them."""

from __future__ import annotations

from collections import Counter

from tests.browser.gallery import NO_PAGES, SHOTS
from tests.web.stage import Stage


def test_every_picture_has_a_name_of_its_own() -> None:
    assert max(Counter(it.name for it in SHOTS).values()) == 1


async def test_every_page_is_in_the_gallery(stage: Stage) -> None:
    asked = {it.path_format for it in stage.web.routes if "GET" in it.methods}
    pages = {it for it in asked if not it.startswith("/api/")}
    assert sorted(pages) == sorted({it.route for it in SHOTS} | NO_PAGES), "tests/browser/gallery.py lists all pages"
