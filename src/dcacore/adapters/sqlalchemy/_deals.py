"""The deals, and the totals that grow when one ends."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterable, Sequence
from typing import Final

import attrs
from sqlalchemy import BindParameter, bindparam, or_, select, update

from dcacore.adapters.sqlalchemy._bot_values import lifetime_of, lifetime_values
from dcacore.adapters.sqlalchemy._deal_values import deal_values
from dcacore.adapters.sqlalchemy._loading import deals_with_orders
from dcacore.adapters.sqlalchemy._people_rows import DayTotalRow
from dcacore.adapters.sqlalchemy._rows import BotRow, DealRow
from dcacore.adapters.sqlalchemy._session import Insert, Session, insert_into
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.ids import AccountId, BotId, DealId, UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.records import DealRecord, Lifetime
from dcacore.ports.store import Deals

_BOTS: Final = BotRow.__table__
_DEALS: Final = DealRow.__table__
_DAYS: Final = DayTotalRow.__table__

_THIS: Final[BindParameter[str]] = bindparam("this_bot")
# A deal that came to nothing is neither open nor closed, and nobody's business.
_IS_ONE: Final = or_(_DEALS.c.is_open, _DEALS.c.closed_at.is_not(None))
_GET: Final = select(_DEALS).where(_DEALS.c.id == bindparam("this_deal"), _IS_ONE)
_OWNERS: Final = select(_BOTS.c.id, _BOTS.c.user_id, _BOTS.c.account_id).where(
    _BOTS.c.id.in_(bindparam("ids", expanding=True))
)
_NEWEST: Final = (
    select(_DEALS)
    .where(_DEALS.c.bot_id.in_(bindparam("ids", expanding=True)), _IS_ONE)
    .order_by(_DEALS.c.is_open.desc(), _DEALS.c.closed_at.desc(), _DEALS.c.opened_at.desc(), _DEALS.c.id)
    .limit(bindparam("most"))
    .offset(bindparam("skipped"))
)
_LIFETIME: Final = select(_BOTS).where(_BOTS.c.id == _THIS)
_SAVE_LIFETIME: Final = update(_BOTS).where(_BOTS.c.id == _THIS)
_DAY: Final = select(_DAYS).where(
    _DAYS.c.bot_id == _THIS, _DAYS.c.quote_asset == bindparam("asset"), _DAYS.c.day == bindparam("this_day")
)


@functools.cache
def _end(dialect: str) -> Insert:
    statement = insert_into(_DEALS, dialect)
    changing = {column.name: statement.excluded[column.name] for column in _DEALS.c if column.name != "id"}
    return statement.on_conflict_do_update(index_elements=[_DEALS.c.id], set_=changing, where=_DEALS.c.is_open)


@functools.cache
def _save_day(dialect: str) -> Insert:
    statement = insert_into(_DAYS, dialect)
    keys = list(_DAYS.primary_key.columns)
    changing = {column.name: statement.excluded[column.name] for column in _DAYS.c if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=keys, set_=changing)


@attrs.frozen
class SqlDeals(Deals):
    """The deals."""

    session: Session

    async def end(self, bot_id: BotId, deal: Deal) -> None:
        if deal.closed_at is None:
            message = f"deal {deal.id} has not ended"
            raise ValueError(message)
        session = self.session
        if not await session.write(_end(session.dialect), deal_values(bot_id, deal)) or deal.exit is Exit.CANCEL:
            return
        bots = await session.read(BotRow, _LIFETIME, {"this_bot": bot_id})
        if not bots:
            raise Conflict("there is no such bot")
        lifetime = lifetime_of(bots[0]).plus(deal)
        await session.write(_SAVE_LIFETIME, {"this_bot": bot_id, **lifetime_values(lifetime)})
        await self._add_to_day(bot_id, deal, deal.closed_at.astimezone(datetime.UTC).date())

    async def _add_to_day(self, bot_id: BotId, deal: Deal, day: datetime.date) -> None:
        session, asset = self.session, deal.market.quote_asset
        days = await session.read(DayTotalRow, _DAY, {"this_bot": bot_id, "asset": asset, "this_day": day})
        totals = (lifetime_of(days[0]) if days else Lifetime()).plus(deal)
        key = {"bot_id": bot_id, "quote_asset": asset, "day": day}
        await session.write(_save_day(session.dialect), {**key, **lifetime_values(totals)})

    async def get(self, deal_id: DealId) -> DealRecord | None:
        found = await self._records(await self.session.read(DealRow, _GET, {"this_deal": deal_id}))
        return found[0] if found else None

    async def of(self, bot_ids: Iterable[BotId], *, limit: int = 100, skip: int = 0) -> tuple[DealRecord, ...]:
        values = {"ids": list(bot_ids), "most": limit, "skipped": skip}
        return await self._records(await self.session.read(DealRow, _NEWEST, values))

    async def _records(self, rows: Sequence[DealRow]) -> tuple[DealRecord, ...]:
        bot_ids = list(dict.fromkeys(row.bot_id for row in rows))
        owners = {row.id: row for row in await self.session.read(BotRow, _OWNERS, {"ids": bot_ids})} if rows else {}
        deals = await deals_with_orders(self.session, rows)
        return tuple(
            [
                DealRecord(
                    deal=deal,
                    bot_id=BotId(row.bot_id),
                    user_id=UserId(owners[row.bot_id].user_id),
                    account_id=AccountId(owners[row.bot_id].account_id),
                )
                for row, deal in zip(rows, deals, strict=True)
            ]
        )
