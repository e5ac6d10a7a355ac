"""Backtests that users have asked for, as they are kept: what was played, how it stands, and what came of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Protocol

import attrs

from dcacore.domain.ids import UserId
from dcacore.domain.money import ZERO
from dcacore.ports.records import Environment


class RunState(Enum):
    """How a backtest stands."""

    QUEUED = "queued"
    FETCHING = "fetching"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self in {RunState.DONE, RunState.FAILED}


@attrs.frozen(kw_only=True)
class BacktestRun:
    """A backtest that was asked for, without its report.

    Attributes:
        id: names it.
        user_id: whose.
        asked_at: when.
        seen_at: when the program that plays it was last known to live.
        ended_at: when it was done or failed; None before.
        state: how it stands.
        name: of the bot.
        bot: the bot with its market and fees, as the text of a bot file.
        environment: whose market's candles are played; None takes those of the local store as they are.
        pair: the market.
        quote_asset: in which money is counted.
        interval: how long a candle is.
        from_ms: where it starts, Unix milliseconds; None is the first candle.
        to_ms: before which time it ends; None is after the last.
        path: which of a candle's extremes comes first.
        slippage: how far a market order's price moves against it, as a fraction.
        balance: quote that the bot has; None is without limit.
        warnings: what to know before believing it.
        failure: why it failed; empty otherwise.
        figures: the numbers by which backtests are compared, by name; empty before it is done.
    """

    id: str
    user_id: UserId
    asked_at: datetime.datetime
    seen_at: datetime.datetime
    ended_at: datetime.datetime | None = None
    state: RunState = RunState.QUEUED
    name: str
    bot: str
    environment: Environment | None = None
    pair: str
    quote_asset: str
    interval: str
    from_ms: int | None = None
    to_ms: int | None = None
    path: str = "nearest"
    slippage: Decimal = ZERO
    balance: Decimal | None = None
    warnings: tuple[str, ...] = ()
    failure: str = ""
    figures: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a backtest, each packed by zlib.

    Attributes:
        report: the values of `dca backtest --json`, as JSON.
        drawings: what charts of it draw, as JSON.
    """

    report: bytes
    drawings: bytes


class BacktestRuns(Protocol):
    """The backtests that users have asked for."""

    async def add(self, run: BacktestRun) -> None:
        """Store a new one.

        Raises:
            Conflict: there is one of that id, or no such user.
        """

    async def save(self, run: BacktestRun, outcome: Outcome | None = None) -> None:
        """Store how it stands, and what came of it; one that was removed meanwhile does not come back."""

    async def get(self, user_id: UserId, run_id: str) -> BacktestRun | None:
        """Return the user's of that id; None when there is none."""

    async def outcome(self, user_id: UserId, run_id: str) -> Outcome | None:
        """Return what came of the user's of that id; None when nothing has."""

    async def of(self, user_id: UserId) -> tuple[BacktestRun, ...]:
        """Return the user's, newest first."""

    async def see(self, run_id: str, at: datetime.datetime) -> None:
        """Note that the program that plays it lives."""

    async def remove(self, user_id: UserId, run_id: str) -> bool:
        """Forget the user's of that id; say whether there was one."""
