"""The program at one end of the wire: it is started, stopped, and killed."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Any, Final, TypeVar

import attrs

from dcacore.adapters.binance import BinanceVenues, stored_keys
from dcacore.adapters.binance.urls import Urls
from dcacore.adapters.sqlalchemy import open_store
from dcacore.application.engine.engine import Engine
from dcacore.application.engine.ownership import SoleOwner
from dcacore.application.engine.surroundings import Surroundings
from dcacore.bootstrap.venues import ByEnvironment
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.errors import StoreUnavailable
from dcacore.ports.records import Environment, Lease
from dcacore.ports.secrets import Secrets
from dcacore.ports.store import Store, Work
from tests.integration.idling import CountedStore, IdleSelector

PROGRAM: Final[contextvars.ContextVar[set[asyncio.Task[Any]] | None]] = contextvars.ContextVar("program", default=None)
"""The tasks of the program that a task belongs to."""
_ROUNDS: Final = 20
_T = TypeVar("_T")


def task_factory(
    loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, _T] | Generator[Any, None, _T], **options: Any
) -> asyncio.Task[_T]:
    """Make a task, and note to which program it belongs."""
    task = asyncio.Task(coro, loop=loop, **options)
    tasks = PROGRAM.get()
    if tasks is not None:
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    return task


@attrs.define
class MortalStore(Store):
    """A database that the dead do not write to."""

    inner: Store
    is_dead: bool = False

    def begin(self, lease: Lease | None = None, *, reads_only: bool = False) -> AbstractAsyncContextManager[Work]:
        return self._begin(lease, reads_only=reads_only)

    @asynccontextmanager
    async def _begin(self, lease: Lease | None, *, reads_only: bool) -> AsyncIterator[Work]:
        if self.is_dead:
            raise StoreUnavailable("the program is dead")
        async with self.inner.begin(lease, reads_only=reads_only) as work:
            yield work

    async def check(self) -> None:
        await self.inner.check()

    async def epoch(self) -> str:
        return await self.inner.epoch()

    async def close(self) -> None:
        await self.inner.close()


@attrs.frozen(kw_only=True)
class Ground:
    """What a program is started on.

    Attributes:
        url: where the database is.
        urls: where the exchange is.
        secrets: decrypts the keys.
        clock: time.
        ids: new ids.
        selector: is told of transactions.
    """

    url: str
    urls: Urls
    secrets: Secrets
    clock: Clock
    ids: Ids
    selector: IdleSelector

    def open_store(self) -> CountedStore:
        """Open the database."""
        return CountedStore(open_store(self.url, clock=self.clock), self.selector)


@attrs.define(eq=False)
class Program:
    """A process with an engine."""

    store: MortalStore
    binance: BinanceVenues
    engine: Engine
    tasks: set[asyncio.Task[Any]]
    task: asyncio.Task[None]

    @classmethod
    def start(cls, ground: Ground, name: str) -> Program:
        """Start one."""
        store = MortalStore(ground.open_store())
        tasks: set[asyncio.Task[Any]] = set()
        context = contextvars.copy_context()
        context.run(PROGRAM.set, tasks)

        def build() -> tuple[BinanceVenues, Engine]:
            venues = {Environment.CUSTOM: ground.urls}
            binance = BinanceVenues(venues, stored_keys(ground.secrets), ground.clock, Random(name))
            by_environment = ByEnvironment({Environment.CUSTOM: binance})
            around = Surroundings(store=store, venues=by_environment, clock=ground.clock, ids=ground.ids, name=name)
            return binance, Engine(around, SoleOwner(store, name))

        binance, engine = context.run(build)
        loop = asyncio.get_running_loop()
        task = context.run(lambda: loop.create_task(engine.run(), name=name))
        return cls(store, binance, engine, tasks, task)

    async def die(self) -> None:
        """End at once: nothing that was begun is brought to its end."""
        self.store.is_dead = True
        for _ in range(_ROUNDS):
            if tasks := [task for task in self.tasks if not task.done()]:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=1)
        assert not self.tasks, f"these do not end: {self.tasks}"
        await self._leave()

    async def _leave(self) -> None:
        await self.binance.close()
        await self.store.close()

    async def clear_away(self) -> BaseException | None:
        """Close what a program that has ended leaves, and return what it ended with."""
        await self._leave()
        return None if self.task.cancelled() else self.task.exception()
