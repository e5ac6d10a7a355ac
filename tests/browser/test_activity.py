"""The feed and the notifications as people use them: filters, more, what is new, and what has been read."""

from __future__ import annotations

import asyncio
import datetime

import attrs
import pytest
from playwright.sync_api import Browser, Page, expect

from dcacore.application import accounts, bots
from dcacore.domain.market import Fees, Market
from dcacore.domain.notes import Level
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.live import Notified
from dcacore.ports.records import Activity, Environment, Notification
from tests.browser.conftest import watched
from tests.browser.looks import SIZES, THEMES, faults, in_theme, overflow, ready
from tests.browser.site import Site
from tests.browser.trading import register

EMAIL = "anna@example.com"
MARKET = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)
STRATEGY = Strategy(
    pair="BTCUSDT",
    base_order_size=100,
    safety_order_size=100,
    max_safety_orders=3,
    price_deviation=1,
    take_profit="1.5",
)
NOON = datetime.datetime(2026, 3, 10, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


async def _fill(site: Site) -> None:
    """Give Anna a bot with 60 lines and three notifications."""
    app = site.app
    async with app.store.begin(reads_only=True) as work:
        anna = await work.users.by_email(EMAIL)
    assert anna is not None
    await accounts.add(*app.means, app.secrets, user_id=anna.id, name="Paper", environment=Environment.PAPER)
    file = BotFile(file="calm", name="Calm", strategy=STRATEGY, market={}, fees=Fees(fee_maker="0.001"))
    made = await bots.create(*app.means, user_id=anna.id, account="Paper", bot_file=file, market=MARKET)
    line = Activity(user_id=anna.id, at=NOON, kind="sold", text="", bot_id=made.bot.id)
    note = Notification(user_id=anna.id, at=NOON, kind="error", text="", level=Level.ERROR, bot_id=made.bot.id)
    async with app.store.begin() as work:
        await work.feed.add_activity(
            [attrs.evolve(line, at=NOON - it * HOUR, text=f"line {it}") for it in reversed(range(60))]
        )
        await work.feed.add_activity([attrs.evolve(line, kind="error", level=Level.ERROR, text="the key is refused")])
        await work.feed.add_notifications([attrs.evolve(note, text=f"Calm: {it}") for it in ("one", "two", "three")])
        await work.commit()


async def _tell(site: Site) -> None:
    """Let one more line and one more notification come."""
    app = site.app
    async with app.store.begin(reads_only=True) as work:
        anna = await work.users.by_email(EMAIL)
    assert anna is not None
    async with app.store.begin() as work:
        await work.feed.add_activity([Activity(user_id=anna.id, at=NOON, kind="sold", text="news has come")])
        await work.feed.add_notifications([Notification(user_id=anna.id, at=NOON, kind="error", text="news")])
        await work.commit()
    app.live.say(Notified(anna.id))


def _do(site: Site, what: str) -> None:
    """Run what touches the database in the thread that it lives in."""
    made = {"fill": _fill, "tell": _tell}[what](site)
    asyncio.run_coroutine_threadsafe(made, site.loop).result(30)


def _badge(page: Page) -> str:
    return page.locator(".app-bar__end .badge").inner_text()


def test_the_feed_is_filtered_and_more_of_it_is_loaded(page: Page, site: Site) -> None:
    register(page, EMAIL)
    _do(site, "fill")
    ready(page, "/activity")
    expect(page.locator(".feed__line")).to_have_count(50)
    page.get_by_role("link", name="Load more").click()
    expect(page.locator(".feed__line")).to_have_count(61)
    expect(page.get_by_text("That is all")).to_be_visible()
    days = page.locator(".feed__day").all_inner_texts()
    assert len(days) == len(set(days)) == 3
    page.get_by_label("Level").select_option("error")
    expect(page.locator(".feed__line")).to_have_count(1)
    page.wait_for_url("**/activity?level=error")
    page.get_by_label("To").fill("2026-03-01")
    expect(page.get_by_text("Nothing fits")).to_be_visible()
    page.wait_for_url("**/activity?level=error&last=2026-03-01")
    page.reload()
    expect(page.get_by_label("Level")).to_have_value("error")
    page.get_by_role("link", name="Show everything").click()
    expect(page.locator(".feed__line")).to_have_count(50)


def test_new_lines_are_told_and_the_badge_counts_without_a_reload(page: Page, site: Site) -> None:
    register(page, EMAIL)
    _do(site, "fill")
    ready(page, "/activity?kind=sold")
    expect(page.locator(".app-bar__end .badge")).to_have_text("3")
    expect(page.locator("#news a")).to_have_count(0)
    _do(site, "tell")
    expect(page.locator(".app-bar__end .badge")).to_have_text("4")
    page.get_by_role("link", name="1 new line: show").click()
    expect(page.get_by_text("News has come.")).to_be_visible()
    expect(page.locator("#news a")).to_have_count(0)
    assert page.url.endswith("/activity?kind=sold")


def test_what_is_read_is_marked_and_the_badge_goes_down(page: Page, site: Site) -> None:
    register(page, EMAIL)
    ready(page, "/activity/notifications")
    expect(page.get_by_text("No notification yet")).to_be_visible()
    expect(page.locator(".app-bar__end .badge")).to_be_hidden()
    _do(site, "fill")
    ready(page, "/activity/notifications")
    assert _badge(page) == "3"
    page.get_by_role("button", name="Mark read: Calm: two").click()
    expect(page.locator(".note--unread")).to_have_count(2)
    expect(page.locator(".app-bar__end .badge")).to_have_text("2")
    page.get_by_role("button", name="Mark all read").click()
    expect(page.locator(".note--unread")).to_have_count(0)
    expect(page.locator(".app-bar__end .badge")).to_be_hidden()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_everybody_can_use_it(chromium: Browser, site: Site, size: str, theme: str) -> None:
    width, height = SIZES[size]
    context = chromium.new_context(base_url=site.url, viewport={"width": width, "height": height})
    page = context.new_page()
    wrong = watched(page)
    in_theme(page, theme)
    register(page, EMAIL)
    for is_filled in (False, True):
        if is_filled:
            _do(site, "fill")
        for path in ("/activity", "/activity?kind=error", "/activity/notifications"):
            ready(page, path)
            wrong += [f"{path}: {it}" for it in faults(page)]
            wrong += [f"{path} is {overflow(page)} pixels too wide"] if overflow(page) > 0 else []
    context.close()
    assert not wrong, "\n".join(wrong)
