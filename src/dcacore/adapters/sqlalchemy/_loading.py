"""Orders with their fills, many deals or orders at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import BindParameter, Executable, bindparam, select

from dcacore.adapters.sqlalchemy._deal_values import deal_of
from dcacore.adapters.sqlalchemy._errors import making_sense_of
from dcacore.adapters.sqlalchemy._intent_values import intent_of, order_of
from dcacore.adapters.sqlalchemy._rows import DealRow, FillRow, IntentRow
from dcacore.adapters.sqlalchemy._session import Session, chunks
from dcacore.domain.deal import Deal
from dcacore.domain.ids import BotId, OrderId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.orders import Order

_INTENTS: Final = IntentRow.__table__
_FILLS: Final = FillRow.__table__
_DEALS: Final = DealRow.__table__
_NEVER_PLACED: Final = (IntentState.REJECTED.value, IntentState.NOT_PLACED.value)

_IDS: Final[BindParameter[Sequence[str]]] = bindparam("ids", expanding=True)
OPEN_DEALS: Final = select(_DEALS).where(_DEALS.c.bot_id.in_(_IDS), _DEALS.c.is_open)
_INTENTS_OF_DEALS: Final = select(_INTENTS).where(_INTENTS.c.deal_id.in_(_IDS)).order_by(_INTENTS.c.seq)
_FILLS_OF_DEALS: Final = (
    select(_FILLS)
    .join_from(_FILLS, _INTENTS, _FILLS.c.order_id == _INTENTS.c.id)
    .where(_INTENTS.c.deal_id.in_(_IDS))
    .order_by(_FILLS.c.seq)
)
_FILLS_OF_ORDERS: Final = select(_FILLS).where(_FILLS.c.order_id.in_(_IDS)).order_by(_FILLS.c.seq)


async def open_deals(session: Session, bot_ids: Sequence[str]) -> dict[BotId, Deal]:
    """Return the open deals of these bots, by bot."""
    rows: list[DealRow] = []
    for ids in chunks(bot_ids):
        rows += await session.read(DealRow, OPEN_DEALS, {"ids": ids})
    deals = await deals_with_orders(session, rows)
    return {BotId(row.bot_id): deal for row, deal in zip(rows, deals, strict=True)}


async def deals_with_orders(session: Session, rows: Sequence[DealRow]) -> list[Deal]:
    """Return the deals in *rows* with their orders: an open one with all that exist, an ended one with what filled."""
    by_deal: dict[str, list[IntentRow]] = defaultdict(list)
    fills: dict[str, list[FillRow]] = defaultdict(list)
    for ids in chunks(row.id for row in rows):
        for intent in await session.read(IntentRow, _INTENTS_OF_DEALS, {"ids": ids}):
            by_deal[intent.deal_id].append(intent)
        for fill in await session.read(FillRow, _FILLS_OF_DEALS, {"ids": ids}):
            fills[fill.order_id].append(fill)
    return [deal_of(row, _orders(row, by_deal[row.id], fills)) for row in rows]


def _orders(
    deal: DealRow, intents: Iterable[IntentRow], fills: Mapping[str, Sequence[FillRow]]
) -> dict[OrderId, Order]:
    if deal.is_open:
        kept = [row for row in intents if row.state not in _NEVER_PLACED]
    else:
        kept = [row for row in intents if row.id in fills]
    return {OrderId(row.id): order_of(row, fills.get(row.id, ())) for row in kept}


async def intents_with_fills(
    session: Session, statement: Executable, values: Mapping[str, object]
) -> tuple[Intent, ...]:
    """Return the intents that *statement* finds, with their fills."""
    fills: dict[str, list[FillRow]] = defaultdict(list)
    with making_sense_of("one of the orders"):
        rows = await session.read(IntentRow, statement, values)
        for ids in chunks(row.id for row in rows):
            for fill in await session.read(FillRow, _FILLS_OF_ORDERS, {"ids": ids}):
                fills[fill.order_id].append(fill)
        return tuple([intent_of(row, fills.get(row.id, ())) for row in rows])
