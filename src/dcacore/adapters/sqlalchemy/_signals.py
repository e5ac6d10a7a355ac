"""The bots' secrets for signals; of a secret only its digest is stored."""

from __future__ import annotations

import datetime
from typing import Final

import attrs
from sqlalchemy import BindParameter, ForeignKey, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from dcacore.adapters.sqlalchemy._rows import Base, BotRow
from dcacore.adapters.sqlalchemy._session import Session, insert_into
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.identity import Digest
from dcacore.ports.signals import SignalKey, Signals


class SignalRow(Base):
    """A bot's secret for signals."""

    __tablename__ = "bot_signal"

    bot_id: Mapped[str] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime.datetime]
    used_at: Mapped[datetime.datetime | None]


_SIGNALS: Final = SignalRow.__table__
_BOTS: Final = BotRow.__table__
_THIS: Final[BindParameter[str]] = bindparam("this")
_BY_KEY: Final = select(_SIGNALS).where(_SIGNALS.c.key == _THIS)
_OF_BOT: Final = select(_SIGNALS).where(_SIGNALS.c.bot_id == _THIS)
_USE: Final = update(_SIGNALS).where(_SIGNALS.c.key == _THIS)
_NO_SECRET: Final = "there is such a secret already, or no such bot"  # noqa: S105  # a sentence


@attrs.frozen
class SqlSignals(Signals):
    """The bots' secrets for signals."""

    session: Session

    async def put(self, signal: SignalKey) -> None:
        values = {
            "bot_id": signal.bot_id,
            "key": signal.key,
            "created_at": signal.created_at,
            "used_at": signal.used_at,
        }
        statement = insert_into(_SIGNALS, self.session.dialect).values(values)
        again = {name: statement.excluded[name] for name in values if name != "bot_id"}
        upsert = statement.on_conflict_do_update(index_elements=[_SIGNALS.c.bot_id], set_=again)
        await self.session.write(upsert, conflict=_NO_SECRET)

    async def find(self, key: Digest) -> SignalKey | None:
        found = await self.session.read(SignalRow, _BY_KEY, {"this": key})
        return _signal_of(found[0]) if found else None

    async def of(self, bot_id: BotId) -> SignalKey | None:
        found = await self.session.read(SignalRow, _OF_BOT, {"this": bot_id})
        return _signal_of(found[0]) if found else None

    async def use(self, key: Digest, at: datetime.datetime) -> None:
        await self.session.write(_USE, {"this": key, "used_at": at})

    async def revoke(self, bot_id: BotId) -> bool:
        return bool(await self.session.write(delete(_SIGNALS).where(_SIGNALS.c.bot_id == bot_id)))

    async def revoke_all(self, user_id: UserId) -> int:
        theirs = select(_BOTS.c.id).where(_BOTS.c.user_id == user_id)
        return await self.session.write(delete(_SIGNALS).where(_SIGNALS.c.bot_id.in_(theirs)))


def _signal_of(row: SignalRow) -> SignalKey:
    return SignalKey(bot_id=BotId(row.bot_id), key=Digest(row.key), created_at=row.created_at, used_at=row.used_at)
