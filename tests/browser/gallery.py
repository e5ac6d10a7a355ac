"""The pages that `make shots` makes pictures of: another one is another line here.

An address names things of the demo by what `cast.py` calls them, as in "/bots/{waiting}". Every page of the dashboard
is to be here; a test compares the list with the routes of the application.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import attrs
from playwright.sync_api import Page

Visitor = Literal["stranger", "owner", "newcomer"]


@attrs.frozen
class Shot:
    """A page, and how to look at it.

    Attributes:
        name: what the pictures are called.
        route: which page, as the application names it.
        path: its address; the route's unless given.
        visitor: who looks: a stranger, the demo's owner, or somebody who has nothing yet.
        act: what is done there before the picture is made.
        is_whole: whether all of the page is shown, and not only as much as the window.
    """

    name: str
    route: str
    path: str = attrs.field(kw_only=True, default=attrs.Factory(lambda it: it.route, takes_self=True))
    visitor: Visitor = attrs.field(kw_only=True, default="owner")
    act: Callable[[Page], object] | None = attrs.field(kw_only=True, default=None)
    is_whole: bool = attrs.field(kw_only=True, default=True)


def _press(name: str) -> Callable[[Page], object]:
    """Return what presses the first button of that name on the page itself."""
    return lambda page: page.locator("main").get_by_role("button", name=name, exact=True).first.click()


def _forgot(page: Page) -> None:
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_role("button", name="Send the link").click()
    page.wait_for_selector("html[data-ready]")


def _choose_theme(page: Page) -> None:
    page.get_by_role("button", name="Theme").click()


def _steps(count: int) -> Callable[[Page], object]:
    """Return what goes on by so many steps of a form."""

    def go(page: Page) -> None:
        for _ in range(count):
            page.locator("[data-step]:visible").get_by_role("button", name="Next").click()

    return go


SHOTS: Final = (
    Shot("landing", "/", visitor="stranger"),
    Shot("register", "/register", visitor="stranger"),
    Shot("login", "/login", visitor="stranger"),
    Shot("forgot", "/forgot-password", visitor="stranger"),
    Shot("forgot-sent", "/forgot-password", visitor="stranger", act=_forgot),
    Shot("link-used-up", "/verify-email/{secret}", path="/verify-email/unknown", visitor="stranger"),
    Shot("reset-used-up", "/reset-password/{secret}", path="/reset-password/unknown", visitor="stranger"),
    Shot("not-found", "/bots/{bot_id}", path="/bots/unknown"),
    Shot("dashboard", "/dashboard"),
    Shot("dashboard-first-screen", "/dashboard", is_whole=False),
    Shot("dashboard-new", "/dashboard", visitor="newcomer"),
    Shot("theme-menu", "/dashboard", act=_choose_theme, is_whole=False),
    Shot("bots", "/bots"),
    Shot("bots-first-screen", "/bots", is_whole=False),
    Shot("bots-new", "/bots", visitor="newcomer"),
    Shot("stop-all", "/bots", act=_press("Stop all"), is_whole=False),
    Shot("bot-running", "/bots/{bot_id}", path="/bots/{running}"),
    Shot("bot-trailing", "/bots/{bot_id}", path="/bots/{trailing}"),
    Shot("bot-paused", "/bots/{bot_id}", path="/bots/{paused}"),
    Shot("bot-stopped", "/bots/{bot_id}", path="/bots/{stopped}"),
    Shot("bot-waiting", "/bots/{bot_id}", path="/bots/{waiting}"),
    Shot("bot-stop", "/bots/{bot_id}", path="/bots/{running}", act=_press("Stop"), is_whole=False),
    Shot("bot-edit", "/bots/{bot_id}/edit", path="/bots/{running}/edit"),
    Shot("deal-open", "/deals/{deal_id}", path="/deals/{open_deal}"),
    Shot("deal-closed", "/deals/{deal_id}", path="/deals/{closed_deal}"),
    Shot("deal-close", "/deals/{deal_id}", path="/deals/{open_deal}", act=_press("Close at market"), is_whole=False),
    Shot("new-bot", "/bots/new", path="/bots/new?preset=Calm&pair=BTCUSDT"),
    Shot("new-bot-orders", "/bots/new", path="/bots/new?from={running}", act=_steps(1)),
    Shot("new-bot-exits", "/bots/new", path="/bots/new?from={running}", act=_steps(2)),
    Shot("new-bot-review", "/bots/new", path="/bots/new?from={running}", act=_steps(3)),
    Shot("import", "/bots/new/import"),
    Shot("signals", "/bots/{bot_id}/signals", path="/bots/{running}/signals"),
    Shot("backtest", "/backtest"),
    Shot("backtest-new", "/backtest", visitor="newcomer"),
    Shot("backtest-done", "/backtest/{run_id}", path="/backtest/{run}"),
    Shot("backtest-compared", "/backtest/compare", path="/backtest/compare?run={run}&run={other_run}"),
    Shot("activity", "/activity"),
    Shot("activity-new", "/activity", visitor="newcomer"),
    Shot("notifications", "/activity/notifications"),
    Shot("admin", "/admin"),
    Shot("admin-user", "/admin/users/{user_id}", path="/admin/users/{newcomer}"),
    Shot("new-bot-new", "/bots/new", visitor="newcomer"),
    Shot("exchange", "/exchange"),
    Shot("exchange-new", "/exchange", visitor="newcomer"),
    Shot("analytics", "/analytics"),
    Shot("analytics-new", "/analytics", visitor="newcomer"),
    Shot("subscription", "/subscription"),
    Shot("purchase-unknown", "/billing/done", path="/billing/done?checkout_id=unknown"),
    Shot("settings", "/settings"),
)

NO_PAGES: Final = frozenset(
    {
        "/healthz",
        "/readyz",
        "/metrics",
        "/activity/lines",
        "/activity/news",
        "/admin/health",
        "/bots/new/pair",
        "/bots/new/pairs",
        "/static/{file_path}",
        "/events",
        "/asked",
        "/dashboard/funds",
        "/dashboard/profit",
        "/exchange/accounts/{account_id}/balances",
        "/exchange/accounts/{account_id}/health",
        "/exchange/accounts/{account_id}/pairs",
        "/backtest/{run_id}/drawn/{name}",
        "/billing/done/part",
        "/subscription/payments",
        "/backtest/{run_id}/part",
        "/bots/{bot_id}/chart",
        "/bots/{bot_id}/export",
        "/bots/{bot_id}/go-live",  # the demo has no real money
        "/deals/{deal_id}/chart",
        "/exports/deals.csv",
        "/exports/orders.csv",
    }
)
"""What is asked for by GET and is no page: parts of pages, files, streams, and what programs ask."""
