"""The administrator's pages, as everybody can use them."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.sync_api import Browser, expect

from dcacore.application import users
from tests.browser.conftest import watched
from tests.browser.looks import SIZES, THEMES, faults, in_theme, overflow, ready
from tests.browser.site import Site

PASSWORD = "Correct-Horse-7"
ROOT = "an.administrator.with.a.long.address@example.com"


def administrator(site: Site) -> None:
    """Make one, in the thread of the site."""
    means, app = site.app.means, site.app
    making = users.create(*means, app.passwords, email=ROOT, password=PASSWORD, is_admin=True, is_verified=True)
    asyncio.run_coroutine_threadsafe(making, site.loop).result(30)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_everybody_can_use_the_administrators_pages(chromium: Browser, site: Site, size: str, theme: str) -> None:
    administrator(site)
    width, height = SIZES[size]
    context = chromium.new_context(base_url=site.url, viewport={"width": width, "height": height})
    page = context.new_page()
    wrong = watched(page)
    in_theme(page, theme)
    ready(page, "/login")
    page.get_by_label("E-mail address").fill(ROOT)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")
    ready(page, "/admin")
    page.get_by_label("E-mail address").fill("invited@example.com")
    page.get_by_role("button", name="Send the invitation").click()
    page.wait_for_url(re.compile("/admin/users/"))
    expect(page.get_by_text("not chosen yet")).to_be_visible()
    for path in (page.url.removeprefix(site.url), "/admin", "/admin?text=nobody", "/admin/health"):
        ready(page, path)
        wrong += [f"{path}: {it}" for it in faults(page)]
        wrong += [f"{path} is {overflow(page)} pixels too wide"] if overflow(page) > 0 else []
    context.close()
    assert not wrong, "\n".join(wrong)
