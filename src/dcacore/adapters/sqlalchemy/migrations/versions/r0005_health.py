"""How the ways from an engine to the exchanges are doing."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    """No engine has told so far."""
    op.add_column("engine", sa.Column("health", sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("engine", "health")
