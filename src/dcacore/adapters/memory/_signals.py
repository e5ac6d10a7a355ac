"""The bots' secrets for signals."""

from __future__ import annotations

import datetime

import attrs

from dcacore.adapters.memory._tables import Draft, sound
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import Digest
from dcacore.ports.signals import SignalKey, Signals


@attrs.frozen
class MemorySignals(Signals):
    """The bots' secrets for signals."""

    draft: Draft

    async def put(self, signal: SignalKey) -> None:
        tables = self.draft.tables
        sound(signal)
        is_taken = any(it.key == signal.key and it.bot_id != signal.bot_id for it in tables.signals.values())
        if signal.bot_id not in tables.bots or is_taken:
            raise Conflict("there is such a secret already, or no such bot")
        self.draft.writable(tables.signals)[signal.bot_id] = signal

    async def find(self, key: Digest) -> SignalKey | None:
        return next((it for it in self.draft.tables.signals.values() if it.key == key), None)

    async def of(self, bot_id: BotId) -> SignalKey | None:
        return self.draft.tables.signals.get(bot_id)

    async def use(self, key: Digest, at: datetime.datetime) -> None:
        found = await self.find(key)
        if found is not None:
            used = attrs.evolve(found, used_at=at)
            sound(used)
            self.draft.writable(self.draft.tables.signals)[found.bot_id] = used

    async def revoke(self, bot_id: BotId) -> bool:
        return self.draft.writable(self.draft.tables.signals).pop(bot_id, None) is not None

    async def revoke_all(self, user_id: UserId) -> int:
        tables = self.draft.tables
        theirs = [bot_id for bot_id in tables.signals if tables.bots[bot_id].user_id == user_id]
        for bot_id in theirs:
            await self.revoke(bot_id)
        return len(theirs)
