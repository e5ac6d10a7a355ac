"""The dashboard over a database of its own, and somebody who asks for pages as a browser does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import attrs
from httpx import ASGITransport, AsyncClient, Response
from litestar import Litestar

from dcacore.adapters.fernet import generate_key
from dcacore.adapters.mail_memory import MemoryMailer
from dcacore.adapters.passwords import BcryptPasswords
from dcacore.application.identity.courier import Courier
from dcacore.bootstrap.app import App, open_app
from dcacore.ports.identity import Registration
from dcacore.settings import Settings
from dcaweb.app import create_app

BASE_URL: Final = "http://testserver.local"
ANNA: Final = "anna@example.com"
PASSWORD: Final = "Correct-Horse-7"


@attrs.define
class Browser:
    """Keeps cookies, and sends the CSRF token with every form, as a page does."""

    client: AsyncClient

    async def get(self, path: str, **options: Any) -> Response:
        """Ask for a page; no redirection is followed."""
        return await self.client.get(path, follow_redirects=False, **options)

    async def post(self, path: str, form: Mapping[str, str] | None = None, **options: Any) -> Response:
        """Send a form; no redirection is followed."""
        if "csrftoken" not in self.client.cookies:
            await self.get("/login")
        sent = {**(form or {}), "_csrf_token": self.client.cookies["csrftoken"]}
        return await self.client.post(path, data=sent, follow_redirects=False, **options)

    async def sign_in(self, email: str = ANNA, password: str = PASSWORD) -> Response:
        """Send the sign-in form."""
        return await self.post("/login", {"email": email, "password": password})


@attrs.define
class Stage:
    """The dashboard, and what goes on behind it.

    Attributes:
        app: what the pages show.
        web: the pages.
        mailer: where mail ends up.
        browser: somebody.
    """

    app: App
    web: Litestar
    mailer: MemoryMailer
    browser: Browser

    @asynccontextmanager
    async def another_browser(self) -> AsyncIterator[Browser]:
        """Yield a browser with nothing in it."""
        async with client_of(self.web) as client:
            yield Browser(client)

    async def link(self, email: str = ANNA) -> str:
        """Return the path of the link in the newest mail."""
        await Courier(self.app.store, self.mailer, self.app.clock).send_due()
        mail = self.mailer.newest(email)
        assert mail is not None
        return mail.link.removeprefix(BASE_URL)

    async def register(self, email: str = ANNA, password: str = PASSWORD) -> None:
        """Make an account whose address is confirmed."""
        assert (await self.browser.post("/register", {"email": email, "password": password})).status_code == 200
        assert (await self.browser.post(await self.link(email))).status_code == 303


def client_of(web: Litestar) -> AsyncClient:
    """Return what asks *web* without a network; what fails there is an answer here."""
    app: Any = web  # the two describe the same protocol by other types
    return AsyncClient(transport=ASGITransport(app, raise_app_exceptions=False), base_url=BASE_URL)


@asynccontextmanager
async def stage_in(folder: Path, **settings: Any) -> AsyncIterator[Stage]:
    """Yield the dashboard over a database in *folder*, without an engine."""
    chosen = Settings(
        database_url=f"sqlite:///{folder}/app.db",
        encryption_key=generate_key(),
        base_url=settings.pop("base_url", BASE_URL),
        registration=settings.pop("registration", Registration.OPEN),
        **settings,
    )
    async with open_app(chosen, may_create=True) as opened:
        mailer = MemoryMailer()
        app = attrs.evolve(opened, passwords=BcryptPasswords(4), mailer=mailer)
        web = create_app(app)
        async with client_of(web) as client:
            yield Stage(app, web, mailer, Browser(client))


def said(page: Response) -> str:
    """Return the text of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


class _Fields(HTMLParser):
    """Reads a form as a browser would send it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        it = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select = it.get("name")
        elif tag == "option" and self._select and (self._select not in self.sent or "selected" in it):
            self.sent[self._select] = it["value"]
        elif tag == "input" and "name" in it and (it.get("type") not in {"radio", "checkbox"} or "checked" in it):
            self.sent[it["name"]] = it.get("value", "")


def fields_of(page: Response, form: str = "wizard") -> dict[str, str]:
    """Return what the form of that id would send as it stands."""
    (found,) = re.findall(rf'<form[^>]* id="{form}".*?</form>', page.text, re.DOTALL)
    fields = _Fields()
    fields.feed(found)
    return {name: value for name, value in fields.sent.items() if name != "_csrf_token"}
