"""A browser, and the dashboard served to it.

Every page is watched: a message on its console, an error in its scripts, or a part that could not be loaded fails the
test, whatever the test itself looks at.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

from tests.browser.looks import SIZES
from tests.browser.site import Site, served
from tests.posts.beside import beside
from tests.posts.resend import Resend, resend

_LEFT = "net::ERR_ABORTED"
"""What was under way, as the stream always is, when its page was left."""
FLAGS = (
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Yield Chromium; without one the tests are skipped, and fail in CI.

    It ends with this package: as long as it is open an event loop runs in this thread, and no other test could run one.
    """
    program = os.environ.get("DCA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing = "there is no Chromium: install the system's package chromium, or set DCA_CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *as_root])
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path, chromium: Browser) -> Iterator[Site]:
    """Yield the dashboard on a port of its own, over a database of its own."""
    with _served(tmp_path, trades=False) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Yield the dashboard with an engine behind it, on a market that the test moves."""
    monkeypatch.setattr("dcaweb.pages.asked.PATIENCE_S", 60.0)  # the engine answers, however busy the machine is
    with _served(tmp_path, trades=True) as made:
        yield made


@pytest.fixture
def by_mail(tmp_path: Path, chromium: Browser) -> Iterator[tuple[Site, Resend]]:
    """Yield the dashboard as it is in earnest: links come by mail only, and the Resend that takes it."""
    with beside(resend()) as service, _served(tmp_path, trades=False, resend_url=service.url) as made:
        yield made, service


@pytest.fixture
def shop(tmp_path: Path, chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Yield the dashboard with an engine behind it, and with Polar beside it."""
    monkeypatch.setattr("dcaweb.pages.asked.PATIENCE_S", 60.0)
    with _served(tmp_path, trades=True, sells=True) as made:
        yield made


@contextmanager
def _served(folder: Path, *, trades: bool, sells: bool = False, resend_url: str = "") -> Iterator[Site]:
    ready = threading.Event()
    made: list[Site] = []

    def run() -> None:
        asyncio.run(served(folder, made, ready, trades=trades, sells=sells, resend_url=resend_url))

    thread = threading.Thread(target=run, name="dashboard")
    thread.start()
    try:
        assert ready.wait(30), "the dashboard does not answer"
        yield made[0]
    finally:
        if made:
            made[0].stop()
        thread.join(30)


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    """Yield a page of a desk's size with nothing in its browser."""
    with opened(chromium, site, "desk") as made:
        yield made


@contextmanager
def opened(chromium: Browser, site: Site, size: str, **more: Any) -> Iterator[Page]:
    """Yield a page with nothing in its browser; what goes wrong on it fails the test in the end."""
    width, height = SIZES[size]
    context = chromium.new_context(base_url=site.url, viewport={"width": width, "height": height}, **more)
    made = context.new_page()
    wrong = watched(made)
    try:
        yield made
    finally:
        context.close()
    assert not wrong, "\n".join(wrong)


def watched(page: Page) -> list[str]:
    """Return the list in which all that goes wrong on *page* appears: whatever is said on the console is wrong."""
    wrong: list[str] = []

    def console(message: ConsoleMessage) -> None:
        # The browser's own line about an answer that refuses: pages refuse where a user is wrong.
        if message.type != "error" or "the server responded with a status of 4" not in message.text:
            wrong.append(f"{page.url}: {message.type}: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 500 or (response.status == 404 and response.request.resource_type != "document"):
            wrong.append(f"{response.url}: {response.status}")

    def failed(request: Request) -> None:
        if request.failure != _LEFT:
            wrong.append(f"{request.url}: {request.failure}")

    page.on("console", console)
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on("response", answered)
    page.on("requestfailed", failed)
    return wrong
