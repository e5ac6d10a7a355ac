"""Requests, and what people read: activity, notifications, reconciliations, totals."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs
from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, func, insert, or_, select, update

from dcacore.adapters.sqlalchemy import _feed_values as made
from dcacore.adapters.sqlalchemy._people_rows import (
    AccountRow,
    ActivityRow,
    DayTotalRow,
    NotificationRow,
    ReconciliationRow,
    RequestRow,
)
from dcacore.adapters.sqlalchemy._rows import BotRow
from dcacore.adapters.sqlalchemy._session import Session, chunks
from dcacore.domain.ids import AccountId, BotId, RequestId, UserId
from dcacore.ports.readings import LineFilter, Pulse
from dcacore.ports.records import Activity, DayTotal, Notification, Reconciliation, Request
from dcacore.ports.store import Feed, Requests

_REQUESTS: Final = RequestRow.__table__
_LINES: Final = ActivityRow.__table__
_NOTES: Final = NotificationRow.__table__
_FOUND: Final = ReconciliationRow.__table__
_DAYS: Final = DayTotalRow.__table__
_BOTS: Final = BotRow.__table__
_ACCOUNTS: Final = AccountRow.__table__

_THIS: Final[BindParameter[str]] = bindparam("this")
_IDS: Final[BindParameter[Sequence[str]]] = bindparam("ids", expanding=True)
_ADD_REQUEST: Final = insert(_REQUESTS)
_REQUEST: Final = select(_REQUESTS).where(_REQUESTS.c.id == _THIS)
_WAITING: Final = select(_REQUESTS).where(_REQUESTS.c.done_at.is_(None)).order_by(_REQUESTS.c.asked_at, _REQUESTS.c.id)
_SETTLE: Final = update(_REQUESTS).where(_REQUESTS.c.id == _THIS, _REQUESTS.c.done_at.is_(None))
_ADD_LINES: Final = insert(_LINES)
# A bot's lines are where its account is; the column serves those that no bot has.
_PLACE: Final[ColumnElement[str]] = func.coalesce(_LINES.c.environment, _ACCOUNTS.c.environment)
_NEWEST_LINES: Final = (
    select(*[column for column in _LINES.c if column.name != "environment"], _PLACE.label("environment"))
    .select_from(
        _LINES.outerjoin(_BOTS, _BOTS.c.id == _LINES.c.bot_id).outerjoin(
            _ACCOUNTS, _ACCOUNTS.c.id == _BOTS.c.account_id
        )
    )
    .where(_LINES.c.user_id == _THIS)
    .order_by(_LINES.c.number.desc())
    .limit(bindparam("most"))
)
_ADD_NOTES: Final = insert(_NOTES)
_NEWEST_NOTES: Final = (
    select(_NOTES).where(_NOTES.c.user_id == _THIS).order_by(_NOTES.c.number.desc()).limit(bindparam("most"))
)
_MARK_READ: Final = update(_NOTES).where(_NOTES.c.user_id == _THIS, _NOTES.c.read_at.is_(None))
_PULSE: Final = select(
    select(func.max(_LINES.c.number)).where(_LINES.c.user_id == _THIS).scalar_subquery().label("line"),
    select(func.max(_NOTES.c.number)).where(_NOTES.c.user_id == _THIS).scalar_subquery().label("notification"),
    select(func.count())
    .select_from(_NOTES)
    .where(_NOTES.c.user_id == _THIS, _NOTES.c.read_at.is_(None))
    .scalar_subquery()
    .label("unread"),
)
_ADD_FOUND: Final = insert(_FOUND)
_NEWEST_FOUND: Final = (
    select(_FOUND).where(_FOUND.c.account_id == _THIS).order_by(_FOUND.c.number.desc()).limit(bindparam("most"))
)
_TOTALS: Final = select(_DAYS).where(_DAYS.c.bot_id.in_(_IDS))


@attrs.frozen
class SqlRequests(Requests):
    """What users have asked of bots."""

    session: Session

    async def add(self, request: Request) -> None:
        await self.session.write(_ADD_REQUEST, made.request_values(request), "there is no such bot")

    async def get(self, request_id: RequestId) -> Request | None:
        found = await self.session.read(RequestRow, _REQUEST, {"this": request_id})
        return made.request_of(found[0]) if found else None

    async def waiting(self) -> tuple[Request, ...]:
        return tuple([made.request_of(row) for row in await self.session.read(RequestRow, _WAITING)])

    async def settle(self, request_id: RequestId, at: datetime.datetime, refusal: str = "") -> None:
        await self.session.write(_SETTLE, {"this": request_id, "done_at": at, "refusal": refusal})


def _conditions(wanted: LineFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.bot_id is not None:
        yield _LINES.c.bot_id == wanted.bot_id
    if wanted.levels:
        yield _LINES.c.level.in_(sorted(level.value for level in wanted.levels))
    if wanted.kinds:
        yield _LINES.c.kind.in_(sorted(wanted.kinds))
    if wanted.environment is not None:
        there = wanted.environment.value
        bots = select(_BOTS.c.id).join(_ACCOUNTS, _ACCOUNTS.c.id == _BOTS.c.account_id)
        here = bots.where(_BOTS.c.user_id == _THIS, _ACCOUNTS.c.environment == there)
        # The same as _PLACE, but found once, and not for each line that is passed over.
        is_a_bots = and_(_LINES.c.environment.is_(None), _LINES.c.bot_id.in_(here))
        yield or_(_LINES.c.environment == there, is_a_bots)
    if wanted.since is not None:
        yield _LINES.c.at >= wanted.since
    if wanted.until is not None:
        yield _LINES.c.at < wanted.until


@attrs.frozen
class SqlFeed(Feed):
    """What people read."""

    session: Session

    async def add_activity(self, lines: Sequence[Activity]) -> None:
        if lines:
            await self.session.write(_ADD_LINES, [made.activity_values(line) for line in lines])

    async def activity(
        self, user_id: UserId, *, bot_id: BotId | None = None, limit: int = 100, before: int | None = None
    ) -> tuple[Activity, ...]:
        return await self.lines(user_id, LineFilter(bot_id=bot_id), limit=limit, before=before)

    async def lines(
        self, user_id: UserId, wanted: LineFilter, *, limit: int = 100, before: int | None = None
    ) -> tuple[Activity, ...]:
        statement = _NEWEST_LINES.where(*_conditions(wanted))
        if before is not None:
            statement = statement.where(_LINES.c.number < before)
        values = {"this": user_id, "most": limit}
        return tuple([made.activity_of(row) for row in await self.session.read(ActivityRow, statement, values)])

    async def add_notifications(self, notifications: Sequence[Notification]) -> None:
        if notifications:
            await self.session.write(_ADD_NOTES, [made.notification_values(one) for one in notifications])

    async def notifications(
        self, user_id: UserId, *, limit: int = 100, before: int | None = None
    ) -> tuple[Notification, ...]:
        statement = _NEWEST_NOTES if before is None else _NEWEST_NOTES.where(_NOTES.c.number < before)
        rows = await self.session.read(NotificationRow, statement, {"this": user_id, "most": limit})
        return tuple([made.notification_of(row) for row in rows])

    async def mark_read(self, user_id: UserId, at: datetime.datetime, *, number: int | None = None) -> None:
        statement = _MARK_READ if number is None else _MARK_READ.where(_NOTES.c.number == number)
        await self.session.write(statement, {"this": user_id, "read_at": at})

    async def pulse(self, user_id: UserId) -> Pulse:
        (row,) = await self.session.read_any(_PULSE, {"this": user_id})
        return Pulse(line=row.line or 0, notification=row.notification or 0, unread=row.unread)

    async def add_reconciliation(self, found: Reconciliation) -> None:
        await self.session.write(_ADD_FOUND, made.reconciliation_values(found))

    async def reconciliations(self, account_id: AccountId, *, limit: int = 20) -> tuple[Reconciliation, ...]:
        rows = await self.session.read(ReconciliationRow, _NEWEST_FOUND, {"this": account_id, "most": limit})
        return tuple([made.reconciliation_of(row) for row in rows])

    async def totals(self, bot_ids: Iterable[BotId]) -> tuple[DayTotal, ...]:
        rows: list[DayTotalRow] = []
        for ids in chunks(bot_ids):
            rows += await self.session.read(DayTotalRow, _TOTALS, {"ids": ids})
        return tuple(
            sorted(map(made.day_total_of, rows), key=lambda total: (total.day, total.quote_asset, total.bot_id))
        )
