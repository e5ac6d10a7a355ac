"""Requests, and what people read."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

import attrs

from dcacore.adapters.memory._tables import Draft, sound
from dcacore.domain.ids import AccountId, BotId, RequestId, UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.records import Activity, DayTotal, Notification, Reconciliation, Request
from dcacore.ports.store import Feed, Requests


@attrs.frozen
class MemoryRequests(Requests):
    """What users have asked of bots."""

    draft: Draft

    async def add(self, request: Request) -> None:
        tables = self.draft.tables
        sound(request)
        if request.bot_id not in tables.bots or request.id in tables.requests:
            raise Conflict("there is no such bot")
        self.draft.writable(tables.requests)[request.id] = attrs.evolve(request, details=dict(request.details))

    async def get(self, request_id: RequestId) -> Request | None:
        return self.draft.tables.requests.get(request_id)

    async def waiting(self) -> tuple[Request, ...]:
        waits = [request for request in self.draft.tables.requests.values() if request.done_at is None]
        return tuple(sorted(waits, key=lambda request: (request.asked_at, request.id)))

    async def settle(self, request_id: RequestId, at: datetime.datetime, refusal: str = "") -> None:
        request = self.draft.tables.requests.get(request_id)
        if request is not None and request.done_at is None:
            settled = attrs.evolve(request, done_at=at, refusal=refusal)
            sound(settled)
            self.draft.writable(self.draft.tables.requests)[request_id] = settled


@attrs.frozen
class MemoryFeed(Feed):
    """What people read."""

    draft: Draft

    async def add_activity(self, lines: Sequence[Activity]) -> None:
        for line in lines:
            self._refuse_strangers(line)
            table = self.draft.writable(self.draft.tables.activity)
            number = _next(table)
            table[number] = attrs.evolve(line, number=number)

    def _refuse_strangers(self, line: Activity | Notification) -> None:
        tables = self.draft.tables
        sound(line)
        if line.user_id not in tables.users or (line.bot_id is not None and line.bot_id not in tables.bots):
            raise Conflict("there is no such user or bot")

    async def activity(
        self, user_id: UserId, *, bot_id: BotId | None = None, limit: int = 100, before: int | None = None
    ) -> tuple[Activity, ...]:
        wanted = [
            line
            for line in reversed(self.draft.tables.activity.values())
            if line.user_id == user_id
            and (bot_id is None or line.bot_id == bot_id)
            and (before is None or line.number < before)
        ]
        return tuple([self._placed(line) for line in wanted[:limit]])

    def _placed(self, line: Activity) -> Activity:
        tables = self.draft.tables
        if line.environment is not None or line.bot_id is None:
            return line
        return attrs.evolve(line, environment=tables.accounts[tables.bots[line.bot_id].account_id].environment)

    async def add_notifications(self, notifications: Sequence[Notification]) -> None:
        for notification in notifications:
            self._refuse_strangers(notification)
            table = self.draft.writable(self.draft.tables.notifications)
            number = _next(table)
            table[number] = attrs.evolve(notification, number=number)

    async def notifications(self, user_id: UserId, *, limit: int = 100) -> tuple[Notification, ...]:
        theirs = [one for one in reversed(self.draft.tables.notifications.values()) if one.user_id == user_id]
        return tuple(theirs[:limit])

    async def mark_read(self, user_id: UserId, at: datetime.datetime) -> None:
        table = self.draft.writable(self.draft.tables.notifications)
        for number, one in table.items():
            if one.user_id == user_id and one.read_at is None:
                read = attrs.evolve(one, read_at=at)
                sound(read)
                table[number] = read

    async def add_reconciliation(self, found: Reconciliation) -> None:
        sound(found)
        if found.account_id not in self.draft.tables.accounts:
            raise Conflict("there is no such account")
        table = self.draft.writable(self.draft.tables.reconciliations)
        number = _next(table)
        table[number] = attrs.evolve(found, number=number)

    async def reconciliations(self, account_id: AccountId, *, limit: int = 20) -> tuple[Reconciliation, ...]:
        theirs = [one for one in reversed(self.draft.tables.reconciliations.values()) if one.account_id == account_id]
        return tuple(theirs[:limit])

    async def totals(self, bot_ids: Iterable[BotId]) -> tuple[DayTotal, ...]:
        wanted = set(bot_ids)
        found = [
            DayTotal(bot_id=bot_id, quote_asset=asset, day=day, totals=totals)
            for (bot_id, asset, day), totals in self.draft.tables.days.items()
            if bot_id in wanted
        ]
        return tuple(sorted(found, key=lambda total: (total.day, total.quote_asset, total.bot_id)))


def _next(table: dict[int, Notification] | dict[int, Reconciliation] | dict[int, Activity]) -> int:
    return next(reversed(table), 0) + 1  # they are added in the order of their numbers
