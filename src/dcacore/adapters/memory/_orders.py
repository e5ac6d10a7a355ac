"""The orders and the fills."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

import attrs

from dcacore.adapters.memory._tables import Draft, sound
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.money import NO_BASE
from dcacore.ports.errors import Conflict
from dcacore.ports.records import BookedFill
from dcacore.ports.store import Fills, Intents


@attrs.frozen
class MemoryIntents(Intents):
    """The orders."""

    draft: Draft

    async def save(self, intents: Sequence[Intent]) -> None:
        tables, writable = self.draft.tables, self.draft.writable
        for intent in intents:
            sound(intent)
            sound(intent.order)
            if intent.id not in tables.intents:
                known = tables.deal_orders.get(intent.deal_id, ())
                writable(tables.deal_orders)[intent.deal_id] = (*known, intent.id)
                self.draft.loose.add(intent.deal_id)
            bare = evolve(intent.order, fills=(), filled=NO_BASE)
            writable(tables.intents)[intent.id] = evolve(intent, order=bare)

    async def mark(self, intent: Intent) -> None:
        known = self.draft.tables.intents.get(intent.id)
        if known is None or known.state is not IntentState.PLANNED:
            raise Conflict(f"order {intent.id} is not planned any more")
        await self.save([intent])

    async def get(self, order_id: OrderId) -> Intent | None:
        return self.draft.intent_with_fills(order_id) if order_id in self.draft.tables.intents else None

    async def unsettled(self, bot_ids: Iterable[BotId]) -> tuple[Intent, ...]:
        wanted = set(bot_ids)
        found = [one.id for one in self.draft.tables.intents.values() if one.bot_id in wanted and not one.has_ended]
        return tuple([self.draft.intent_with_fills(order_id) for order_id in found])

    async def of_deal(self, deal_id: DealId) -> tuple[Intent, ...]:
        orders = self.draft.tables.deal_orders.get(deal_id, ())
        return tuple([self.draft.intent_with_fills(order_id) for order_id in orders])


@attrs.frozen
class MemoryFills(Fills):
    """The fills."""

    draft: Draft

    async def add(self, fills: Sequence[BookedFill]) -> None:
        tables, writable = self.draft.tables, self.draft.writable
        for booked in fills:
            sound(booked)
            sound(booked.fill)
            key = booked.account_id, booked.pair, booked.fill.trade_id, booked.order_id
            if key not in tables.fills:
                writable(tables.fills)[key] = booked
                known = tables.order_fills.get(booked.order_id, ())
                writable(tables.order_fills)[booked.order_id] = (*known, key)
                self.draft.loose.add(booked.order_id)

    async def newest(self, account_id: AccountId, pair: str, *, before: datetime.datetime | None = None) -> str | None:
        fills = self.draft.tables.fills.items()
        ids = [key[2] for key, it in fills if key[:2] == (account_id, pair) and (before is None or it.fill.at < before)]
        return max(ids, key=lambda trade_id: (len(trade_id), trade_id), default=None)
