"""Which bots may spend real money, because their users said so."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import ExactDecimal, UtcDateTime

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Nobody has confirmed anything so far: a bot that runs goes on, and asks when it is started again."""
    op.create_table(
        "live_confirmation",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name="fk_live_confirmation_bot_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_live_confirmation_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bot_id", name="pk_live_confirmation"),
    )


def downgrade() -> None:
    """Forget what was confirmed."""
    op.drop_table("live_confirmation")
