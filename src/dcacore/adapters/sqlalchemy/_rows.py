"""The tables of trading: bots, deals, orders, fills."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from sqlalchemy import ForeignKey, Index, MetaData, Table, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from dcacore.adapters.sqlalchemy._types import ExactDecimal, Number, UtcDateTime

NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What all tables share: how their constraints are named, and how types are stored."""

    __table__: ClassVar[Table]
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        Decimal: ExactDecimal(),
        datetime.datetime: UtcDateTime(),
    }


class BotRow(Base):
    """A bot, whose it is, and what its closed deals came to."""

    __tablename__ = "bot"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str]
    created_at: Mapped[datetime.datetime]

    pair: Mapped[str]
    quote_asset: Mapped[str]
    strategy: Mapped[str]
    market: Mapped[str]
    fees: Mapped[str]
    wanted: Mapped[str]
    stop_sells: Mapped[bool]
    phase: Mapped[str] = mapped_column(index=True)
    trouble: Mapped[str | None]
    carried_quantity: Mapped[Decimal]
    carried_cost: Mapped[Decimal]
    deals_started: Mapped[int]
    deals_closed: Mapped[int]
    closed_before: Mapped[int]
    total_profit: Mapped[Decimal]
    price: Mapped[Decimal | None]
    resume_at: Mapped[datetime.datetime | None]
    awaits_price: Mapped[bool]
    order_prefix: Mapped[str]

    deals: Mapped[int]
    won: Mapped[int]
    profit: Mapped[Decimal]
    volume: Mapped[Decimal]
    fees_quote: Mapped[Decimal]
    fees_base: Mapped[Decimal]
    duration_s: Mapped[int] = mapped_column(Number)
    best: Mapped[Decimal | None]
    worst: Mapped[Decimal | None]
    fees_valued: Mapped[Decimal] = mapped_column(server_default="0")
    cost: Mapped[Decimal] = mapped_column(server_default="0")
    tied: Mapped[Decimal] = mapped_column(server_default="0")
    spread: Mapped[str] = mapped_column(server_default=text("''"))


class DealRow(Base):
    """A deal. Ladder and reference price are not stored: they follow from strategy, market and base order.

    A deal that is neither open nor closed came to nothing: no order of it was ever filled.
    """

    __tablename__ = "deal"
    __table_args__ = (
        Index(
            "uq_deal_open", "bot_id", unique=True, sqlite_where=text("is_open = 1"), postgresql_where=text("is_open")
        ),
        # It holds all that lists and days of profit need, so that no deal has to be read for them.
        Index("ix_deal_ended", "bot_id", "closed_at", "id", "exit", "profit"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    bot_id: Mapped[str] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"))
    is_open: Mapped[bool]
    number: Mapped[int]
    strategy: Mapped[str]
    market: Mapped[str]
    fees: Mapped[str]
    opened_at: Mapped[datetime.datetime]
    opened_price: Mapped[Decimal]
    attempts: Mapped[int]
    takers_at: Mapped[datetime.datetime | None]

    carried_quantity: Mapped[Decimal]
    carried_cost: Mapped[Decimal]
    bought: Mapped[Decimal]
    gross: Mapped[Decimal]
    base_fees: Mapped[Decimal]
    buy_fees: Mapped[Decimal]
    sold: Mapped[Decimal]
    proceeds: Mapped[Decimal]
    sell_fees: Mapped[Decimal]
    gone: Mapped[Decimal] = mapped_column(server_default="0")
    gone_for: Mapped[Decimal] = mapped_column(server_default="0")

    has_ladder: Mapped[bool]
    waiting: Mapped[str]
    take_profit_price: Mapped[Decimal | None]
    stop_loss_price: Mapped[Decimal | None]
    retarget_at: Mapped[datetime.datetime | None]
    peak: Mapped[Decimal | None]
    has_moved: Mapped[bool]
    exit: Mapped[str | None]
    sold_at: Mapped[Decimal | None]
    sold_by_hand: Mapped[Decimal | None]
    closed_at: Mapped[datetime.datetime | None]

    profit: Mapped[Decimal | None]
    cost_of_sold: Mapped[Decimal | None]
    handed_on_quantity: Mapped[Decimal | None]
    handed_on_cost: Mapped[Decimal | None]
    kept_quantity: Mapped[Decimal | None]
    kept_cost: Mapped[Decimal | None]


class IntentRow(Base):
    """An order, from the decision to its end.

    Its deal is looked for when the transaction ends, so that both may be stored in either order.
    """

    __tablename__ = "order_intent"
    __table_args__ = (
        Index(
            "ix_order_intent_unsettled",
            "bot_id",
            sqlite_where=text("has_ended = 0"),
            postgresql_where=text("NOT has_ended"),
        ),
    )

    seq: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    deal_id: Mapped[str] = mapped_column(
        ForeignKey("deal.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"), index=True
    )
    bot_id: Mapped[str]
    account_id: Mapped[str]
    pair: Mapped[str]
    side: Mapped[str]
    role: Mapped[str]
    rung: Mapped[int]
    price: Mapped[Decimal | None]
    quantity: Mapped[Decimal]
    order_state: Mapped[str]
    executed: Mapped[Decimal | None]
    is_cancelling: Mapped[bool]
    may_take: Mapped[bool]
    state: Mapped[str]
    has_ended: Mapped[bool]
    planned_at: Mapped[datetime.datetime]
    sent_at: Mapped[datetime.datetime | None]
    recv_window_ms: Mapped[int]
    venue_order_id: Mapped[str | None]
    misses: Mapped[int]
    missed_at: Mapped[datetime.datetime | None]
    reason: Mapped[str]


class FillRow(Base):
    """A trade of an order: a line of the ledger. *digits* is the length of the trade id: ids sort as numbers.

    Trade ids come again when a testnet has been emptied: the order is part of what makes a fill unique.
    """

    __tablename__ = "fill"
    __table_args__ = (UniqueConstraint("account_id", "pair", "digits", "trade_id", "order_id"),)

    seq: Mapped[int] = mapped_column(Number, primary_key=True)
    order_id: Mapped[str] = mapped_column(
        ForeignKey("order_intent.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"), index=True
    )
    account_id: Mapped[str]
    pair: Mapped[str]
    digits: Mapped[int]
    trade_id: Mapped[str]
    at: Mapped[datetime.datetime]
    price: Mapped[Decimal]
    quantity: Mapped[Decimal]
    base_fee: Mapped[Decimal]
    quote_fee: Mapped[Decimal]
    fee: Mapped[Decimal]
    fee_asset: Mapped[str]
    fee_rate: Mapped[Decimal | None]
