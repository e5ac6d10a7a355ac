"""From a stranger to somebody who is signed in, by clicks; and every page as everybody should see it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched
from tests.browser.looks import SIZES, THEMES, faults, in_theme, overflow, ready
from tests.browser.site import Site
from tests.browser.trading import register

PUBLIC = ["/", "/login", "/register", "/forgot-password", "/verify-email/unknown", "/nowhere"]
MINE = ["/dashboard", "/bots", "/exchange", "/activity", "/subscription", "/settings"]


def test_a_stranger_becomes_somebody_who_is_signed_in(page: Page) -> None:
    register(page)
    expect(page.get_by_text("You are signed in")).to_be_visible()
    page.get_by_role("button", name="Account", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto("/settings")
    page.wait_for_url(re.compile("/login"))


def test_what_is_wrong_is_said_and_what_was_typed_stays(page: Page) -> None:
    ready(page, "/register")
    page.get_by_label("E-mail address").fill("anna@example.com")
    page.get_by_label("Password", exact=True).fill("simple")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("must have 8 to 128 characters")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value("anna@example.com")


def test_the_theme_is_kept_and_its_icon_follows(page: Page) -> None:
    ready(page, "/login")
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    ready(page, "/register")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_everybody_can_use_every_page(chromium: Browser, site: Site, size: str, theme: str) -> None:
    width, height = SIZES[size]
    context = chromium.new_context(base_url=site.url, viewport={"width": width, "height": height})
    page = context.new_page()
    wrong = watched(page)
    in_theme(page, theme)
    for path in PUBLIC:
        ready(page, path)
        wrong += [f"{path}: {it}" for it in faults(page)]
        wrong += [f"{path} is {overflow(page)} pixels too wide"] if overflow(page) > 0 else []
    register(page)
    for path in MINE:
        ready(page, path)
        wrong += [f"{path}: {it}" for it in faults(page)]
        wrong += [f"{path} is {overflow(page)} pixels too wide"] if overflow(page) > 0 else []
    context.close()
    assert not wrong, "\n".join(wrong)
