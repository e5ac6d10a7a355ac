"""Where a line of activity that belongs to no bot happened."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    """Nobody has noted that so far; a bot's lines are where its account is."""
    op.add_column("activity", sa.Column("environment", sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("activity", "environment")
