"""The table of backtests: what was played in columns, what came of it packed."""

from __future__ import annotations

import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from dcacore.adapters.sqlalchemy._rows import Base
from dcacore.adapters.sqlalchemy._types import Number


class BacktestRow(Base):
    """A backtest that a user has asked for; warnings and figures are JSON."""

    __tablename__ = "backtest"
    __table_args__ = (Index("ix_backtest_user_id_asked_at", "user_id", "asked_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    asked_at: Mapped[datetime.datetime]
    seen_at: Mapped[datetime.datetime]
    ended_at: Mapped[datetime.datetime | None]
    state: Mapped[str]
    name: Mapped[str]
    bot: Mapped[str]
    environment: Mapped[str | None]
    pair: Mapped[str]
    quote_asset: Mapped[str]
    interval: Mapped[str]
    from_ms: Mapped[int | None] = mapped_column(Number)
    to_ms: Mapped[int | None] = mapped_column(Number)
    path: Mapped[str]
    slippage: Mapped[Decimal]
    balance: Mapped[Decimal | None]
    warnings: Mapped[str]
    failure: Mapped[str]
    figures: Mapped[str]
    report: Mapped[bytes | None]
    drawings: Mapped[bytes | None]
