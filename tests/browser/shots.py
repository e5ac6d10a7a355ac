"""`make shots`: a picture of every page, on a desk and on a phone, light and dark, to be looked at.

It runs a demo of its own on a port of its own, and leaves nothing behind but the pictures, `out/shots/index.html` to
look at all of them, and on the terminal what the pages have said on their consoles.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Final

import attrs
import click
import structlog
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from dcacore.bootstrap.app import delivering
from dcacore.bootstrap.demo import DemoOptions, demo
from dcacore.settings import Settings
from dcaweb.serving import address_of, listening, serve_app
from tests.browser.cast import NEWCOMER, cast
from tests.browser.conftest import FLAGS, watched
from tests.browser.gallery import SHOTS, Shot, Visitor
from tests.browser.looks import overflow

FOLDER: Final = Path("out/shots")
SIZES: Final = {"1360": (1360, 900), "390": (390, 844)}
THEMES: Final = ("light", "dark")
_MOVES_FOR_MS: Final = 400
"""How long dialogs and charts take to come to rest."""
_AT_REST: Final = """() => document.querySelector('html[data-ready]') && document.fonts.status === 'loaded'
    && !document.querySelector('.htmx-request, main [aria-busy="true"]')
    && [...document.querySelectorAll('[data-candle-chart], [data-plot]')].every((it) => it.querySelector('canvas, p'))
"""


@attrs.define
class Show:
    """A demo that is being served.

    Attributes:
        url: where it is.
        ids: of its things, by the names in addresses.
        email: who can sign in ...
        password: ... and with what; the newcomer has the same password.
    """

    url: str
    ids: Mapping[str, str]
    email: str
    password: str


@contextmanager
def shown() -> Iterator[Show]:
    """Yield a demo, served from a thread of its own."""
    came: list[Show] = []
    ready, loops = threading.Event(), list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]()

    async def run() -> None:
        stopping = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stopping))
        with listening("127.0.0.1", 0) as taken:
            options = DemoOptions(settings=Settings(base_url=address_of(taken)))
            async with demo(options) as it, delivering(it.app) as app:
                show = Show(address_of(taken), await cast(it), it.email, it.password)

                def tell(_: str) -> None:
                    came.append(show)
                    ready.set()

                await serve_app(app, taken, stopping, tell)

    def work() -> None:
        try:
            asyncio.run(run())
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="demo")
    thread.start()
    try:
        ready.wait()
        if not came:
            raise SystemExit("the demo has not come up")
        yield came[0]
    finally:
        for loop, stopping in loops:
            if thread.is_alive():
                loop.call_soon_threadsafe(stopping.set)
        thread.join()


def signed_in(browser: Browser, show: Show, visitor: Visitor, size: str, theme: str) -> BrowserContext:
    """Return a browser in which *visitor* is signed in."""
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=show.url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    if visitor != "stranger":
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("E-mail address").fill(show.email if visitor == "owner" else NEWCOMER)
        page.get_by_label("Password", exact=True).fill(show.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/dashboard")
        page.close()
    return context


def taken(context: BrowserContext, shot: Shot, show: Show, size: str, file: Path) -> list[str]:
    """Make a picture, and return what was wrong with the page."""
    page = context.new_page()
    wrong = watched(page)
    page.goto(shot.path.format_map(show.ids))
    _come_to_rest(page)
    if shot.act is not None:
        shot.act(page)
        _come_to_rest(page)
    wrong += [f"{shot.path} is {overflow(page)} pixels too wide"] if overflow(page) > 0 else []
    if shot.is_whole:  # what stands at the window's edges is to stand at those of the picture
        height: int = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": SIZES[size][0], "height": max(height, SIZES[size][1])})
        page.wait_for_timeout(_MOVES_FOR_MS)
    page.screenshot(path=file)
    page.close()
    return wrong


def _come_to_rest(page: Page) -> None:
    page.wait_for_function(_AT_REST)
    page.wait_for_timeout(_MOVES_FOR_MS)


def make(folder: Path, only: tuple[str, ...] = ()) -> list[str]:
    """Make the pictures in *folder*, all or those whose names begin with one of *only*; return what was wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [it for it in SHOTS if not only or it.name.startswith(only)]
    wrong: list[str] = []
    program = os.environ.get("DCA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with shown() as show, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *as_root])
        for size in SIZES:
            for theme in THEMES:
                for visitor in dict.fromkeys(it.visitor for it in chosen):
                    context = signed_in(browser, show, visitor, size, theme)
                    for shot in chosen:
                        if shot.visitor == visitor:
                            file = folder / f"{shot.name}-{size}-{theme}.png"
                            wrong += [f"{file.name}: {it}" for it in taken(context, shot, show, size, file)]
                    context.close()
        browser.close()
    (folder / "index.html").write_text(sheet(chosen))
    return wrong


def sheet(shots: list[Shot]) -> str:
    """Return the page that shows all pictures."""
    rows = "".join(
        f"<h2>{escape(shot.name)} <small>{escape(shot.path)}, {shot.visitor}</small></h2><p>"
        + "".join(
            f'<a href="{file}"><img loading="lazy" src="{file}" alt="{file}"></a>'
            for size in SIZES
            for theme in THEMES
            for file in (f"{shot.name}-{size}-{theme}.png",)
        )
        for shot in shots
    )
    style = (
        "body{font:16px sans-serif;background:#888}img{max-height:480px;max-width:640px;margin:4px}small{color:#333}"
    )
    return f'<!doctype html><meta charset="utf-8"><title>All pages</title><style>{style}</style>{rows}\n'


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    click.echo("Pictures of all pages are being made; it takes some minutes.")
    found = make(FOLDER, tuple(sys.argv[1:]))
    for line in found:
        click.echo(line, err=True)
    click.echo(f"The pictures are in {FOLDER}: open {FOLDER / 'index.html'}.")
    sys.exit(bool(found))
