"""The dashboard: every number by environment and asset, and what exchanges are asked for afterwards."""

from __future__ import annotations

from dcacore.ports.records import Environment, RequestKind
from tests.web.desk import Desk
from tests.web.stage import said


async def test_it_is_never_empty(idle_desk: Desk) -> None:
    page = await idle_desk.browser.get("/dashboard")
    assert "No bot yet" in said(page)
    assert "Nothing has happened yet" in said(page)
    assert "/dashboard/funds" not in page.text  # there is no account that could be asked


async def test_it_shows_what_bots_have_come_to(desk: Desk) -> None:
    made = await desk.bot()
    page = await desk.browser.get("/dashboard")
    for word in ("Profit, all time", "Profit today", "Unrealised", "Win rate", "Active bots", "Calm", "0 of 3"):
        assert word in said(page), word
    assert "PAPER · test funds" in said(page)
    assert "Base order filled" in said(page)
    assert f'href="/deals/{made.bot.deal.id}"' in page.text if made.bot.deal else False
    assert "Running" in said(page)


async def test_money_of_two_environments_is_never_added(desk: Desk) -> None:
    await desk.bot("On paper")
    await desk.bot("Real", starts=False, environment=Environment.LIVE)
    page = said(await desk.browser.get("/dashboard"))
    assert page.count("Profit, all time") == 2
    assert "LIVE · real funds" in page
    assert "MIXED" in page


async def test_balances_and_what_may_be_needed_follow(desk: Desk) -> None:
    await desk.bot()
    page = await desk.browser.get("/dashboard/funds")
    for word in ("Account balance", "May be needed", "USDT", "BTC"):
        assert word in said(page), word


async def test_what_is_lacking_is_told(desk: Desk) -> None:
    made = await desk.bot(starts=False, base_order_size=50_000)
    await desk.ask(made, RequestKind.START)
    await desk.until(made, lambda it: it.bot.trouble is not None)
    page = await desk.browser.get("/dashboard/funds")
    assert (page.status_code, "Lacking" in said(page)) == (200, True)


async def test_the_balance_goes_to_its_card_and_stays_there(desk: Desk) -> None:
    await desk.bot()
    card = '<span id="balance-paper" hx-preserve>'
    assert card in (await desk.browser.get("/dashboard")).text
    assert '<span id="balance-paper" hx-swap-oob="innerHTML">' in (await desk.browser.get("/dashboard/funds")).text


async def test_an_exchange_that_is_not_there_is_told(idle_desk: Desk) -> None:
    await idle_desk.bot(starts=False, environment=Environment.TESTNET)
    page = await idle_desk.browser.get("/dashboard/funds")
    assert (page.status_code, "does not trade testnet" in said(page)) == (200, True)


async def test_what_needs_attention_comes_first(desk: Desk) -> None:
    made = await desk.bot(starts=False, base_order_size=50_000)
    await desk.ask(made, RequestKind.START)
    await desk.until(made, lambda it: it.bot.trouble is not None)
    page = said(await desk.browser.get("/dashboard"))
    assert page.index("Look at it") < page.index("Profit, all time")


async def test_another_users_numbers_are_not_on_it(desk: Desk) -> None:
    await desk.bot("Secret bot")
    async with desk.bert() as bert:
        for path in ("/dashboard", "/dashboard/funds"):
            assert "Secret" not in (await bert.get(path)).text
