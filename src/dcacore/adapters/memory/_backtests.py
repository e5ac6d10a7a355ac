"""The backtests that users have asked for."""

from __future__ import annotations

import datetime

import attrs

from dcacore.adapters.memory._tables import Draft, StoredRun, sound
from dcacore.domain.ids import UserId
from dcacore.ports.backtests import BacktestRun, BacktestRuns, Outcome
from dcacore.ports.errors import Conflict


@attrs.frozen
class MemoryBacktests(BacktestRuns):
    """The backtests."""

    draft: Draft

    async def add(self, run: BacktestRun) -> None:
        sound(run)
        tables = self.draft.tables
        if run.id in tables.backtests or run.user_id not in tables.users:
            raise Conflict("there is such a backtest already, or no such user")
        self.draft.writable(tables.backtests)[run.id] = StoredRun(run)

    async def save(self, run: BacktestRun, outcome: Outcome | None = None) -> None:
        sound(run)
        stored = self.draft.tables.backtests.get(run.id)
        if stored is not None:
            kept = StoredRun(run, outcome or stored.outcome)
            self.draft.writable(self.draft.tables.backtests)[run.id] = kept

    async def get(self, user_id: UserId, run_id: str) -> BacktestRun | None:
        stored = self._find(user_id, run_id)
        return None if stored is None else stored.run

    async def outcome(self, user_id: UserId, run_id: str) -> Outcome | None:
        stored = self._find(user_id, run_id)
        return None if stored is None else stored.outcome

    async def of(self, user_id: UserId) -> tuple[BacktestRun, ...]:
        theirs = [it.run for it in self.draft.tables.backtests.values() if it.run.user_id == user_id]
        return tuple(sorted(theirs, key=lambda run: (run.asked_at, run.id), reverse=True))

    async def see(self, run_id: str, at: datetime.datetime) -> None:
        stored = self.draft.tables.backtests.get(run_id)
        if stored is not None:
            seen = attrs.evolve(stored, run=attrs.evolve(stored.run, seen_at=at))
            self.draft.writable(self.draft.tables.backtests)[run_id] = seen

    async def remove(self, user_id: UserId, run_id: str) -> bool:
        if self._find(user_id, run_id) is None:
            return False
        del self.draft.writable(self.draft.tables.backtests)[run_id]
        return True

    def _find(self, user_id: UserId, run_id: str) -> StoredRun | None:
        stored = self.draft.tables.backtests.get(run_id)
        return stored if stored is not None and stored.run.user_id == user_id else None
