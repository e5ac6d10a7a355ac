"""A new bot out of a bot file."""

from __future__ import annotations

import html
import re

import pytest

from tests.web.desk import Desk
from tests.web.stage import said

CALM = """[bot]
name = "fresh"
pair = "BTCUSDT"
base_order_size = "100"
safety_order_size = "100"
max_safety_orders = 2
price_deviation = "1.0"
take_profit = "1.5"
"""


async def account_in(desk: Desk) -> str:
    await desk.bot()  # and with it an account
    page = (await desk.browser.get("/bots/new/import")).text
    (found, *_) = re.findall(r'<option value="([^"]+)"', page)
    return str(found)


async def test_without_an_account_it_says_where_to_get_one(desk: Desk) -> None:
    assert "A bot needs an account" in said(await desk.browser.get("/bots/new/import"))


async def test_the_list_and_the_form_in_steps_lead_to_it(desk: Desk) -> None:
    await desk.bot(starts=False)
    for page in ("/bots", "/bots/new"):
        assert 'href="/bots/new/import"' in (await desk.browser.get(page)).text


async def test_a_file_is_taken_in_the_place_of_the_text(desk: Desk) -> None:
    account = await account_in(desk)
    file = {"upload": ("calm.toml", b"\xef\xbb\xbf" + CALM.encode(), "application/toml")}
    made = await desk.browser.post("/bots/new/import", {"account": account, "file": "no bot at all"}, files=file)
    assert made.status_code == 303, said(made)
    assert "fresh" in said(await desk.browser.get(made.headers["location"]))
    none = {"upload": ("", b"", "application/octet-stream")}
    refused = await desk.browser.post("/bots/new/import", {"account": account, "file": CALM}, files=none)
    assert (refused.status_code, "there is a bot fresh already" in said(refused).lower()) == (409, True)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00binary", b"x" * 100_000, b""])
async def test_a_file_that_is_no_bot_file_is_refused(desk: Desk, data: bytes) -> None:
    form = {"account": await account_in(desk), "file": CALM}
    file = {"upload": ("odd.bin", data, "application/octet-stream")}
    refused = await desk.browser.post("/bots/new/import", form, files=file)
    assert (refused.status_code, "The bot is made" in said(refused)) == (422, False)


async def test_a_form_of_another_site_makes_no_bot(desk: Desk) -> None:
    form = {"account": await account_in(desk), "file": CALM, "_csrf_token": "another"}
    for files in ({}, {"upload": ("calm.toml", CALM.encode(), "application/toml")}):
        answer = await desk.browser.client.post("/bots/new/import", data=form, files=files)
        assert answer.status_code == 403


async def test_the_form_holds_a_bot_that_can_be_made(desk: Desk) -> None:
    account = await account_in(desk)
    page = (await desk.browser.get("/bots/new/import")).text
    (text,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    form = {"account": account, "file": html.unescape(text)}
    made = await desk.browser.post("/bots/new/import", form)
    assert (made.status_code, made.headers["location"].startswith("/bots/")) == (303, True)
    shown = await desk.browser.get(made.headers["location"])
    assert "The bot is made" in said(shown)
    assert "btc calm" in said(shown)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ("", "is empty"),
        ("[bot", "bot file"),
        (CALM.replace("1.5", "-1"), "take_profit"),
        (CALM.replace("take_profit", "take_prophet"), "take_prophet"),
        (CALM.replace("BTCUSDT", "NOSUCHPAIR"), "NOSUCHPAIR"),
        ("x" * 20_001, "20,000 characters"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(desk: Desk, changed: str, text: str) -> None:
    refused = await desk.browser.post("/bots/new/import", {"account": await account_in(desk), "file": changed})
    assert refused.status_code == 422
    assert text in html.unescape(said(refused))
    if changed:
        assert changed[:20] in html.unescape(refused.text)


async def test_another_persons_account_is_none(desk: Desk) -> None:
    await desk.bot()
    refused = await desk.browser.post("/bots/new/import", {"account": "nobodys", "file": CALM})
    assert (refused.status_code, "no account" in said(refused)) == (404, True)
