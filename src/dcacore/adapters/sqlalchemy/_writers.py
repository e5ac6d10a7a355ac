"""Whoever writes to a SQLite file writes in turn; those who wait for their turn may share one sync to disk.

A commit takes as long as the disk does, and while it goes on nobody else can write. So whoever is done while others
wait lets them add to his transaction, for as long as the last commit took: longer would cost the first one more than it
spares the last. All that came together is stored together or not at all, and nobody is told before it is.

Where nobody waits, each has a transaction of its own.

What is stored lies in SQLite's log first. Whoever writes when that has grown long would move it into the file itself
and wait for the disk two times more, some fifty milliseconds in which a price waits: so it is moved aside, while
others write.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from dcacore.adapters.sqlalchemy._errors import translating
from dcacore.ports.clock import Clock
from dcacore.ports.errors import StoreError, StoreUnavailable

MOST_PATIENT_S: Final = 0.05
"""However slow the disk is, the first order of many does not wait longer for the others."""
TIDIES_AFTER: Final = 100
"""Commits after which the log is moved into the file: about a thousand pages, as SQLite itself would do it."""


@attrs.define(eq=False)
class Shared:
    """A transaction.

    Attributes:
        connection: what it runs on.
        began: when, by the monotonic clock.
        works: how many are done, and wait for it to be stored.
        stored: done when it is, or is not.
        is_spoilt: whether what one of them gave up could not be undone alone.
    """

    connection: AsyncConnection
    began: float
    works: int = 0
    stored: asyncio.Future[None] = attrs.field(factory=lambda: asyncio.get_running_loop().create_future())
    is_spoilt: bool = False

    async def is_whole(self) -> bool:
        """Say whether it still stands: SQLite undoes all of it by itself when the disk is full, say."""
        if self.is_spoilt:
            return False
        with translating():
            raw = (await self.connection.get_raw_connection()).driver_connection
        return raw is not None and bool(raw.raw.in_transaction)

    def settle(self, failure: StoreError | None = None) -> None:
        """Tell all who wait that it is stored, or why not."""
        if failure is None:
            self.stored.set_result(None)
        else:
            self.stored.set_exception(failure)
            self.stored.exception()  # who has given up waiting need not be told


@attrs.define(eq=False)
class Turn:
    """One work's part of a transaction."""

    _writers: Writers
    shared: Shared
    nested: AsyncTransaction | None
    is_done: bool = False
    holds_lock: bool = True

    @property
    def connection(self) -> AsyncConnection:
        """What its statements run on."""
        return self.shared.connection

    async def commit(self) -> None:
        """Store it.

        Raises:
            StoreError: it is not, or not surely, stored.
        """
        await self._writers.store(self)


class Writers:
    """Lets one after another write.

    Attributes:
        patience_s: for how long a transaction stays open to those who wait: as long as the last commit took.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[AsyncConnection]],
        check: Callable[[], None],
        tidy: Callable[[], Coroutine[Any, Any, None]],
        clock: Clock,
    ) -> None:
        self._connect = connect
        self._check = check
        self._tidy = tidy
        self._clock = clock
        self._commits = 0
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._shared: Shared | None = None
        self._storing: set[asyncio.Task[None]] = set()
        self.patience_s = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Yield a transaction, or a part of one, when it is this work's turn; what is not committed is undone.

        Raises:
            StoreError: none can be begun.
        """
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
        turn: Turn | None = None
        try:
            turn = await self._begin()
            yield turn
        finally:
            try:
                if turn is not None and not turn.is_done:
                    await self._undo(turn)
            finally:
                if turn is None or turn.holds_lock:
                    self._lock.release()

    async def _begin(self) -> Turn:
        shared = self._shared
        if shared is not None:
            with translating():
                return Turn(self, shared, await shared.connection.begin_nested())
        connection = await self._connect()
        return Turn(self, Shared(connection, self._clock.monotonic()), None)

    async def store(self, turn: Turn) -> None:
        """Store what *turn* has done, together with others if there are any; see `Turn.commit`."""
        shared = turn.shared
        self._check()
        if turn.nested is not None:
            with translating():
                await turn.nested.commit()
        turn.is_done = True
        shared.works += 1
        may_others_join = self._clock.monotonic() - shared.began < self.patience_s
        if self._waiting and may_others_join:
            if self._shared is None:
                self._shared = shared
                self._start(self._store_in_turn(shared))  # behind all who wait now
            turn.holds_lock = False
            self._lock.release()
            await asyncio.shield(shared.stored)
        elif self._shared is None:
            try:
                await self._commit(shared)
            finally:
                await hang_up(shared.connection)
        else:
            self._shared = None
            await asyncio.shield(self._start(self._store(shared)))
            await shared.stored

    async def _undo(self, turn: Turn) -> None:
        shared = turn.shared
        if turn.nested is None:
            await hang_up(shared.connection)
            return
        with contextlib.suppress(StoreError):
            if await shared.is_whole():
                with translating():
                    await turn.nested.rollback()
                return
        shared.is_spoilt = True
        self._shared = None  # nobody adds to it any more, and those who are done learn that it is not stored
        self._start(self._store(shared))

    async def _store_in_turn(self, shared: Shared) -> None:
        async with self._lock:
            if self._shared is shared:
                self._shared = None
                await self._store(shared)

    async def _store(self, shared: Shared) -> None:
        """Store what several have done, and tell them."""
        try:
            self._check()
            if await shared.is_whole():
                await self._commit(shared)
                shared.settle()
            else:
                shared.settle(StoreUnavailable("the database has undone what was to be stored"))
        except StoreError as error:
            shared.settle(error)
        except BaseException:
            shared.settle(StoreUnavailable("it is not sure that what was decided has been stored"))
            raise
        finally:
            await hang_up(shared.connection)

    async def _commit(self, shared: Shared) -> None:
        began = self._clock.monotonic()
        with translating():
            await shared.connection.commit()
        self.patience_s = min(self._clock.monotonic() - began, MOST_PATIENT_S)
        self._commits += 1
        if self._commits % TIDIES_AFTER == 0:
            self._start(self._tidy())

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)
        return task

    async def close(self) -> None:
        """Return when nothing is being stored any more."""
        while self._storing:
            await asyncio.wait(tuple(self._storing))


async def hang_up(connection: AsyncConnection) -> None:
    """Close *connection*, which undoes what it has not stored; it is closed also when nobody waits for that."""
    await asyncio.shield(asyncio.ensure_future(connection.close()))
