"""Intents and fills, to and from rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from dcacore.adapters.sqlalchemy._rows import FillRow, IntentRow
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, TradeId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.money import NO_BASE, BaseQty, Price, QuoteAmount, exact
from dcacore.domain.orders import Fill, Order, OrderState, Role, Side
from dcacore.domain.venue import VenueOrderId
from dcacore.ports.records import BookedFill

Values = dict[str, object]


def intent_values(intent: Intent) -> Values:
    """Return the columns of *intent*."""
    order = intent.order
    return {
        "id": order.id,
        "deal_id": intent.deal_id,
        "bot_id": intent.bot_id,
        "account_id": intent.account_id,
        "pair": intent.pair,
        "side": order.side.value,
        "role": order.role.value,
        "rung": order.rung,
        "price": order.price,
        "quantity": order.quantity,
        "order_state": order.state.value,
        "executed": order.executed,
        "is_cancelling": order.is_cancelling,
        "may_take": order.may_take,
        "state": intent.state.value,
        "has_ended": intent.has_ended,
        "planned_at": intent.planned_at,
        "sent_at": intent.sent_at,
        "recv_window_ms": intent.recv_window_ms,
        "venue_order_id": intent.venue_order_id,
        "misses": intent.misses,
        "missed_at": intent.missed_at,
        "reason": intent.reason,
    }


@exact
def order_of(row: IntentRow, fills: Iterable[FillRow]) -> Order:
    """Return the order in *row* with its *fills*."""
    booked = tuple([_fill_of(fill) for fill in fills])
    return Order(
        id=OrderId(row.id),
        side=Side(row.side),
        role=Role(row.role),
        quantity=BaseQty(row.quantity),
        price=cast("Price | None", row.price),
        rung=row.rung,
        state=OrderState(row.order_state),
        fills=booked,
        filled=BaseQty(sum([fill.quantity for fill in booked], NO_BASE)),
        executed=cast("BaseQty | None", row.executed),
        is_cancelling=row.is_cancelling,
        may_take=row.may_take,
    )


def intent_of(row: IntentRow, fills: Iterable[FillRow]) -> Intent:
    """Return the intent in *row* with the *fills* of its order."""
    return Intent(
        order=order_of(row, fills),
        bot_id=BotId(row.bot_id),
        deal_id=DealId(row.deal_id),
        account_id=AccountId(row.account_id),
        pair=row.pair,
        state=IntentState(row.state),
        planned_at=row.planned_at,
        sent_at=row.sent_at,
        recv_window_ms=row.recv_window_ms,
        venue_order_id=None if row.venue_order_id is None else VenueOrderId(row.venue_order_id),
        misses=row.misses,
        missed_at=row.missed_at,
        reason=row.reason,
    )


def fill_values(booked: BookedFill) -> Values:
    """Return the columns of *booked*."""
    fill = booked.fill
    return {
        "order_id": booked.order_id,
        "account_id": booked.account_id,
        "pair": booked.pair,
        "digits": len(fill.trade_id),
        "trade_id": fill.trade_id,
        "at": fill.at,
        "price": fill.price,
        "quantity": fill.quantity,
        "base_fee": fill.base_fee,
        "quote_fee": fill.quote_fee,
        "fee": booked.fee,
        "fee_asset": booked.fee_asset,
        "fee_rate": booked.fee_rate,
    }


def _fill_of(row: FillRow) -> Fill:
    return Fill(
        trade_id=TradeId(row.trade_id),
        at=row.at,
        price=Price(row.price),
        quantity=BaseQty(row.quantity),
        base_fee=BaseQty(row.base_fee),
        quote_fee=QuoteAmount(row.quote_fee),
    )
