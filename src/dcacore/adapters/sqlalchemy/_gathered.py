"""What the next mail of an occasion is to tell."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Final

import attrs
from sqlalchemy import case, delete, or_, select

from dcacore.adapters.sqlalchemy._errors import making_sense_of
from dcacore.adapters.sqlalchemy._identity_rows import GatheredRow
from dcacore.adapters.sqlalchemy._session import Session, insert_into
from dcacore.domain.ids import UserId
from dcacore.ports.identity import MOST_LINES, Gathered, Occasion
from dcacore.ports.identity_store import GatheredNews

_GATHERED: Final = GatheredRow.__table__
_NOBODY: Final = "there is no such user"


@attrs.frozen
class SqlGatheredNews(GatheredNews):
    """What the next mail of an occasion is to tell: a row for each user and occasion, one line under the other."""

    session: Session

    async def add(self, user_id: UserId, occasion: Occasion, lines: Sequence[str], due_at: datetime.datetime) -> None:
        for line in lines:  # one statement each, so that of several at once none is lost
            first = insert_into(_GATHERED, self.session.dialect).values(
                user_id=user_id, occasion=occasion.value, due_at=due_at, count=1, lines=line
            )
            longer = _GATHERED.c.lines + "\n" + first.excluded.lines
            again = {
                "count": _GATHERED.c.count + 1,
                "lines": case((_GATHERED.c.count < MOST_LINES, longer), else_=_GATHERED.c.lines),
            }
            whose = [_GATHERED.c.user_id, _GATHERED.c.occasion]
            await self.session.write(first.on_conflict_do_update(index_elements=whose, set_=again), None, _NOBODY)

    async def due(
        self, at: datetime.datetime, beyond: datetime.datetime, *, limit: int = 100
    ) -> tuple[tuple[UserId, Occasion], ...]:
        is_due = or_(_GATHERED.c.due_at <= at, _GATHERED.c.due_at > beyond)
        order = _GATHERED.c.due_at, _GATHERED.c.user_id, _GATHERED.c.occasion
        rows = await self.session.read(GatheredRow, select(_GATHERED).where(is_due).order_by(*order).limit(limit))
        with making_sense_of("gathered news"):
            return tuple([(UserId(row.user_id), Occasion(row.occasion)) for row in rows])

    async def take(self, user_id: UserId, occasion: Occasion) -> Gathered | None:
        this = _GATHERED.c.user_id == user_id, _GATHERED.c.occasion == occasion.value
        rows = await self.session.read(GatheredRow, delete(_GATHERED).where(*this).returning(_GATHERED))
        if not rows:
            return None
        return Gathered(due_at=rows[0].due_at, count=rows[0].count, lines=tuple(rows[0].lines.split("\n")))
