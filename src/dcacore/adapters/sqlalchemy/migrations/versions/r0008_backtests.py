"""Backtests that users have asked for, with what came of them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import ExactDecimal, Number, UtcDateTime

revision: Final = "0008"
down_revision: Final = "0007"


def upgrade() -> None:
    """There are none so far."""
    op.create_table(
        "backtest",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("state", "name", "bot")],
        sa.Column("environment", sa.Text(), nullable=True),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("pair", "quote_asset", "interval")],
        *[sa.Column(name, Number, nullable=True) for name in ("from_ms", "to_ms")],
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("slippage", ExactDecimal(), nullable=False),
        sa.Column("balance", ExactDecimal(), nullable=True),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("warnings", "failure", "figures")],
        *[sa.Column(name, sa.LargeBinary(), nullable=True) for name in ("report", "drawings")],
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_backtest_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_backtest"),
    )
    op.create_index("ix_backtest_user_id_asked_at", "backtest", ["user_id", "asked_at"])


def downgrade() -> None:
    """Forget them."""
    op.drop_table("backtest")
