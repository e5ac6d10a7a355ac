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
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

from tests.browser.site import Site, served

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
    ready = threading.Event()
    made: list[Site] = []

    def run() -> None:
        asyncio.run(served(tmp_path, made, ready))

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
    context = chromium.new_context(base_url=site.url, viewport={"width": 1360, "height": 900})
    made = context.new_page()
    wrong = watched(made)
    yield made
    context.close()
    assert not wrong, "\n".join(wrong)


def watched(page: Page) -> list[str]:
    """Return the list in which all that goes wrong on *page* appears."""
    wrong: list[str] = []

    def console(message: ConsoleMessage) -> None:
        is_refusal = message.type == "error" and "the server responded with a status of 4" in message.text
        if message.type in {"error", "warning"} and not is_refusal:
            wrong.append(f"{page.url}: {message.type}: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 500 or (response.status == 404 and response.request.resource_type != "document"):
            wrong.append(f"{response.url}: {response.status}")

    page.on("console", console)
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on("response", answered)
    return wrong
