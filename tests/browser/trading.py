"""What somebody does on the dashboard, by clicks, from registering to a bot that trades."""

from __future__ import annotations

import re
from typing import Final

from playwright.sync_api import Locator, Page, expect

from tests.browser.looks import ready

PASSWORD: Final = "Correct-Horse-7"
STAY_MS: Final = 30_000
"""How long something may take to come to a page by itself, on a machine that is busy with other things."""
_PARAMETERS: Final = {
    "base_order_size": "100",
    "safety_order_size": "100",
    "max_safety_orders": "3",
    "price_deviation": "1",
    "safety_order_volume_scale": "1",
    "safety_order_step_scale": "1",
}
_BOT: Final = """[bot]
name = "{name}"
pair = "BTCUSDT"
base_order_size = "{base}"
safety_order_size = "100"
max_safety_orders = 3
price_deviation = "1"
take_profit = "1.5"
"""


def register(page: Page, email: str = "anna@example.com") -> None:
    """Register, confirm by the link, and sign in."""
    ready(page, "/register")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("link", name="Open the link").click()
    page.get_by_role("button", name="Confirm this address").click()
    expect(page.get_by_text("Your address is confirmed")).to_be_visible()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def open_paper_account(page: Page) -> None:
    """Take play money."""
    ready(page, "/exchange")
    page.get_by_role("button", name="Paper account").click()
    expect(page.get_by_role("table").get_by_text("10,000").first).to_be_visible(timeout=STAY_MS)


def make_bot_in_steps(page: Page, name: str = "Calm") -> str:
    """Make a bot by the form in steps, start it, and return its address."""
    ready(page, "/bots/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("combobox", name="Pair").fill("BTCUSDT")
    page.get_by_role("option", name="BTCUSDT").first.click()
    _next(page)
    for field, text in _PARAMETERS.items():
        page.locator(f"[name={field}]").fill(text)
    _next(page)
    page.locator("[name=take_profit]").fill("1.5")
    _next(page)
    page.get_by_role("button", name="Create and start").click()
    page.wait_for_url(re.compile("/bots/(?!new)"))
    return re.sub(r"[?#].*", "", page.url)


def _next(page: Page) -> None:
    page.locator("[data-step]:visible").get_by_role("button", name="Next").click()


def make_bot(page: Page, name: str = "Calm", base: str = "100") -> str:
    """Make a bot and return its address."""
    fill_bot_in(page, name, base)
    page.get_by_role("button", name="Make the bot").click()
    page.wait_for_url(re.compile("/bots/(?!new)"))
    return re.sub(r"[?#].*", "", page.url)


def fill_bot_in(page: Page, name: str, base: str = "100") -> None:
    """Come as far as to the button that makes the bot."""
    ready(page, "/bots/new/import")
    page.get_by_role("textbox", name="Or its text").fill(_BOT.format(name=name, base=base))


def start(page: Page) -> None:
    """Start the bot whose page is open."""
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_selector("html[data-ready]")


def shows(page: Page, text: str, within: str = "main, header") -> None:
    """Wait until the page shows *text* by itself."""
    expect(page.locator(within).get_by_text(text).first).to_be_visible(timeout=STAY_MS)


def stat(page: Page, label: str) -> Locator:
    """Return the headline number of that name."""
    return page.locator(".stat", has_text=label).locator(".stat__value")


def stay(page: Page) -> None:
    """Mark the page, so that it can be told whether it was loaded again."""
    page.evaluate("window.stayed = true")


def has_stayed(page: Page) -> bool:
    """Say whether the page is still the one that was marked."""
    return bool(page.evaluate("window.stayed === true"))
