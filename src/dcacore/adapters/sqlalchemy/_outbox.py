"""The mail to be sent."""

from __future__ import annotations

import datetime
from typing import Final

import attrs
from sqlalchemy import BindParameter, bindparam, delete, or_, select, update

from dcacore.adapters.sqlalchemy import _identity_values as made
from dcacore.adapters.sqlalchemy._identity_rows import OutboxRow
from dcacore.adapters.sqlalchemy._session import Session, insert_into
from dcacore.ports.identity import QueuedMail
from dcacore.ports.identity_store import Outbox
from dcacore.ports.mail import Mail

_OUTBOX: Final = OutboxRow.__table__
_THIS: Final[BindParameter[str]] = bindparam("this")
_MAIL: Final = select(_OUTBOX).where(_OUTBOX.c.key == _THIS)
_WAITS: Final = _OUTBOX.c.sent_at.is_(None) & _OUTBOX.c.failed_at.is_(None)
_END: Final = update(_OUTBOX).where(_OUTBOX.c.key == _THIS, _WAITS).values(text="", html="", link="")


@attrs.frozen
class SqlOutbox(Outbox):
    """The mail to be sent."""

    session: Session

    async def add(self, mail: Mail, at: datetime.datetime) -> None:
        values = made.mail_values(QueuedMail(mail=mail, queued_at=at, due_at=at))
        statement = insert_into(_OUTBOX, self.session.dialect).values(values)
        await self.session.write(statement.on_conflict_do_nothing(index_elements=[_OUTBOX.c.key]))

    async def get(self, key: str) -> QueuedMail | None:
        found = await self.session.read(OutboxRow, _MAIL, {"this": key})
        return made.mail_of(found[0]) if found else None

    async def due(self, at: datetime.datetime, *, limit: int = 20) -> tuple[QueuedMail, ...]:
        statement = select(_OUTBOX).where(_WAITS, _OUTBOX.c.due_at <= at)
        rows = await self.session.read(OutboxRow, statement.order_by(_OUTBOX.c.due_at, _OUTBOX.c.key).limit(limit))
        return tuple([made.mail_of(row) for row in rows])

    async def claim(self, queued: QueuedMail, until: datetime.datetime) -> QueuedMail | None:
        as_seen = _OUTBOX.c.key == queued.mail.key, _OUTBOX.c.attempts == queued.attempts, _WAITS
        values = {"attempts": queued.attempts + 1, "due_at": until}
        found = await self.session.read(OutboxRow, update(_OUTBOX).where(*as_seen).values(values).returning(_OUTBOX))
        return made.mail_of(found[0]) if found else None

    async def put_off(self, claimed: QueuedMail, until: datetime.datetime) -> None:
        as_seen = _OUTBOX.c.key == claimed.mail.key, _OUTBOX.c.attempts == claimed.attempts, _WAITS
        await self.session.write(update(_OUTBOX).where(*as_seen).values(attempts=claimed.attempts - 1, due_at=until))

    async def mark_sent(self, key: str, at: datetime.datetime) -> None:
        await self.session.write(_END.values(sent_at=at), {"this": key})

    async def mark_failed(self, key: str, at: datetime.datetime) -> None:
        await self.session.write(_END.values(failed_at=at), {"this": key})

    async def forget_older(self, queued_before: datetime.datetime) -> int:
        has_ended = or_(_OUTBOX.c.sent_at.is_not(None), _OUTBOX.c.failed_at.is_not(None))
        return await self.session.write(delete(_OUTBOX).where(has_ended, _OUTBOX.c.queued_at < queued_before))
