"""What one's plan allows."""

from __future__ import annotations

from tests.web.desk import Desk
from tests.web.stage import said


async def test_it_shows_what_is_used_of_what_is_allowed(idle_desk: Desk) -> None:
    assert "0 of 5" in said(await idle_desk.browser.get("/subscription"))
    await idle_desk.bot(starts=False)
    page = said(await idle_desk.browser.get("/subscription"))
    for words in ("PRO", "1 of 5", "10 USD a month", "Billing is off"):
        assert words in page, words


async def test_strangers_see_nothing(idle_desk: Desk) -> None:
    async with idle_desk.stage.another_browser() as stranger:
        assert (await stranger.get("/subscription")).headers["location"].startswith("/login")
