"""What statistics are made of beside profit: fees in quote, funds that were tied up, how the deals are spread."""

from __future__ import annotations

import datetime
from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from dcacore.adapters.sqlalchemy._types import ExactDecimal, UtcDateTime
from dcacore.domain.money import ZERO, Quotient, exact

revision: Final = "0007"
down_revision: Final = "0006"

_SUMS: Final = ("fees_valued", "cost", "tied")
_EDGES: Final = tuple(Decimal(edge) for edge in (-50, -20, -10, -5, -2, -1, 0, "0.5", 1, "1.5", 2, 3, 5, 10, 20))
_MONEY: Final = ("bought", "gross", "base_fees", "buy_fees", "sell_fees", "profit", "cost_of_sold")
_SECOND: Final = datetime.timedelta(seconds=1)
_CANCEL: Final = "cancel"
_CHUNK: Final = 1000


def upgrade() -> None:
    """Reckon it for the deals that have closed so far."""
    for table in ("bot", "day_total"):
        for name in _SUMS:
            op.add_column(table, sa.Column(name, ExactDecimal(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column("spread", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.drop_index("ix_deal_bot_id_closed_at", "deal")
    op.create_index("ix_deal_ended", "deal", ["bot_id", "closed_at", "id", "exit", "profit"])
    unread = sa.text("read_at IS NULL")
    op.create_index("ix_notification_unread", "notification", ["user_id"], sqlite_where=unread, postgresql_where=unread)
    _reckon()


@exact
def _reckon() -> None:
    bots: defaultdict[str, list[Any]] = defaultdict(_nothing)
    days: defaultdict[tuple[str, datetime.date], list[Any]] = defaultdict(_nothing)
    money = [sa.column(name, ExactDecimal()) for name in _MONEY]
    times = [sa.column(name, UtcDateTime()) for name in ("opened_at", "closed_at")]
    deal = sa.table("deal", sa.column("bot_id"), sa.column("exit"), *money, *times)
    wanted = sa.select(deal).where(
        deal.c.closed_at.is_not(None),
        deal.c.profit.is_not(None),
        sa.or_(deal.c.exit.is_(None), deal.c.exit != _CANCEL),
    )
    connection = op.get_bind()
    for row in connection.execute(wanted.execution_options(yield_per=_CHUNK)):
        day = row.closed_at.astimezone(datetime.UTC).date()
        for sums in (bots[row.bot_id], days[row.bot_id, day]):
            _add(sums, row)
    for bot_id, sums in bots.items():
        _store(connection, sa.table("bot", sa.column("id")), {"id": bot_id}, sums)
    for (bot_id, day), sums in days.items():
        table = sa.table("day_total", sa.column("bot_id"), sa.column("day", sa.Date()))
        _store(connection, table, {"bot_id": bot_id, "day": day}, sums)


def _nothing() -> list[Any]:
    return [ZERO, ZERO, ZERO, [0] * (len(_EDGES) + 1)]


def _add(sums: list[Any], row: Any) -> None:
    valued = Quotient(row.gross * row.base_fees, row.bought).rounded() if row.bought else ZERO
    sums[0] += row.buy_fees + row.sell_fees + valued
    sums[1] += row.cost_of_sold
    sums[2] += row.cost_of_sold * ((row.closed_at - row.opened_at) // _SECOND)
    if row.cost_of_sold <= 0:
        place = _EDGES.index(ZERO) + (row.profit >= 0)
    else:
        place = sum([row.profit * 100 >= edge * row.cost_of_sold for edge in _EDGES])
    sums[3][place] += 1


def _store(connection: sa.Connection, table: sa.TableClause, key: dict[str, Any], sums: list[Any]) -> None:
    columns = [sa.column(name, ExactDecimal()) for name in _SUMS]
    whole = sa.table(table.name, *[sa.column(it.name, it.type) for it in table.c], *columns, sa.column("spread"))
    same = [whole.c[name] == value for name, value in key.items()]
    values = {**dict(zip(_SUMS, sums[:3], strict=True)), "spread": " ".join(map(str, sums[3]))}
    connection.execute(sa.update(whole).where(*same).values(values))


def downgrade() -> None:
    """Forget it."""
    op.drop_index("ix_notification_unread", "notification")
    op.drop_index("ix_deal_ended", "deal")
    op.create_index("ix_deal_bot_id_closed_at", "deal", ["bot_id", "closed_at"])
    for table in ("bot", "day_total"):
        for name in (*_SUMS, "spread"):
            op.drop_column(table, name)
