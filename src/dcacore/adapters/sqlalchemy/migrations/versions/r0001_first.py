"""The first schema."""

from __future__ import annotations

import secrets
from typing import Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import ExactDecimal, Number, UtcDateTime

revision: Final = "0001"
down_revision: Final = None

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


def upgrade() -> None:
    """Make the tables, and draw the database's epoch."""
    _engine()
    _meta()
    _user()
    _account()
    _bot()
    _reconciliation()
    _activity()
    _bot_lease()
    _day_total()
    _deal()
    _notification()
    _request()
    _order_intent()
    _fill()
    epoch = "".join(secrets.choice(_LETTERS) for _ in range(6))
    op.execute(sa.text("INSERT INTO meta (id, epoch) VALUES (1, :epoch)").bindparams(epoch=epoch))


def downgrade() -> None:
    """Drop the tables, and all that is in them."""
    for table in (
        "fill",
        "order_intent",
        "request",
        "notification",
        "deal",
        "day_total",
        "bot_lease",
        "activity",
        "reconciliation",
        "bot",
        "account",
        "user",
        "meta",
        "engine",
    ):
        op.drop_table(table)


def _engine() -> None:
    op.create_table(
        "engine",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("bots", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_engine"),
    )


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_meta_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_meta"),
    )


def _user() -> None:
    op.create_table(
        "user",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("verified_at", UtcDateTime(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
        sa.UniqueConstraint("email", name="uq_user_email"),
    )


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_account_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("user_id", "name", name="uq_account_user_id_name"),
    )


def _bot() -> None:
    op.create_table(
        "bot",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("quote_asset", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("fees", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("stop_sells", sa.Boolean(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("carried_quantity", ExactDecimal(), nullable=False),
        sa.Column("carried_cost", ExactDecimal(), nullable=False),
        sa.Column("deals_started", sa.Integer(), nullable=False),
        sa.Column("deals_closed", sa.Integer(), nullable=False),
        sa.Column("closed_before", sa.Integer(), nullable=False),
        sa.Column("total_profit", ExactDecimal(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=True),
        sa.Column("resume_at", UtcDateTime(), nullable=True),
        sa.Column("awaits_price", sa.Boolean(), nullable=False),
        sa.Column("order_prefix", sa.Text(), nullable=False),
        sa.Column("deals", sa.Integer(), nullable=False),
        sa.Column("won", sa.Integer(), nullable=False),
        sa.Column("profit", ExactDecimal(), nullable=False),
        sa.Column("volume", ExactDecimal(), nullable=False),
        sa.Column("fees_quote", ExactDecimal(), nullable=False),
        sa.Column("fees_base", ExactDecimal(), nullable=False),
        sa.Column("duration_s", Number, nullable=False),
        sa.Column("best", ExactDecimal(), nullable=True),
        sa.Column("worst", ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_bot_account_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_bot_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_bot"),
        sa.UniqueConstraint("user_id", "name", name="uq_bot_user_id_name"),
    )
    op.create_index("ix_bot_account_id", "bot", ["account_id"], unique=False)
    op.create_index("ix_bot_phase", "bot", ["phase"], unique=False)


def _reconciliation() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("number", Number, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("adopted", sa.Text(), nullable=False),
        sa.Column("filled", sa.Text(), nullable=False),
        sa.Column("gone", sa.Text(), nullable=False),
        sa.Column("stray", sa.Text(), nullable=False),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_reconciliation_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_reconciliation"),
    )
    op.create_index("ix_reconciliation_account_id_number", "reconciliation", ["account_id", "number"], unique=False)


def _activity() -> None:
    op.create_table(
        "activity",
        sa.Column("number", Number, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=True),
        sa.Column("deal_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name="fk_activity_bot_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_activity_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", name="pk_activity"),
    )
    op.create_index("ix_activity_bot_id_number", "activity", ["bot_id", "number"], unique=False)
    op.create_index("ix_activity_user_id_number", "activity", ["user_id", "number"], unique=False)


def _bot_lease() -> None:
    op.create_table(
        "bot_lease",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("token", Number, nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name="fk_bot_lease_bot_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bot_id", name="pk_bot_lease"),
    )


def _day_total() -> None:
    op.create_table(
        "day_total",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("quote_asset", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("deals", sa.Integer(), nullable=False),
        sa.Column("won", sa.Integer(), nullable=False),
        sa.Column("profit", ExactDecimal(), nullable=False),
        sa.Column("volume", ExactDecimal(), nullable=False),
        sa.Column("fees_quote", ExactDecimal(), nullable=False),
        sa.Column("fees_base", ExactDecimal(), nullable=False),
        sa.Column("duration_s", Number, nullable=False),
        sa.Column("best", ExactDecimal(), nullable=True),
        sa.Column("worst", ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name="fk_day_total_bot_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("bot_id", "quote_asset", "day", name="pk_day_total"),
    )


def _deal() -> None:
    op.create_table(
        "deal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("fees", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_price", ExactDecimal(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("takers_at", UtcDateTime(), nullable=True),
        sa.Column("carried_quantity", ExactDecimal(), nullable=False),
        sa.Column("carried_cost", ExactDecimal(), nullable=False),
        sa.Column("bought", ExactDecimal(), nullable=False),
        sa.Column("gross", ExactDecimal(), nullable=False),
        sa.Column("base_fees", ExactDecimal(), nullable=False),
        sa.Column("buy_fees", ExactDecimal(), nullable=False),
        sa.Column("sold", ExactDecimal(), nullable=False),
        sa.Column("proceeds", ExactDecimal(), nullable=False),
        sa.Column("sell_fees", ExactDecimal(), nullable=False),
        sa.Column("has_ladder", sa.Boolean(), nullable=False),
        sa.Column("waiting", sa.Text(), nullable=False),
        sa.Column("take_profit_price", ExactDecimal(), nullable=True),
        sa.Column("stop_loss_price", ExactDecimal(), nullable=True),
        sa.Column("retarget_at", UtcDateTime(), nullable=True),
        sa.Column("peak", ExactDecimal(), nullable=True),
        sa.Column("has_moved", sa.Boolean(), nullable=False),
        sa.Column("exit", sa.Text(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("profit", ExactDecimal(), nullable=True),
        sa.Column("cost_of_sold", ExactDecimal(), nullable=True),
        sa.Column("handed_on_quantity", ExactDecimal(), nullable=True),
        sa.Column("handed_on_cost", ExactDecimal(), nullable=True),
        sa.Column("kept_quantity", ExactDecimal(), nullable=True),
        sa.Column("kept_cost", ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name="fk_deal_bot_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_deal"),
    )
    op.create_index("ix_deal_bot_id_closed_at", "deal", ["bot_id", "closed_at"], unique=False)
    op.create_index(
        "uq_deal_open",
        "deal",
        ["bot_id"],
        unique=True,
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open"),
    )


def _notification() -> None:
    op.create_table(
        "notification",
        sa.Column("number", Number, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name="fk_notification_bot_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_notification_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", name="pk_notification"),
    )
    op.create_index("ix_notification_bot_id", "notification", ["bot_id"], unique=False)
    op.create_index("ix_notification_user_id_number", "notification", ["user_id", "number"], unique=False)


def _request() -> None:
    op.create_table(
        "request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name="fk_request_bot_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_request"),
    )
    op.create_index("ix_request_bot_id", "request", ["bot_id"], unique=False)
    op.create_index(
        "ix_request_waiting",
        "request",
        ["asked_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )


def _order_intent() -> None:
    op.create_table(
        "order_intent",
        sa.Column("seq", Number, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=True),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("order_state", sa.Text(), nullable=False),
        sa.Column("executed", ExactDecimal(), nullable=True),
        sa.Column("is_cancelling", sa.Boolean(), nullable=False),
        sa.Column("may_take", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("has_ended", sa.Boolean(), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("recv_window_ms", sa.Integer(), nullable=False),
        sa.Column("venue_order_id", sa.Text(), nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("missed_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deal_id"],
            ["deal.id"],
            name="fk_order_intent_deal_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_order_intent"),
        sa.UniqueConstraint("id", name="uq_order_intent_id"),
    )
    op.create_index("ix_order_intent_deal_id", "order_intent", ["deal_id"], unique=False)
    op.create_index(
        "ix_order_intent_unsettled",
        "order_intent",
        ["bot_id"],
        unique=False,
        sqlite_where=sa.text("has_ended = 0"),
        postgresql_where=sa.text("NOT has_ended"),
    )


def _fill() -> None:
    op.create_table(
        "fill",
        sa.Column("seq", Number, nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("trade_id", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("base_fee", ExactDecimal(), nullable=False),
        sa.Column("quote_fee", ExactDecimal(), nullable=False),
        sa.Column("fee", ExactDecimal(), nullable=False),
        sa.Column("fee_asset", sa.Text(), nullable=False),
        sa.Column("fee_rate", ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["order_intent.id"],
            name="fk_fill_order_id",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_fill"),
        sa.UniqueConstraint("account_id", "pair", "digits", "trade_id", name="uq_fill_account_id_pair_digits_trade_id"),
    )
    op.create_index("ix_fill_order_id", "fill", ["order_id"], unique=False)
