"""Exchange accounts: play money by one click, keys that are looked at, and how the way there is."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

import attrs
import pytest

from dcacore import read_bot
from dcacore.application import bots
from dcacore.bootstrap import market_of
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.bootstrap.venues import ByEnvironment
from dcacore.ports.errors import BadCredentials, Unavailable
from dcacore.ports.keys import KeyRights, Keys
from dcacore.ports.records import Environment, Reconciliation
from dcacore.ports.secrets import ApiKey
from dcaweb.app import create_app
from tests.web.stage import PASSWORD, Browser, Stage, client_of, said

KEY = {"name": "spot", "environment": "testnet", "key": "a" * 60 + "WXYZ", "secret": "s" * 64}


@attrs.define
class KnownKeys(Keys):
    """An exchange that says of every key the same."""

    answer: KeyRights | Exception

    async def rights(self, environment: Environment, key: ApiKey) -> KeyRights:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


FINE = KeyRights(may_trade=True, may_withdraw=False, is_bound=True)


async def anna_with(stage: Stage, answer: KeyRights | Exception = FINE) -> Browser:
    """Return the browser of anna, signed in, where exchanges answer so, and paper trades in this process."""
    await stage.register()
    calm = read_bot("examples/btc-calm.toml")
    paper = InProcessPaper([(market_of(calm), 30000)])
    stage.app = attrs.evolve(stage.app, keys=KnownKeys(answer), venues=ByEnvironment({Environment.PAPER: paper}))
    stage.web = create_app(stage.app)
    browser = Browser(client_of(stage.web))
    await browser.sign_in()
    return browser


async def test_without_an_account_it_says_how_to_begin(stage: Stage) -> None:
    browser = await anna_with(stage)
    assert "Begin with play money" in said(await browser.get("/exchange"))


async def test_a_paper_account_is_one_click_away_and_says_what_it_is(stage: Stage) -> None:
    browser = await anna_with(stage)
    assert (await browser.post("/exchange/paper")).status_code == 303
    page = await browser.get("/exchange")
    assert "PAPER · test funds" in said(page)
    assert (await browser.post("/exchange/paper")).status_code == 303
    assert "Paper 2" in said(await browser.get("/exchange"))
    (first, *_) = re.findall(r"/exchange/accounts/([\w-]+)/balances", page.text)
    held = await browser.get(f"/exchange/accounts/{first}/balances")
    assert "USDT 10,000" in said(held)
    health = await browser.get(f"/exchange/accounts/{first}/health")
    assert (health.status_code, "It can be reached" in said(health)) == (200, True)
    found = await browser.get(f"/exchange/accounts/{first}/pairs?text=btc")
    assert "BTCUSDT" in said(found)
    assert "No pair fits" in said(await browser.get(f"/exchange/accounts/{first}/pairs?text=nothing"))


async def test_two_clicks_make_one_paper_account(stage: Stage) -> None:
    browser = await anna_with(stage)
    (name,) = re.findall(r'name="name" value="(Paper[^"]*)"', (await browser.get("/exchange")).text)
    answers = [await browser.post("/exchange/paper", {"name": name}) for _ in range(2)]
    assert [it.status_code for it in answers] == [303, 303]
    page = await browser.get("/exchange")
    assert len(set(re.findall(r"/exchange/accounts/([\w-]+)/balances", page.text))) == 1
    assert 'name="name" value="Paper 2"' in page.text


async def test_times_and_money_are_shown_as_their_user_prefers(stage: Stage) -> None:
    browser = await anna_with(stage)
    await browser.post("/settings/preferences", {"theme": "dark", "time_zone": "Asia/Tokyo", "currency_digits": "4"})
    await browser.post("/exchange/paper")
    async with stage.app.store.begin() as work:
        (user,) = await work.users.all()
        (account,) = await work.accounts.of(user.id)
        at = datetime.datetime(2026, 5, 1, 20, 30, tzinfo=datetime.UTC)
        await work.feed.add_reconciliation(
            Reconciliation(account_id=account.id, at=at, cause="start", differences=("1 BTC is missing",))
        )
        await work.commit()
    page = await browser.get("/exchange")
    assert "2 May 2026, 05:30:00 · at the start 1 BTC is missing" in said(page)
    assert "<details open>" in page.text  # what was found needs no press
    held = await browser.get(f"/exchange/accounts/{account.id}/balances")
    assert "Worth 10,000.0000 USDT" in said(held)


async def test_what_a_testnet_is_like_is_said(stage: Stage) -> None:
    browser = await anna_with(stage)
    await browser.post("/exchange/accounts", KEY)
    assert "about once a month" in said(await browser.get("/exchange"))


async def test_a_key_is_kept_once_it_was_looked_at_and_shows_its_end_only(stage: Stage) -> None:
    browser = await anna_with(stage)
    assert (await browser.post("/exchange/accounts", KEY)).status_code == 303
    page = await browser.get("/exchange")
    assert "accepted the key" in said(page)
    assert "••••••••WXYZ" in page.text
    assert KEY["key"] not in page.text
    assert KEY["secret"] not in page.text
    assert "TESTNET" in said(page)


@pytest.mark.parametrize(
    ("answer", "changed", "text"),
    [
        (KeyRights(may_trade=True, may_withdraw=True, is_bound=True), {}, "may withdraw coins"),
        (KeyRights(may_trade=False, may_withdraw=False, is_bound=True), {}, "may not trade"),
        (BadCredentials("Invalid API-key"), {}, "does not accept this key"),
        (Unavailable("the connection failed"), {}, "cannot be asked"),
        (FINE, {"key": ""}, "The key must be"),
        (FINE, {"secret": "with blank"}, "The secret must be"),
        (FINE, {"name": " "}, "The name must be"),
        (FINE, {"environment": "moon"}, "The environment must be"),
    ],
)
async def test_why_a_key_is_not_kept_is_said_and_what_was_typed_stays(
    stage: Stage, answer: KeyRights | Exception, changed: Mapping[str, str], text: str
) -> None:
    browser = await anna_with(stage, answer)
    form = {**KEY, **changed}
    refused = await browser.post("/exchange/accounts", form)
    assert refused.status_code in {409, 422, 503}
    assert text in said(refused)
    assert KEY["secret"] not in refused.text
    assert "Begin with play money" in said(await browser.get("/exchange"))


async def test_what_the_owner_should_know_of_a_key_is_said(stage: Stage) -> None:
    browser = await anna_with(stage, KeyRights(may_trade=True, may_withdraw=False, is_bound=False))
    kept = await browser.post("/exchange/accounts", KEY)
    assert (kept.status_code, "works from any address" in said(kept)) == (200, True)


async def test_a_key_is_replaced_and_an_account_removed(stage: Stage) -> None:
    browser = await anna_with(stage)
    await browser.post("/exchange/accounts", KEY)
    (found,) = set(re.findall(r"/exchange/accounts/([\w-]+)/key", (await browser.get("/exchange")).text))
    wrong = await browser.post(f"/exchange/accounts/{found}/key", {"key": "", "secret": "x"})
    assert (wrong.status_code, "The key must be" in said(wrong)) == (422, True)
    assert (
        await browser.post(f"/exchange/accounts/{found}/key", {"key": "b" * 60 + "1234", "secret": "t" * 64})
    ).status_code == 303
    assert "••••••••1234" in (await browser.get("/exchange")).text
    assert (await browser.post(f"/exchange/accounts/{found}/remove")).status_code == 303
    assert "Begin with play money" in said(await browser.get("/exchange"))


async def test_an_account_with_bots_stays(stage: Stage) -> None:
    browser = await anna_with(stage)
    await browser.post("/exchange/paper")
    calm = read_bot("examples/btc-calm.toml")
    async with stage.app.store.begin(reads_only=True) as work:
        (user,) = await work.users.all()
    await bots.create(*stage.app.means, user_id=user.id, account="Paper", bot_file=calm, market=market_of(calm))
    page = await browser.get("/exchange")
    assert "btc calm" in said(page)
    (found,) = set(re.findall(r"/exchange/accounts/([\w-]+)/balances", page.text))
    refused = await browser.post(f"/exchange/accounts/{found}/remove")
    assert (refused.status_code, "Bots belong to Paper" in said(refused)) == (409, True)


async def test_nothing_of_it_is_anybody_elses(stage: Stage) -> None:
    browser = await anna_with(stage)
    await browser.post("/exchange/accounts", KEY)
    (found,) = set(re.findall(r"/exchange/accounts/([\w-]+)/key", (await browser.get("/exchange")).text))
    async with stage.another_browser() as elsewhere:
        await elsewhere.post("/register", {"email": "bert@example.com", "password": PASSWORD})
        await elsewhere.post(await stage.link("bert@example.com"))
        await elsewhere.sign_in("bert@example.com")
        assert "TESTNET" not in said(await elsewhere.get("/exchange"))
        for what in ("balances", "health", "pairs"):
            assert (await elsewhere.get(f"/exchange/accounts/{found}/{what}")).status_code == 404
        key = {"key": KEY["key"], "secret": KEY["secret"]}
        assert (await elsewhere.post(f"/exchange/accounts/{found}/key", key)).status_code == 404
        assert (await elsewhere.post(f"/exchange/accounts/{found}/remove")).status_code == 404
    assert "••••••••WXYZ" in (await browser.get("/exchange")).text


async def test_strangers_see_nothing(stage: Stage) -> None:
    async with stage.another_browser() as stranger:
        assert (await stranger.get("/exchange")).headers["location"].startswith("/login")
        assert (await stranger.post("/exchange/paper")).headers["location"].startswith("/login")
