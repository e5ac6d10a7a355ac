"""A new bot, step by step, on a desk and on a phone: what one types shows at once, and nothing gets lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import watched
from tests.browser.looks import SIZES, THEMES, faults, in_theme, overflow, ready
from tests.browser.site import Site
from tests.browser.trading import register


@pytest.fixture
def trader(page: Page) -> Page:
    """Return the page of somebody with an account on paper, at the form of a new bot."""
    to_the_form(page)
    return page


def to_the_form(page: Page) -> None:
    register(page)
    page.goto("/exchange")
    page.get_by_role("button", name="Paper account").click()
    ready(page, "/bots/new")


def go_on(page: Page) -> None:
    page.locator("[data-step]:visible").get_by_role("button", name="Next").click()


def rows(page: Page) -> Locator:
    return page.locator("#preview .ledger--ladder tbody tr")


def test_a_bot_is_made_step_by_step(trader: Page) -> None:
    page = trader
    pair = page.get_by_role("combobox", name="Pair")
    pair.fill("eth")
    page.get_by_role("option", name="ETHUSDT").click()
    expect(pair).to_have_value("ETHUSDT")
    expect(page.get_by_text("ETHUSDT now")).to_be_visible()
    go_on(page)
    expect(page.get_by_role("heading", name="What it buys")).to_be_focused()
    expect(rows(page)).to_have_count(9)
    page.get_by_label("Safety orders at most").fill("3")
    expect(rows(page)).to_have_count(4)
    page.get_by_role("link", name="Aggressive").click()
    expect(page.get_by_label("Safety orders at most")).to_have_value("5")
    expect(rows(page)).to_have_count(6)
    go_on(page)
    page.get_by_label("Stop loss", exact=True).fill("1")
    expect(page.locator("#preview").get_by_text("it sells before that order can fill")).to_be_visible()
    page.get_by_label("Stop loss", exact=True).fill("0")
    expect(page.locator("#preview").get_by_text("it sells before that order can fill")).to_have_count(0)
    go_on(page)
    review = page.locator("#review")
    expect(review.get_by_role("heading", name="ETHUSDT")).to_be_visible()
    review.get_by_text("As a bot file").click()
    expect(review.get_by_text('pair = "ETHUSDT"')).to_be_visible()
    review.get_by_role("button", name="Copy").click()
    expect(review.get_by_text(re.compile("Copied|Select and copy it"))).to_be_visible()
    page.get_by_role("button", name="Create only").click()
    expect(page.get_by_text("The bot is made")).to_be_visible()
    expect(page.get_by_role("heading", name="ETHUSDT", exact=True).first).to_be_visible()


def test_what_is_wrong_is_said_where_it_is_and_the_ladder_stays(trader: Page) -> None:
    page = trader
    go_on(page)
    expect(rows(page)).to_have_count(9)
    field = page.get_by_label("Base order", exact=True)
    field.fill("1,5")
    expect(page.locator("#base_order_size-error")).to_contain_text("Must be a plain decimal number")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(rows(page)).to_have_count(9)
    field.fill("150")
    expect(page.locator("#base_order_size-error")).to_have_text("")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#preview-said")).to_have_text("")


def test_a_refused_form_opens_at_what_is_wrong(trader: Page) -> None:
    page = trader
    go_on(page)
    go_on(page)
    page.get_by_label("Take profit", exact=True).fill("0")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("#review").get_by_text("Take profit: must be above 0")).to_be_visible()
    page.get_by_role("button", name="Create and start").click()
    expect(page.get_by_role("heading", name="When it sells")).to_be_visible()
    expect(page.locator("#take_profit-error")).to_contain_text("Must be above 0")
    expect(page.get_by_label("Take profit", exact=True)).to_have_value("0")


def test_enter_goes_on_and_never_makes_a_bot_by_accident(trader: Page) -> None:
    page = trader
    page.get_by_role("combobox", name="Pair").press("Enter")
    expect(page.get_by_role("heading", name="Where it trades")).to_be_visible()
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", name="What it buys")).to_be_visible()


def test_a_bot_file_is_imported(trader: Page, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(Path("examples/btc-calm.toml").read_bytes())
    trader.get_by_role("link", name="Out of a bot file").click()
    trader.get_by_label("A file").set_input_files(file)
    trader.get_by_role("button", name="Make the bot").click()
    expect(trader.get_by_text("The bot is made")).to_be_visible()


def test_without_script_all_steps_are_there(chromium: Browser, site: Site) -> None:
    context = chromium.new_context(base_url=site.url)
    to_the_form(context.new_page())
    bare = chromium.new_context(base_url=site.url, java_script_enabled=False, storage_state=context.storage_state())
    page = bare.new_page()
    page.goto("/bots/new")
    for title in ("Where it trades", "What it buys", "When it sells", "All of it once more"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_role("button", name="Next")).to_have_count(0)
    page.get_by_label("Safety orders at most").fill("2")
    page.get_by_role("button", name="Show the ladder").click()
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="Create only").click()
    expect(page.get_by_text("The bot is made")).to_be_visible()
    bare.close()
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_every_step_can_be_used_by_everybody(chromium: Browser, site: Site, size: str) -> None:
    width, height = SIZES[size]
    context = chromium.new_context(base_url=site.url, viewport={"width": width, "height": height})
    page = context.new_page()
    wrong = watched(page)
    to_the_form(page)
    for theme in THEMES:
        in_theme(page, theme)
        ready(page, "/bots/new")
        expect(page.get_by_text("BTCUSDT now")).to_be_visible()
        for step in ("pair", "orders", "exits", "review"):
            if step == "orders":
                expect(rows(page)).to_have_count(9)
            if step == "review":
                expect(page.locator("#review").get_by_text("What it takes")).to_be_visible()
            wrong += [f"{step}, {theme}: {it}" for it in faults(page)]
            wrong += [f"{step} is {overflow(page)} pixels too wide"] if overflow(page) > 0 else []
            if step != "review":
                go_on(page)
        ready(page, "/bots/new/import")
        wrong += [f"import, {theme}: {it}" for it in faults(page)]
    context.close()
    assert not wrong, "\n".join(wrong)
