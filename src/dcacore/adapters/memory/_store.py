"""The memory store: one work writes at a time, and what it has written is there for others when it has committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import attrs

from dcacore.adapters.memory._backtests import MemoryBacktests
from dcacore.adapters.memory._billing import (
    MemoryBillingInbox,
    MemoryCustomers,
    MemoryPlanPauses,
    MemorySubscriptions,
)
from dcacore.adapters.memory._bots import MemoryBots, MemoryDeals
from dcacore.adapters.memory._census import MemoryCensus
from dcacore.adapters.memory._feed import MemoryFeed, MemoryRequests
from dcacore.adapters.memory._identity import (
    MemoryApiTokens,
    MemoryGatheredNews,
    MemoryMailLinks,
    MemoryOutbox,
    MemorySessions,
    MemoryThrottle,
    MemoryWishes,
)
from dcacore.adapters.memory._leases import MemoryLeases, fence
from dcacore.adapters.memory._orders import MemoryFills, MemoryIntents
from dcacore.adapters.memory._people import MemoryAccounts, MemoryUsers
from dcacore.adapters.memory._signals import MemorySignals
from dcacore.adapters.memory._tables import Draft, Tables
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Conflict
from dcacore.ports.records import Lease
from dcacore.ports.store import Store, Work


class MemoryStore(Store):
    """A database in memory.

    Attributes:
        clock: what leases are measured by.
    """

    def __init__(self, clock: Clock, epoch: str = "memory") -> None:
        """Begin empty.

        Args:
            clock: what leases are measured by.
            epoch: six characters; the same ones make a simulation the same in every run.
        """
        self.clock = clock
        self._epoch = epoch
        self._tables = Tables()
        self._writing = asyncio.Lock()

    def begin(self, lease: Lease | None = None, *, reads_only: bool = False) -> AbstractAsyncContextManager[MemoryWork]:
        return self._work(lease, reads_only=reads_only)

    @asynccontextmanager
    async def _work(self, lease: Lease | None, *, reads_only: bool) -> AsyncIterator[MemoryWork]:
        async with AsyncExitStack() as stack:
            if not reads_only:
                await stack.enter_async_context(self._writing)
            draft = Draft(attrs.evolve(self._tables), is_reading=reads_only)
            if lease is not None:
                fence(draft, lease)
            yield MemoryWork(self, draft)

    async def check(self) -> None:
        """Do nothing: it is always as this program wants it."""

    async def epoch(self) -> str:
        return self._epoch

    async def close(self) -> None:
        """Do nothing: it ends with the process."""

    def put(self, tables: Tables) -> None:
        """Put a work's tables in the place of those before."""
        self._tables = tables


class MemoryWork(Work):
    """One transaction."""

    def __init__(self, store: MemoryStore, draft: Draft) -> None:
        self._store = store
        self._draft = draft

    @property
    def users(self) -> MemoryUsers:
        return MemoryUsers(self._draft)

    @property
    def accounts(self) -> MemoryAccounts:
        return MemoryAccounts(self._draft)

    @property
    def bots(self) -> MemoryBots:
        return MemoryBots(self._draft)

    @property
    def deals(self) -> MemoryDeals:
        return MemoryDeals(self._draft)

    @property
    def intents(self) -> MemoryIntents:
        return MemoryIntents(self._draft)

    @property
    def fills(self) -> MemoryFills:
        return MemoryFills(self._draft)

    @property
    def requests(self) -> MemoryRequests:
        return MemoryRequests(self._draft)

    @property
    def feed(self) -> MemoryFeed:
        return MemoryFeed(self._draft)

    @property
    def leases(self) -> MemoryLeases:
        return MemoryLeases(self._draft, self._store.clock)

    @property
    def sessions(self) -> MemorySessions:
        return MemorySessions(self._draft)

    @property
    def mail_links(self) -> MemoryMailLinks:
        return MemoryMailLinks(self._draft)

    @property
    def throttle(self) -> MemoryThrottle:
        return MemoryThrottle(self._draft)

    @property
    def outbox(self) -> MemoryOutbox:
        return MemoryOutbox(self._draft)

    @property
    def gathered(self) -> MemoryGatheredNews:
        return MemoryGatheredNews(self._draft)

    @property
    def api_tokens(self) -> MemoryApiTokens:
        return MemoryApiTokens(self._draft)

    @property
    def wishes(self) -> MemoryWishes:
        return MemoryWishes(self._draft)

    @property
    def signals(self) -> MemorySignals:
        return MemorySignals(self._draft)

    @property
    def census(self) -> MemoryCensus:
        return MemoryCensus(self._draft)

    @property
    def backtests(self) -> MemoryBacktests:
        return MemoryBacktests(self._draft)

    @property
    def customers(self) -> MemoryCustomers:
        return MemoryCustomers(self._draft)

    @property
    def subscriptions(self) -> MemorySubscriptions:
        return MemorySubscriptions(self._draft)

    @property
    def billing_inbox(self) -> MemoryBillingInbox:
        return MemoryBillingInbox(self._draft)

    @property
    def plan_pauses(self) -> MemoryPlanPauses:
        return MemoryPlanPauses(self._draft)

    async def commit(self) -> None:
        draft, tables = self._draft, self._draft.tables
        if any(one not in tables.intents and one not in tables.deals for one in draft.loose):
            raise Conflict("what was to be stored is there already, or something that it belongs to is not")
        for deal_id in draft.dropped:
            orders = [tables.intents[order_id] for order_id in tables.deal_orders.get(deal_id, ())]
            if not all(intent.has_ended for intent in orders):
                raise Conflict(f"the bot has another open deal, {deal_id}")
        if not draft.is_reading:
            self._store.put(attrs.evolve(tables))
            self._draft = Draft(attrs.evolve(tables))  # whoever goes on after a commit begins anew
