"""What people live through with a bot: profit, trouble, limits, real money, a server that goes away, no mouse."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import opened
from tests.browser.looks import overflow, ready
from tests.browser.site import PAIR, Site
from tests.browser.trading import (
    STAY_MS,
    fill_bot_in,
    has_stayed,
    make_bot,
    make_bot_in_steps,
    open_paper_account,
    register,
    shows,
    start,
    stat,
    stay,
)


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_from_nothing_to_a_profit(chromium: Browser, desk: Site, size: str) -> None:
    with opened(chromium, desk, size, accept_downloads=True, reduced_motion="reduce") as page:
        register(page)
        open_paper_account(page)
        bot = make_bot_in_steps(page)
        shows(page, "In position")
        stay(page)
        shows(page, "0 of 3")
        desk.move("59380")
        shows(page, "1 of 3")
        shows(page, "Safety order 1 of 3 filled")
        desk.move("60950")
        expect(stat(page, "Profit").first).to_contain_text("+", timeout=STAY_MS)
        shows(page, "1 deal closed")
        assert has_stayed(page)  # all of it came by the stream
        assert overflow(page) <= 0
        _the_deal_is_told(page, bot)
        _the_file_has_it(page)


def _the_deal_is_told(page: Page, bot: str) -> None:
    ready(page, bot)
    page.get_by_role("table").get_by_role("link", name="1", exact=True).click()
    page.wait_for_selector("html[data-ready]")
    shows(page, "Closed")
    shows(page, "take profit")
    expect(page.get_by_role("table").get_by_text("Safety order 1")).to_be_visible()
    assert overflow(page) <= 0
    ready(page, "/dashboard")
    expect(stat(page, "Profit today")).to_contain_text("+")
    expect(stat(page, "Win rate")).to_contain_text("100")
    assert overflow(page) <= 0
    ready(page, "/analytics")
    expect(page.locator("[data-plot] canvas").first).to_be_visible()
    expect(page.get_by_role("table").get_by_role("link", name="Calm")).to_be_visible()
    assert overflow(page) <= 0


def _the_file_has_it(page: Page) -> None:
    answer = page.request.get("/exports/deals.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text())))
    closed = [it for it in rows if it["closed_at"]]
    assert [(it["bot"], it["pair"]) for it in closed] == [("Calm", PAIR)]


def test_what_went_wrong_is_told_and_tried_again(chromium: Browser, desk: Site) -> None:
    with opened(chromium, desk, "desk") as page:
        register(page)
        open_paper_account(page)
        make_bot(page)
        start(page)
        shows(page, "In position")
        stay(page)
        _take_an_order_off(desk)
        shows(page, "Needs attention")
        shows(page, "ended on the exchange without this bot's doing")
        assert has_stayed(page)
        page.get_by_role("button", name="Retry").first.click()
        page.wait_for_selector("html[data-ready]")
        shows(page, "Calm tries again")
        expect(page.get_by_role("button", name="Retry")).to_have_count(0, timeout=STAY_MS)
        desk.move("61200")
        shows(page, "1 deal closed")


def _take_an_order_off(desk: Site) -> None:
    """Cancel the nearest safety order as its owner may do on the exchange's own pages."""
    venue = desk.paper.venue

    def cancel() -> None:
        (account,) = venue.accounts
        lowest = min(venue.open_orders(account, PAIR), key=lambda it: it.price or 0)
        venue.cancel(account, PAIR, lowest.order_id)

    desk.do(cancel)


def test_a_plan_ends_where_it_says(chromium: Browser, desk: Site) -> None:
    with opened(chromium, desk, "phone") as page:
        register(page)
        open_paper_account(page)
        fill_bot_in(page, "One")
        statuses = page.evaluate(
            """async () => Promise.all(['One', 'Two'].map(async (name) => {
                const data = new URLSearchParams();
                for (const [key, value] of new FormData(document.querySelector('main form')))
                    if (typeof value === 'string') data.set(key, value);
                data.set('file', data.get('file').replace('One', name));
                const sent = { method: 'POST', body: data, redirect: 'manual' };
                const answer = await fetch(location.pathname, sent);
                return answer.type === 'opaqueredirect' ? 303 : answer.status;
            }))"""
        )
        assert sorted(statuses) == [303, 403]
        fill_bot_in(page, "Three")
        page.get_by_role("button", name="Make the bot").click()
        shows(page, "FREE allows 1 bot")
        page.get_by_role("link", name="See the plans").first.click()
        page.wait_for_url("**/subscription")
        assert overflow(page) <= 0


def test_real_money_is_a_step_of_its_own(chromium: Browser, desk: Site) -> None:
    with opened(chromium, desk, "desk") as page:
        register(page)
        ready(page, "/exchange")
        page.get_by_label("Name").fill("Real")
        page.get_by_label("Where").select_option("live")
        page.get_by_label("API key").fill("k" * 64)
        page.get_by_label("Secret key", exact=True).fill("s" * 64)
        page.get_by_role("button", name="Check and save").click()
        page.wait_for_selector("html[data-ready]")
        bot = make_bot(page)
        page.get_by_role("button", name="Start", exact=True).click()
        page.wait_for_url("**/go-live")
        shows(page, "Calm trades real money")
        page.get_by_role("textbox").first.fill("calm")
        page.locator("main form button[type=submit]").click()
        shows(page, "not its name")
        page.get_by_role("textbox").first.fill("Calm")
        page.locator("main form button[type=submit]").click()
        page.wait_for_url(f"{bot}*")
        shows(page, "In position")
        expect(page.get_by_text("LIVE").first).to_be_visible()


def test_a_page_that_was_cut_off_comes_back_by_itself(chromium: Browser, desk: Site) -> None:
    context = chromium.new_context(base_url=desk.url)
    page = context.new_page()
    register(page)
    open_paper_account(page)
    make_bot(page)
    start(page)
    shows(page, "In position")
    stay(page)
    with desk.away():
        expect(page.locator("[data-live-status]")).to_be_visible(timeout=STAY_MS)
        desk.move("59380")
    shows(page, "1 of 3")
    expect(page.locator("[data-live-status]")).to_be_hidden(timeout=STAY_MS)
    assert has_stayed(page)
    context.close()


def test_no_mouse_is_needed(chromium: Browser, desk: Site) -> None:
    with opened(chromium, desk, "desk", reduced_motion="reduce") as page:
        register(page)
        open_paper_account(page)
        make_bot(page)
        _walk_to(page, "Start")
        page.keyboard.press("Enter")
        shows(page, "In position")
        _walk_to(page, "Stop")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert _focused(page) == "Stop"  # one goes on where one was
        page.keyboard.press("Enter")
        _walk_to(page, "Keep the coins", most=5)
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("radio", name=re.compile("Sell at market"))).to_be_checked()
        _walk_to(page, "Stop", most=5)
        page.keyboard.press("Enter")
        shows(page, "Stopped")


def _walk_to(page: Page, name: str, *, most: int = 40) -> None:
    """Press the tabulator until what is called *name* has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if _focused(page).startswith(name):
            return
    raise AssertionError(f"{name} cannot be reached by the keyboard")


def _focused(page: Page) -> str:
    said: str = page.evaluate(
        "(document.activeElement?.labels?.[0] ?? document.activeElement)?.textContent?.trim() ?? ''"
    )
    return said
