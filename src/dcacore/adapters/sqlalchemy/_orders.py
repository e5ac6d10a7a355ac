"""The orders and the fills."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterable, Sequence
from typing import Final

import attrs
from sqlalchemy import bindparam, select, update

from dcacore.adapters.sqlalchemy._intent_values import fill_values, intent_values
from dcacore.adapters.sqlalchemy._loading import intents_with_fills
from dcacore.adapters.sqlalchemy._rows import FillRow, IntentRow
from dcacore.adapters.sqlalchemy._session import Insert, Session, chunks, insert_into
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId
from dcacore.domain.intents import Intent, IntentState
from dcacore.ports.errors import Conflict
from dcacore.ports.records import BookedFill
from dcacore.ports.store import Fills, Intents

_INTENTS: Final = IntentRow.__table__
_FILLS: Final = FillRow.__table__

_BY_ID: Final = select(_INTENTS).where(_INTENTS.c.id == bindparam("this_order"))
_OF_DEAL: Final = select(_INTENTS).where(_INTENTS.c.deal_id == bindparam("this_deal")).order_by(_INTENTS.c.seq)
_UNSETTLED: Final = (
    select(_INTENTS)
    .where(_INTENTS.c.bot_id.in_(bindparam("ids", expanding=True)), ~_INTENTS.c.has_ended)
    .order_by(_INTENTS.c.seq)
)
_NEWEST: Final = (
    select(_FILLS.c.trade_id)
    .where(_FILLS.c.account_id == bindparam("account"), _FILLS.c.pair == bindparam("market"))
    .order_by(_FILLS.c.digits.desc(), _FILLS.c.trade_id.desc())
    .limit(1)
)
_CHANGING: Final = (
    "order_state",
    "executed",
    "is_cancelling",
    "state",
    "has_ended",
    "sent_at",
    "recv_window_ms",
    "venue_order_id",
    "misses",
    "missed_at",
    "reason",
)


_MARK: Final = (
    update(_INTENTS)
    .where(_INTENTS.c.id == bindparam("this_order"), _INTENTS.c.state == IntentState.PLANNED.value)
    .values({name: bindparam(name) for name in _CHANGING})
)


def _changes(intent: Intent) -> dict[str, object]:
    values = intent_values(intent)
    return {name: values[name] for name in _CHANGING}


@functools.cache
def _save(dialect: str) -> Insert:
    statement = insert_into(_INTENTS, dialect)
    changing = {name: statement.excluded[name] for name in _CHANGING}
    return statement.on_conflict_do_update(index_elements=[_INTENTS.c.id], set_=changing)


@functools.cache
def _add(dialect: str) -> Insert:
    keys = [_FILLS.c.account_id, _FILLS.c.pair, _FILLS.c.digits, _FILLS.c.trade_id, _FILLS.c.order_id]
    return insert_into(_FILLS, dialect).on_conflict_do_nothing(index_elements=keys)


@attrs.frozen
class SqlIntents(Intents):
    """The orders."""

    session: Session

    async def save(self, intents: Sequence[Intent]) -> None:
        if intents:
            await self.session.write(_save(self.session.dialect), [intent_values(intent) for intent in intents])

    async def mark(self, intent: Intent) -> None:
        if not await self.session.write(_MARK, {"this_order": intent.id, **_changes(intent)}):
            raise Conflict(f"order {intent.id} is not planned any more")

    async def get(self, order_id: OrderId) -> Intent | None:
        found = await intents_with_fills(self.session, _BY_ID, {"this_order": order_id})
        return found[0] if found else None

    async def unsettled(self, bot_ids: Iterable[BotId]) -> tuple[Intent, ...]:
        found: list[Intent] = []
        for ids in chunks(bot_ids):
            found += await intents_with_fills(self.session, _UNSETTLED, {"ids": ids})
        return tuple(found)

    async def of_deal(self, deal_id: DealId) -> tuple[Intent, ...]:
        return await intents_with_fills(self.session, _OF_DEAL, {"this_deal": deal_id})


@attrs.frozen
class SqlFills(Fills):
    """The fills."""

    session: Session

    async def add(self, fills: Sequence[BookedFill]) -> None:
        if fills:
            await self.session.write(_add(self.session.dialect), [fill_values(booked) for booked in fills])

    async def newest(self, account_id: AccountId, pair: str, *, before: datetime.datetime | None = None) -> str | None:
        statement = _NEWEST if before is None else _NEWEST.where(_FILLS.c.at < before)
        found = await self.session.read(FillRow, statement, {"account": account_id, "market": pair})
        return found[0].trade_id if found else None
