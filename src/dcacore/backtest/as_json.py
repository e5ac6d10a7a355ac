"""A report as JSON values: money as plain decimal text, times as integer milliseconds."""

from __future__ import annotations

from dcacore.backtest.report import BacktestReport, ClosedDeal, OpenDeal, Statistics
from dcacore.domain.money import plain

Json = dict[str, object]


def report_as_json(report: BacktestReport) -> Json:
    """Return *report* as the values of `dca backtest --json`."""
    return {
        "pair": report.pair,
        "engine": report.engine,
        "candles": report.candles,
        "from_ms": report.from_ms,
        "to_ms": report.to_ms,
        "deals": [_closed(deal) for deal in report.deals],
        "open_deal": _open(report.open_deal) if report.open_deal is not None else None,
        "profit": plain(report.profit),
        "carried_quantity": plain(report.carried.quantity),
        "carried_cost": plain(report.carried.cost),
        "fees_quote": plain(report.fees_quote),
        "fees_base": plain(report.fees_base),
        "statistics": _statistics(report.statistics),
    }


def _closed(deal: ClosedDeal) -> Json:
    return {
        "opened_at": deal.opened_ms,
        "closed_at": deal.closed_ms,
        "base_price": plain(deal.base_price),
        "safety_orders": deal.safety_orders,
        "spent": plain(deal.spent),
        "sold": plain(deal.sold),
        "exit_price": plain(deal.exit_price),
        "profit": plain(deal.profit),
        "reason": deal.reason.value,
    }


def _open(deal: OpenDeal) -> Json:
    return {
        "opened_at": deal.opened_ms,
        "base_price": plain(deal.base_price),
        "safety_orders": deal.safety_orders,
        "spent": plain(deal.spent),
        "net": plain(deal.net),
        "take_profit_price": plain(deal.take_profit_price),
        "unrealized": plain(deal.unrealized),
    }


def _statistics(figures: Statistics) -> Json:
    return {
        "win_rate": plain(figures.win_rate),
        "average_duration_s": figures.average_duration_s,
        "longest_duration_s": figures.longest_duration_s,
        "most_safety_orders": figures.most_safety_orders,
        "max_funds": plain(figures.max_funds),
        "max_drawdown": plain(figures.max_drawdown),
        "buy_and_hold": plain(figures.buy_and_hold),
        "return_on_max_funds": plain(figures.return_on_max_funds),
    }
