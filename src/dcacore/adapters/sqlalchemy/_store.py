"""A database behind the port: transactions, and in each the collections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import attrs
from sqlalchemy import URL, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dcacore.adapters.sqlalchemy._backtests import SqlBacktests
from dcacore.adapters.sqlalchemy._billing import SqlBillingInbox, SqlCustomers, SqlPlanPauses, SqlSubscriptions
from dcacore.adapters.sqlalchemy._bots import SqlBots
from dcacore.adapters.sqlalchemy._census import SqlCensus
from dcacore.adapters.sqlalchemy._deals import SqlDeals
from dcacore.adapters.sqlalchemy._engines import READS, Creator, postgres_engine, sqlite_engine, tidy
from dcacore.adapters.sqlalchemy._errors import translating
from dcacore.adapters.sqlalchemy._feed import SqlFeed, SqlRequests
from dcacore.adapters.sqlalchemy._file import DatabaseFile
from dcacore.adapters.sqlalchemy._gathered import SqlGatheredNews
from dcacore.adapters.sqlalchemy._identity import SqlApiTokens, SqlMailLinks, SqlSessions, SqlThrottle, SqlWishes
from dcacore.adapters.sqlalchemy._leases import SqlLeases, fence
from dcacore.adapters.sqlalchemy._orders import SqlFills, SqlIntents
from dcacore.adapters.sqlalchemy._outbox import SqlOutbox
from dcacore.adapters.sqlalchemy._people import SqlAccounts, SqlUsers
from dcacore.adapters.sqlalchemy._people_rows import MetaRow
from dcacore.adapters.sqlalchemy._session import Session
from dcacore.adapters.sqlalchemy._signals import SqlSignals
from dcacore.adapters.sqlalchemy._urls import database_url
from dcacore.adapters.sqlalchemy._writers import Turn, Writers, hang_up
from dcacore.ports.clock import Clock
from dcacore.ports.errors import SchemaMismatch
from dcacore.ports.records import Lease
from dcacore.ports.store import Store, Work

_EPOCH: Final = select(MetaRow.__table__)


class SqlWork(Work):
    """One transaction."""

    def __init__(self, session: Session, turn: Turn | None = None) -> None:
        self._session = session
        self._turn = turn
        self._bots = SqlBots(session)

    @property
    def users(self) -> SqlUsers:
        return SqlUsers(self._session)

    @property
    def accounts(self) -> SqlAccounts:
        return SqlAccounts(self._session)

    @property
    def bots(self) -> SqlBots:
        return self._bots

    @property
    def deals(self) -> SqlDeals:
        return SqlDeals(self._session)

    @property
    def intents(self) -> SqlIntents:
        return SqlIntents(self._session)

    @property
    def fills(self) -> SqlFills:
        return SqlFills(self._session)

    @property
    def requests(self) -> SqlRequests:
        return SqlRequests(self._session)

    @property
    def feed(self) -> SqlFeed:
        return SqlFeed(self._session)

    @property
    def leases(self) -> SqlLeases:
        return SqlLeases(self._session)

    @property
    def sessions(self) -> SqlSessions:
        return SqlSessions(self._session)

    @property
    def mail_links(self) -> SqlMailLinks:
        return SqlMailLinks(self._session)

    @property
    def throttle(self) -> SqlThrottle:
        return SqlThrottle(self._session)

    @property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self._session)

    @property
    def gathered(self) -> SqlGatheredNews:
        return SqlGatheredNews(self._session)

    @property
    def api_tokens(self) -> SqlApiTokens:
        return SqlApiTokens(self._session)

    @property
    def wishes(self) -> SqlWishes:
        return SqlWishes(self._session)

    @property
    def signals(self) -> SqlSignals:
        return SqlSignals(self._session)

    @property
    def census(self) -> SqlCensus:
        return SqlCensus(self._session)

    @property
    def backtests(self) -> SqlBacktests:
        return SqlBacktests(self._session)

    @property
    def customers(self) -> SqlCustomers:
        return SqlCustomers(self._session)

    @property
    def subscriptions(self) -> SqlSubscriptions:
        return SqlSubscriptions(self._session)

    @property
    def billing_inbox(self) -> SqlBillingInbox:
        return SqlBillingInbox(self._session)

    @property
    def plan_pauses(self) -> SqlPlanPauses:
        return SqlPlanPauses(self._session)

    async def commit(self) -> None:
        await self._bots.see_to_dropped()
        if self._turn is not None:
            await self._turn.commit()
            return
        with translating():
            await self._session.connection.commit()


@attrs.define
class SqlStore(Store):
    """A database.

    Attributes:
        url: where it lies.
        engine: its connections.
        clock: the wall clock, where the database has none.
        file: the file of a SQLite database; None where there is a server.
    """

    url: URL
    engine: AsyncEngine
    clock: Clock | None = None
    file: DatabaseFile | None = None
    _writers: Writers | None = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        # Two writers of one process would wait for each other by polling the file; a lock is fair, and wakes at once.
        self._writers = None
        if self.clock is not None:
            self._writers = Writers(self._begun, self._check_file, partial(tidy, self.engine), self.clock)

    def begin(self, lease: Lease | None = None, *, reads_only: bool = False) -> AbstractAsyncContextManager[SqlWork]:
        return self._work(lease, reads_only=reads_only)

    @asynccontextmanager
    async def _work(self, lease: Lease | None, *, reads_only: bool) -> AsyncIterator[SqlWork]:
        async with AsyncExitStack() as stack:
            turn: Turn | None = None
            if self._writers is not None and not reads_only:
                turn = await stack.enter_async_context(self._writers.turn())
                connection = turn.connection
            else:
                connection = await self._begun(reads_only=reads_only)
                stack.push_async_callback(hang_up, connection)
            session = Session(connection, self.clock, reads_only)
            if lease is not None:
                await fence(session, lease)
            yield SqlWork(session, turn)

    async def _begun(self, *, reads_only: bool = False) -> AsyncConnection:
        """Return a connection with a transaction that has begun."""
        self._check_file()
        with translating():
            connection = await self.engine.connect()
            try:
                if reads_only:
                    await connection.execution_options(**{READS: True})
                await connection.begin()
            except BaseException:
                await hang_up(connection)
                raise
            return connection

    async def check(self) -> None:
        from dcacore.adapters.sqlalchemy.schema import check_schema

        self._check_file()
        with translating():
            async with self.engine.connect() as connection:
                await connection.execution_options(**{READS: True})
                await connection.run_sync(check_schema)

    async def epoch(self) -> str:
        async with self.begin(reads_only=True) as work:
            found = await work._session.read(MetaRow, _EPOCH)  # noqa: SLF001  # a work of our own
        if not found:
            raise SchemaMismatch("the database lacks its epoch; run dca db upgrade")
        return found[0].epoch

    async def close(self) -> None:
        if self._writers is not None:
            await self._writers.close()
        await self.engine.dispose()
        if self.file is not None:
            self.file.forget()

    def _check_file(self) -> None:
        if self.file is not None:
            self.file.check()


def sqlite_store(
    url: str | URL, *, clock: Clock, async_creator: Creator | None = None, busy_timeout: float = 5
) -> SqlStore:
    """Return the database in a SQLite file.

    Args:
        url: names the file, such as sqlite:///dca.db.
        clock: what leases are measured by, since SQLite has no clock that others share.
        async_creator: opens connections, as `inline_connection` does; each with a thread of its own unless given.
        busy_timeout: seconds to wait for another process that writes.

    Raises:
        BadDatabaseUrl: it names no file.
    """
    where = database_url(url)
    file = DatabaseFile(Path(where.database or ""))
    return SqlStore(where, sqlite_engine(file, busy_timeout=busy_timeout, async_creator=async_creator), clock, file)


def postgres_store(url: str | URL, *, pool_size: int = 5) -> SqlStore:
    """Return the database on a PostgreSQL server.

    Args:
        url: such as postgresql://user:password@host/name.
        pool_size: connections that stay open; twice as many at most.

    Raises:
        BadDatabaseUrl: it is no such address, or the driver is not installed.
    """
    where = database_url(url)
    return SqlStore(where, postgres_engine(where, pool_size=pool_size))


def open_store(url: str | URL, *, clock: Clock) -> SqlStore:
    """Return the database at *url*, whichever of the two it is.

    Raises:
        BadDatabaseUrl: it is no address of either.
    """
    where = database_url(url)
    return sqlite_store(where, clock=clock) if where.get_backend_name() == "sqlite" else postgres_store(where)
