"""The dashboard, served from a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import attrs

from dcacore.adapters.fernet import generate_key
from dcacore.adapters.mail_memory import MemoryMailer
from dcacore.adapters.passwords import BcryptPasswords
from dcacore.bootstrap.app import App, delivering, open_app
from dcacore.settings import Settings
from dcaweb.serving import address_of, listening, serve_app


@attrs.define
class Site:
    """The dashboard as people reach it.

    Attributes:
        url: where it is.
        app: what it shows; it lives in another thread.
        mailer: where mail ends up.
    """

    url: str
    app: App
    mailer: MemoryMailer
    _loop: asyncio.AbstractEventLoop
    _stopping: asyncio.Event

    def stop(self) -> None:
        """Let it end."""
        self._loop.call_soon_threadsafe(self._stopping.set)


async def served(folder: Path, made: list[Site], ready: threading.Event) -> None:
    """Serve the dashboard over a database in *folder* until it is told to stop."""
    stopping = asyncio.Event()
    with listening("127.0.0.1", 0) as taken:
        settings = Settings(
            database_url=f"sqlite:///{folder}/app.db",
            data_dir=f"{folder}/data",
            encryption_key=generate_key(),
            base_url=address_of(taken),
        )
        async with open_app(settings, may_create=True) as opened:
            mailer = MemoryMailer()

            def link(email: str) -> str:
                mail = mailer.newest(email)
                return "" if mail is None else mail.link

            app = attrs.evolve(opened, passwords=BcryptPasswords(4), mailer=mailer, shown_link=link)
            async with delivering(app) as with_courier:
                site = Site(settings.base_url, with_courier, mailer, asyncio.get_running_loop(), stopping)

                def tell(_: str) -> None:
                    made.append(site)
                    ready.set()

                await serve_app(with_courier, taken, stopping, tell)
