"""Who acts for which bot."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Final

import attrs
from sqlalchemy import bindparam, delete, literal, select, tuple_, update

from dcacore.adapters.sqlalchemy._errors import making_sense_of
from dcacore.adapters.sqlalchemy._people_rows import EngineRow, LeaseRow
from dcacore.adapters.sqlalchemy._rows import BotRow
from dcacore.adapters.sqlalchemy._session import Session, chunks, insert_into
from dcacore.adapters.sqlalchemy._texts import health_of, health_to_text
from dcacore.domain.ids import BotId
from dcacore.ports.errors import LeaseLost
from dcacore.ports.health import Health
from dcacore.ports.records import EngineRecord, Environment, Lease
from dcacore.ports.store import Leases

_LEASES: Final = LeaseRow.__table__
_ENGINES: Final = EngineRow.__table__
_BOTS: Final = BotRow.__table__
_NOBODY: Final = ""

_FENCE: Final = select(_LEASES).where(_LEASES.c.bot_id == bindparam("this")).with_for_update(read=True)


async def fence(session: Session, lease: Lease) -> None:
    """Make sure that *lease* still stands, and that nobody can take it before the transaction ends.

    Raises:
        LeaseLost: it does not.
    """
    found = await session.read(LeaseRow, _FENCE, {"this": lease.bot_id})
    if not found or found[0].owner != lease.owner or found[0].token != lease.token:
        raise LeaseLost(f"another engine acts for bot {lease.bot_id}")


@attrs.frozen
class SqlLeases(Leases):
    """Who acts for which bot, and which engines there are."""

    session: Session

    async def take(self, bot_ids: Sequence[BotId], owner: str, ttl: datetime.timedelta) -> tuple[Lease, ...]:
        session, taken = self.session, list[Lease]()
        for ids in chunks(sorted(bot_ids)):  # in one order, or two engines could wait for each other
            until = session.now(ttl)
            known = select(_LEASES).where(_LEASES.c.bot_id.in_(ids))
            busy = {row.bot_id for row in await session.read(LeaseRow, known)}
            # Whoever is in the middle of a turn keeps its bot, and keeps nobody waiting: it may be standing still.
            busy -= {row.bot_id for row in await session.read(LeaseRow, known.with_for_update(skip_locked=True))}
            idle = [bot_id for bot_id in ids if bot_id not in busy]
            free = select(_BOTS.c.id, literal(owner), literal(1), until).where(_BOTS.c.id.in_(idle))
            free = free.order_by(_BOTS.c.id)
            statement = insert_into(_LEASES, session.dialect).from_select(
                ["bot_id", "owner", "token", "expires_at"], free
            )
            again = {"owner": owner, "token": _LEASES.c.token + 1, "expires_at": statement.excluded.expires_at}
            upsert = statement.on_conflict_do_update(
                index_elements=[_LEASES.c.bot_id], set_=again, where=_LEASES.c.expires_at <= session.now()
            ).returning(_LEASES)
            taken += [_lease_of(row) for row in await session.read(LeaseRow, upsert)]
        return tuple(taken)

    async def renew(self, leases: Sequence[Lease], ttl: datetime.timedelta) -> tuple[Lease, ...]:
        return await self._change(leases, {"expires_at": self.session.now(ttl)})

    async def release(self, leases: Sequence[Lease]) -> None:
        await self._change(leases, {"expires_at": self.session.now(), "owner": _NOBODY})

    async def _change(self, leases: Sequence[Lease], values: dict[str, object]) -> tuple[Lease, ...]:
        changed: set[str] = set()
        for part in chunks(sorted(leases, key=lambda lease: lease.bot_id)):
            keys = [(lease.bot_id, lease.owner, lease.token) for lease in part]
            is_theirs = tuple_(_LEASES.c.bot_id, _LEASES.c.owner, _LEASES.c.token).in_(keys)
            statement = update(_LEASES).where(is_theirs).values(values).returning(_LEASES.c.bot_id)
            changed |= {row.bot_id for row in await self.session.read(LeaseRow, statement)}
        return tuple([lease for lease in leases if lease.bot_id in changed])

    async def held(self) -> tuple[Lease, ...]:
        statement = select(_LEASES).where(_LEASES.c.expires_at > self.session.now(), _LEASES.c.owner != _NOBODY)
        return tuple(
            [_lease_of(row) for row in await self.session.read(LeaseRow, statement.order_by(_LEASES.c.bot_id))]
        )

    async def report(self, name: str, bots: int) -> None:
        statement = insert_into(_ENGINES, self.session.dialect).values(name=name, bots=bots, seen_at=self.session.now())
        again = {"bots": statement.excluded.bots, "seen_at": statement.excluded.seen_at}
        await self.session.write(statement.on_conflict_do_update(index_elements=[_ENGINES.c.name], set_=again))

    async def report_health(self, name: str, health: Mapping[Environment, Health]) -> None:
        statement = update(_ENGINES).where(_ENGINES.c.name == name)
        await self.session.write(statement.values(health=health_to_text(health)))

    async def engines(self, within: datetime.timedelta) -> tuple[EngineRecord, ...]:
        rows = await self.session.read(
            EngineRow, select(_ENGINES).where(_ENGINES.c.seen_at >= self.session.now(-within))
        )
        with making_sense_of("an engine"):
            found = [
                EngineRecord(name=row.name, seen_at=row.seen_at, bots=row.bots, health=health_of(row.health))
                for row in rows
            ]
        return tuple(sorted(found, key=lambda engine: engine.name))

    async def forget(self, name: str) -> None:
        await self.session.write(delete(_ENGINES).where(_ENGINES.c.name == name))


def _lease_of(row: LeaseRow) -> Lease:
    return Lease(bot_id=BotId(row.bot_id), owner=row.owner, token=row.token)
