"""Who acts for which bot."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import attrs

from dcacore.adapters.memory._tables import Draft, StoredLease
from dcacore.domain.ids import BotId
from dcacore.ports.clock import Clock
from dcacore.ports.errors import LeaseLost
from dcacore.ports.health import Health
from dcacore.ports.records import EngineRecord, Environment, Lease
from dcacore.ports.store import Leases


def fence(draft: Draft, lease: Lease) -> None:
    """Make sure that *lease* still stands.

    Raises:
        LeaseLost: it does not.
    """
    stored = draft.tables.leases.get(lease.bot_id)
    if stored is None or stored.lease != lease:
        raise LeaseLost(f"another engine acts for bot {lease.bot_id}")


@attrs.frozen
class MemoryLeases(Leases):
    """Who acts for which bot, and which engines there are."""

    draft: Draft
    clock: Clock

    async def take(self, bot_ids: Sequence[BotId], owner: str, ttl: datetime.timedelta) -> tuple[Lease, ...]:
        tables, now, taken = self.draft.tables, self.clock.now(), list[Lease]()
        for bot_id in sorted(set(bot_ids) & tables.bots.keys()):
            stored = tables.leases.get(bot_id)
            if stored is None or stored.expires_at <= now:
                lease = Lease(bot_id=bot_id, owner=owner, token=1 + (stored.lease.token if stored else 0))
                self.draft.writable(tables.leases)[bot_id] = StoredLease(lease, now + ttl)
                taken.append(lease)
        return tuple(taken)

    async def renew(self, leases: Sequence[Lease], ttl: datetime.timedelta) -> tuple[Lease, ...]:
        theirs = self._theirs(leases)
        for lease in theirs:
            table = self.draft.writable(self.draft.tables.leases)
            table[lease.bot_id] = StoredLease(lease, self.clock.now() + ttl)
        return theirs

    async def release(self, leases: Sequence[Lease]) -> None:
        for lease in self._theirs(leases):
            table = self.draft.writable(self.draft.tables.leases)
            table[lease.bot_id] = StoredLease(attrs.evolve(lease, owner=""), self.clock.now())

    def _theirs(self, leases: Sequence[Lease]) -> tuple[Lease, ...]:
        table = self.draft.tables.leases
        return tuple([lease for lease in leases if lease.bot_id in table and table[lease.bot_id].lease == lease])

    async def held(self) -> tuple[Lease, ...]:
        now = self.clock.now()
        held = [one.lease for one in self.draft.tables.leases.values() if one.expires_at > now and one.lease.owner]
        return tuple(sorted(held, key=lambda lease: lease.bot_id))

    async def report(self, name: str, bots: int) -> None:
        before = self.draft.tables.engines.get(name)
        health = {} if before is None else before.health
        engine = EngineRecord(name=name, seen_at=self.clock.now(), bots=bots, health=health)
        self.draft.writable(self.draft.tables.engines)[name] = engine

    async def report_health(self, name: str, health: Mapping[Environment, Health]) -> None:
        if (engine := self.draft.tables.engines.get(name)) is not None:
            table = self.draft.writable(self.draft.tables.engines)
            table[name] = attrs.evolve(engine, health=dict(health))

    async def engines(self, within: datetime.timedelta) -> tuple[EngineRecord, ...]:
        since = self.clock.now() - within
        found = [engine for engine in self.draft.tables.engines.values() if engine.seen_at >= since]
        return tuple(sorted(found, key=lambda engine: engine.name))

    async def forget(self, name: str) -> None:
        self.draft.writable(self.draft.tables.engines).pop(name, None)
