"""The application, wired: the ports of the settings, and an engine over them if one is wanted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from dcacore.adapters.binance import BinanceVenues
from dcacore.adapters.fernet import FernetSecrets
from dcacore.adapters.letters import TemplateLetters
from dcacore.adapters.mail_log import LogMailer
from dcacore.adapters.memory import MemoryLive, MemoryStore
from dcacore.adapters.passwords import BcryptPasswords
from dcacore.adapters.system import RandomIds, SystemClock, SystemDraws
from dcacore.application import asking
from dcacore.bootstrap.database import engine_lock, opened, sqlite_file
from dcacore.bootstrap.mail import LOGGED, mail_way, mailer_of
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.bootstrap.paper_exchange import PaperVenues
from dcacore.bootstrap.shop import Shop, shop_of
from dcacore.bootstrap.venues import ByEnvironment, binance_of
from dcacore.bootstrap.webs import Webs
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.keys import Keys
from dcacore.ports.live import Live
from dcacore.ports.mail import Mailer
from dcacore.ports.records import Environment, Request
from dcacore.ports.secrets import Passwords, Secrets
from dcacore.ports.store import Store
from dcacore.settings import Settings

if TYPE_CHECKING:
    from dcacore.application.billing.tiers import Selling
    from dcacore.application.engine.engine import Engine
    from dcacore.application.engine.ownership import Ownership
    from dcacore.application.identity.courier import Courier
    from dcacore.application.identity.means import Means

REQUESTS_TAKE_S: Final = 15
"""How long a request is waited for."""


@attrs.frozen(kw_only=True)
class App:
    """What use cases and engines work with.

    Attributes:
        settings: what it was made from.
        store: the database.
        clock: time.
        ids: new ids.
        secrets: encrypts exchange keys.
        passwords: hashes passwords.
        venues: exchanges and prices.
        mailer: carries mail away.
        mail_way: by what, for people to read.
        courier: sends what lies in the outbox; None where that is not done in this process.
        shown_link: returns the link in the newest mail to an address, for the pages of the demo to show; None anywhere
            else, as who has the link has the account.
        live: carries from an engine in this process to pages what they should show.
        keys: asks exchanges what keys may do; None where there is no exchange that has keys.
        binance: Binance and its likes, for how they are doing; None where there is none.
        paper: the paper exchange in a process of its own; None where there is none.
        webs: asks exchanges for the candles of charts.
        shop: billing; None where it is off.
        engine: the engine that runs in this process; None where it runs elsewhere.
        engine_task: its task, which ends only when it could not start or was told to stop.
    """

    settings: Settings
    store: Store
    clock: Clock
    ids: Ids
    secrets: Secrets
    passwords: Passwords
    venues: ByEnvironment
    mailer: Mailer = attrs.field(factory=LogMailer)
    mail_way: str = LOGGED
    courier: Courier | None = None
    shown_link: Callable[[str], str] | None = None
    live: Live = attrs.field(factory=MemoryLive)
    keys: Keys | None = None
    binance: BinanceVenues | None = None
    paper: PaperVenues | None = None
    webs: Webs = attrs.field(default=attrs.Factory(lambda self: Webs(self.clock), takes_self=True))
    shop: Shop | None = None
    engine: Engine | None = None
    engine_task: asyncio.Task[None] | None = None

    @property
    def means(self) -> tuple[Store, Clock, Ids]:
        """What every use case that makes something takes first."""
        return self.store, self.clock, self.ids

    @property
    def identity(self) -> Means:
        """What every use case of people's accounts takes first."""
        from dcacore.application.identity.means import Means

        return Means(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            draws=SystemDraws(),
            passwords=self.passwords,
            letters=TemplateLetters(),
            base_url=self.settings.base_url,
            registration=self.settings.registration,
            default_tier=self.settings.default_tier,
        )

    @property
    def selling(self) -> Selling:
        """What tiers follow from besides what was given."""
        from dcacore.application.billing.tiers import NOT_SELLING

        return NOT_SELLING if self.shop is None else self.shop.means.selling

    async def wait_for(self, request: Request, *, timeout_s: float = REQUESTS_TAKE_S) -> asking.Outcome:
        """Return how *request* stands once an engine has dealt with it, or after a while, or if there is no engine."""
        if self.engine is not None:
            self.engine.poke()
        is_here = self.engine_task is not None and not self.engine_task.done()
        return await asking.wait_for(self.store, self.clock, request, timeout_s=timeout_s, is_engine_here=is_here)


@asynccontextmanager
async def open_app(settings: Settings, *, may_create: bool = False) -> AsyncIterator[App]:
    """Yield the application over the settings' database, without an engine, which is also what starts exchanges.

    Args:
        settings: the settings.
        may_create: whether a SQLite database that is not there yet is made.

    Raises:
        StoreError: the database cannot be used; it says why and what to do.
        NoEncryptionKey: ENCRYPTION_KEY is no key.
    """
    clock = SystemClock()
    async with (
        opened(settings.database_url, clock, may_create=may_create) as store,
        mailer_of(settings, clock) as mailer,
    ):
        secrets = FernetSecrets(settings.encryption_key)
        paper = PaperVenues(paper_books(settings), store, clock, url=settings.paper_exchange_url)
        binance = binance_of(settings, secrets, clock)
        try:
            app = App(
                settings=settings,
                store=store,
                clock=clock,
                ids=RandomIds(),
                secrets=secrets,
                passwords=BcryptPasswords(),
                mailer=mailer,
                mail_way=mail_way(settings),
                venues=ByEnvironment({Environment.PAPER: paper, **dict.fromkeys(binance.environments, binance)}),
                keys=binance,
                binance=binance,
                paper=paper,
            )
            async with contextlib.aclosing(app.webs), shop_of(settings, store, clock, app.ids) as shop:
                yield attrs.evolve(app, shop=shop)
        finally:
            await binance.close()
            await paper.close()


@asynccontextmanager
async def paper_app(paper: InProcessPaper, *, clock: Clock | None = None) -> AsyncIterator[App]:
    """Yield an application that keeps everything in memory, with an engine, on the simulated exchange *paper*."""
    clock = clock or SystemClock()
    app = App(
        settings=Settings(),
        store=MemoryStore(clock),
        clock=clock,
        ids=RandomIds(),
        secrets=FernetSecrets(""),
        passwords=BcryptPasswords(),
        venues=ByEnvironment({Environment.PAPER: paper}),
    )
    async with running(app) as with_engine:
        yield with_engine


@asynccontextmanager
async def running(app: App) -> AsyncIterator[App]:
    """Yield *app* with an engine that runs in this process, the only one over a database that only one may have.

    Raises:
        EngineRunning: another process runs an engine over the same SQLite database.
        DcaError: the engine could not start.
    """
    from dcacore.application.engine.engine import Engine
    from dcacore.application.engine.ownership import LeaseOwner, SoleOwner
    from dcacore.application.engine.surroundings import Surroundings
    from dcacore.application.telling import ready

    name = f"{socket.gethostname()}:{os.getpid()}:{app.ids.new()}"
    is_shared = not isinstance(app.store, MemoryStore) and sqlite_file(app.settings.database_url) is None
    with contextlib.nullcontext() if isinstance(app.store, MemoryStore) else engine_lock(app.settings.database_url):
        around = Surroundings(
            store=app.store,
            venues=app.venues,
            clock=app.clock,
            ids=app.ids,
            name=name,
            live=app.live,
            post=ready(TemplateLetters(), app.settings.base_url),
        )
        owner: Ownership = LeaseOwner(app.store, name) if is_shared else SoleOwner(app.store, name)
        engine = Engine(around, owner)
        if app.binance is not None:
            app.binance.load()
        task = asyncio.create_task(engine.run(), name="engine")
        try:
            async with _paper_kept_running(app):
                yield attrs.evolve(app, engine=engine, engine_task=task)
        finally:
            engine.stop()
            await task


@asynccontextmanager
async def delivering(app: App) -> AsyncIterator[App]:
    """Yield *app* with what sends its mail and keeps its tiers true in this process, with or without an engine."""
    from dcacore.application.billing.keeping import Keeper
    from dcacore.application.engine.keeping_on import KeepingOn
    from dcacore.application.identity.courier import Courier
    from dcacore.application.telling import ready

    courier = Courier(app.store, app.mailer, app.clock, ready(TemplateLetters(), app.settings.base_url))
    app, runs = attrs.evolve(app, courier=courier), {"courier": courier.run}
    if app.shop is not None:
        keeper = Keeper(app.shop.means)
        app, runs = attrs.evolve(app, shop=attrs.evolve(app.shop, keeper=keeper)), {**runs, "billing": keeper.run}
    tasks = {asyncio.create_task(KeepingOn(app.clock).forever(name, run), name=name) for name, run in runs.items()}
    try:
        yield app
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@asynccontextmanager
async def _paper_kept_running(app: App) -> AsyncIterator[None]:
    """Let the paper exchange be started when somebody needs it, and again when it has died."""
    if app.paper is None:
        yield
        return
    app.paper.may_start = True
    keeping = asyncio.create_task(app.paper.keep_running(), name="paper exchange")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})


def paper_books(settings: Settings) -> Path:
    """Return the file with the paper exchange's books: beside the database, or in the data folder for a server."""
    file = sqlite_file(settings.database_url)
    if file is not None:
        file = file.resolve()  # whatever link leads to it: the engine's lock goes by the file, too
        return file.with_name(f"{file.name}.paper")
    return Path(settings.data_dir) / "paper"
