"""The dashboard, served from a thread of its own, and the market that its bots trade on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

import attrs
import httpx

from dcacore.adapters.fernet import generate_key
from dcacore.adapters.mail_memory import MemoryMailer
from dcacore.adapters.passwords import BcryptPasswords
from dcacore.adapters.system import SystemClock
from dcacore.bootstrap import known_market
from dcacore.bootstrap.app import App, delivering, open_app, running
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.bootstrap.venues import ByEnvironment
from dcacore.domain.numbers import Number
from dcacore.ports.records import Environment
from dcacore.settings import Settings
from dcaweb.serving import address_of, listening, serve_app
from tests.polar.server import TOKEN, PolarServer, polar_server
from tests.polar.world import PRODUCT, SECRET, Delivery, PolarWorld
from tests.posts.resend import KEY as RESEND_KEY

T = TypeVar("T")

PRICES: Final = (("BTCUSDT", 60_000), ("ETHUSDT", 3_000))
"""What is traded there, in the process of the test."""
PAIR: Final = PRICES[0][0]
"""What tests move."""


@attrs.define
class Site:
    """The dashboard as people reach it.

    Attributes:
        url: where it is.
        app: what it shows; it lives in another thread.
        mailer: where mail ends up.
        paper: the exchange of bots on paper, and of those with real money, which is none here.
        loop: what runs in that thread.
        polar: where plans are bought; None where none are.
        leaving: set when the dashboard is to go away ...
        returning: ... and when it is to come back, or to end for good.
        is_up: set when pages can be asked for.
        is_down: set when they cannot.
        has_ended: whether it is to end for good.
    """

    url: str
    app: App
    mailer: MemoryMailer
    paper: InProcessPaper
    loop: asyncio.AbstractEventLoop
    polar: PolarServer | None = None
    leaving: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    returning: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    is_up: threading.Event = attrs.field(factory=threading.Event, init=False)
    is_down: threading.Event = attrs.field(factory=threading.Event, init=False)
    has_ended: bool = attrs.field(default=False, init=False)

    def stop(self) -> None:
        """Let it end."""
        self.loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self.has_ended = True
        self.leaving.set()
        self.returning.set()

    def do(self, act: Callable[[], T]) -> T:
        """Return what *act* returns, done where the site lives."""

        async def done() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(30)

    def move(self, price: Number) -> None:
        """Let the market of `PAIR` move to *price*, in quote per base; what is reached fills."""
        self.do(lambda: self.paper.move(PAIR, price))

    def told(self, happens: Callable[[PolarWorld], Iterable[Delivery]] | None = None) -> None:
        """Let Polar tell what has been done on its pages, or what *happens* there now."""
        polar = self.polar
        assert polar is not None, "nothing is sold here"

        def sent() -> list[Delivery]:
            told, polar.told = [*polar.told, *(happens(polar.world) if happens else ())], []
            return [polar.world.again(it) for it in told]

        for it in self.do(sent):
            answer = httpx.post(f"{self.url}/webhooks/polar", content=it.body, headers=it.headers, trust_env=False)
            assert answer.status_code == HTTPStatus.ACCEPTED, answer.text

    @contextmanager
    def away(self) -> Iterator[None]:
        """Take the dashboard away for a while; the engine goes on, and the same address answers afterwards."""
        self.is_up.clear()
        self.is_down.clear()
        self.do(self.returning.clear)
        self.do(self.leaving.set)
        assert self.is_down.wait(30), "the dashboard does not end"
        yield
        self.do(self._return)
        assert self.is_up.wait(30), "the dashboard does not come back"

    def _return(self) -> None:
        self.leaving = asyncio.Event()
        self.returning.set()


async def served(
    folder: Path,
    made: list[Site],
    ready: threading.Event,
    *,
    trades: bool = False,
    sells: bool = False,
    resend_url: str = "",
) -> None:
    """Serve the dashboard over a database in *folder* until it is told to stop.

    Args:
        folder: where everything is stored.
        made: gets the site.
        ready: set when it is there.
        trades: whether an engine is behind it.
        sells: whether a Polar of the tests' own is.
        resend_url: where the Resend is that mail goes by; empty keeps it in memory, where pages show its links.
    """
    with listening("127.0.0.1", 0) as taken:
        url = address_of(taken)
    settings = Settings(
        database_url=f"sqlite:///{folder}/app.db",
        data_dir=f"{folder}/data",
        encryption_key=generate_key(),
        base_url=url,
        mail_from="DCA <dca@example.com>",
        resend_api_key=RESEND_KEY if resend_url else "",
        resend_api_url=resend_url,
    )
    async with AsyncExitStack() as stack:
        polar = await stack.enter_async_context(polar_server(PolarWorld(SystemClock()))) if sells else None
        if polar is not None:
            settings = attrs.evolve(
                settings,
                polar_access_token=TOKEN,
                polar_product_id=PRODUCT,
                polar_webhook_secrets=(SECRET,),
                polar_server_url=polar.url,
            )
        app, mailer, paper = await stack.enter_async_context(_equipped(settings, trades=trades))
        site = Site(url, app, mailer, paper, asyncio.get_running_loop(), polar)

        def tell(_: str) -> None:
            site.is_up.set()
            if not made:
                made.append(site)
                ready.set()

        while not site.has_ended:
            with listening("127.0.0.1", int(url.rsplit(":", 1)[1])) as taken:
                await serve_app(app, taken, site.leaving, tell)
            site.is_down.set()
            await site.returning.wait()


@asynccontextmanager
async def _equipped(settings: Settings, *, trades: bool) -> AsyncIterator[tuple[App, MemoryMailer, InProcessPaper]]:
    mailer = MemoryMailer()
    paper = InProcessPaper([(market, price) for pair, price in PRICES if (market := known_market(pair))])
    venues = ByEnvironment({Environment.PAPER: paper, Environment.LIVE: paper})

    def link(email: str) -> str:
        mail = mailer.newest(email)
        return "" if mail is None else mail.link

    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_app(settings, may_create=True))
        app = attrs.evolve(opened, passwords=BcryptPasswords(4), venues=venues)
        if not settings.resend_api_key:
            app = attrs.evolve(app, mailer=mailer, shown_link=link)
        if trades:
            trading = attrs.evolve(app, paper=None, binance=None, keys=None)
            app = await stack.enter_async_context(running(trading))
        yield await stack.enter_async_context(delivering(app)), mailer, paper
