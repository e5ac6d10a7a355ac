"""Who acts for which bot: the only engine over a database for all, or each of several for those it has leased."""

from __future__ import annotations

import asyncio
import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import attrs

from dcacore.domain.ids import BotId
from dcacore.ports.records import Lease
from dcacore.ports.store import Store


@attrs.frozen(kw_only=True)
class Pace:
    """How long rights last; whoever shortens it keeps the order: look, give up, run out.

    Attributes:
        ttl: how long a lease lasts that is not renewed.
        look_every_s: how often leases are renewed, and bots shared out anew.
        give_up_after_s: an engine that could not renew for so long acts for no bot any more.
    """

    ttl: datetime.timedelta = datetime.timedelta(seconds=30)
    look_every_s: float = 10
    give_up_after_s: float = 20


USUAL_PACE: Final = Pace()


class Ownership(Protocol):
    """Decides which bots this engine acts for."""

    async def claim(self, wanted: Sequence[BotId]) -> Mapping[BotId, Lease | None]:
        """Return those of the bots to run that this engine acts for from now on, each with its lease if there are any.

        Bots that were returned before and are not now must be let go of.

        Raises:
            StoreUnavailable: nothing is known; what was claimed before holds until its leases run out.
        """

    async def release(self, bot_ids: Sequence[BotId]) -> None:
        """Let others act for these bots.

        Raises:
            StoreUnavailable: nobody knows of it; what has leases is still this engine's.
        """

    async def leave(self) -> None:
        """Let others act for all of them; this engine ends."""


@attrs.define
class SoleOwner(Ownership):
    """The only engine over its database; something else sees to that."""

    _store: Store
    _name: str

    async def claim(self, wanted: Sequence[BotId]) -> Mapping[BotId, Lease | None]:
        async with self._store.begin() as work:
            await work.leases.report(self._name, len(wanted))
            await work.commit()
        return dict.fromkeys(wanted)

    async def release(self, bot_ids: Sequence[BotId]) -> None:
        pass

    async def leave(self) -> None:
        async with self._store.begin() as work:
            await work.leases.forget(self._name)
            await work.commit()


@attrs.define
class LeaseOwner(Ownership):
    """One of several engines over a database: each takes its share of the bots, and what a dead one leaves behind."""

    _store: Store
    _name: str
    pace: Pace = USUAL_PACE
    _leases: dict[BotId, Lease] = attrs.field(factory=dict, init=False)
    _changing: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)  # else one would undo what another noted

    async def claim(self, wanted: Sequence[BotId]) -> Mapping[BotId, Lease | None]:
        async with self._changing:
            return await self._claim(wanted)

    async def _claim(self, wanted: Sequence[BotId]) -> Mapping[BotId, Lease | None]:
        ttl = self.pace.ttl
        async with self._store.begin() as work:
            await work.leases.report(self._name, len(self._leases))
            kept = await work.leases.renew([self._leases[bot_id] for bot_id in self._leases], ttl)
            engines = await work.leases.engines(ttl)
            share = math.ceil(len(wanted) / max(1, len({self._name, *(engine.name for engine in engines)})))
            leases = {lease.bot_id: lease for lease in kept}
            own = [bot_id for bot_id in wanted if bot_id in leases][:share]
            if len(own) < share:
                held = {lease.bot_id for lease in await work.leases.held()}
                free = [bot_id for bot_id in wanted if bot_id not in held]
                got = await work.leases.take(free[: share - len(own)], self._name, ttl)
                leases.update((lease.bot_id, lease) for lease in got)
                own += [lease.bot_id for lease in got]
            await work.commit()
        self._leases = leases  # those beyond the share stay leased until the engine has let go of their bots
        return {bot_id: leases[bot_id] for bot_id in own}

    async def release(self, bot_ids: Sequence[BotId]) -> None:
        async with self._changing:
            leases = [lease for bot_id in bot_ids if (lease := self._leases.get(bot_id)) is not None]
            if leases:
                async with self._store.begin() as work:
                    await work.leases.release(leases)
                    await work.commit()
            for lease in leases:
                del self._leases[lease.bot_id]

    async def leave(self) -> None:
        await self.release(tuple(self._leases))
        async with self._store.begin() as work:
            await work.leases.forget(self._name)
            await work.commit()
