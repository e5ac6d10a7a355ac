"""What the next mail of an occasion is to tell."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import UtcDateTime

revision: Final = "0011"
down_revision: Final = "0010"


def upgrade() -> None:
    """Nothing has been gathered so far."""
    op.create_table(
        "gathered_news",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_gathered_news_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "occasion", name="pk_gathered_news"),
    )


def downgrade() -> None:
    """Forget it: the list of activity still has it all."""
    op.drop_table("gathered_news")
