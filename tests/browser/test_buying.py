"""From the limit that somebody meets to a plan that is bought, lost, and bought again; at a Polar of our own."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from dcacore.domain.ids import UserId
from tests.browser.conftest import opened
from tests.browser.looks import THEMES, faults, in_theme, overflow, ready
from tests.browser.site import Site
from tests.browser.trading import STAY_MS, fill_bot_in, make_bot, open_paper_account, register, shows, start


def _buyer(shop: Site) -> UserId:
    """Return who has begun to buy."""
    assert shop.polar is not None
    (found,) = {it.user_id for it in shop.polar.world.till.purchases.values()}
    return found


def _pay(page: Page, shop: Site) -> None:
    """Go to Polar from the page of the plans, pay there, and come back."""
    assert shop.polar is not None
    ready(page, "/subscription")
    page.get_by_role("button", name="Upgrade to PRO").click()
    page.wait_for_url(f"{shop.polar.url}/checkout/*", timeout=STAY_MS)  # no form may lead there, but a page may
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url(re.compile(re.escape(shop.url) + "/billing/done"))


def test_f96_from_the_limit_to_the_plan_and_back_and_again(chromium: Browser, shop: Site) -> None:
    with opened(chromium, shop, "desk") as page:
        register(page)
        open_paper_account(page)
        make_bot(page, "One")
        start(page)
        shows(page, "In position")
        fill_bot_in(page, "Two")
        page.get_by_role("button", name="Make the bot").click()
        shows(page, "FREE allows 1 bot")
        page.get_by_role("link", name="See the plans").first.click()
        page.wait_for_url("**/subscription")
        _polar_is_slow_to_know(shop)
        _pay(page, shop)
        shows(page, "Being confirmed")
        _polar_knows(shop)
        shop.told()
        shows(page, "You have PRO")
        make_bot(page, "Two")
        start(page)
        shows(page, "In position")
        _lose_it(page, shop)
        _let_the_other_one_go_on(page)
        _pay(page, shop)
        shop.told()
        shows(page, "You have PRO")
        ready(page, "/subscription")
        page.get_by_role("button", name="Start them again").click()
        shows(page, "One is started")
        expect(page.get_by_role("heading", name="Paused for the plan")).to_have_count(0)


def _polar_is_slow_to_know(shop: Site) -> None:
    """Let Polar's list of subscriptions be empty for now, as it may be before a payment has gone all its way."""
    assert shop.polar is not None
    shop.polar.is_behind = True


def _polar_knows(shop: Site) -> None:
    assert shop.polar is not None
    shop.polar.is_behind = False


def _lose_it(page: Page, shop: Site) -> None:
    buyer = _buyer(shop)
    ready(page, "/bots")
    two = page.get_by_role("link", name="Two").first.get_attribute("href")
    assert two is not None
    shop.told(lambda world: world.revoke(buyer))
    ready(page, two)
    shows(page, "paused, because the plan FREE carries 1 bot")
    shows(page, "your plan does not carry it")
    ready(page, "/activity/notifications")
    shows(page, "Your plan is FREE now")


def _let_the_other_one_go_on(page: Page) -> None:
    ready(page, "/subscription")
    page.get_by_role("button", name=re.compile("Let it go on.*Two")).click()
    shows(page, "Two is started")
    expect(page.get_by_role("button", name=re.compile("Let it go on.*One"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Let it go on.*Two"))).to_have_count(0)


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_the_page_of_the_plans_is_well_made_however_it_stands(chromium: Browser, shop: Site, size: str) -> None:
    with opened(chromium, shop, size, reduced_motion="reduce") as page:
        register(page)
        open_paper_account(page)
        _looks_right(page, "free", "Upgrade to PRO")
        _pay(page, shop)
        _looks_right(page, "confirmed", "You have PRO", path=page.url)
        buyer = _buyer(shop)
        for name in ("One", "Two"):
            make_bot(page, name)
            start(page)
            shows(page, "In position")
        _looks_right(page, "pro", "Renews")
        for state, happens, words in (
            ("ending", "cancel", "Keep PRO"),
            ("grace", "undo fail_charge", "The last charge has failed"),
            ("lapsed", "recover pause", "Paused for the plan"),
            ("again", "resume", "Start them again"),
        ):
            for act in happens.split():
                shop.told(lambda world, act=act: getattr(world, act)(buyer))  # type: ignore[misc]
            _looks_right(page, state, words)


def _looks_right(page: Page, state: str, words: str, path: str = "/subscription") -> None:
    for _ in range(60):  # until what was told has been dealt with
        ready(page, path)
        if page.get_by_text(words).count():
            break
    shows(page, words)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert overflow(page) <= 0, state
    for theme in THEMES:
        in_theme(page, theme)
        assert faults(page) == [], (state, theme)
    in_theme(page, "light")
