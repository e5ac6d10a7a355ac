"""Since when an account has its key."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import UtcDateTime

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """No account has had another key than its first so far."""
    op.add_column("account", sa.Column("keyed_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("account", "keyed_at")
