"""Forms of other sites, and forms that no browser sends."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Final

import pytest
from httpx import Response
from litestar._parsers import parse_url_encoded_form_data

from tests.web.stage import PASSWORD, Browser, Stage, stage_in

FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


def token_of(page: Response) -> str:
    found = re.search(r"token=([0-9a-f]+)", page.text)
    assert found
    return found[1]


async def send(browser: Browser, body: bytes, path: str = "/login", **headers: str) -> Response:
    """Send a body as it is, with a token that is right."""
    await browser.get("/login")
    known = {**FORM, "x-csrftoken": browser.client.cookies["csrftoken"], **headers}
    return await browser.client.post(path, content=body, headers=known, follow_redirects=False)


async def test_the_first_form_of_a_fresh_browser_is_taken(browser: Browser) -> None:
    token = token_of(await browser.get("/login"))
    answer = await browser.client.post("/login", data={"email": "a@example.com", "_csrf_token": token})
    assert "address or password" in answer.text.lower()


async def test_a_page_holds_the_token_another_way_each_time(browser: Browser) -> None:
    one, other = [token_of(await browser.get("/login")) for _ in range(2)]
    assert one != other
    assert browser.client.cookies["csrftoken"] not in {one, other}
    for token in (one, other):
        answer = await browser.client.post("/logout", headers={"x-csrftoken": token}, follow_redirects=False)
        assert answer.status_code == 303


@pytest.mark.parametrize("left", ["ab" * 64, "x", "%C3%A9" * 70, ""])
async def test_a_cookie_of_another_server_locks_nobody_out(browser: Browser, left: str) -> None:
    browser.client.cookies.set("csrftoken", left, domain="testserver.local")
    token = token_of(await browser.get("/login"))
    answer = await browser.client.post("/logout", headers={"x-csrftoken": token}, follow_redirects=False)
    assert answer.status_code == 303


@pytest.mark.parametrize("kept", ["ab" * 64, "%C3%A9" * 70, ""])
async def test_a_token_that_is_none_is_refused(browser: Browser, kept: str) -> None:
    headers = {**FORM, "cookie": f"csrftoken={kept}"}
    for sent in (b"a" * 64 + "é".encode(), b"%C3%A9" * 70, b"ab" * 64, b"zz", b"", b"a&_csrf_token=b"):
        answer = await browser.client.post("/login", content=b"_csrf_token=" + sent, headers=headers)
        assert answer.status_code == 403


async def test_a_file_is_no_token(browser: Browser) -> None:
    await browser.get("/login")
    assert (await browser.client.post("/login", files={"_csrf_token": ("a.txt", b"x")})).status_code == 403


async def test_the_token_of_another_browser_is_refused(browser: Browser) -> None:
    theirs = token_of(await browser.get("/login"))
    browser.client.cookies.clear()
    await browser.get("/login")
    assert (await browser.client.post("/logout", headers={"x-csrftoken": theirs})).status_code == 403


async def test_over_https_no_neighbour_can_plant_a_token(tmp_path: Path) -> None:
    async with stage_in(tmp_path, base_url="https://dca.example.com") as stage:
        given = (await stage.browser.get("/login")).headers["set-cookie"]
    assert given.startswith("__Host-csrftoken=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(given.split("; "))
    assert "Domain" not in given


@pytest.mark.parametrize("path", ["/static/app-1.css", "/healthz", "/readyz"])
async def test_what_a_cache_may_keep_holds_nobodys_token(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert (answer.status_code, answer.headers.get("set-cookie")) == (200, None)


@pytest.mark.parametrize("path", ["/static/%00", "/%00", "/verify-email/%00", "/settings/%00", "/bots/a%00b"])
async def test_what_no_file_and_no_row_is_called_is_not_there(browser: Browser, path: str) -> None:
    assert (await browser.get(path)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"email=\xff\xfe",
        b"email=%ff%fe",
        b"email=%ED%A0%80@example.com",
        b"email=a%00b@example.com",
        b"email=a@example.com&email=b@example.com",
        b"a&" * 5_000,
    ],
)
async def test_a_form_that_no_browser_sends_is_refused(browser: Browser, body: bytes) -> None:
    for path in ("/login", "/register", "/forgot-password", "/verify-email/resend"):
        assert (await send(browser, body, path)).status_code == 400


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=z"]
)
async def test_what_is_no_form_never_breaks(browser: Browser, kind: str) -> None:
    for body in (b"", b"[1]", b'{"email": ["a"]}', b"{", b"\xff"):
        assert 400 <= (await send(browser, body, **{"content-type": kind})).status_code < 500


async def test_a_body_that_is_too_large_is_refused(browser: Browser) -> None:
    assert (await send(browser, b"email=" + b"a" * 2**21)).status_code == 413
    anonymous = await browser.client.post("/login", content=b"email=" + b"a" * 2**21, headers=FORM)
    assert anonymous.status_code == 413


async def test_no_password_stays_in_the_memory_of_the_server(browser: Browser) -> None:
    parse_url_encoded_form_data.cache_clear()
    await browser.post("/login", {"email": "a@example.com", "password": PASSWORD})
    await browser.client.post("/login", data={"email": "a@example.com", "password": PASSWORD})
    assert parse_url_encoded_form_data.cache_info().currsize == 0


def test_other_libraries_write_nothing_to_the_log(stage: Stage) -> None:
    assert stage.web.logging_config is None
    assert not any(type(it).__name__ == "QueueListenerHandler" for it in logging.getLogger().handlers)
