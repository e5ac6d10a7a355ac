"""Indexes by which filters of the feed are answered without a look at every line."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"

_FILTERED: Final = ["user_id", "number", "level", "kind", "at", "bot_id", "environment"]


def upgrade() -> None:
    """Put what filters look at into the index that gives the order; of a bot find the lines of one user."""
    op.drop_index("ix_activity_user_id_number", "activity")
    op.drop_index("ix_activity_bot_id_number", "activity")
    op.create_index("ix_activity_filtered", "activity", _FILTERED)
    op.create_index("ix_activity_of_bot", "activity", ["bot_id", "user_id", "number"])


def downgrade() -> None:
    """Go back to an index for the order alone."""
    op.drop_index("ix_activity_of_bot", "activity")
    op.drop_index("ix_activity_filtered", "activity")
    op.create_index("ix_activity_bot_id_number", "activity", ["bot_id", "number"])
    op.create_index("ix_activity_user_id_number", "activity", ["user_id", "number"])
