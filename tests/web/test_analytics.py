"""Analytics: filters that are kept, periods by one's own clocks, plots and tables that say the same."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from dcacore.application.analytics import Bucket, Choice, OfDay
from dcacore.application.zones import zone_of
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.money import QuoteAmount, plain
from dcacore.ports.records import BotRecord, Environment, RequestKind
from dcaweb.choices import within
from dcaweb.plots import distribution, profit_by_day, profit_so_far
from tests.web.desk import Desk
from tests.web.stage import said

TODAY = date(2026, 11, 23)
BROUGHT = QuoteAmount(Decimal("1.5"))
PLOT = "/dashboard/profit?environment=paper&quote_asset=USDT"


async def closed(desk: Desk, name: str) -> BotRecord:
    """Make a bot, and let its deal end at the target; it starts no other."""
    made = await desk.bot(name)
    await desk.ask(made, RequestKind.STOP, sell="true")
    return await desk.until(made, lambda it: it.lifetime.deals > 0)


def drawn(text: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text)
    assert found is not None, name
    return json.loads(found[1])


async def test_without_bots_and_without_deals_it_says_so(idle_desk: Desk) -> None:
    assert "Nothing to sum up yet" in said(await idle_desk.browser.get("/analytics"))
    await idle_desk.bot(starts=False)
    page = await idle_desk.browser.get("/analytics")
    assert "No deal has closed yet" in said(page)
    assert "No deal has closed there" in said(await idle_desk.browser.get("/analytics?period=7"))


async def test_figures_plots_and_files_say_the_same(desk: Desk) -> None:
    made = await closed(desk, "Calm")
    page = await desk.browser.get("/analytics")
    for word in (
        "Win rate",
        "Traded volume",
        "Fees paid",
        "Average duration",
        "Largest profit",
        "Largest loss",
        "Return",
    ):
        assert word in said(page), word
    deals = csv.DictReader(io.StringIO((await desk.browser.get("/exports/deals.csv")).text))
    profits = [Decimal(row["profit"]) for row in deals if row["state"] == "closed"]
    assert sum(profits) == made.lifetime.profit
    assert f'value="{plain(made.lifetime.profit)}"' in page.text
    so_far = drawn(page.text, "so-far-paper-USDT")
    assert so_far["series"][0]["values"][-1] == float(made.lifetime.profit)
    assert sum(drawn(page.text, "spread-paper-USDT")["series"][0]["values"]) == len(profits)


async def test_what_is_chosen_stays_chosen(desk: Desk) -> None:
    made = await closed(desk, "Calm")
    await closed(desk, "Wild")
    page = await desk.browser.get(f"/analytics?bot={made.bot.id}&period=7&sort=volume")
    assert f'value="{made.bot.id}" selected' in page.text
    assert "<h2>Calm</h2>" in page.text
    table = page.text[page.text.index("Figures by bot") :]
    assert ("Calm" in table, "Wild" in table) == (True, False)
    assert re.search(rf'href="/exports/deals\.csv\?bot={made.bot.id}&amp;first=\d{{4}}-\d\d-\d\d"', page.text)
    assert re.search(rf'href="/analytics\?bot={made.bot.id}&amp;period=30&amp;sort=volume"', page.text)
    assert 'aria-sort="descending"' in page.text


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("bot=nobody", "There is no bot nobody"),
        ("environment=moon", "must be one of the choices"),
        ("first=yesterday", "must be a day such as"),
        ("first=2026-02-30", "must be a day such as"),
        ("first=2026-02-03&last=2026-02-01", "must not lie before"),
        ("period=forever", "must be one of today"),
        ("first=0001-01-01", "must be one of the years"),
        (f"bot={'x' * 500}", "There is no bot"),
    ],
)
async def test_what_cannot_be_is_told_and_all_is_shown(idle_desk: Desk, query: str, word: str) -> None:
    await idle_desk.bot(starts=False)
    page = await idle_desk.browser.get(f"/analytics?{query}")
    assert page.status_code in {404, 422}
    assert word in said(page)
    assert "All deals are shown" in said(page)
    assert page.text.index('id="report"') < page.text.index("All deals are shown")  # what a filter replaces says so


async def test_days_that_cannot_be_stay_where_they_were_typed(idle_desk: Desk) -> None:
    await idle_desk.bot(starts=False)
    page = await idle_desk.browser.get("/analytics?first=2026-02-03&last=2026-02-01")
    assert 'value="2026-02-03"' in page.text
    assert 'value="2026-02-01"' in page.text
    assert 'href="/analytics?period=30"' in page.text  # a period that is chosen now leaves them


async def test_nobody_sees_anothers(desk: Desk) -> None:
    made = await closed(desk, "Secret bot")
    async with desk.bert() as bert:
        for path in (
            "/analytics",
            f"/analytics?bot={made.bot.id}",
            PLOT,
        ):
            answer = await bert.get(path)
            assert "Secret" not in answer.text
        assert (await bert.get(f"/analytics?bot={made.bot.id}")).status_code == 404


async def test_money_of_two_environments_has_sections_of_its_own(desk: Desk) -> None:
    await closed(desk, "On paper")
    await desk.bot("Real", starts=False, environment=Environment.LIVE)
    page = await desk.browser.get("/analytics")
    assert 'id="group-paper-USDT"' in page.text
    assert 'id="group-live-USDT"' not in page.text  # nothing has closed there


async def test_the_dashboard_draws_thirty_days(desk: Desk) -> None:
    made = await closed(desk, "Calm")
    page = await desk.browser.get("/dashboard")
    assert "/dashboard/profit?environment=paper&amp;quote_asset=USDT" in page.text
    plot = (await desk.browser.get(PLOT)).json()
    assert plot["series"][0]["values"] == [float(made.lifetime.profit)]
    assert (await desk.browser.get("/dashboard/profit?environment=moon&quote_asset=USDT")).status_code == 422


@pytest.mark.parametrize(
    ("period", "first"),
    [
        ("today", TODAY),
        ("7", date(2026, 11, 17)),
        ("30", date(2026, 10, 25)),
        ("year", date(2026, 1, 1)),
        ("all", None),
    ],
)
def test_a_period_ends_today(period: str, first: date | None) -> None:
    chosen = within(Choice(), period, TODAY)
    assert (chosen.first, chosen.last) == (first, None)


def test_days_that_were_typed_win() -> None:
    typed = Choice(last=date(2026, 1, 1))
    assert within(typed, "7", TODAY) is typed
    with pytest.raises(InvalidParameter, match="period: must be one of"):
        within(Choice(), "soon", TODAY)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Santiago"])
def test_a_day_is_drawn_within_itself(zone: str) -> None:
    days = [
        OfDay(day=day, deals=1, won=1, profit=BROUGHT, cumulative=BROUGHT)
        for day in (date(2026, 9, 5), date(2026, 9, 6), TODAY)
    ]
    for plot in (profit_so_far(days, "USDT", zone_of(zone)), profit_by_day(days, "USDT", zone_of(zone))):
        assert [datetime.fromtimestamp(it, zone_of(zone)).date() for it in plot["x"]] == [it.day for it in days]


def test_a_distribution_begins_and_ends_where_deals_are() -> None:
    edges = [None, Decimal(-1), Decimal(0), Decimal("0.5"), None]
    found = distribution(
        [Bucket(low=low, high=high, deals=n) for low, high, n in zip(edges, edges[1:], [0, 2, 0, 1], strict=False)]
    )
    assert found["labels"] == ["−1 % to 0 %", "0 % to 0.5 %", "0.5 % and more"]
    assert found["series"][0]["values"] == [2, 0, 1]
    assert distribution([Bucket(low=None, high=Decimal(0), deals=0)])["x"] == []
    assert distribution([Bucket(low=None, high=Decimal(-50), deals=3)])["labels"] == ["below −50 %"]
