"""A backtest as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from dcacli.tables import Column, counted, grouped, money_places, print_table, printable, rounded
from dcacore.application.playable import duration_text
from dcacore.domain.money import ZERO, plain
from dcacore.ports.intervals import interval_name
from dcacore.ports.times import utc_text

if TYPE_CHECKING:
    from dcacore.backtest.played import PlayedBacktest
    from dcacore.backtest.report import ClosedDeal, OpenDeal

Line = tuple[str, str]


def print_report(played: PlayedBacktest, last_deals: int) -> None:
    """Print what a user wants to know of *played*, with its last deals."""
    report, quote = played.report, played.market.quote_asset
    name = f"{played.bot.name}: {report.pair}, {report.engine} engine, path {report.path.value}"
    _print_lines(name, [*_range(played), *_deals(played), *_statistics(played), *_band(played)])
    if report.open_deal is not None:
        _print_lines("Open deal", _open_deal(report.open_deal, quote))
    shown = report.deals[-last_deals:] if last_deals else ()
    if shown:
        title = f"Last {counted(len(shown), 'deal')} of {len(report.deals):,}"
        print_table(title, _columns(shown))


def _print_lines(title: str, lines: list[Line] | Iterator[Line]) -> None:
    found = list(lines)
    width = max(len(label) for label, _ in found)
    click.echo(title)
    for label, text in found:
        click.echo(f"  {label:<{width}}  {text}")
    click.echo()


def _range(played: PlayedBacktest) -> Iterator[Line]:
    report, candles = played.report, played.candles
    yield "candles", f"{report.candles:,} of {interval_name(candles.interval_ms)} ({printable(candles.source)})"
    yield "range", f"{utc_text(report.from_ms)} to {utc_text(report.to_ms)} (UTC)"
    if not played.gaps:
        yield "gaps", "none"
    else:
        missing = sum(gap.missing for gap in played.gaps)
        longest = max(gap.missing for gap in played.gaps) * candles.interval_ms
        yield "gaps", f"{len(played.gaps):,} with {counted(missing, 'missing candle')}, up to {duration_text(longest)}"
    first, last = (_price(value) for value in (candles.open[0], candles.close[-1]))
    yield "price", f"{first} to {last} {played.market.quote_asset}"
    if played.slippage:
        yield "slippage", f"{plain(played.slippage)} of the price"
    yield (
        "ladder",
        f"up to {grouped(played.preview.rows[-1].total_spent)} {played.market.quote_asset} at the first price",
    )
    if played.balance is not None:
        yield "balance", f"{grouped(played.balance)} {played.market.quote_asset}"


def _price(price: float) -> str:
    return grouped(Decimal(repr(float(price))))


def _deals(played: PlayedBacktest) -> Iterator[Line]:
    report, quote = played.report, played.market.quote_asset
    reasons: dict[str, int] = {}
    for deal in report.deals:
        reasons[deal.reason.value] = reasons.get(deal.reason.value, 0) + 1
    ends = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in reasons.items())
    yield "closed deals", f"{len(report.deals):,}" + (f" ({ends})" if ends else "")
    yield "profit", f"{grouped(report.profit)} {quote}"
    fees = [f"{grouped(report.fees_quote)} {quote}"] if report.fees_quote or not report.fees_base else []
    fees += [f"{grouped(report.fees_base)} {played.market.base_asset}"] if report.fees_base else []
    yield "fees paid", " and ".join(fees)
    if report.carried.quantity:
        yield "left over", f"{plain(report.carried.quantity)} {played.market.base_asset} that could not be sold"


def _statistics(played: PlayedBacktest) -> Iterator[Line]:
    figures, quote = played.report.statistics, played.market.quote_asset
    if played.report.deals:
        yield "win rate", f"{plain(figures.win_rate)} %"
        average, longest = (
            duration_text(1000 * seconds) for seconds in (figures.average_duration_s, figures.longest_duration_s)
        )
        yield "duration", f"{average} on average, {longest} at most"
    yield "safety orders", f"at most {figures.most_safety_orders} in one deal"
    yield "most funds tied up", f"{grouped(figures.max_funds)} {quote}"
    yield "return on them", f"{plain(figures.return_on_max_funds)} %"
    yield "largest drawdown", f"{grouped(figures.max_drawdown)} {quote}"
    yield "buy and hold", f"{grouped(figures.buy_and_hold)} {quote} with the same funds"


def _band(played: PlayedBacktest) -> Iterator[Line]:
    if not played.band:
        return
    quote, profits = played.market.quote_asset, [report.profit for report in played.band]
    yield "profit band", f"{grouped(min(profits))} to {grouped(max(profits))} {quote}"
    for report in played.band:
        yield f"  {report.path.value}", f"{grouped(report.profit)} {quote}"


def _open_deal(deal: OpenDeal, quote: str) -> Iterator[Line]:
    yield "opened", f"{utc_text(deal.opened_ms)} (UTC) at {plain(deal.base_price)}"
    yield "safety orders", f"{deal.safety_orders}"
    yield "spent", f"{grouped(deal.spent)} {quote}"
    yield "holds", plain(deal.net)
    if deal.take_profit_price > ZERO:
        yield "take profit at", grouped(deal.take_profit_price)
    yield "unrealized", f"{grouped(deal.unrealized)} {quote}"


def _columns(deals: Sequence[ClosedDeal]) -> list[Column]:
    money = money_places(max(deal.spent for deal in deals))

    def amounts(name: str, worth: int, values: list[Decimal], places: int | None = None) -> Column:
        short = [] if places is None else [rounded(value, places) for value in values]
        return Column(name=name, worth=worth, cells=[plain(value) for value in values], short=short)

    def words(name: str, worth: int, cells: list[str]) -> Column:
        return Column(name=name, worth=worth, cells=cells, is_text=True)

    return [
        words("opened (UTC)", 9, [utc_text(deal.opened_ms) for deal in deals]),
        words("closed (UTC)", 7, [utc_text(deal.closed_ms) for deal in deals]),
        words("reason", 2, [deal.reason.value.replace("_", " ") for deal in deals]),
        amounts("base price", 5, [deal.base_price for deal in deals]),
        Column(name="safety", worth=3, cells=[str(deal.safety_orders) for deal in deals]),
        amounts("spent", 6, [deal.spent for deal in deals], money),
        amounts("sold", 1, [deal.sold for deal in deals]),
        amounts("exit", 4, [deal.exit_price for deal in deals]),
        amounts("profit", 9, [deal.profit for deal in deals], money),
    ]
