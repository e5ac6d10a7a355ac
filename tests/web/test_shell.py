"""What is around every page, and what is not let through."""

from __future__ import annotations

import os

import pytest

from dcaweb import assets
from dcaweb.security.headers import HEADERS
from tests.web.stage import Browser, Stage, said

PAGES = ["/dashboard", "/exchange", "/settings"]


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/healthz", "/dashboard", "/static/nothing.js"])
async def test_every_answer_tells_the_browser_what_may_run(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
    assert answer.headers["cache-control"] == "no-store"


async def test_built_files_are_kept_for_ever(browser: Browser) -> None:
    url = assets.built().url("app.css")
    answer = await browser.get(url)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")


@pytest.mark.parametrize("path", PAGES)
async def test_strangers_are_led_to_the_sign_in_page(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert (answer.status_code, answer.headers["location"].startswith("/login?next=")) == (303, True)
    part = await browser.get(path, headers={"hx-request": "true"})
    assert part.headers["hx-redirect"].startswith("/login")


async def test_a_form_of_another_site_is_refused(stage: Stage, browser: Browser) -> None:
    answer = await browser.client.post("/login", data={"email": "a@example.com", "password": "x"})
    assert (answer.status_code, "open for too long" in said(answer)) == (403, True)


async def test_there_is_a_page_for_what_is_not_there(browser: Browser) -> None:
    answer = await browser.get("/nowhere")
    assert (answer.status_code, "There is nothing here" in said(answer)) == (404, True)
    part = await browser.get("/nowhere", headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-reswap"]) == (404, "none")


async def test_what_fails_shows_nothing_of_it(stage: Stage, browser: Browser) -> None:
    stage.web.state.dca = None  # whatever it is
    answer = await browser.get("/login", headers={"cookie": "session=x"})
    assert (answer.status_code, "in the log" in said(answer)) == (500, True)
    assert "AttributeError" not in answer.text


async def test_a_database_that_cannot_be_used_is_told(stage: Stage, browser: Browser) -> None:
    assert (await browser.get("/readyz")).text == "ready"
    assert stage.app.settings.database_url.startswith("sqlite:///")
    os.unlink(stage.app.settings.database_url.removeprefix("sqlite:///"))  # noqa: PTH108  # blocks nobody
    assert (await browser.get("/readyz")).status_code == 503
    assert (await browser.get("/healthz")).status_code == 200
    answer = await browser.get("/dashboard", headers={"cookie": "session=x"})
    assert (answer.status_code, "Not available" in said(answer)) == (503, True)
