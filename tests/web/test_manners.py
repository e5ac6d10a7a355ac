"""What browsers and programs may expect of every answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from httpx import ASGITransport, AsyncClient
from litestar.types import Receive, Send

from dcacore.application.identity.throttling import LOGIN_BY_ADDRESS, OWN_DATA
from dcacore.application.zones import zone_of
from dcacore.domain.errors import InvalidParameter
from dcaweb.heads import with_heads
from tests.web.stage import ANNA, BASE_URL, PASSWORD, Browser, Stage, said, stage_in


async def test_who_has_to_wait_is_told_how_long(stage: Stage, browser: Browser) -> None:
    await stage.register()
    for _ in range(LOGIN_BY_ADDRESS.most):
        await browser.sign_in(email="nobody@example.com")
    form = await browser.sign_in(email="nobody@example.com")
    assert (form.status_code, 0 < int(form.headers["retry-after"]) <= 900) == (429, True)
    await browser.sign_in()
    for _ in range(OWN_DATA.most):
        await browser.post("/settings/export")
    for headers in ({}, {"hx-request": "true"}):
        page = await browser.post("/settings/export", headers=headers)
        assert (page.status_code, 0 < int(page.headers["retry-after"]) <= 3600) == (429, True)


async def test_over_https_every_cookie_is_secure(tmp_path: Path) -> None:
    async with stage_in(tmp_path, base_url="https://testserver.local") as stage:
        client = stage.browser.client
        client.base_url = "https://testserver.local"
        page = await client.get("/login")
        token = client.cookies["__Host-csrftoken"]
        await client.post("/register", data={"email": ANNA, "password": PASSWORD, "_csrf_token": token})
        link = (await stage.link()).removeprefix("https://testserver.local")
        verified = await client.post(link, data={"_csrf_token": token})
        signed_in = await client.post("/login", data={"email": ANNA, "password": PASSWORD, "_csrf_token": token})
        preferred = await client.post("/settings/preferences", data={"theme": "dark", "_csrf_token": token})
        forgotten = await client.get("/dashboard")
        cookies = [
            it
            for answer in (page, verified, signed_in, preferred, forgotten)
            for it in answer.headers.get_list("set-cookie")
        ]
    names = {it.partition("=")[0] for it in cookies}
    assert names >= {"__Host-csrftoken", "__Host-session", "flash", "theme"}
    assert not [it for it in cookies if "; secure" not in it.lower()]
    assert not [it for it in cookies if it.lower().count("secure") > 1]


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/nowhere", "/dashboard", "/settings", "/metrics"])
async def test_head_is_answered_as_get(stage: Stage, browser: Browser, path: str) -> None:
    await stage.register()
    await browser.sign_in()
    await browser.get("/dashboard")
    shown, head = await browser.get(path), await browser.client.head(path)
    assert (head.status_code, head.content) == (shown.status_code, b"")
    assert head.headers["content-type"] == shown.headers["content-type"]


async def test_head_leaves_to_the_server_what_was_asked_for() -> None:
    """A server that believes it was asked by GET breaks the connection of an answer that holds less than it says."""
    asked: Any = {"type": "http", "method": "HEAD", "path": "/"}
    methods: list[str] = []

    async def inner(scope: Any, receive: Receive, send: Send) -> None:
        methods.append(scope["method"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: object) -> None:
        methods.append(asked["method"])

    await with_heads(inner)(asked, cast("Receive", None), send)
    assert methods == ["GET", "HEAD"]


async def test_the_answer_to_head_fails_nowhere(tmp_path: Path) -> None:
    async with stage_in(tmp_path) as stage:
        app: Any = stage.web
        async with AsyncClient(transport=ASGITransport(app), base_url=BASE_URL) as client:  # it raises what fails
            for path in ("/", "/login", "/healthz", "/nowhere", "/static/nothing", "/api/v1/me", "/metrics"):
                assert (await client.head(path)).content == b""


@pytest.mark.parametrize("host", ["a:999999", "a:b", "[::1", "", "evil.example"])
@pytest.mark.parametrize("path", ["/bots", "/login", "/nowhere"])
async def test_what_a_browser_calls_this_host_does_not_matter(browser: Browser, host: str, path: str) -> None:
    answer = await browser.get(path, headers={"host": host})
    assert answer.status_code in {200, 303, 404}
    assert answer.headers.get("location", "/").startswith("/")


async def test_what_does_not_take_a_method_says_what_it_takes(browser: Browser) -> None:
    answer = await browser.client.put("/healthz", headers={"x-csrftoken": "x"})
    assert (answer.status_code, "GET" in answer.headers["allow"]) == (405, True)


@pytest.mark.parametrize("path", ["/events", "/exports/deals.csv", "/logout"])
async def test_head_of_what_is_no_page(stage: Stage, browser: Browser, path: str) -> None:
    assert (await browser.client.head(path)).status_code == 405


async def test_pages_say_in_which_zone_times_are_told(stage: Stage, browser: Browser) -> None:
    await stage.register()
    await browser.sign_in()
    form = {"theme": "dark", "time_zone": "Europe/Berlin"}
    assert (await browser.post("/settings/preferences", form)).status_code == 303
    assert 'data-time-zone="Europe/Berlin"' in (await browser.get("/dashboard")).text
    wrong = await browser.post("/settings/preferences", {**form, "time_zone": "localtime"})
    assert (wrong.status_code, "The time zone must be" in said(wrong)) == (422, True)


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "", "../etc/passwd", "Mars/Olympus", "\ud800"])
def test_a_zone_that_hangs_on_the_machine_is_none(name: str) -> None:
    with pytest.raises(InvalidParameter, match="must be one of the tz database"):
        zone_of(name)
