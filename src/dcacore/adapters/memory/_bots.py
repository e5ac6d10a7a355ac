"""The bots and their deals."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence

import attrs

from dcacore.adapters.memory import _readings as readings
from dcacore.adapters.memory._tables import Draft, K, StoredDeal, V, sound
from dcacore.domain.bot import Bot, Phase, Wanted
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import BotId, DealId, UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.readings import DayProfit, DealPage, DealQuery, Offset
from dcacore.ports.records import BotRecord, DealRecord, Lifetime, LiveConfirmation
from dcacore.ports.results import ClosedDeal
from dcacore.ports.store import Bots, Deals


@attrs.frozen
class MemoryBots(Bots):
    """The bots."""

    draft: Draft

    async def add(self, record: BotRecord) -> None:
        tables = self.draft.tables
        sound(record)
        sound(record.bot)
        if record.bot.id in tables.bots or record.user_id not in tables.users:
            raise Conflict("there is such a bot already, or no such user")
        if record.account_id not in tables.accounts:
            raise Conflict("there is no such account")
        self._refuse_name(record.user_id, record.name)
        self.draft.writable(tables.bots)[record.bot.id] = attrs.evolve(record, bot=evolve(record.bot, deal=None))
        if record.bot.deal is not None:
            self._save_deal(record.bot.id, record.bot.deal)

    def _refuse_name(self, user_id: UserId, name: str) -> None:
        if any(other.user_id == user_id and other.name == name for other in self.draft.tables.bots.values()):
            raise Conflict("there is a bot of that name already")

    async def get(self, bot_id: BotId) -> BotRecord | None:
        record = self.draft.tables.bots.get(bot_id)
        return None if record is None else self._with_deal(record)

    async def of(self, user_id: UserId) -> tuple[BotRecord, ...]:
        return await self.load([bot_id for bot_id, bot in self.draft.tables.bots.items() if bot.user_id == user_id])

    async def load(self, bot_ids: Iterable[BotId]) -> tuple[BotRecord, ...]:
        bots = self.draft.tables.bots
        found = [bots[bot_id] for bot_id in dict.fromkeys(bot_ids) if bot_id in bots]
        return tuple([self._with_deal(record) for record in sorted(found, key=_age)])

    def _with_deal(self, record: BotRecord) -> BotRecord:
        tables = self.draft.tables
        deal_id = tables.open_deals.get(record.bot.id)
        if deal_id is None:
            return record
        deal = self.draft.deal_with_orders(tables.deals[deal_id].deal)
        return attrs.evolve(record, bot=evolve(record.bot, deal=deal))

    async def to_run(self) -> tuple[BotId, ...]:
        asked = {request.bot_id for request in self.draft.tables.requests.values() if request.done_at is None}
        wanted = [
            record
            for record in self.draft.tables.bots.values()
            if record.bot.phase is not Phase.STOPPED or record.bot.wanted is not Wanted.STOP or record.bot.id in asked
        ]
        return tuple([record.bot.id for record in sorted(wanted, key=_age)])

    async def save(self, bot: Bot) -> None:
        tables = self.draft.tables
        sound(bot)
        record = tables.bots.get(bot.id)
        if record is None:
            raise Conflict("there is no such bot")
        self.draft.writable(tables.bots)[bot.id] = attrs.evolve(record, bot=evolve(bot, deal=None))
        self._drop_another(bot.id, None if bot.deal is None else bot.deal.id)
        if bot.deal is not None:
            self._save_deal(bot.id, bot.deal)

    def _drop_another(self, bot_id: BotId, deal_id: DealId | None) -> None:
        tables = self.draft.tables
        other = tables.open_deals.get(bot_id)
        if other is None or other == deal_id:
            return
        stored = tables.deals[other]
        if stored.deal.books.bought:
            raise Conflict(f"the bot has another open deal, {other}")
        self.draft.writable(tables.deals)[other] = attrs.evolve(stored, is_dropped=True)
        del self.draft.writable(tables.open_deals)[bot_id]
        self.draft.dropped.append(other)

    def _save_deal(self, bot_id: BotId, deal: Deal) -> None:
        tables = self.draft.tables
        sound(deal)
        stored = tables.deals.get(deal.id)
        if stored is not None and (stored.is_dropped or stored.deal.closed_at is not None):
            raise Conflict(f"deal {deal.id} has ended")
        self.draft.writable(tables.deals)[deal.id] = StoredDeal(bot_id, evolve(deal, orders={}))
        self.draft.writable(tables.open_deals)[bot_id] = deal.id

    async def rename(self, bot_id: BotId, name: str) -> None:
        record = self.draft.tables.bots.get(bot_id)
        if record is not None and record.name != name:
            self._refuse_name(record.user_id, name)
            self.draft.writable(self.draft.tables.bots)[bot_id] = attrs.evolve(record, name=name)

    async def confirm_live(self, confirmation: LiveConfirmation) -> None:
        tables = self.draft.tables
        sound(confirmation)
        if confirmation.bot_id not in tables.bots or confirmation.user_id not in tables.users:
            raise Conflict("there is no such bot, or no such user")
        self.draft.writable(tables.confirmations)[confirmation.bot_id] = confirmation

    async def live_confirmation(self, bot_id: BotId) -> LiveConfirmation | None:
        return self.draft.tables.confirmations.get(bot_id)

    async def remove(self, bot_id: BotId) -> None:
        tables, writable = self.draft.tables, self.draft.writable
        for deal_id in [deal_id for deal_id, stored in tables.deals.items() if stored.bot_id == bot_id]:
            for order_id in tables.deal_orders.get(deal_id, ()):
                for key in writable(tables.order_fills).pop(order_id, ()):
                    del writable(tables.fills)[key]
                del writable(tables.intents)[order_id]
            writable(tables.deal_orders).pop(deal_id, None)
            del writable(tables.deals)[deal_id]
        _forget(writable(tables.requests), bot_id)
        _forget(writable(tables.activity), bot_id)
        _forget(writable(tables.notifications), bot_id)
        for day in [day for day in tables.days if day[0] == bot_id]:
            del writable(tables.days)[day]
        writable(tables.leases).pop(bot_id, None)
        writable(tables.confirmations).pop(bot_id, None)
        writable(tables.open_deals).pop(bot_id, None)
        writable(tables.signals).pop(bot_id, None)
        writable(tables.plan_pauses).pop(bot_id, None)
        for user_id in [user_id for user_id, chosen in tables.plan_choices.items() if chosen == bot_id]:
            del writable(tables.plan_choices)[user_id]
        writable(tables.bots).pop(bot_id, None)


def _forget(table: dict[K, V], bot_id: BotId) -> None:
    for key in [key for key, value in table.items() if getattr(value, "bot_id", None) == bot_id]:
        del table[key]


def _age(record: BotRecord) -> tuple[datetime.datetime, BotId]:
    return record.created_at, record.bot.id


@attrs.frozen
class MemoryDeals(Deals):
    """The deals."""

    draft: Draft

    async def end(self, bot_id: BotId, deal: Deal) -> None:
        if deal.closed_at is None:
            message = f"deal {deal.id} has not ended"
            raise ValueError(message)
        tables, writable = self.draft.tables, self.draft.writable
        stored = tables.deals.get(deal.id)
        if stored is not None and (stored.is_dropped or stored.deal.closed_at is not None):
            return
        record = tables.bots.get(bot_id)
        if record is None:
            raise Conflict("there is no such bot")
        sound(deal)
        writable(tables.deals)[deal.id] = StoredDeal(bot_id, evolve(deal, orders={}))
        if tables.open_deals.get(bot_id) == deal.id:
            del writable(tables.open_deals)[bot_id]
        if deal.exit is not Exit.CANCEL:
            writable(tables.bots)[bot_id] = attrs.evolve(record, lifetime=record.lifetime.plus(deal))
            day = bot_id, deal.market.quote_asset, deal.closed_at.astimezone(datetime.UTC).date()
            writable(tables.days)[day] = tables.days.get(day, Lifetime()).plus(deal)

    async def get(self, deal_id: DealId) -> DealRecord | None:
        stored = self.draft.tables.deals.get(deal_id)
        return None if stored is None or stored.is_dropped else self._record(stored)

    async def of(self, bot_ids: Iterable[BotId], *, limit: int = 100, skip: int = 0) -> tuple[DealRecord, ...]:
        return (await self.page(DealQuery(bot_ids=tuple(bot_ids), limit=limit, skip=skip))).deals

    async def page(self, query: DealQuery) -> DealPage:
        wanted = set(query.bot_ids)
        deals = self.draft.tables.deals.values()
        found = [one for one in deals if one.bot_id in wanted and readings.fits(one, query)]
        found.sort(key=lambda stored: stored.deal.id)
        found.sort(key=_newness, reverse=True)
        shown = found[query.skip : query.skip + query.limit]
        return DealPage(deals=tuple([self._record(stored) for stored in shown]), total=len(found))

    async def ended(
        self,
        bot_id: BotId,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        after: DealRecord | None = None,
        limit: int = 100,
    ) -> tuple[DealRecord, ...]:
        found = readings.ended_between(self.draft, bot_id, since, until)
        if after is not None and after.deal.closed_at is not None:
            begin = after.deal.closed_at, after.deal.id
            found = [one for one in found if readings.end_of(one) > begin]
        return tuple([self._record(stored) for stored in found[:limit]])

    async def totals(
        self,
        bot_ids: Iterable[BotId],
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Mapping[BotId, Lifetime]:
        return readings.totals(self.draft, bot_ids, since, until)

    async def first_closed(self, bot_ids: Iterable[BotId], since: datetime.datetime) -> Mapping[BotId, ClosedDeal]:
        return readings.first_closed(self.draft, bot_ids, since)

    async def by_day(
        self, bot_ids: Iterable[BotId], offsets: Sequence[Offset], *, first: datetime.date, last: datetime.date
    ) -> tuple[DayProfit, ...]:
        return readings.by_day(self.draft, bot_ids, offsets, first, last)

    def _record(self, stored: StoredDeal) -> DealRecord:
        bot = self.draft.tables.bots[stored.bot_id]
        deal = self.draft.deal_with_orders(stored.deal)
        return DealRecord(deal=deal, bot_id=stored.bot_id, user_id=bot.user_id, account_id=bot.account_id)


def _newness(stored: StoredDeal) -> tuple[bool, datetime.datetime, datetime.datetime]:
    deal = stored.deal
    return deal.closed_at is None, deal.closed_at or deal.opened_at, deal.opened_at
