"""Backtests as pages show them: numbers out of their texts, moments out of milliseconds, and what differs."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore import bootstrap
from dcacore.ports.backtests import BacktestRun, RunState
from dcacore.ports.intervals import INTERVALS
from dcaweb import parameters
from dcaweb.pages.backtest_form import PATHS, SOURCES
from dcaweb.parameters import Shown

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
STATES: Final = {
    RunState.QUEUED: ("Waiting for its turn", "hourglass-top", "quiet"),
    RunState.FETCHING: ("Fetching candles", "download", "info"),
    RunState.RUNNING: ("Playing", "play-circle", "info"),
    RunState.DONE: ("Done", "check-circle", "good"),
    RunState.FAILED: ("Failed", "error", "error"),
}


@attrs.frozen(kw_only=True)
class RunView:
    """A backtest.

    Attributes:
        run: as it is kept.
        figures: the numbers by which backtests are compared; empty before it is done.
        begin: when what was played starts, or before it is done what was asked for; None where only the candles say it.
        end: when it ends, likewise.
        percent: how much of what goes on is done; None where that is not known.
    """

    run: BacktestRun
    figures: Mapping[str, Decimal]
    begin: datetime.datetime | None
    end: datetime.datetime | None
    percent: int | None = None

    @property
    def word(self) -> tuple[str, str, str]:
        """How it stands: a word, its icon, its tone."""
        return STATES[self.run.state]

    @property
    def base_asset(self) -> str:
        """What is bought and sold."""
        return str(bootstrap.bot_of_text(self.run.name, self.run.bot).market["base_asset"])


@attrs.frozen(kw_only=True)
class DealRow:
    """A closed deal of a backtest."""

    number: int
    opened_at: datetime.datetime
    closed_at: datetime.datetime
    base_price: Decimal
    exit_price: Decimal
    spent: Decimal
    profit: Decimal
    safety_orders: int
    reason: str
    duration_s: int


@attrs.frozen(kw_only=True)
class Rest:
    """What a backtest ends with: coins that could not be sold, and the deal that is open.

    Attributes:
        carried_quantity: the coins, in base.
        carried_cost: what was spent on them, in quote.
        opened_at: when the open deal began; None when none is open, and then the rest is None, too.
    """

    carried_quantity: Decimal
    carried_cost: Decimal
    opened_at: datetime.datetime | None = None
    base_price: Decimal | None = None
    safety_orders: int | None = None
    spent: Decimal | None = None
    net: Decimal | None = None
    take_profit_price: Decimal | None = None
    unrealized: Decimal | None = None


@attrs.frozen
class Row:
    """What several backtests have of one thing, and whether it is the same in all."""

    label: str
    values: tuple[Shown, ...]

    @property
    def differs(self) -> bool:
        """Whether they are not all the same."""
        return len(set(self.values)) > 1


def at(moment_ms: int) -> datetime.datetime:
    """Return the moment."""
    return _EPOCH + datetime.timedelta(milliseconds=moment_ms)


def run_view(run: BacktestRun, percent: int | None = None) -> RunView:
    """Return the backtest as pages show it."""
    figures = {name: Decimal(text) for name, text in run.figures.items()}
    begin, end = run.from_ms, run.to_ms
    if figures:
        begin, end = int(figures["from_ms"]), int(figures["to_ms"]) + INTERVALS[run.interval]
    return RunView(
        run=run,
        figures=figures,
        begin=None if begin is None else at(begin),
        end=None if end is None else at(end),
        percent=percent,
    )


def deal_rows(report: Mapping[str, Any], first: int, count: int) -> list[DealRow]:
    """Return some of the closed deals, newest first."""
    deals = report["deals"]
    numbers = range(len(deals) - first, max(0, len(deals) - first - count), -1)
    return [_deal(number, deals[number - 1]) for number in numbers]


def _deal(number: int, deal: Mapping[str, Any]) -> DealRow:
    return DealRow(
        number=number,
        opened_at=at(deal["opened_at"]),
        closed_at=at(deal["closed_at"]),
        **{name: Decimal(deal[name]) for name in ("base_price", "exit_price", "spent", "profit")},
        safety_orders=deal["safety_orders"],
        reason=deal["reason"],
        duration_s=(deal["closed_at"] - deal["opened_at"]) // 1000,
    )


def rest(report: Mapping[str, Any]) -> Rest:
    """Return what a backtest ends with."""
    carried: dict[str, Any] = {name: Decimal(report[name]) for name in ("carried_quantity", "carried_cost")}
    deal = report["open_deal"]
    if deal is None:
        return Rest(**carried)
    names = ("base_price", "spent", "net", "take_profit_price", "unrealized")
    numbers: dict[str, Any] = {name: Decimal(deal[name]) for name in names}
    return Rest(**carried, opened_at=at(deal["opened_at"]), safety_orders=deal["safety_orders"], **numbers)


def parameter_groups(run: BacktestRun) -> list[tuple[str, list[Shown]]]:
    """Return the parameters of what was played, by group."""
    return parameters.shown(bootstrap.bot_of_text(run.name, run.bot).strategy, run.quote_asset)


def terms(run: BacktestRun) -> list[Shown]:
    """Return how it was played."""
    fees = bootstrap.bot_of_text(run.name, run.bot).fees
    return [
        Shown("Pair", run.pair),
        Shown("Candles", run.interval),
        Shown("Of", "The local store" if run.environment is None else SOURCES[run.environment]),
        Shown("In each candle", dict(PATHS)[run.path]),
        Shown("Slippage", _plain(run.slippage.scaleb(2)), "%"),
        Shown("Balance", "Without limit" if run.balance is None else _plain(run.balance), run.quote_asset),
        Shown("Maker fee", _plain(fees.fee_maker.scaleb(2)), "%"),
        Shown("Taker fee", _plain(fees.fee_taker.scaleb(2)), "%"),
    ]


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def compared(runs: Sequence[BacktestRun]) -> list[Row]:
    """Return parameters and terms of several backtests side by side."""
    columns = [[*terms(run), *[it for _, group in parameter_groups(run) for it in group]] for run in runs]
    return [Row(values[0].label, values) for values in zip(*columns, strict=True)]
