"""A deal's page: how it stands, its orders and fills, and what a user may do with it."""

from __future__ import annotations

import asyncio
import re

from httpx import Response

from dcacore.application import deal_pages, deals
from dcacore.ports.records import BotRecord, RequestKind
from tests.web.desk import Desk
from tests.web.stage import said


def href(record: BotRecord) -> str:
    assert record.bot.deal is not None
    return f"/deals/{record.bot.deal.id}"


async def after(desk: Desk, answer: Response) -> str:
    """Return what the page says to which *answer* leads."""
    assert answer.status_code == 303, said(answer)
    return said(await desk.browser.get(answer.headers["location"]))


async def test_an_open_deal_shows_how_it_stands_and_why(desk: Desk) -> None:
    made = await desk.bot()
    page = await desk.browser.get(href(made))
    for word in ("Calm, deal 1", "Open", "Close at market", "Base order", "Filled", "Resting", "0 of 3", "Target"):
        assert word in said(page), word
    assert "after the fee" in said(page)
    assert re.search(r'data-tone="(even|loss)"', page.text)


async def test_a_deal_is_closed_at_market(desk: Desk) -> None:
    made = await desk.bot()
    page = await after(desk, await desk.browser.post(f"{href(made)}/close"))
    assert "Calm sells what its deal holds, at market." in page
    done = await desk.until(made, lambda it: it.lifetime.deals == 1)
    assert done.lifetime.profit < 0  # the fees
    closed = await desk.browser.get(href(made))
    assert "closed by hand" in said(closed)
    assert f'action="{href(made)}/close"' not in closed.text
    again = await desk.browser.post(f"{href(made)}/close")
    assert (again.status_code, "is not open any more" in said(again)) == (409, True)


async def test_a_deal_is_cancelled_and_its_coins_kept(desk: Desk) -> None:
    made = await desk.bot(auto_restart=False)
    assert "ends its deal; the coins are kept" in await after(desk, await desk.browser.post(f"{href(made)}/cancel"))
    await desk.until(made, lambda it: it.bot.deal is None)
    assert "Cancelled" in said(await desk.browser.get(href(made)))


async def test_a_deal_ends_as_sold_by_hand(desk: Desk) -> None:
    made = await desk.bot(auto_restart=False)
    for price in ("", "zero", "0", "1e5"):
        wrong = await desk.browser.post(f"{href(made)}/sold", {"sold_at": price})
        assert wrong.status_code == 422, price
    done = await desk.browser.post(f"{href(made)}/sold", {"sold_at": "31000"})
    assert "as sold by hand" in await after(desk, done)
    await desk.until(made, lambda it: it.bot.deal is None)


async def test_what_a_sale_would_bring_is_what_is_booked(desk: Desk) -> None:
    made = await desk.bot()
    deal = await deal_pages.deal_page(desk.app.store, desk.app.clock, desk.anna.id, href(made).removeprefix("/deals/"))
    assert deal.bot.bot.deal is not None
    assert deal.bot.bot.deal.books.net > deal.bot.bot.deal.sellable  # a remainder goes on to the next deal
    await desk.browser.post(f"{href(made)}/close")
    await desk.until(made, lambda it: it.lifetime.deals == 1)
    _, record = await deals.find(desk.app.store, desk.anna.id, deal.row.record.deal.id)
    assert record.deal.result is not None
    assert record.deal.result.profit == deal.at_market


async def test_funds_are_added(desk: Desk) -> None:
    made = await desk.bot()
    wrong = await desk.browser.post(f"{href(made)}/add-funds", {"amount": "-5"})
    assert (wrong.status_code, "must be above 0" in said(wrong)) == (422, True)
    assert "Calm buys more" in await after(desk, await desk.browser.post(f"{href(made)}/add-funds", {"amount": "50"}))
    await desk.until(made, lambda it: it.bot.deal is not None and it.bot.deal.books.spent > 140)
    assert "Added funds" in said(await desk.browser.get(href(made)))


async def test_a_form_for_funds_that_is_sent_twice_buys_once(desk: Desk) -> None:
    made = await desk.bot()
    form = {
        "amount": "50",
        **dict(re.findall(r'name="(once)" value="([^"]+)"', (await desk.browser.get(href(made))).text)),
    }
    assert form["once"]
    one, other = await asyncio.gather(*[desk.browser.post(f"{href(made)}/add-funds", form) for _ in range(2)])
    assert one.headers["location"] == other.headers["location"]
    assert "Calm buys more" in await after(desk, one)
    more = await desk.browser.post(f"{href(made)}/add-funds", {**form, "amount": "60"})
    assert more.headers["location"] != one.headers["location"]  # another sum is another wish
    assert "Calm buys more" in await after(desk, more)
    found = await desk.until(made, lambda it: it.bot.deal is not None and it.bot.deal.books.spent > 200)
    assert found.bot.deal is not None
    assert found.bot.deal.books.spent < 220


async def test_what_the_engine_refuses_is_told(desk: Desk) -> None:
    made = await desk.bot()
    page = await after(desk, await desk.browser.post(f"{href(made)}/add-funds", {"amount": "1"}))
    assert "Calm was asked to buy more, and does not:" in page


async def test_an_open_deal_gets_other_parameters(desk: Desk) -> None:
    made = await desk.bot()
    wrong = await desk.browser.post(f"{href(made)}/edit", {"take_profit": "much"})
    assert wrong.status_code == 422
    done = await desk.browser.post(f"{href(made)}/edit", {"take_profit": "3", "max_safety_orders": "3"})
    assert "Calm has changed its deal" in await after(desk, done)
    found = await desk.find(made)
    assert found.bot.deal is not None
    assert (str(found.bot.deal.strategy.take_profit), str(found.bot.strategy.take_profit)) == ("3", "1.5")


async def test_the_history_of_a_bot_has_pages(desk: Desk) -> None:
    made = await desk.bot()
    await desk.ask(made, RequestKind.CLOSE_DEAL, deal=href(made).removeprefix("/deals/"))
    await desk.until(made, lambda it: it.lifetime.deals == 1)
    page = await desk.browser.get(f"/bots/{made.bot.id}")
    assert f'href="{href(made)}"' in page.text
    beyond = await desk.browser.get(f"/bots/{made.bot.id}?page=99")
    assert beyond.status_code == 200
    for odd in ("0", "-1", "x", "9" * 30, "\N{SUPERSCRIPT TWO}"):
        assert (await desk.browser.get("/bots/" + made.bot.id, params={"page": odd})).status_code == 200


async def test_another_users_deals_are_not_there(desk: Desk) -> None:
    made = await desk.bot("Secret bot")
    async with desk.bert() as bert:
        for part in ("", "/chart"):
            page = await bert.get(f"{href(made)}{part}")
            assert (page.status_code, "Secret" in page.text) == (404, False), part
        for part in ("/close", "/cancel", "/sold", "/add-funds", "/edit"):
            form = {"sold_at": "1", "amount": "50", "take_profit": "9"}
            page = await bert.post(f"{href(made)}{part}", form)
            assert (page.status_code, "Secret" in page.text) == (404, False), part
    _, record = await deals.find(desk.app.store, desk.anna.id, href(made).removeprefix("/deals/"))
    assert record.deal.exit is None
