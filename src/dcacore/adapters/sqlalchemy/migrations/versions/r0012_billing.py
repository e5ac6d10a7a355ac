"""Billing: what a user was given and has bought, what billing has told, and bots that pause for the plan."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import UtcDateTime

revision: Final = "0012"
down_revision: Final = "0011"


def _of(table: str, column: str = "user") -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_id"
    return sa.ForeignKeyConstraint([f"{column}_id"], [f"{column}.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    """Nobody has bought anything so far: what somebody has was given."""
    op.add_column("user", sa.Column("given_tier", sa.Text(), nullable=False, server_default="FREE"))
    op.execute('UPDATE "user" SET given_tier = tier')
    op.create_table(
        "billing_customer",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("checkout_id", sa.Text(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("warned", sa.Text(), nullable=False),
        _of("billing_customer"),
        sa.PrimaryKeyConstraint("user_id", name="pk_billing_customer"),
        sa.UniqueConstraint("customer_id", name="uq_billing_customer_customer_id"),
    )
    times = ("period_end", "past_due_at", "ends_at", "ended_at", "trial_end", "resumes_at")
    op.create_table(
        "subscription",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        *[sa.Column(name, UtcDateTime(), nullable=True) for name in times],
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        _of("subscription"),
        sa.PrimaryKeyConstraint("id", name="pk_subscription"),
    )
    op.create_index("ix_subscription_user_id", "subscription", ["user_id"])
    op.create_table(
        "billing_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("came_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_billing_event"),
    )
    op.create_index("ix_billing_event_next_at", "billing_event", ["next_at"])
    op.create_table(
        "plan_pause",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        _of("plan_pause", "bot"),
        sa.PrimaryKeyConstraint("bot_id", name="pk_plan_pause"),
    )
    op.create_table(
        "plan_choice",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        _of("plan_choice"),
        _of("plan_choice", "bot"),
        sa.PrimaryKeyConstraint("user_id", name="pk_plan_choice"),
    )


def downgrade() -> None:
    """Forget it; tiers stay as they are."""
    for table in ("plan_choice", "plan_pause", "billing_event", "subscription", "billing_customer"):
        op.drop_table(table)
    op.drop_column("user", "given_tier")
