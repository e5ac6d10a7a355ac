"""One's own account."""

from __future__ import annotations

import re

import pytest

from tests.web.stage import ANNA, PASSWORD, Browser, Stage, said

OTHER = "Other-Battery-8"


@pytest.fixture
async def anna(stage: Stage) -> Browser:
    await stage.register()
    await stage.browser.sign_in()
    return stage.browser


async def test_it_shows_who_one_is(anna: Browser) -> None:
    page = await anna.get("/settings")
    assert page.status_code == 200
    assert ANNA in said(page)


async def test_another_password_signs_the_other_browsers_out(stage: Stage, anna: Browser) -> None:
    async with stage.another_browser() as elsewhere:
        await elsewhere.sign_in()
        wrong = await anna.post("/settings/password", {"current": "Wrong-Password-9", "password": OTHER})
        assert (wrong.status_code, "The password is wrong" in said(wrong)) == (409, True)
        assert (await anna.post("/settings/password", {"current": PASSWORD, "password": OTHER})).status_code == 303
        assert (await elsewhere.get("/settings")).status_code == 303
    assert "Your password is changed" in said(await anna.get("/settings"))


async def test_another_address_counts_once_it_is_confirmed(stage: Stage, anna: Browser) -> None:
    sent = await anna.post("/settings/email", {"current": PASSWORD, "email": "bert@example.com"})
    assert "bert@example.com" in said(sent)
    assert ANNA in said(await anna.get("/settings"))
    assert (await anna.post(await stage.link("bert@example.com"))).headers["location"] == "/settings"
    assert "bert@example.com" in said(await anna.get("/settings"))


async def test_browsers_are_listed_and_signed_out(stage: Stage, anna: Browser) -> None:
    async with stage.another_browser() as elsewhere:
        await elsewhere.sign_in()
        (end,) = set(re.findall(r"/settings/sessions/[\w-]+/end(?!-)", (await anna.get("/settings")).text))
        assert (await anna.post(end)).status_code == 303
        assert (await elsewhere.get("/settings")).status_code == 303
    async with stage.another_browser() as elsewhere:
        await elsewhere.sign_in()
        assert (await anna.post("/settings/sessions/end-others")).status_code == 303
        assert (await elsewhere.get("/settings")).status_code == 303
    assert (await anna.get("/settings")).status_code == 200


async def test_how_pages_look_is_kept(anna: Browser) -> None:
    form = {"theme": "dark", "currency_digits": "4", "time_zone": "Europe/Berlin", "display_currency": "eur"}
    assert (await anna.post("/settings/preferences", form)).status_code == 303
    page = await anna.get("/settings")
    assert 'data-theme="dark"' in page.text
    assert re.search(r'value="EUR"', page.text)
    wrong = await anna.post("/settings/preferences", {**form, "time_zone": "Mars/Olympus"})
    assert (wrong.status_code, "The time zone must be" in said(wrong)) == (422, True)


async def test_what_was_chosen_is_not_lost_by_a_refusal(anna: Browser) -> None:
    form = {"theme": "dark", "currency_digits": "all", "time_zone": "Asia/Tokyo", "display_currency": "?"}
    page = await anna.post("/settings/preferences", {**form, "mail_target_hit": "on"})
    assert page.status_code == 422
    for value in ("dark", "all", "Asia/Tokyo"):
        assert f'value="{value}" selected' in page.text
    assert re.findall(r'name="((?:page|mail)_\w+)"[^>]* checked', page.text) == ["mail_target_hit"]


async def test_the_theme_is_the_same_in_another_browser_until_it_is_chosen_there(stage: Stage, anna: Browser) -> None:
    await anna.post("/settings/preferences", {"theme": "dark"})
    async with stage.another_browser() as elsewhere:
        await elsewhere.sign_in()
        assert 'data-theme="dark"' in (await elsewhere.get("/settings")).text
        elsewhere.client.cookies.set("theme", "light")
        page = (await elsewhere.get("/settings")).text
        assert 'data-theme="light"' in page
        assert 'value="light" selected' in page  # what is saved next takes nothing back


async def test_wishes_that_are_refused_come_back_as_they_were_typed(anna: Browser) -> None:
    form = {"theme": "dark", "currency_digits": "6", "time_zone": "Europe/Berlin", "display_currency": "us$"}
    wrong = await anna.post("/settings/preferences", {**form, "mail_deal_opened": "on"})
    assert (wrong.status_code, "The display currency must be" in said(wrong)) == (422, True)
    for typed in ('value="dark"', 'value="6"', 'value="Europe/Berlin"'):
        assert f"{typed} selected" in wrong.text
    assert 'value="us$"' in wrong.text
    ticked = re.findall(r'name="((?:page|mail)_\w+)"[^>]* checked', wrong.text)
    assert ticked == ["mail_deal_opened"]


async def test_each_form_comes_back_where_it_stands(anna: Browser) -> None:
    """The page is long: what was refused, and a token that is shown once, must not be below what one sees."""
    page = await anna.get("/settings")
    places = set(re.findall(r'action="/settings/[^"#]+#([\w-]+)"', page.text))
    assert places == {"profile", "preferences", "password-title", "tokens", "delete"}
    assert all(f'id="{place}"' in page.text for place in places)


async def test_a_token_is_shown_once_and_can_be_taken_back(anna: Browser) -> None:
    made = await anna.post("/settings/tokens", {"name": "script", "scope": "read", "days": "30"})
    (secret,) = set(re.findall(r"dca_[\w-]{20,}", made.text))
    page = await anna.get("/settings")
    assert secret not in page.text
    (revoke,) = set(re.findall(r"/settings/tokens/[\w-]+/revoke", page.text))
    assert (await anna.post(revoke)).status_code == 303
    assert revoke not in (await anna.get("/settings")).text
    assert (await anna.post(revoke)).status_code == 404


async def test_one_leaves_for_good(stage: Stage, anna: Browser) -> None:
    assert (await anna.post("/settings/delete", {"current": "Wrong-Password-9"})).status_code == 409
    left = await anna.post("/settings/delete", {"current": PASSWORD})
    assert (left.status_code, left.headers["location"]) == (303, "/")
    assert "deleted" in said(await anna.get("/"))
    assert (await anna.sign_in()).status_code == 409
    async with stage.app.store.begin(reads_only=True) as work:
        assert await work.users.all() == ()


async def test_nobody_ends_the_session_of_another(stage: Stage, anna: Browser) -> None:
    page = (await anna.get("/settings")).text
    async with stage.app.store.begin(reads_only=True) as work:
        (user,) = await work.users.all()
        (session,) = await work.sessions.of(user.id)
    assert f"/settings/sessions/{session.id}/end" not in page  # one's own is ended by signing out
    async with stage.another_browser() as elsewhere:
        await elsewhere.post("/register", {"email": "bert@example.com", "password": PASSWORD})
        await elsewhere.post(await stage.link("bert@example.com"))
        await elsewhere.sign_in("bert@example.com")
        assert (await elsewhere.post(f"/settings/sessions/{session.id}/end")).status_code == 404
    assert (await anna.get("/settings")).status_code == 200
