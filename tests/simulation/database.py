"""The store behind its gate: the real one, on a file, that fails as databases do."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, cast

import attrs
from sqlalchemy import Engine, event

from dcacore.adapters.simulated.faults import Dice
from dcacore.adapters.sqlalchemy import SqlStore, sqlite_store
from dcacore.adapters.sqlalchemy.inline import Connection, inline_connection
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.ports.backtests import BacktestRuns
from dcacore.ports.billing_store import BillingInbox, Customers, PlanPauses, Subscriptions
from dcacore.ports.census import Census
from dcacore.ports.clock import Clock
from dcacore.ports.errors import StoreUnavailable
from dcacore.ports.identity_store import ApiTokens, GatheredNews, MailLinks, Outbox, Sessions, Throttle, Wishes
from dcacore.ports.records import Lease
from dcacore.ports.signals import Signals
from dcacore.ports.store import Accounts, Bots, Deals, Feed, Fills, Intents, Leases, Requests, Store, Users, Work
from tests.simulation.clock import VirtualClock
from tests.simulation.faults import MachineFault
from tests.simulation.gate import Gate
from tests.simulation.loop import VirtualLoop

EPOCH: Final = "simula"
_MEMORY: Final = Path("/dev/shm")
_READS: Final = frozenset(
    {"get", "hold", "by_email", "all", "of", "load", "to_run", "unsettled", "of_deal", "newest", "waiting"}
)


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=_MEMORY if _MEMORY.is_dir() else None))
    file = folder / "empty.db"
    upgrade(f"sqlite:///{file}")
    with contextlib.closing(sqlite3.connect(file)) as raw:
        raw.execute("UPDATE meta SET epoch = ?", [EPOCH])
        raw.execute("PRAGMA journal_mode = DELETE")
        raw.commit()
    _warm_up(file)
    return file


def _warm_up(file: Path) -> None:
    """Check the file; and let the first connection of all, which does more than later ones, be nobody's."""
    loop = VirtualLoop(Random(0))
    store = sqlite_store(f"sqlite:///{file}", clock=VirtualClock(loop), async_creator=inline_connection)
    _share(store.engine.sync_engine)
    loop.run_until_complete(store.check())
    loop.run_until_complete(store.close())
    loop.bury()
    loop.close()


_SHARED: Final[list[Engine]] = []


def _share(engine: Engine) -> None:
    """Let all stores have compiled statements in common: a world lives for too short to compile its own."""
    _SHARED[:] = _SHARED or [engine]
    engine.dialect = engine.pool._dialect = _SHARED[0].dialect
    engine._compiled_cache = _SHARED[0]._compiled_cache


@attrs.define(eq=False)
class Disk:
    """The file of a database, and how it is at the moment.

    Attributes:
        dice: decides what fails.
        is_gone: whether nothing reaches it.
        is_full: whether nothing can be written.
        has_requests: whether a request may wait that no answer has shown yet.
    """

    dice: Dice
    is_gone: bool = False
    is_full: bool = False
    has_requests: bool = True
    file: Path = attrs.field(init=False)
    _folder: tempfile.TemporaryDirectory[str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        template = _template()
        self._folder = tempfile.TemporaryDirectory(dir=template.parent)
        self.file = Path(shutil.copy(template, Path(self._folder.name) / "world.db"))

    def open(self, clock: Clock) -> tuple[SqlStore, Cables]:
        """Return a store over the file, and what it is connected by."""
        cables = Cables()
        store = sqlite_store(f"sqlite:///{self.file}", clock=clock, async_creator=cables.connect, busy_timeout=0)
        _share(store.engine.sync_engine)
        event.listen(store.engine.sync_engine, "checkout", cables.note)
        return store, cables

    def remove(self) -> None:
        """Forget the file."""
        self._folder.cleanup()


@attrs.define(eq=False)
class Cables:
    """The connections of one process: pulled out when it dies, so that what was not committed is rolled back."""

    _open: list[Connection] = attrs.field(factory=list)
    _lent: weakref.WeakSet[Any] = attrs.field(factory=weakref.WeakSet)

    async def connect(self, file: str, *args: Any, **named: Any) -> Connection:
        """Return a new connection."""
        connection = await inline_connection(file, *args, **named)
        self._open.append(connection)
        return connection

    def note(self, _connection: object, _record: object, lent: object) -> None:
        """Note a connection that SQLAlchemy has lent to somebody."""
        self._lent.add(lent)

    def pull(self) -> None:
        """Close all of them; SQLAlchemy is not to miss those that the dead have not given back."""
        for lent in self._lent:
            lent._finalizer.detach()
        for connection in self._open:
            connection.raw.close()
        self._open.clear()


@attrs.define(eq=False)
class GatedStore(Store):
    """A store behind a gate."""

    inner: SqlStore
    gate: Gate
    disk: Disk

    def begin(self, lease: Lease | None = None, *, reads_only: bool = False) -> AbstractAsyncContextManager[Work]:
        return self._work(lease, reads_only=reads_only)

    @asynccontextmanager
    async def _work(self, lease: Lease | None, *, reads_only: bool) -> AsyncIterator[Work]:
        async with AsyncExitStack() as stack:
            yield GatedWork(self, stack, lease, reads_only=reads_only)

    async def check(self) -> None:
        await self.gate.call("store.check", self._check)

    async def _check(self) -> None:
        self.fail_if_gone()
        # every file is a copy of the same one, which has been checked

    async def epoch(self) -> str:
        return await self.inner.epoch()

    async def close(self) -> None:
        await self.inner.close()

    def fail_if_gone(self) -> None:
        """Fail when the database cannot be reached."""
        if self.disk.is_gone:
            raise StoreUnavailable("the database cannot be reached")


@attrs.define(eq=False)
class _Calls:
    """One collection of a gated work."""

    _work: GatedWork
    _name: str

    def __getattr__(self, method: str) -> Any:
        async def call(*args: Any, **named: Any) -> Any:
            return await self._work.call(self._name, method, args, named)

        return call


class GatedWork(Work):
    """A transaction behind a gate; it begins with the first thing that is done in it."""

    def __init__(self, store: GatedStore, stack: AsyncExitStack, lease: Lease | None, *, reads_only: bool) -> None:
        self._store = store
        self._stack = stack
        self._lease = lease
        self._reads_only = reads_only
        self._inner: Work | None = None

    @property
    def users(self) -> Users:
        return cast("Users", _Calls(self, "users"))

    @property
    def accounts(self) -> Accounts:
        return cast("Accounts", _Calls(self, "accounts"))

    @property
    def bots(self) -> Bots:
        return cast("Bots", _Calls(self, "bots"))

    @property
    def deals(self) -> Deals:
        return cast("Deals", _Calls(self, "deals"))

    @property
    def intents(self) -> Intents:
        return cast("Intents", _Calls(self, "intents"))

    @property
    def fills(self) -> Fills:
        return cast("Fills", _Calls(self, "fills"))

    @property
    def requests(self) -> Requests:
        return cast("Requests", _Calls(self, "requests"))

    @property
    def feed(self) -> Feed:
        return cast("Feed", _Calls(self, "feed"))

    @property
    def leases(self) -> Leases:
        return cast("Leases", _Calls(self, "leases"))

    @property
    def sessions(self) -> Sessions:
        return cast("Sessions", _Calls(self, "sessions"))

    @property
    def mail_links(self) -> MailLinks:
        return cast("MailLinks", _Calls(self, "mail_links"))

    @property
    def throttle(self) -> Throttle:
        return cast("Throttle", _Calls(self, "throttle"))

    @property
    def outbox(self) -> Outbox:
        return cast("Outbox", _Calls(self, "outbox"))

    @property
    def gathered(self) -> GatheredNews:
        return cast("GatheredNews", _Calls(self, "gathered"))

    @property
    def api_tokens(self) -> ApiTokens:
        return cast("ApiTokens", _Calls(self, "api_tokens"))

    @property
    def wishes(self) -> Wishes:
        return cast("Wishes", _Calls(self, "wishes"))

    @property
    def signals(self) -> Signals:
        return cast("Signals", _Calls(self, "signals"))

    @property
    def census(self) -> Census:
        return cast("Census", _Calls(self, "census"))

    @property
    def backtests(self) -> BacktestRuns:
        return cast("BacktestRuns", _Calls(self, "backtests"))

    @property
    def customers(self) -> Customers:
        return cast("Customers", _Calls(self, "customers"))

    @property
    def subscriptions(self) -> Subscriptions:
        return cast("Subscriptions", _Calls(self, "subscriptions"))

    @property
    def billing_inbox(self) -> BillingInbox:
        return cast("BillingInbox", _Calls(self, "billing_inbox"))

    @property
    def plan_pauses(self) -> PlanPauses:
        return cast("PlanPauses", _Calls(self, "plan_pauses"))

    async def call(self, collection: str, method: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Do something in the transaction."""
        name, disk = f"{collection}.{method}", self._store.disk
        if name == "requests.waiting":
            if not disk.has_requests and not disk.is_gone:
                return ()  # asked for each second: only what can be there is looked for
            disk.has_requests = False
        elif name == "requests.settle":
            disk.has_requests = True

        async def work() -> Any:
            self._store.fail_if_gone()
            if method in _READS and disk.dice.strikes(MachineFault.DATABASE_READ_FAILED):
                raise StoreUnavailable("the database is locked by another program")
            await self._store.gate.yield_now_and_then()
            return await getattr(getattr(await self._begun(), collection), method)(*args, **named)

        is_poll = name == "requests.waiting"
        try:
            found = await self._store.gate.call(name, work, counts=not is_poll, told=_shape)
        except BaseException:
            disk.has_requests = True
            raise
        if is_poll and found:
            disk.has_requests = True
        return found

    async def _begun(self) -> Work:
        if self._inner is None:
            store = self._store
            self._inner = await self._stack.enter_async_context(
                store.inner.begin(self._lease, reads_only=self._reads_only)
            )
        return self._inner

    async def commit(self) -> None:
        await self._store.gate.call("commit", self._commit)

    async def _commit(self) -> None:
        store, strikes = self._store, self._store.disk.dice.strikes
        store.fail_if_gone()
        if store.disk.is_full:
            raise StoreUnavailable("there is no room left on the database's disk")
        if strikes(MachineFault.COMMIT_FAILED):
            raise StoreUnavailable("the database is locked by another program")
        if self._inner is not None:
            await self._inner.commit()
        if strikes(MachineFault.COMMIT_UNSURE):
            raise StoreUnavailable("the connection to the database was lost")


def _shape(found: object) -> str:
    return f"{len(found)}" if isinstance(found, tuple) else type(found).__name__
