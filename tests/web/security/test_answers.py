"""What answers tell, and to whom."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NoReturn, cast

import attrs
import pytest
import structlog
from structlog.testing import LogCapture

from dcacore.application import identity
from dcacore.application.identity.throttling import LOGIN_BY_ADDRESS, MAIL_BY_ADDRESS
from dcacore.ports.errors import StoreUnavailable
from dcacore.ports.store import Store
from dcaweb.pages import settings as settings_page
from dcaweb.security.evenly import TAKES_S, evenly
from dcaweb.security.headers import HEADERS
from tests.unit.simulated.clock import ManualClock
from tests.web.stage import ANNA, PASSWORD, Browser, Stage


@pytest.fixture
async def anna(stage: Stage) -> None:
    """Let Anna have an account."""
    means = stage.app.identity
    await identity.register(means, email=ANNA, password=PASSWORD)
    await identity.verify(means, (await stage.link()).rpartition("/")[2])


@pytest.fixture
def lines() -> Iterator[LogCapture]:
    before = structlog.get_config()
    capture = LogCapture()
    structlog.configure(processors=[capture])
    yield capture
    structlog.configure(**before)


class Gone:
    """A database that cannot be reached."""

    def begin(self, *, reads_only: bool = False) -> NoReturn:
        raise StoreUnavailable(f"gone, {reads_only=}")


def lose_the_database(stage: Stage) -> None:
    stage.web.state.dca = attrs.evolve(stage.app, store=cast("Store", Gone()))


@pytest.mark.usefixtures("anna")
async def test_a_link_that_still_works_is_never_logged(stage: Stage, browser: Browser, lines: LogCapture) -> None:
    await identity.forgot(stage.app.identity, email=ANNA)
    path = await stage.link()
    secret = path.rpartition("/")[2]
    assert path == f"/reset-password/{secret}"
    lose_the_database(stage)
    for cookie in ("", "session=canary"):
        answer = await browser.get(path, headers={"cookie": cookie})
        assert answer.status_code == 503
        assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
    token = {"x-csrftoken": browser.client.cookies["csrftoken"]}
    await browser.client.post(path, data={"password": "Canary-Word-1"}, headers=token)
    stage.web.state.dca = None
    assert (await browser.get(path, headers={"cookie": "session=canary"})).status_code == 500
    assert [line["event"] for line in lines.entries] == ["request_failed"] * 3 + ["request_broken"]
    for line in lines.entries:
        assert line["path"] == "/reset-password/{secret}"
        assert not any(word in str(line.items()) for word in (secret, "canary", "Canary"))


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize("email", [ANNA, "nobody@example.com", " ANNA@Example.com "])
async def test_too_many_tries_are_told_alike_of_everybody(browser: Browser, email: str) -> None:
    for _ in range(LOGIN_BY_ADDRESS.most):
        assert (await browser.sign_in(email, "wrong")).status_code == 409
    assert (await browser.sign_in(email, PASSWORD)).status_code == 429
    for _ in range(MAIL_BY_ADDRESS.most - (ANNA in email.lower())):  # Anna has got one already
        assert (await browser.post("/forgot-password", {"email": email})).status_code < 300
    for path in ("/forgot-password", "/verify-email/resend"):
        assert (await browser.post(path, {"email": email})).status_code == 429


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize("path", ["/forgot-password", "/verify-email/resend", "/register"])
async def test_an_answer_takes_no_less_for_an_address_that_is_not_known(browser: Browser, path: str) -> None:
    for email in ("nobody@example.com", ANNA):
        await browser.get("/login")
        begun = time.monotonic()
        await browser.post(path, {"email": email, "password": PASSWORD})
        assert time.monotonic() - begun >= TAKES_S


async def test_what_is_quick_waits_and_what_fails_does_too() -> None:
    clock = ManualClock()
    async with evenly(clock):
        clock.pass_by(TAKES_S / 3)
    assert clock.monotonic() == pytest.approx(TAKES_S)
    with pytest.raises(KeyError):
        async with evenly(clock):
            raise KeyError
    assert clock.monotonic() == pytest.approx(2 * TAKES_S)
    async with evenly(clock):
        clock.pass_by(1)
    assert clock.monotonic() == pytest.approx(2 * TAKES_S + 1)


@pytest.mark.usefixtures("anna")
async def test_a_session_ends_with_the_password_it_was_opened_by(stage: Stage, browser: Browser) -> None:
    await browser.sign_in()
    stolen = browser.client.cookies["session"]
    answer = await browser.post("/settings/password", {"current": PASSWORD, "password": "Another-Horse-8"})
    assert answer.status_code == 303
    assert browser.client.cookies["session"] != stolen
    assert (await browser.get("/dashboard")).status_code == 200
    assert await identity.find(stage.app.identity, stolen) is None


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        " //evil.example",
        "/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "",
        "/\u2028/evil.example",
        "dashboard",
        "/a\\..\\b",
        "//[::1",
    ],
)
async def test_nobody_is_led_elsewhere(browser: Browser, elsewhere: str) -> None:
    answer = await browser.post("/login", {"email": ANNA, "password": PASSWORD, "next": elsewhere})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    assert (await browser.get("/login", params={"next": elsewhere})).headers["location"] == "/dashboard"


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize(
    "onwards", ["/bots?x=ä&y=日本", "/%2f%2fevil.example", "/a b", "/.//evil.example", "/@evil.example"]
)
async def test_a_page_of_this_site_is_led_to(browser: Browser, onwards: str) -> None:
    answer = await browser.post("/login", {"email": ANNA, "password": PASSWORD, "next": onwards})
    assert (answer.status_code, answer.headers["location"].isascii()) == (303, True)
    assert answer.headers["location"].startswith("/")
    assert not answer.headers["location"].startswith("//")


@pytest.mark.usefixtures("anna")
async def test_a_link_of_somebody_else_tells_nothing_of_ones_own_address(stage: Stage, browser: Browser) -> None:
    await browser.sign_in()
    await identity.register(stage.app.identity, email="bert@example.com", password=PASSWORD)
    answer = await browser.post(await stage.link("bert@example.com"))
    assert answer.headers["location"] == "/login"
    assert "flash=verified" in answer.headers["set-cookie"]
    assert (await browser.get("/dashboard")).status_code == 200


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/settings/sessions/x/end", {}),
        ("/settings/tokens/x/revoke", {}),
        ("/settings/tokens", {"name": "\u202e", "scope": "admin"}),
        ("/settings/tokens", {"name": "a" * 999, "scope": "trade", "days": "31"}),
        ("/settings/preferences", {"theme": "x"}),
        ("/settings/preferences", {"theme": "dark", "currency_digits": "9" * 5_000, "time_zone": "../../etc/passwd"}),
        ("/settings/preferences", {"theme": "dark", "currency_digits": "²"}),
        ("/settings/delete", {"current": PASSWORD, "open_deals": "steal"}),
        ("/settings/email", {"email": "b@example.com\r\nBcc: c@example.com", "current": PASSWORD}),
        ("/settings/password", {"current": PASSWORD, "password": "a" * 2_000}),
        ("/settings/password", {"current": "a" * 20_000, "password": "Another-Horse-8"}),
    ],
)
async def test_no_form_of_the_settings_breaks(browser: Browser, path: str, form: dict[str, str]) -> None:
    await browser.sign_in()
    assert 400 <= (await browser.post(path, form)).status_code < 500


async def test_strangers_change_nothing(browser: Browser) -> None:
    controller = settings_page.SettingsPages
    for path in ("", "/password", "/email", "/preferences", "/sessions/end-others", "/tokens", "/delete"):
        answer = await (browser.post if path else browser.get)(f"{controller.path}{path}")
        assert (answer.status_code, answer.headers["location"].startswith("/login?next=")) == (303, True)
