"""The tables of billing: customers, subscriptions, what has been told, bots that pause for the plan."""

from __future__ import annotations

import datetime

from sqlalchemy import ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column

from dcacore.adapters.sqlalchemy._rows import Base


class CustomerRow(Base):
    """A user who buys; what billing calls the user is NULL until it has said so."""

    __tablename__ = "billing_customer"

    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    customer_id: Mapped[str | None] = mapped_column(unique=True)
    checkout_id: Mapped[str]
    begun_at: Mapped[datetime.datetime]
    asked_at: Mapped[datetime.datetime | None]
    warned: Mapped[str]


class SubscriptionRow(Base):
    """What a user pays for."""

    __tablename__ = "subscription"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    product_id: Mapped[str]
    state: Mapped[str]
    changed_at: Mapped[datetime.datetime]
    period_end: Mapped[datetime.datetime | None]
    past_due_at: Mapped[datetime.datetime | None]
    ends_at: Mapped[datetime.datetime | None]
    ended_at: Mapped[datetime.datetime | None]
    trial_end: Mapped[datetime.datetime | None]
    resumes_at: Mapped[datetime.datetime | None]
    amount: Mapped[int]
    currency: Mapped[str]


class BillingEventRow(Base):
    """Something that billing has told. Whom it is about need not be anybody here; what it says of one is JSON."""

    __tablename__ = "billing_event"
    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    told_at: Mapped[datetime.datetime]
    user_id: Mapped[str | None]
    customer_id: Mapped[str]
    subscription: Mapped[str | None]
    body: Mapped[str]
    came_at: Mapped[datetime.datetime]
    tries: Mapped[int]
    next_at: Mapped[datetime.datetime | None] = mapped_column(index=True)
    settled_at: Mapped[datetime.datetime | None]
    outcome: Mapped[str]


class PlanPauseRow(Base):
    """A bot that pauses because the plan does not carry it."""

    __tablename__ = "plan_pause"

    bot_id: Mapped[str] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"), primary_key=True)
    since: Mapped[datetime.datetime]
    user_paused: Mapped[bool] = mapped_column(server_default=false())


class PlanChoiceRow(Base):
    """Which bot a user wants to go on with a smaller plan."""

    __tablename__ = "plan_choice"

    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    bot_id: Mapped[str] = mapped_column(ForeignKey("bot.id", ondelete="CASCADE"))
