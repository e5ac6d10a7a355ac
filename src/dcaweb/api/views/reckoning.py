"""Ladders, backtests and requests as programs see them."""

from __future__ import annotations

from typing import Any

import attrs

from dcacore.application.asking import Outcome
from dcacore.domain.preview import LadderPreview
from dcacore.ports.backtests import BacktestRun
from dcaweb.api.views import shown, view


@attrs.frozen(kw_only=True)
class LadderRowItem:
    """An order of a ladder, and how the deal stands after it has filled."""

    order: str
    deviation: str
    price: str
    size: str
    quantity: str
    total_spent: str
    total_quantity: str
    average_price: str
    take_profit_price: str
    required_change: str
    stop_loss_price: str | None


@attrs.frozen(kw_only=True)
class LadderView:
    """Every order that a bot would place from a price on."""

    reference_price: str
    rows: tuple[LadderRowItem, ...]
    warnings: tuple[str, ...]


@attrs.frozen(kw_only=True)
class BacktestView:
    """A backtest: `state` is queued, fetching, running, done or failed; `result` is that of `dca backtest --json`."""

    id: str
    state: str
    asked_at: str
    failure: str
    warnings: tuple[str, ...]
    result: dict[str, Any] | None


@attrs.frozen(kw_only=True)
class RequestView:
    """Something that was asked of a bot: `state` is done, or waiting for an engine."""

    id: str
    bot_id: str
    kind: str
    asked_at: str
    state: str
    is_engine_alive: bool


def ladder_view(preview: LadderPreview) -> LadderView:
    """Return a ladder."""
    return view(LadderView, preview, rows=tuple([view(LadderRowItem, row) for row in preview.rows]))


def backtest_view(run: BacktestRun, result: dict[str, Any] | None) -> BacktestView:
    """Return how a backtest stands."""
    return view(BacktestView, run, result=result)


def request_view(outcome: Outcome) -> RequestView:
    """Return how a request stands."""
    state = "done" if outcome.is_settled else "waiting"
    return view(RequestView, outcome.request, state=state, is_engine_alive=shown(outcome.is_engine_alive))
