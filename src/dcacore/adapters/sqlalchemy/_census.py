"""What there is of everybody, counted by the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import attrs
from sqlalchemy import Select, case, func, select

from dcacore.adapters.sqlalchemy._errors import making_sense_of
from dcacore.adapters.sqlalchemy._identity_rows import OutboxRow, SessionRow
from dcacore.adapters.sqlalchemy._people import user_of
from dcacore.adapters.sqlalchemy._people_rows import RequestRow, UserRow
from dcacore.adapters.sqlalchemy._rows import BotRow, IntentRow
from dcacore.adapters.sqlalchemy._session import Session
from dcacore.adapters.sqlalchemy._texts import trouble_of
from dcacore.domain.bot import Phase, Wanted, state_shown
from dcacore.domain.intents import IntentState
from dcacore.ports.census import Census, MailCount, UserLine, UserPage, UserQuery

_USERS: Final = UserRow.__table__
_SESSIONS: Final = SessionRow.__table__
_BOTS: Final = BotRow.__table__
_ORDERS: Final = IntentRow.__table__
_REQUESTS: Final = RequestRow.__table__
_OUTBOX: Final = OutboxRow.__table__

_BOTS_OF: Final = (
    select(func.count()).select_from(_BOTS).where(_BOTS.c.user_id == _USERS.c.id).correlate(_USERS).scalar_subquery()
)
_SEEN: Final = (
    select(func.max(_SESSIONS.c.seen_at)).where(_SESSIONS.c.user_id == _USERS.c.id).correlate(_USERS).scalar_subquery()
)
_STATES: Final = (_BOTS.c.trouble, _BOTS.c.wanted, _BOTS.c.phase)
_BY_STATE: Final = select(*_STATES, func.count().label("many")).group_by(*_STATES)
_BY_ORDER: Final = (
    select(_ORDERS.c.state, func.count().label("many")).where(~_ORDERS.c.has_ended).group_by(_ORDERS.c.state)
)
_WAITING_REQUESTS: Final = select(func.count().label("many")).where(_REQUESTS.c.done_at.is_(None))
_WAITS: Final = _OUTBOX.c.sent_at.is_(None) & _OUTBOX.c.failed_at.is_(None)
_WAITING: Final = select(
    func.count().label("waiting"),
    func.count(case((_OUTBOX.c.attempts > 0, 1))).label("put_off"),
    func.min(_OUTBOX.c.queued_at).label("oldest"),
).where(_WAITS)
_FAILED: Final = select(func.count().label("many")).where(_OUTBOX.c.failed_at.is_not(None))


@attrs.frozen
class SqlCensus(Census):
    """What there is of everybody, counted."""

    session: Session

    async def users(self, query: UserQuery) -> UserPage:
        rows = await self.session.read_any(
            _fitting(select(_USERS, _BOTS_OF.label("bots"), _SEEN.label("last_seen")), query)
            .order_by(_USERS.c.created_at.desc(), _USERS.c.id.desc())
            .limit(query.limit)
            .offset(query.skip)
        )
        total = await self._number(_fitting(select(func.count().label("many")).select_from(_USERS), query))
        return UserPage(
            lines=tuple([UserLine(user=user_of(row), bots=row.bots, seen_at=row.last_seen) for row in rows]),
            total=total,
        )

    async def bots(self) -> Mapping[str, int]:
        found = Counter[str]()
        with making_sense_of("a bot"):
            for row in await self.session.read_any(_BY_STATE):
                trouble = None if row.trouble is None else trouble_of(row.trouble)
                found[state_shown(trouble, Wanted(row.wanted), Phase(row.phase))] += row.many
        return found

    async def orders(self) -> Mapping[IntentState, int]:
        with making_sense_of("an order"):
            return {IntentState(row.state): row.many for row in await self.session.read_any(_BY_ORDER)}

    async def requests(self) -> int:
        return await self._number(_WAITING_REQUESTS)

    async def mail(self) -> MailCount:
        (row,) = await self.session.read_any(_WAITING)
        failed = await self._number(_FAILED)
        return MailCount(waiting=row.waiting, put_off=row.put_off, failed=failed, oldest=row.oldest)

    async def _number(self, statement: Select[Any]) -> int:
        (row,) = await self.session.read_any(statement)
        return int(row.many)


def _fitting(statement: Select[Any], query: UserQuery) -> Select[Any]:
    if not query.text:
        return statement
    return statement.where(_USERS.c.email.contains(query.text.lower(), autoescape=True))
