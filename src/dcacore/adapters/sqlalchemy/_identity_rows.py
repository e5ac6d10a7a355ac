"""The tables that let people in. Of secrets only digests are stored; of addresses that were tried, too."""

from __future__ import annotations

import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dcacore.adapters.sqlalchemy._rows import Base


class SessionRow(Base):
    """Somebody who is logged in."""

    __tablename__ = "user_session"

    key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime.datetime]
    seen_at: Mapped[datetime.datetime]
    address: Mapped[str]
    agent: Mapped[str]


class MailLinkRow(Base):
    """A link that was sent by mail."""

    __tablename__ = "mail_link"

    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    expires_at: Mapped[datetime.datetime]
    used_at: Mapped[datetime.datetime | None]


class TriesRow(Base):
    """How often something was tried."""

    __tablename__ = "tries"

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    began_at: Mapped[datetime.datetime]


class OutboxRow(Base):
    """A mail that is to be sent; its texts are blank when it has been."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "due_at",
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    to: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    link: Mapped[str]
    queued_at: Mapped[datetime.datetime]
    due_at: Mapped[datetime.datetime]
    attempts: Mapped[int]
    sent_at: Mapped[datetime.datetime | None]
    failed_at: Mapped[datetime.datetime | None]


class GatheredRow(Base):
    """What the next mail of an occasion is to tell a user; one line under the other, no more than a mail has."""

    __tablename__ = "gathered_news"

    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    occasion: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime.datetime]
    count: Mapped[int]
    lines: Mapped[str]


class ApiTokenRow(Base):
    """What lets a program act for a user."""

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str]
    scope: Mapped[str]
    created_at: Mapped[datetime.datetime]
    expires_at: Mapped[datetime.datetime | None]
    used_at: Mapped[datetime.datetime | None]


class PreferencesRow(Base):
    """How a user wants to see things; of what to be told is JSON."""

    __tablename__ = "preferences"

    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    theme: Mapped[str]
    currency_digits: Mapped[int | None]
    time_zone: Mapped[str]
    display_currency: Mapped[str]
    told: Mapped[str]
