"""Deals, their orders and fills, as programs see them."""

from __future__ import annotations

import attrs

from dcacore.application.deal_cards import DealCard
from dcacore.application.deal_pages import DealList, DealRow, DealView, OrderRow
from dcacore.domain.orders import Fill
from dcaweb.api.views import shown, view


@attrs.frozen(kw_only=True)
class OpenDeal:
    """An open deal at the last price."""

    deal_id: str
    number: int
    opened_at: str
    price: str | None
    average: str | None
    target: str | None
    stop: str | None
    next_safety_order: str | None
    trail_exit: str | None
    safety_orders_used: int
    safety_orders: int
    held: str
    spent: str
    unrealized: str | None
    unrealized_percent: str | None


@attrs.frozen(kw_only=True)
class DealItem:
    """A deal in a list. `state` is open, closed or cancelled."""

    id: str
    bot: str
    bot_id: str
    account: str
    environment: str
    pair: str
    quote_asset: str
    state: str
    reason: str | None
    opened_at: str
    closed_at: str | None
    duration_s: int
    entry: str | None
    exit_price: str | None
    safety_orders: int
    spent: str
    profit: str | None
    profit_percent: str | None
    fees: str


@attrs.frozen(kw_only=True)
class DealPage:
    """A page of deals, open ones first, then the one that closed last first."""

    items: tuple[DealItem, ...]
    total: int
    limit: int
    skip: int


@attrs.frozen(kw_only=True)
class FillItem:
    """A fill."""

    trade_id: str
    at: str
    price: str
    quantity: str
    base_fee: str
    quote_fee: str


@attrs.frozen(kw_only=True)
class OrderItem:
    """An order. `role` is base, safety, take_profit, stop_loss, close or extra; `price` is null at market."""

    order_id: str
    side: str
    role: str
    rung: int
    price: str | None
    quantity: str
    filled: str
    average: str | None
    notional: str
    fee_base: str
    fee_quote: str
    state: str
    fills: tuple[FillItem, ...]


@attrs.frozen(kw_only=True)
class DealDetail:
    """A deal with everything; `open` is null when it has ended."""

    deal: DealItem
    open: OpenDeal | None
    at_market: str | None
    explanation: tuple[str, ...]
    orders: tuple[OrderItem, ...]


def open_deal(card: DealCard | None) -> OpenDeal | None:
    """Return the open deal of a bot."""
    return None if card is None else view(OpenDeal, card)


def deal_item(row: DealRow) -> DealItem:
    """Return a deal of a list."""
    record = row.record
    deal = record.deal
    return view(
        DealItem,
        row,
        id=deal.id,
        bot_id=record.bot_id,
        account=row.account.name,
        pair=deal.market.pair,
        quote_asset=deal.market.quote_asset,
        reason=shown(deal.exit),
        opened_at=shown(deal.opened_at),
        closed_at=shown(deal.closed_at),
        spent=shown(deal.books.cost),
    )


def deal_page(found: DealList) -> DealPage:
    """Return a page of deals."""
    return view(DealPage, found, items=tuple([deal_item(row) for row in found.rows]))


def deal_detail(found: DealView) -> DealDetail:
    """Return a deal with everything."""
    return view(
        DealDetail,
        found,
        deal=deal_item(found.row),
        open=open_deal(found.card),
        explanation=tuple(found.explanation),
        orders=tuple([_order(row) for row in found.orders]),
    )


def _order(row: OrderRow) -> OrderItem:
    return view(OrderItem, row, fills=tuple([_fill(it) for it in row.fills]))


def _fill(fill: Fill) -> FillItem:
    return view(FillItem, fill)
