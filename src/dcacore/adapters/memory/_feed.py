"""Requests, and what people read."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

import attrs

from dcacore.adapters.memory._tables import Draft, sound
from dcacore.domain.ids import AccountId, BotId, RequestId, UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.readings import LineFilter, Pulse
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
        return await self.lines(user_id, LineFilter(bot_id=bot_id), limit=limit, before=before)

    async def lines(
        self, user_id: UserId, wanted: LineFilter, *, limit: int = 100, before: int | None = None
    ) -> tuple[Activity, ...]:
        theirs = [line for line in reversed(self.draft.tables.activity.values()) if line.user_id == user_id]
        earlier = [self._placed(line) for line in theirs if before is None or line.number < before]
        return tuple([line for line in earlier if _is_wanted(line, wanted)][:limit])

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

    async def notifications(
        self, user_id: UserId, *, limit: int = 100, before: int | None = None
    ) -> tuple[Notification, ...]:
        theirs = [one for one in reversed(self.draft.tables.notifications.values()) if one.user_id == user_id]
        return tuple([one for one in theirs if before is None or one.number < before][:limit])

    async def mark_read(self, user_id: UserId, at: datetime.datetime, *, number: int | None = None) -> None:
        table = self.draft.writable(self.draft.tables.notifications)
        for key, one in table.items():
            if one.user_id == user_id and one.read_at is None and number in {None, key}:
                read = attrs.evolve(one, read_at=at)
                sound(read)
                table[key] = read

    async def pulse(self, user_id: UserId) -> Pulse:
        tables = self.draft.tables
        lines = [number for number, line in tables.activity.items() if line.user_id == user_id]
        notes = {number: one for number, one in tables.notifications.items() if one.user_id == user_id}
        return Pulse(
            line=max(lines, default=0),
            notification=max(notes, default=0),
            unread=sum(one.read_at is None for one in notes.values()),
        )

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


def _is_wanted(line: Activity, wanted: LineFilter) -> bool:
    return (
        wanted.bot_id in {None, line.bot_id}
        and (not wanted.levels or line.level in wanted.levels)
        and (not wanted.kinds or line.kind in wanted.kinds)
        and wanted.environment in {None, line.environment}
        and (wanted.since is None or line.at >= wanted.since)
        and (wanted.until is None or line.at < wanted.until)
    )


def _next(table: dict[int, Notification] | dict[int, Reconciliation] | dict[int, Activity]) -> int:
    return next(reversed(table), 0) + 1  # they are added in the order of their numbers
