"""Registering, confirming, signing in and out, a forgotten password."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from dcacore.application.identity.throttling import LOGIN_BY_ADDRESS
from dcacore.ports.identity import Registration
from tests.web.stage import ANNA, PASSWORD, Browser, Stage, said, stage_in

OTHER = "Other-Battery-8"


async def test_from_registering_to_the_dashboard_and_out(stage: Stage, browser: Browser) -> None:
    answer = await browser.post("/register", {"email": ANNA, "password": PASSWORD})
    assert ANNA in said(answer)
    link = await stage.link()
    asked = await browser.get(link)
    assert (asked.status_code, "Confirm" in said(asked)) == (200, True)
    assert (await browser.sign_in()).status_code == 409  # to look at the link has confirmed nothing
    confirmed = await browser.post(link)
    assert (confirmed.status_code, confirmed.headers["location"]) == (303, "/login")
    assert "Your address is confirmed" in said(await browser.get("/login"))
    assert "Your address is confirmed" not in said(await browser.get("/login"))  # it is said once
    entered = await browser.sign_in()
    assert (entered.status_code, entered.headers["location"]) == (303, "/dashboard")
    assert (await browser.get("/dashboard")).status_code == 200
    assert (await browser.get("/")).headers["location"] == "/dashboard"
    assert (await browser.post("/logout")).headers["location"] == "/login"
    assert (await browser.get("/dashboard")).headers["location"] == "/login?next=%2Fdashboard"


@pytest.mark.parametrize("header", ["referer", "hx-current-url"])
async def test_who_has_been_signed_out_within_a_form_comes_back_to_it(browser: Browser, header: str) -> None:
    here = str(browser.client.base_url).rstrip("/")
    for page, onwards in (
        (f"{here}/bots/new?pair=ETHUSDT", "%2Fbots%2Fnew%3Fpair%3DETHUSDT"),
        ("https://else.where/bots", "%2Fdashboard"),
    ):
        answer = await browser.post("/bots/new", {"name": "Calm"}, headers={header: page})
        assert answer.headers["location"] == f"/login?next={onwards}"


async def test_a_link_confirms_once(stage: Stage, browser: Browser) -> None:
    await browser.post("/register", {"email": ANNA, "password": PASSWORD})
    link = await stage.link()
    await browser.post(link)
    again = await browser.get(link)
    assert (again.status_code, "used already" in said(again)) == (410, True)
    assert (await browser.post(link)).status_code == 410


async def test_whether_an_address_has_an_account_is_not_told(stage: Stage, browser: Browser) -> None:
    await stage.register()
    await browser.get("/login")  # says that the address is confirmed, once
    known = await browser.post("/register", {"email": ANNA, "password": OTHER})
    new = await browser.post("/register", {"email": "bert@example.com", "password": OTHER})
    assert known.status_code == new.status_code
    assert said(known).replace(ANNA, "X") == said(new).replace("bert@example.com", "X")
    forgotten = [await browser.post("/forgot-password", {"email": it}) for it in (ANNA, "carl@example.com")]
    assert said(forgotten[0]).replace(ANNA, "X") == said(forgotten[1]).replace("carl@example.com", "X")
    refused = [await browser.sign_in(it, "Wrong-Password-9") for it in (ANNA, "carl@example.com")]
    assert said(refused[0]).replace(ANNA, "X") == said(refused[1]).replace("carl@example.com", "X")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"email": "nobody", "password": PASSWORD}, "The address"),
        ({"email": ANNA, "password": "short1A"}, "The password must have 8"),
        ({"email": ANNA, "password": "nodigitsHere"}, "one digit"),
        ({"email": ANNA, "password": "Password1"}, "The password"),
        ({}, "The address"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    browser: Browser, form: dict[str, str], text: str
) -> None:
    answer = await browser.post("/register", form)
    assert answer.status_code == 422
    assert text in html.unescape(said(answer))
    assert form.get("email", "") in answer.text
    assert form.get("password", PASSWORD) not in answer.text


async def test_a_forgotten_password_is_set_anew_and_every_browser_is_signed_out(stage: Stage, browser: Browser) -> None:
    await stage.register()
    async with stage.another_browser() as elsewhere:
        await elsewhere.sign_in()
        await browser.post("/forgot-password", {"email": ANNA})
        link = await stage.link()
        assert (await browser.get(link)).status_code == 200
        weak = await browser.post(link, {"password": "weak"})
        assert weak.status_code == 422
        assert (await browser.post(link, {"password": OTHER})).headers["location"] == "/login"
        assert (await elsewhere.get("/dashboard")).status_code == 303
    assert (await browser.sign_in()).status_code == 409
    assert (await browser.sign_in(password=OTHER)).status_code == 303
    assert (await browser.get(link)).status_code == 410


async def test_after_too_many_guesses_one_has_to_wait(stage: Stage, browser: Browser) -> None:
    await stage.register()
    for _ in range(LOGIN_BY_ADDRESS.most):
        await browser.sign_in(password="Wrong-Password-9")
    refused = await browser.sign_in()
    assert (refused.status_code, "try again in" in said(refused)) == (429, True)


async def test_one_is_led_back_to_where_one_wanted_to_go(stage: Stage, browser: Browser) -> None:
    await stage.register()
    led = await browser.get("/settings?tab=tokens")
    assert led.headers["location"] == "/login?next=%2Fsettings%3Ftab%3Dtokens"
    form = {"email": ANNA, "password": PASSWORD, "next": "/settings?tab=tokens"}
    assert (await browser.post("/login", form)).headers["location"] == "/settings?tab=tokens"


@pytest.mark.parametrize(
    "onwards", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "evil", "", "/a\nb"]
)
async def test_nobody_is_led_elsewhere(stage: Stage, browser: Browser, onwards: str) -> None:
    await stage.register()
    form = {"email": ANNA, "password": PASSWORD, "next": onwards}
    assert (await browser.post("/login", form)).headers["location"] == "/dashboard"


async def test_where_registration_is_closed_nobody_registers(tmp_path: Path) -> None:
    async with stage_in(tmp_path, registration=Registration.CLOSED) as stage:
        assert "/register" not in (await stage.browser.get("/")).text
        page = await stage.browser.get("/register")
        assert "closed" in said(page)
        assert (await stage.browser.post("/register", {"email": ANNA, "password": PASSWORD})).status_code == 409
