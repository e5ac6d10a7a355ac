"""A new bot in steps: what each step says, what is refused and where, and what comes of it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from httpx import Response

from dcacore import read_bot
from dcacore.application import bots
from dcacore.application.parameters import texts_of
from dcacore.bootstrap import bot_of_text, market_of
from dcacore.bootstrap.venues import ByEnvironment
from dcacore.domain.money import Price
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.errors import Unavailable
from dcacore.ports.exchange import Exchange
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment, Tier
from dcacore.ports.venues import Venues
from dcaweb import parameters
from dcaweb.app import create_app
from tests.web.desk import MARKET, Desk, desk_in
from tests.web.stage import Browser, client_of, fields_of, said

HTMX: Final = {"hx-request": "true"}


async def form_in(desk: Desk, **changes: str) -> dict[str, str]:
    """Return the form as it stands when somebody with an account on paper opens it, but for *changes*."""
    if not await bots.of(desk.app.store, desk.anna.id):
        await desk.bot("First", starts=False)
    return {**fields_of(await desk.browser.get("/bots/new")), **changes}


async def preview(desk: Desk, form: Mapping[str, str]) -> Response:
    answer = await desk.browser.post("/bots/new/preview", form, headers=HTMX)
    assert answer.status_code == 200
    return answer


async def names(desk: Desk) -> list[str]:
    return [it.name for it in await bots.of(desk.app.store, desk.anna.id)]


def error_at(page: Response, field: str) -> str:
    """Return what the page says below a field."""
    (found,) = re.findall(rf'<p class="field__error" id="{field}-error"[^>]*>(.*?)</p>', page.text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found)).strip()


# ------------------------------------------------------------------------------------------------------------ the form


async def test_without_an_account_it_says_where_to_get_one(desk: Desk) -> None:
    page = await desk.browser.get("/bots/new")
    assert "A bot needs an account" in said(page)
    assert 'href="/exchange"' in page.text


async def test_the_form_has_everything_that_a_bot_file_says(idle_desk: Desk) -> None:
    fields = set(await form_in(idle_desk))
    assert fields >= {field.name for field in attrs.fields(Strategy)} | {"name", "account"}
    assert fields >= {"fee_maker", "fee_taker", "fee_asset"}
    assert set(parameters.NAMES) | {"pair"} == {field.name for field in attrs.fields(Strategy)}


async def test_what_the_form_begins_with_can_be_made(idle_desk: Desk) -> None:
    made = await idle_desk.browser.post("/bots/new", await form_in(idle_desk, then="keep"))
    assert made.status_code == 303
    shown = said(await idle_desk.browser.get(made.headers["location"]))
    assert "The bot is made" in shown
    assert await names(idle_desk) == ["First", "BTCUSDT"]
    again = await idle_desk.browser.post("/bots/new", await form_in(idle_desk, then="keep"))
    assert again.status_code == 303
    assert await names(idle_desk) == ["First", "BTCUSDT", "BTCUSDT 2"]


@pytest.mark.parametrize("preset", ["Cautious", "Balanced", "Aggressive"])
async def test_presets_fill_the_form_with_a_bot_that_can_be_made(idle_desk: Desk, preset: str) -> None:
    await form_in(idle_desk)
    form = fields_of(await idle_desk.browser.get(f"/bots/new?preset={preset}"))
    assert "If all" in said(await preview(idle_desk, form))


async def test_a_page_is_there_at_once_however_slow_its_exchange_is(idle_desk: Desk) -> None:
    browser = await with_venues(idle_desk, Gone())
    assert (await browser.get("/bots/new")).status_code == 200


# ---------------------------------------------------------------------------------------------------------------- pair


async def test_pairs_are_found_where_the_account_is(idle_desk: Desk) -> None:
    form = await form_in(idle_desk)
    found = await idle_desk.browser.get(f"/bots/new/pairs?account={form['account']}&pair=btc/")
    assert 'data-value="BTCUSDT"' in found.text
    assert "No pair fits" in said(await idle_desk.browser.get(f"/bots/new/pairs?account={form['account']}&pair=none"))
    assert "There is no account" in said(await idle_desk.browser.get("/bots/new/pairs?account=x&pair=btc"))


async def test_the_chosen_pair_shows_its_price_and_its_rules(idle_desk: Desk) -> None:
    where = f"/bots/new/pair?account={(await form_in(idle_desk))['account']}&pair="
    shown = said(await idle_desk.browser.get(f"{where}btc-usdt"))
    for word in ("BTCUSDT now 30,000.00", "10,000.00 USDT", "0.01", "0.00001", "5 USDT"):
        assert word in shown
    assert "does not trade NOPE" in said(await idle_desk.browser.get(f"{where}NOPE"))
    assert "Choose a pair" in said(await idle_desk.browser.get(where))
    assert "There is no account" in said(await idle_desk.browser.get("/bots/new/pair?account=x&pair=BTCUSDT"))


# ------------------------------------------------------------------------------------------------------------- preview


async def test_the_ladder_is_shown_order_by_order_with_funds_and_coverage(idle_desk: Desk) -> None:
    form = await form_in(idle_desk, max_safety_orders="2", safety_order_step_scale="2")
    shown = said(await preview(idle_desk, form))
    assert "SO 2 3.00 % 29,100.00 0.00481 139.97" in shown  # 140 / 29100 on the step grid
    assert "SO 3" not in shown
    assert "If all 2 safety orders fill, a deal has cost up to 340.34 USDT" in shown  # 100 + 100 + 140, and a tenth %
    assert "The last one stands 3.00 % below the price of 30,000.00" in shown
    assert "10,000.00 USDT are free in paper : enough for a whole deal" in shown.replace("paper:", "paper :")
    assert "multiples of 0.01 USDT, quantities of 0.00001 BTC" in shown
    assert "<svg" in (await preview(idle_desk, form)).text


async def test_what_other_bots_may_need_is_not_free(desk: Desk) -> None:
    await desk.bot("Running")
    form = await form_in(desk, base_order_size="9600", max_safety_orders="0")
    shown = said(await preview(desk, form))
    assert "of which other bots may need" in shown
    assert "too little for a whole deal" in shown


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"stop_loss": "2"}, "lies above safety order 2"),
        ({"safety_order_volume_scale": "0.1"}, "of the ladder (3.64 % below) is left out"),
        ({"base_order_size": "5.1"}, "too little to be sold"),
        ({"take_profit": "0.1", "take_profit_net": "false"}, "does not pay for the fees"),
        ({"base_order_size": "9000", "safety_order_size": "9000"}, "too little for a whole deal"),
    ],
)
async def test_what_deserves_a_warning_gets_one(idle_desk: Desk, changes: dict[str, str], warning: str) -> None:
    form = await form_in(idle_desk, **changes)
    assert warning in said(await preview(idle_desk, form))
    assert warning in said(await idle_desk.browser.post("/bots/new/review", form, headers=HTMX))


WRONG: Final = [
    ({"base_order_size": "much"}, "base_order_size", "Must be a plain decimal number"),
    ({"base_order_size": ""}, "base_order_size", "Is missing"),
    ({"base_order_size": "1e3"}, "base_order_size", "Must be a plain decimal number"),
    ({"base_order_size": "2"}, "base_order_size", "the market's least is"),
    ({"safety_order_size": "1"}, "safety_order_size", "Is too small for BTCUSDT"),
    ({"safety_order_size": "0"}, "safety_order_size", "Must be above 0"),
    ({"max_safety_orders": "101"}, "max_safety_orders", "Must be 100 or less"),
    ({"max_safety_orders": "2.5"}, "max_safety_orders", "Must be a whole number"),
    ({"price_deviation": "50"}, "price_deviation", "The last one must lie above zero"),
    ({"safety_order_step_scale": "11"}, "safety_order_step_scale", "Must be 10 or less"),
    ({"active_safety_orders": "9"}, "active_safety_orders", "Must be from 1 to max_safety_orders"),
    ({"take_profit": "0"}, "take_profit", "Must be above 0"),
    ({"trailing_deviation": "100"}, "trailing_deviation", "Must be below 100"),
    ({"stop_loss": "-1"}, "stop_loss", "Must be 0 or more"),
    ({"stop_loss_basis": "moon"}, "stop_loss_basis", "Must be base or average"),
    ({"auto_restart": "perhaps"}, "auto_restart", "Must be true or false"),
    ({"cooldown": "-5"}, "cooldown", "Must be 0 or more"),
    ({"max_deals": "x"}, "max_deals", "Must be a plain decimal number"),
    ({"fee_maker": "1"}, "fee_maker", "Must be below 1"),
    ({"price": "-1"}, "price", "Must be above 0"),
    ({"price": "100.001"}, "price", "Must be a multiple of tick_size"),
]


async def test_what_is_wrong_is_said_at_its_field_and_the_last_good_ladder_stays(idle_desk: Desk) -> None:
    usual = await form_in(idle_desk)
    for changes, field, text in WRONG:
        answer = await preview(idle_desk, {**usual, **changes})
        assert text.lower() in error_at(answer, field).lower(), changes
        assert answer.headers["hx-retarget"] == "#preview-said"
        assert "ladder-svg" not in answer.text


async def test_what_is_wrong_makes_no_bot_and_what_was_typed_stays(idle_desk: Desk) -> None:
    usual = await form_in(idle_desk)
    for changes, field, text in WRONG:
        if field == "price":  # from where the ladder is looked at is no part of the bot
            continue
        refused = await idle_desk.browser.post("/bots/new", {**usual, **changes, "then": "start"})
        assert (refused.status_code, text.lower() in error_at(refused, field).lower()) == (422, True), changes
        kept = fields_of(refused)
        assert {name: kept[name] for name in changes} == changes or field in {"stop_loss_basis", "auto_restart"}
    assert await names(idle_desk) == ["First"]
    made = await idle_desk.browser.post("/bots/new", {**usual, "price": "-1"})
    assert made.status_code == 303


async def test_every_wrong_field_has_its_own_word(idle_desk: Desk) -> None:
    form = await form_in(idle_desk, take_profit="0", base_order_size="x", cooldown="-1", name=" \N{BELL}")
    refused = await idle_desk.browser.post("/bots/new", form)
    for field in ("take_profit", "base_order_size", "cooldown"):
        assert error_at(refused, field)
    assert not error_at(refused, "stop_loss")


async def test_a_price_can_be_typed(idle_desk: Desk) -> None:
    shown = said(await preview(idle_desk, await form_in(idle_desk, price="20000")))
    assert "below the price of 20,000.00 that you typed" in shown


class Gone(Venues):
    """Exchanges that cannot be reached."""

    async def exchange(self, account: Account) -> Exchange:
        raise Unavailable("nobody answers")

    async def prices(self, environment: Environment) -> Prices:
        raise Unavailable("nobody answers")

    async def forget(self, account: Account) -> None:
        """Have nothing to forget."""


async def with_venues(desk: Desk, venues: Venues) -> Browser:
    """Return a browser, signed in as Anna, of a dashboard with other exchanges."""
    every = ByEnvironment(dict.fromkeys(Environment, venues))
    web = create_app(attrs.evolve(desk.app, venues=every))
    browser = Browser(client_of(web))
    await browser.sign_in()
    return browser


async def test_an_exchange_that_is_gone_leaves_the_rules_that_are_known_and_a_price_that_is_typed(
    idle_desk: Desk,
) -> None:
    form = await form_in(idle_desk)
    browser = await with_venues(idle_desk, Gone())
    answer = await browser.post("/bots/new/preview", form, headers=HTMX)
    assert "BTCUSDT has no price now: nobody answers. Type one" in said(answer)
    assert "You can go on" in said(await browser.get(f"/bots/new/pair?account={form['account']}&pair=BTCUSDT"))
    typed = await browser.post("/bots/new/preview", {**form, "price": "30000"}, headers=HTMX)
    assert "is not known now: nobody answers" in said(typed)
    assert "SO 8" in said(typed)
    unknown = await browser.post("/bots/new/preview", {**form, "pair": "ABCXYZ", "price": "1"}, headers=HTMX)
    assert "The rules of ABCXYZ are not known now: nobody answers" in said(unknown)
    refused = await browser.post("/bots/new", {**form, "pair": "ABCXYZ"})
    assert (refused.status_code, "Nobody answers" in said(refused)) == (503, True)
    assert (await browser.post("/bots/new", form)).status_code == 303


# ------------------------------------------------------------------------------------------------- review and creation


async def test_the_review_shows_everything_and_the_bot_file(idle_desk: Desk) -> None:
    form = await form_in(idle_desk, name="Mine", stop_loss="20", stop_loss_basis="average", cooldown="60")
    page = await idle_desk.browser.post("/bots/new/review", form, headers=HTMX)
    shown = said(page)
    for word in ("Mine", "PAPER", "Stop loss 20 %", "The average price", "Pause between deals 60 s", "10,000.00 USDT"):
        assert word in shown
    (text,) = re.findall(r'<pre class="bot-file[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    read = bot_of_text("review", html.unescape(text))
    assert (read.name, market_of(read)) == ("Mine", MARKET)
    assert texts_of(read.strategy)["stop_loss_basis"] == "average"


async def test_the_review_of_what_is_wrong_says_what(idle_desk: Desk) -> None:
    form = await form_in(idle_desk, take_profit="no")
    page = await idle_desk.browser.post("/bots/new/review", form, headers=HTMX)
    assert "Take profit: must be a plain decimal number" in said(page)


async def test_a_bot_is_made_and_started(desk: Desk) -> None:
    made = await desk.browser.post("/bots/new", await form_in(desk, name="Runner", then="start"))
    assert made.status_code == 303
    assert "Runner is started" in said(await desk.browser.get(made.headers["location"]))


async def test_real_money_is_confirmed_before_a_bot_starts(idle_desk: Desk) -> None:
    live = await idle_desk.bot("Real", starts=False, environment=Environment.LIVE)
    form = await form_in(idle_desk, account=live.account_id, name="Dear", then="start")
    assert "trades real money" in said(await idle_desk.browser.post("/bots/new/review", form, headers=HTMX))
    made = await idle_desk.browser.post("/bots/new", form)
    assert re.fullmatch(r"/bots/[\w-]+/go-live", made.headers["location"])
    assert "Let Dear trade real money?" in said(await idle_desk.browser.get(made.headers["location"]))


async def test_a_pair_that_is_not_traded_makes_no_bot(idle_desk: Desk) -> None:
    refused = await idle_desk.browser.post("/bots/new", await form_in(idle_desk, pair="NOPE"))
    assert (refused.status_code, error_at(refused, "pair")) == (422, "Must be a pair that paper trades.")
    missing = await idle_desk.browser.post("/bots/new", await form_in(idle_desk, pair=" "))
    assert (missing.status_code, bool(error_at(missing, "pair"))) == (422, True)


async def test_names_are_told_apart(idle_desk: Desk) -> None:
    form = await form_in(idle_desk, name="First")
    refused = await idle_desk.browser.post("/bots/new", form)
    assert (refused.status_code, "There is a bot First already" in said(refused)) == (409, True)
    odd = await idle_desk.browser.post("/bots/new", {**form, "name": "x" * 61})
    assert (odd.status_code, "Must be 1 to 60 printable characters" in said(odd)) == (422, True)


async def test_the_limit_of_the_plan_is_told_and_kept(tmp_path: Path) -> None:
    async with desk_in(tmp_path, has_engine=False, tier=Tier.FREE) as desk:
        form = await form_in(desk)
        assert "1 of 1 bot of your plan used" in said(await desk.browser.get("/bots/new"))
        refused = await desk.browser.post("/bots/new", {**form, "then": "start"})
        assert (refused.status_code, "FREE allows 1 bot" in said(refused)) == (403, True)
        assert 'href="/subscription"' in refused.text
        assert await names(desk) == ["First"]


async def test_another_persons_account_is_none(idle_desk: Desk) -> None:
    form = await form_in(idle_desk)
    mine = (await bots.of(idle_desk.app.store, idle_desk.anna.id))[0]
    async with idle_desk.bert() as bert:
        assert (await bert.get(f"/bots/new?from={mine.bot.id}")).status_code == 404
        refused = await bert.post("/bots/new", form)
        assert refused.status_code == 404
        for part in ("preview", "review"):
            answer = await bert.post(f"/bots/new/{part}", form, headers=HTMX)
            assert (answer.status_code, "paper" in answer.text) == (404, False)
        assert (await bert.post(f"/bots/{mine.bot.id}/edit/preview", form, headers=HTMX)).status_code == 404
        for part in ("pair", "pairs"):
            answer = await bert.get(f"/bots/new/{part}?account={form['account']}&pair=BTCUSDT")
            assert "There is no account" in said(answer)
        assert "A bot needs an account" in said(refused)


async def test_a_form_of_another_site_does_nothing(idle_desk: Desk) -> None:
    form = await form_in(idle_desk)
    for path in ("", "/preview", "/review"):
        answer = await idle_desk.browser.client.post(f"/bots/new{path}", data={**form, "_csrf_token": "another"})
        assert answer.status_code == 403
    assert await names(idle_desk) == ["First"]


async def test_without_script_a_button_shows_the_ladder(idle_desk: Desk) -> None:
    page = await idle_desk.browser.post("/bots/new", await form_in(idle_desk, then="show", base_order_size="77"))
    assert (page.status_code, "SO 8" in said(page)) == (200, True)
    assert fields_of(page)["base_order_size"] == "77"
    wrong = await idle_desk.browser.post("/bots/new", await form_in(idle_desk, then="show", base_order_size="x"))
    assert "Base order: must be a plain" in said(wrong)
    assert await names(idle_desk) == ["First"]


# ---------------------------------------------------------------------------------------------------------- round trip


@pytest.mark.parametrize("file", ["examples/btc-calm.toml", "examples/every-key.toml"])
async def test_a_bot_file_typed_into_the_form_makes_the_bot_of_the_file(idle_desk: Desk, file: str) -> None:
    written = read_bot(file)
    market = market_of(written)
    if market.pair != MARKET.pair:
        idle_desk.paper.venue.list_pair(market, Price(Decimal(150)))
    fees = {field.name: str(getattr(written.fees, field.name)) for field in attrs.fields(type(written.fees))}
    fees["fee_asset"] = written.fees.fee_asset.value
    form = await form_in(idle_desk)
    typed = {**form, **texts_of(written.strategy), **fees, "name": written.name, "then": "keep"}
    made = await idle_desk.browser.post("/bots/new", typed)
    assert made.status_code == 303, said(made)
    export = (await idle_desk.browser.get(f"{made.headers['location']}/export")).text
    read: BotFile = bot_of_text("export", export)
    assert (read.name, read.strategy, read.fees) == (written.name, written.strategy, written.fees)


async def test_a_copy_begins_as_the_bot_that_is_copied(idle_desk: Desk) -> None:
    changes: dict[str, Any] = {"stop_loss": 12, "stop_loss_basis": "average", "take_profit_net": False}
    made = await idle_desk.bot("Odd", starts=False, active_safety_orders=2, **changes)
    form = fields_of(await idle_desk.browser.get(f"/bots/new?from={made.bot.id}"))
    assert form["name"] == "Odd copy"
    copied = await idle_desk.browser.post("/bots/new", {**form, "then": "keep"})
    assert copied.status_code == 303
    found = await bots.find(idle_desk.app.store, idle_desk.anna.id, "Odd copy")
    assert found.bot.strategy == made.bot.strategy


async def test_a_bot_that_is_edited_shows_its_ladder_too(idle_desk: Desk) -> None:
    made = await idle_desk.bot("Calm", starts=False)
    form = fields_of(await idle_desk.browser.get(f"/bots/{made.bot.id}/edit"), form="edit")
    answer = await idle_desk.browser.post(f"/bots/{made.bot.id}/edit/preview", form, headers=HTMX)
    assert "SO 3 3.00 % 29,100.00" in said(answer)
    wrong = await idle_desk.browser.post(
        f"/bots/{made.bot.id}/edit/preview", {**form, "take_profit": "0"}, headers=HTMX
    )
    assert error_at(wrong, "take_profit") == "Must be above 0."


# ------------------------------------------------------------------------------------------------------------ backtest


async def test_a_bot_is_played_over_the_past_before_it_is_made(idle_desk: Desk) -> None:
    form = await form_in(idle_desk, days="7", name="Maybe")
    page = await idle_desk.browser.post("/bots/new/backtest", form, headers=HTMX)
    (part,) = re.findall(r'hx-get="(/backtest/[\w-]+/part)"', page.text)
    assert (await idle_desk.browser.get(part)).status_code == 200
    assert "Maybe" in said(await idle_desk.browser.get("/backtest"))
    assert await names(idle_desk) == ["First"]


@pytest.mark.parametrize(
    ("changes", "text"), [({"take_profit": "x"}, "Take profit: must be"), ({"pair": "NOPE"}, "Pair: must be")]
)
async def test_what_cannot_be_played_says_why(idle_desk: Desk, changes: dict[str, str], text: str) -> None:
    form = await form_in(idle_desk, **changes)
    assert text in said(await idle_desk.browser.post("/bots/new/backtest", form, headers=HTMX))
