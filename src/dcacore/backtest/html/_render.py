"""A report and its candles, put into the page's template."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from decimal import Decimal

import jinja2

from dcacore.backtest.html import _page
from dcacore.backtest.html._charts import time_charts
from dcacore.backtest.html._histograms import duration_histogram, profit_histogram
from dcacore.backtest.html._text import counted, exactly, minute
from dcacore.backtest.report import BacktestReport
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import ZERO
from dcacore.domain.preview import ladder
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles


def render_html(
    report: BacktestReport,
    candles: Candles,
    *,
    name: str,
    strategy: Strategy,
    market: Market,
    fees: Fees,
    warnings: Sequence[str],
    band: Mapping[str, Decimal] | None,
    gaps: int = 0,
    slippage: Decimal = ZERO,
    balance: Decimal | None = None,
) -> str:
    """Return *report* as one HTML page that needs nothing but itself; the same arguments give the same text.

    Args:
        report: what the backtest found.
        candles: what it played.
        name: the bot's, as the user typed it.
        strategy: what was played.
        market: what was played on.
        fees: what was paid.
        warnings: what a preview of the ladder warns of, one sentence each.
        band: profit for each order of events inside candles (nearest, high_first, low_first); None when only one
            was played.
        gaps: how many gaps the candles have.
        slippage: how far a market order's price moved against it, as a fraction.
        balance: quote that the bot had; None is without limit.
    """
    # The same preview as the one that a command line tells of, so that both name the same funds.
    preview = ladder(strategy, Decimal(repr(float(candles.open[0]))), market, fees)
    shown = _page.Shown.of(report, strategy, market, float(candles.low.min()))
    deals = report.deals
    band_text, band_rows = _page.path_profits(report, band, market, shown) if band else ("", ())
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            name=name,
            report=report,
            market=market,
            range=(minute(report.from_ms), minute(report.to_ms)),
            chips=(
                f"{counted(report.candles, 'candle')} of {_page.interval_text(candles.interval_ms)}",
                f"{report.engine} engine",
                f"path {report.path.value}: {_page.PATHS[report.path.value]}",
            ),
            cards=tuple(_page.cards(report, market, shown)),
            notes=tuple(_page.notes(report, preview, market, shown, warnings=warnings, gaps=gaps)),
            band_text=band_text,
            band_rows=band_rows,
            charts=time_charts(report, candles, market, fees, shown.price),
            histograms=(profit_histogram(deals, market.quote_asset), duration_histogram(deals)) if deals else (),
            deals=tuple(_page.deal_rows(deals, shown)),
            open_rows=tuple(
                _page.open_rows(report.open_deal, strategy, market, shown, float(candles.close[-1]))
                if report.open_deal is not None
                else ()
            ),
            carried=(exactly(report.carried.quantity), exactly(report.carried.cost))
            if report.carried.quantity
            else None,
            parameters=tuple(_page.parameters(strategy, market)),
            market_rows=tuple(_page.market_rows(market, fees, slippage, balance)),
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("dcacore.backtest.html"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
