"""Bots that pause for the plan: whether their users had paused them before."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"


def upgrade() -> None:
    """Of those that pause by now it is not known: they go on by one click, as before."""
    op.add_column("plan_pause", sa.Column("user_paused", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("plan_pause", "user_paused")
