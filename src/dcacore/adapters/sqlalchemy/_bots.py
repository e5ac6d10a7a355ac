"""The bots."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Final

import attrs
from sqlalchemy import BindParameter, bindparam, delete, insert, or_, select, update

from dcacore.adapters.sqlalchemy._bot_values import (
    bot_values,
    confirmation_of,
    confirmation_values,
    record_of,
    record_values,
)
from dcacore.adapters.sqlalchemy._deal_values import deal_values
from dcacore.adapters.sqlalchemy._errors import making_sense_of
from dcacore.adapters.sqlalchemy._loading import open_deals
from dcacore.adapters.sqlalchemy._people_rows import LiveConfirmationRow, RequestRow
from dcacore.adapters.sqlalchemy._rows import BotRow, DealRow, IntentRow
from dcacore.adapters.sqlalchemy._session import Insert, Session, chunks, insert_into
from dcacore.domain.bot import Bot, Phase, Wanted
from dcacore.domain.deal import Deal
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.records import BotRecord, LiveConfirmation
from dcacore.ports.store import Bots

_BOTS: Final = BotRow.__table__
_DEALS: Final = DealRow.__table__
_INTENTS: Final = IntentRow.__table__
_REQUESTS: Final = RequestRow.__table__
_CONFIRMED: Final = LiveConfirmationRow.__table__

_THIS: Final[BindParameter[str]] = bindparam("this_bot")
_ADD: Final = insert(_BOTS)
_SAVE: Final = update(_BOTS).where(_BOTS.c.id == _THIS)
_BY_IDS: Final = (
    select(_BOTS).where(_BOTS.c.id.in_(bindparam("ids", expanding=True))).order_by(_BOTS.c.created_at, _BOTS.c.id)
)
_OF_USER: Final = select(_BOTS).where(_BOTS.c.user_id == bindparam("user")).order_by(_BOTS.c.created_at, _BOTS.c.id)
_WAITS: Final = select(_REQUESTS.c.bot_id).where(_REQUESTS.c.bot_id == _BOTS.c.id, _REQUESTS.c.done_at.is_(None))
_TO_RUN: Final = (
    select(_BOTS.c.id)
    .where(
        or_(
            _BOTS.c.phase != Phase.STOPPED.value,
            _BOTS.c.wanted != Wanted.STOP.value,
            _WAITS.exists(),
        )
    )
    .order_by(_BOTS.c.created_at, _BOTS.c.id)
)
# An open deal that the bot has dropped came to nothing: its base order was never filled.
_DROP: Final = (
    update(_DEALS)
    .where(_DEALS.c.bot_id == _THIS, _DEALS.c.is_open, _DEALS.c.id != bindparam("this_deal"))
    .values(is_open=False)
    .returning(_DEALS.c.id, _DEALS.c.bought)
)
_LIVE: Final = select(_INTENTS.c.id).where(
    _INTENTS.c.deal_id.in_(bindparam("ids", expanding=True)), ~_INTENTS.c.has_ended
)
_NAME_TAKEN: Final = "there is a bot of that name already"


_KEPT: Final = frozenset({"id", "bot_id", "number", "opened_at", "opened_price", "carried_quantity", "carried_cost"})
"""The columns of a deal that never change."""
_CHANGE_DEAL: Final = update(_DEALS).where(_DEALS.c.id == bindparam("this_deal"), _DEALS.c.is_open)


@functools.cache
def _save_deal(dialect: str) -> Insert:
    statement = insert_into(_DEALS, dialect)
    changing = {column.name: statement.excluded[column.name] for column in _DEALS.c if column.name not in _KEPT}
    return statement.on_conflict_do_update(index_elements=[_DEALS.c.id], set_=changing, where=_DEALS.c.is_open)


@attrs.frozen
class SqlBots(Bots):
    """The bots.

    Attributes:
        session: the transaction.
        dropped: the deals that bots have dropped in it; `see_to_dropped` has a look at them before it is stored.
    """

    session: Session
    dropped: list[str] = attrs.field(factory=list)

    async def add(self, record: BotRecord) -> None:
        await self.session.write(_ADD, record_values(record), _NAME_TAKEN)
        if record.bot.deal is not None:
            await self._save_deal(record.bot)

    async def get(self, bot_id: BotId) -> BotRecord | None:
        found = await self.load([bot_id])
        return found[0] if found else None

    async def of(self, user_id: UserId) -> tuple[BotRecord, ...]:
        with making_sense_of("a bot of the user"):
            return await self._with_deals(await self.session.read(BotRow, _OF_USER, {"user": user_id}))

    async def load(self, bot_ids: Iterable[BotId]) -> tuple[BotRecord, ...]:
        rows: list[BotRow] = []
        wanted = tuple(bot_ids)
        with making_sense_of(f"bot {wanted[0]}" if len(wanted) == 1 else "one of the bots"):
            for ids in chunks(wanted):
                rows += await self.session.read(BotRow, _BY_IDS, {"ids": ids})
            return await self._with_deals(rows)

    async def _with_deals(self, rows: Sequence[BotRow]) -> tuple[BotRecord, ...]:
        deals = await open_deals(self.session, [row.id for row in rows])
        return tuple([record_of(row, deals.get(BotId(row.id))) for row in rows])

    async def to_run(self) -> tuple[BotId, ...]:
        return tuple([BotId(row.id) for row in await self.session.read(BotRow, _TO_RUN)])

    async def save(self, bot: Bot) -> None:
        if not await self.session.write(_SAVE, {"this_bot": bot.id, **bot_values(bot)}):
            raise Conflict("there is no such bot")
        if bot.deal is not None and await self._change_deal(bot.id, bot.deal):
            return  # it was open, so no other one is
        deal_id = "" if bot.deal is None else bot.deal.id
        for dropped in await self.session.read(DealRow, _DROP, {"this_bot": bot.id, "this_deal": deal_id}):
            if dropped.bought:
                raise Conflict(f"the bot has another open deal, {dropped.id}")
            self.dropped.append(dropped.id)
        if bot.deal is not None:
            await self._save_deal(bot)

    async def _change_deal(self, bot_id: BotId, deal: Deal) -> bool:
        changing = {name: value for name, value in deal_values(bot_id, deal).items() if name not in _KEPT}
        return bool(await self.session.write(_CHANGE_DEAL, {"this_deal": deal.id, **changing}))

    async def _save_deal(self, bot: Bot) -> None:
        assert bot.deal is not None  # noqa: S101  # for the type checker; both callers have looked
        if not await self.session.write(_save_deal(self.session.dialect), deal_values(bot.id, bot.deal)):
            raise Conflict(f"deal {bot.deal.id} has ended")

    async def see_to_dropped(self) -> None:
        """See that the deals which bots have dropped have no order that may still fill.

        Raises:
            Conflict: one has: the bot has another open deal.
        """
        for ids in chunks(self.dropped):
            if await self.session.read_any(_LIVE, {"ids": ids}):
                raise Conflict(f"the bot has another open deal, {ids[0]}")

    async def rename(self, bot_id: BotId, name: str) -> None:
        await self.session.write(_SAVE, {"this_bot": bot_id, "name": name}, _NAME_TAKEN)

    async def confirm_live(self, confirmation: LiveConfirmation) -> None:
        statement = insert_into(_CONFIRMED, self.session.dialect).values(confirmation_values(confirmation))
        again = {column.name: statement.excluded[column.name] for column in _CONFIRMED.c if not column.primary_key}
        upsert = statement.on_conflict_do_update(index_elements=[_CONFIRMED.c.bot_id], set_=again)
        await self.session.write(upsert, conflict="there is no such bot, or no such user")

    async def live_confirmation(self, bot_id: BotId) -> LiveConfirmation | None:
        wanted = select(_CONFIRMED).where(_CONFIRMED.c.bot_id == _THIS)
        with making_sense_of(f"the confirmation of bot {bot_id}"):
            found = await self.session.read(LiveConfirmationRow, wanted, {"this_bot": bot_id})
            return confirmation_of(found[0]) if found else None

    async def remove(self, bot_id: BotId) -> None:
        await self.session.write(delete(_BOTS).where(_BOTS.c.id == _THIS), {"this_bot": bot_id})
