"""The bots' secrets for signals: digests of them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import UtcDateTime

revision: Final = "0009"
down_revision: Final = "0008"


def upgrade() -> None:
    """No bot has one so far."""
    op.create_table(
        "bot_signal",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name="fk_bot_signal_bot_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bot_id", name="pk_bot_signal"),
        sa.UniqueConstraint("key", name="uq_bot_signal_key"),
    )


def downgrade() -> None:
    """Forget them: no signal is heard any more."""
    op.drop_table("bot_signal")
