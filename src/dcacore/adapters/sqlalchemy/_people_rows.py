"""The tables beside trading: users and their accounts, what they ask for and read, leases, engines, the epoch."""

from __future__ import annotations

import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dcacore.adapters.sqlalchemy._rows import Base
from dcacore.adapters.sqlalchemy._types import Number


class UserRow(Base):
    """A person."""

    __tablename__ = "user"

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    tier: Mapped[str]
    given_tier: Mapped[str] = mapped_column(server_default="FREE")
    is_admin: Mapped[bool]
    verified_at: Mapped[datetime.datetime | None]
    password_hash: Mapped[str]
    created_at: Mapped[datetime.datetime]


class AccountRow(Base):
    """A user's account on an exchange; the key is cipher text."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str]
    environment: Mapped[str]
    api_key: Mapped[str | None]
    keyed_at: Mapped[datetime.datetime | None]
    created_at: Mapped[datetime.datetime]


class LiveConfirmationRow(Base):
    """A user's word that a bot may spend real money; the parameters that it was given for are JSON."""

    __tablename__ = "live_confirmation"

    bot_id: Mapped[str] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    confirmed_at: Mapped[datetime.datetime]
    strategy: Mapped[str]
    price: Mapped[Decimal]
    amount: Mapped[Decimal]


class RequestRow(Base):
    """Something a user asked of a bot."""

    __tablename__ = "request"
    __table_args__ = (
        Index(
            "ix_request_waiting",
            "asked_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    bot_id: Mapped[str] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    details: Mapped[str]
    asked_at: Mapped[datetime.datetime]
    done_at: Mapped[datetime.datetime | None]
    refusal: Mapped[str]


class ActivityRow(Base):
    """A line of the feed."""

    __tablename__ = "activity"
    __table_args__ = (
        # It holds all that filters look at, so that a line is only read when it fits.
        Index("ix_activity_filtered", "user_id", "number", "level", "kind", "at", "bot_id", "environment"),
        Index("ix_activity_of_bot", "bot_id", "user_id", "number"),
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    at: Mapped[datetime.datetime]
    kind: Mapped[str]
    text: Mapped[str]
    level: Mapped[str]
    bot_id: Mapped[str | None] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"))
    deal_id: Mapped[str | None]
    order_id: Mapped[str | None]
    environment: Mapped[str | None]


class NotificationRow(Base):
    """Something a user should learn of."""

    __tablename__ = "notification"
    __table_args__ = (
        Index(None, "user_id", "number"),
        Index(
            "ix_notification_unread",
            "user_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    at: Mapped[datetime.datetime]
    kind: Mapped[str]
    text: Mapped[str]
    level: Mapped[str]
    bot_id: Mapped[str | None] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"), index=True)
    read_at: Mapped[datetime.datetime | None]


class ReconciliationRow(Base):
    """What a comparison with the exchange found; the lists are JSON."""

    __tablename__ = "reconciliation"
    __table_args__ = (Index(None, "account_id", "number"),)

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    at: Mapped[datetime.datetime]
    cause: Mapped[str]
    adopted: Mapped[str]
    filled: Mapped[str]
    gone: Mapped[str]
    stray: Mapped[str]
    differences: Mapped[str]


class DayTotalRow(Base):
    """What a bot's deals that closed on one day came to."""

    __tablename__ = "day_total"

    bot_id: Mapped[str] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"), primary_key=True)
    quote_asset: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[datetime.date] = mapped_column(primary_key=True)
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


class LeaseRow(Base):
    """Who acts for a bot. A lease that was given back has no owner; the row stays, so that tokens only grow."""

    __tablename__ = "bot_lease"

    bot_id: Mapped[str] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"), primary_key=True)
    owner: Mapped[str]
    token: Mapped[int] = mapped_column(Number)
    expires_at: Mapped[datetime.datetime]


class EngineRow(Base):
    """An engine, as it last reported itself."""

    __tablename__ = "engine"

    name: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime.datetime]
    bots: Mapped[int]
    health: Mapped[str | None]


class MetaRow(Base):
    """The one row that says which database this is."""

    __tablename__ = "meta"
    __table_args__ = (CheckConstraint("id = 1", name="ck_meta_one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[str]
