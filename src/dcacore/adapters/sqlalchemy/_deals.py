"""The deals, and the totals that grow when one ends."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs
from sqlalchemy import BindParameter, bindparam, func, or_, select, update

from dcacore.adapters.sqlalchemy import _readings as readings
from dcacore.adapters.sqlalchemy._bot_values import lifetime_of, lifetime_values
from dcacore.adapters.sqlalchemy._deal_values import deal_values
from dcacore.adapters.sqlalchemy._loading import deals_with_orders
from dcacore.adapters.sqlalchemy._people_rows import DayTotalRow
from dcacore.adapters.sqlalchemy._rows import BotRow, DealRow
from dcacore.adapters.sqlalchemy._session import Insert, Session, chunks, insert_into
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.ids import AccountId, BotId, DealId, UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.readings import DayProfit, DealPage, DealQuery, Offset
from dcacore.ports.records import DealRecord, Lifetime
from dcacore.ports.results import ClosedDeal
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
_BY_IDS: Final = select(_DEALS).where(_DEALS.c.id.in_(bindparam("ids", expanding=True)))
_ENDED: Final = (
    select(_DEALS)
    .where(_DEALS.c.bot_id == _THIS, _DEALS.c.closed_at.is_not(None))
    .order_by(_DEALS.c.closed_at, _DEALS.c.id)
    .limit(bindparam("most"))
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
        query = DealQuery(bot_ids=tuple(bot_ids), limit=limit, skip=skip)
        return (await self._page(query, await self._open_ids(query))).deals

    async def page(self, query: DealQuery) -> DealPage:
        opened = await self._open_ids(query)
        page = await self._page(query, opened)
        count = select(func.count()).select_from(readings.ended_ids(query).order_by(None).subquery())
        ((ended,),) = await self.session.read_any(count, {"ids": query.bot_ids})
        return attrs.evolve(page, total=len(opened) + ended)

    async def _open_ids(self, query: DealQuery) -> list[str]:
        statement = readings.open_ids(query)
        if statement is None:
            return []
        return [row.id for row in await self.session.read_any(statement, {"ids": query.bot_ids})]

    async def _page(self, query: DealQuery, opened: Sequence[str]) -> DealPage:
        ids = list(opened[query.skip : query.skip + query.limit])
        if len(ids) < query.limit:
            statement = readings.ended_ids(query).limit(query.limit - len(ids)).offset(max(0, query.skip - len(opened)))
            ids += [row.id for row in await self.session.read_any(statement, {"ids": query.bot_ids})]
        rows = {}
        for some in chunks(ids):
            rows.update({row.id: row for row in await self.session.read(DealRow, _BY_IDS, {"ids": some})})
        deals = await self._records([rows[deal_id] for deal_id in ids])
        return DealPage(deals=deals, total=len(deals))

    async def ended(
        self,
        bot_id: BotId,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        after: DealRecord | None = None,
        limit: int = 100,
    ) -> tuple[DealRecord, ...]:
        statement = _ENDED.where(*readings.between(since, until))
        if after is not None:
            at, deal_id = after.deal.closed_at, after.deal.id
            statement = statement.where(_DEALS.c.closed_at >= at, or_(_DEALS.c.closed_at > at, _DEALS.c.id > deal_id))
        return await self._records(await self.session.read(DealRow, statement, {"this_bot": bot_id, "most": limit}))

    async def totals(
        self,
        bot_ids: Iterable[BotId],
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Mapping[BotId, Lifetime]:
        return await readings.totals(self.session, bot_ids, since, until)

    async def first_closed(self, bot_ids: Iterable[BotId], since: datetime.datetime) -> Mapping[BotId, ClosedDeal]:
        return await readings.first_closed(self.session, bot_ids, since)

    async def by_day(
        self, bot_ids: Iterable[BotId], offsets: Sequence[Offset], *, first: datetime.date, last: datetime.date
    ) -> tuple[DayProfit, ...]:
        return await readings.by_day(self.session, bot_ids, offsets, first, last)

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
