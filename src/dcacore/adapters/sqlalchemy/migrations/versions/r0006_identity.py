"""Who is logged in, links sent by mail, tries, mail to be sent, API tokens, and how users want to see things."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import UtcDateTime

revision: Final = "0006"
down_revision: Final = "0005"

_WAITING: Final = "sent_at IS NULL AND failed_at IS NULL"
_TABLES: Final = ("user_session", "mail_link", "tries", "outbox", "api_token", "preferences")


def upgrade() -> None:
    """Nobody is logged in so far, and there is nothing to send."""
    op.create_table(
        "user_session",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        _of_user("user_session"),
        sa.PrimaryKeyConstraint("key", name="pk_user_session"),
        sa.UniqueConstraint("id", name="uq_user_session_id"),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"])
    op.create_table(
        "mail_link",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        _of_user("mail_link"),
        sa.PrimaryKeyConstraint("user_id", "kind", name="pk_mail_link"),
        sa.UniqueConstraint("key", name="uq_mail_link_key"),
    )
    op.create_table(
        "tries",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_tries"),
    )
    op.create_table(
        "outbox",
        sa.Column("key", sa.Text(), nullable=False),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("to", "subject", "text", "html", "link")],
        sa.Column("queued_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_outbox"),
    )
    waiting = sa.text(_WAITING)
    op.create_index("ix_outbox_waiting", "outbox", ["due_at"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "api_token",
        sa.Column("key", sa.Text(), nullable=False),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("id", "user_id", "name", "scope")],
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        _of_user("api_token"),
        sa.PrimaryKeyConstraint("key", name="pk_api_token"),
        sa.UniqueConstraint("id", name="uq_api_token_id"),
        sa.UniqueConstraint("user_id", "name", name="uq_api_token_user_id_name"),
    )
    op.create_table(
        "preferences",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("currency_digits", sa.Integer(), nullable=True),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("time_zone", "display_currency", "told")],
        _of_user("preferences"),
        sa.PrimaryKeyConstraint("user_id", name="pk_preferences"),
    )


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=f"fk_{table}_user_id", ondelete="CASCADE")


def downgrade() -> None:
    """Log everybody out, and forget the rest of it."""
    for table in reversed(_TABLES):
        op.drop_table(table)
