"""Since when an account has its key, and what leaves a deal by no order of it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import ExactDecimal, UtcDateTime

revision: Final = "0002"
down_revision: Final = "0001"

_TRADE: Final = ("account_id", "pair", "digits", "trade_id")
_ONE_TRADE: Final = "uq_fill_account_id_pair_digits_trade_id"


def upgrade() -> None:
    """No account has had another key than its first so far, and no deal has lost anything.

    An emptied testnet counts its trades from the beginning again: the order becomes part of what makes a fill unique.
    """
    op.add_column("account", sa.Column("keyed_at", UtcDateTime(), nullable=True))
    op.add_column("deal", sa.Column("gone", ExactDecimal(), nullable=False, server_default="0"))
    op.add_column("deal", sa.Column("gone_for", ExactDecimal(), nullable=False, server_default="0"))
    op.add_column("deal", sa.Column("sold_at", ExactDecimal(), nullable=True))
    with op.batch_alter_table("fill") as fill:
        fill.drop_constraint(_ONE_TRADE, type_="unique")
        fill.create_unique_constraint(f"{_ONE_TRADE}_order_id", [*_TRADE, "order_id"])


def downgrade() -> None:
    """Forget it; of trades with the same number the first that was booked stays."""
    fill_ = sa.table("fill", sa.column("seq"), *[sa.column(name) for name in _TRADE])
    first = fill_.alias("first")
    same = [first.c[name] == fill_.c[name] for name in _TRADE]
    op.execute(fill_.delete().where(sa.exists().where(first.c.seq < fill_.c.seq, *same)))
    with op.batch_alter_table("fill") as fill:
        fill.drop_constraint(f"{_ONE_TRADE}_order_id", type_="unique")
        fill.create_unique_constraint(_ONE_TRADE, list(_TRADE))
    op.drop_column("deal", "sold_at")
    op.drop_column("deal", "gone_for")
    op.drop_column("deal", "gone")
    op.drop_column("account", "keyed_at")
