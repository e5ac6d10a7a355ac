"""The words and figures of the page: cards, notes, rows and parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Final

import attrs

from dcacore.backtest.html._text import (
    counted,
    decimals,
    duration,
    exactly,
    minute,
    money_places,
    number,
    price_places,
    regrouped,
    signed,
)
from dcacore.backtest.report import BacktestReport, ClosedDeal, OpenDeal
from dcacore.domain.market import FeeAsset, Fees, Market
from dcacore.domain.money import HUNDRED, ZERO, plain
from dcacore.domain.preview import LadderPreview
from dcacore.domain.strategy import Strategy
from dcacore.ports.intervals import INTERVALS

PATHS: Final = {
    "nearest": "nearer extreme first",
    "high_first": "high before low",
    "low_first": "low before high",
}
_INTERVAL_NAMES: Final = {length: name for name, length in INTERVALS.items()}
_UNITS: Final = {
    "price_deviation": "%",
    "take_profit": "%",
    "trailing_deviation": "%",
    "stop_loss": "%",
    "cooldown": "s",
}
_QUOTE: Final = frozenset({"base_order_size", "safety_order_size"})
_AT_ZERO: Final = {"trailing_deviation": "off", "stop_loss": "off", "max_deals": "no limit"}


@attrs.frozen(kw_only=True)
class Card:
    """One figure of the summary; *tone* is gain, loss or nothing."""

    label: str
    value: str
    unit: str = ""
    note: str = ""
    tone: str = ""


@attrs.frozen(kw_only=True)
class Note:
    """Something the reader should know; *kind* is warning or info."""

    kind: str
    text: str


@attrs.frozen(kw_only=True)
class PathProfit:
    """What the bot made when events inside candles come in one order."""

    name: str
    meaning: str
    profit: str
    difference: str
    is_played: bool


@attrs.frozen(kw_only=True)
class DealRow:
    """One closed deal."""

    opened: str
    closed: str
    duration: str
    base_price: str
    safety_orders: int
    spent: str
    sold: str
    exit_price: str
    profit: str
    reason: str
    is_loss: bool


@attrs.frozen
class Shown:
    """How many decimals amounts, prices and quantities of a run are shown with."""

    amount: int
    price: int
    quantity: int

    @classmethod
    def of(cls, report: BacktestReport, strategy: Strategy, market: Market, lowest: float) -> Shown:
        """Return what fits the funds of the bot, the *lowest* price and the grids of its market."""
        size = max(report.statistics.max_funds, strategy.base_order_size)
        return cls(money_places(size), price_places(market.tick_size, lowest), decimals(market.step_size))


def interval_text(interval_ms: int) -> str:
    """Return the name of an interval, or its length when it has none."""
    return _INTERVAL_NAMES.get(interval_ms, duration(interval_ms // 1000))


def cards(report: BacktestReport, market: Market, shown: Shown) -> Iterator[Card]:
    """Yield the summary, the most asked for first."""
    figures, quote, open_deal = report.statistics, market.quote_asset, report.open_deal
    has_deals = bool(report.deals)
    wins = sum(deal.profit > 0 for deal in report.deals)
    yield Card(
        label="Profit",
        value=signed(report.profit, shown.amount),
        unit=quote,
        note="of closed deals, after all fees",
        tone=_tone(report.profit),
    )
    yield Card(
        label="Return on max funds",
        value=signed(figures.return_on_max_funds, 2),
        unit="%",
        note="profit over the most that was tied up",
        tone=_tone(figures.return_on_max_funds),
    )
    yield Card(
        label="Win rate",
        value=number(figures.win_rate, 1) if has_deals else "none",
        unit="%" if has_deals else "",
        note=f"{wins:,} of {counted(len(report.deals), 'deal')} with a profit" if has_deals else "no deal has closed",
    )
    yield Card(
        label="Deals",
        value=f"{len(report.deals):,}",
        unit="closed",
        note="1 still open" if open_deal is not None else "none open at the end",
    )
    yield Card(label="Max funds", value=number(figures.max_funds, shown.amount), unit=quote, note="most ever tied up")
    yield Card(
        label="Max drawdown",
        value=number(figures.max_drawdown, shown.amount),
        unit=quote,
        note="deepest fall from a peak, at closes",
    )
    yield Card(
        label="Buy and hold",
        value=signed(figures.buy_and_hold, shown.amount),
        unit=quote,
        note="max funds bought at the first open",
        tone=_tone(figures.buy_and_hold),
    )
    yield Card(
        label="Unrealized",
        value=signed(open_deal.unrealized, shown.amount) if open_deal is not None else "none",
        unit=quote if open_deal is not None else "",
        note="open deal at the last close" if open_deal is not None else "no deal is open",
        tone=_tone(open_deal.unrealized) if open_deal is not None else "",
    )
    yield Card(
        label="Fees",
        value=number(report.fees_quote, shown.amount),
        unit=quote,
        note=f"and {exactly(report.fees_base)} {market.base_asset}" if report.fees_base else "all in quote",
    )
    yield Card(
        label="Average duration",
        value=duration(figures.average_duration_s) if has_deals else "none",
        note="of a closed deal" if has_deals else "no deal has closed",
    )
    yield Card(
        label="Longest duration",
        value=duration(figures.longest_duration_s) if has_deals else "none",
        note="of a closed deal" if has_deals else "no deal has closed",
    )
    yield Card(label="Most safety orders", value=str(figures.most_safety_orders), note="filled in one deal")


def _tone(amount: Decimal) -> str:
    return "gain" if amount > 0 else "loss" if amount < 0 else ""


def notes(
    report: BacktestReport,
    preview: LadderPreview,
    market: Market,
    shown: Shown,
    *,
    warnings: Sequence[str],
    gaps: int,
) -> Iterator[Note]:
    """Yield what the reader should know, warnings first; *preview* is of the first price."""
    quote, statistics, needed = market.quote_asset, report.statistics, preview.rows[-1].total_spent
    funds, most = (number(value, shown.amount) for value in (needed, statistics.max_funds))
    for text in warnings:
        yield Note(kind="warning", text=_sentence(regrouped(text, {plain(needed): funds})))
    if gaps:
        yield Note(
            kind="warning",
            text=f"The data has {counted(gaps, 'gap')}: times without candles. Nothing happens in a gap; what the "
            "price passed meanwhile fills when it ends.",
        )
    if not statistics.max_funds:
        yield Note(kind="warning", text="Nothing was ever bought: the base order did not fit the balance.")
    orders = counted(len(preview.rows) - 1, "safety order")
    yield Note(
        kind="info",
        text=f"The ladder can tie up {funds} {quote} at the first price (the base order and {orders}). "
        f"The most that was tied up in this run is {most} {quote}.",
    )
    if report.open_deal is not None:
        worth = signed(report.open_deal.unrealized, shown.amount)
        yield Note(
            kind="info",
            text=f"A deal is still open when the data ends. Its {worth} {quote} are not part of the profit.",
        )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def path_profits(
    report: BacktestReport, band: Mapping[str, Decimal], market: Market, shown: Shown
) -> tuple[str, tuple[PathProfit, ...]]:
    """Return what the order of events inside candles amounts to, and the profit for each."""
    low, high, quote = min(band.values()), max(band.values()), market.quote_asset
    if low == high:
        text = "Whatever the order of events inside candles, the profit is the same."
    else:
        text = (
            f"Candles do not tell whether their high or their low came first. Depending on it the profit lies from "
            f"{signed(low, shown.amount)} to {signed(high, shown.amount)} {quote}: "
            f"{number(high - low, shown.amount)} {quote} of the answer hang on the order of events inside candles"
        )
        share = (high - low) * HUNDRED / abs(report.profit) if report.profit else ZERO
        if share > HUNDRED:
            text += ", more than this run's whole profit."
        else:
            text += f", {number(share, 1)} % of this run's profit." if share else "."
    return text, tuple(
        PathProfit(
            name=name,
            meaning=PATHS.get(name, ""),
            profit=signed(profit, shown.amount),
            difference=signed(profit - report.profit, shown.amount),
            is_played=name == report.path.value,
        )
        for name, profit in band.items()
    )


def deal_rows(deals: Sequence[ClosedDeal], shown: Shown) -> Iterator[DealRow]:
    """Yield a row for every closed deal, in the order of *deals*."""
    for deal in deals:
        yield DealRow(
            opened=minute(deal.opened_ms),
            closed=minute(deal.closed_ms),
            duration=duration((deal.closed_ms - deal.opened_ms) // 1000),
            base_price=number(deal.base_price, shown.price),
            safety_orders=deal.safety_orders,
            spent=number(deal.spent, shown.amount),
            sold=number(deal.sold, shown.quantity),
            exit_price=number(deal.exit_price, shown.price),
            profit=signed(deal.profit, shown.amount),
            reason=deal.reason.value.replace("_", " "),
            is_loss=deal.profit < 0,
        )


def open_rows(
    deal: OpenDeal, strategy: Strategy, market: Market, shown: Shown, last: float
) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of the open deal, *last* being the last close."""
    quote, has_target = market.quote_asset, deal.deal.take_profit_price is not None
    yield "Opened", f"{minute(deal.opened_ms)} UTC"
    yield "Base price", f"{number(deal.base_price, shown.price)} {quote}"
    yield "Safety orders filled", f"{deal.safety_orders} of {strategy.max_safety_orders}"
    yield "Spent", f"{number(deal.spent, shown.amount)} {quote}"
    yield "Holds", f"{exactly(deal.net)} {market.base_asset}"
    yield "Take-profit price", f"{number(deal.take_profit_price, shown.price)} {quote}" if has_target else "none yet"
    if deal.deal.stop_loss_price is not None:
        yield "Stop-loss price", f"{number(deal.deal.stop_loss_price, shown.price)} {quote}"
    yield "Last close", f"{number(last, shown.price)} {quote}"
    yield "Unrealized", f"{signed(deal.unrealized, shown.amount)} {quote}"


def parameters(strategy: Strategy, market: Market) -> Iterator[tuple[str, str]]:
    """Yield every parameter of the strategy by the name it has in a bot file."""
    for field in attrs.fields(Strategy):
        value = getattr(strategy, field.name)
        yield field.name, _parameter(field.name, value, market)


def _parameter(name: str, value: object, market: Market) -> str:
    match value:
        case None:
            return "all"
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case Decimal():
            text = exactly(value)
        case _:
            text = str(value)
    unit = market.quote_asset if name in _QUOTE else _UNITS.get(name, "")
    return f"{text} ({_AT_ZERO[name]})" if not value and name in _AT_ZERO else f"{text} {unit}".rstrip()


def market_rows(market: Market, fees: Fees, slippage: Decimal, balance: Decimal | None) -> Iterator[tuple[str, str]]:
    """Yield the market's rules, the account's fees and the terms of the run."""
    quote, base = market.quote_asset, market.base_asset
    is_received = fees.fee_asset is FeeAsset.RECEIVED
    yield "pair", market.pair
    yield "tick_size", f"{exactly(market.tick_size)} {quote}"
    yield "step_size", f"{exactly(market.step_size)} {base}"
    yield "min_notional", f"{exactly(market.min_notional)} {quote}"
    yield "min_quantity", f"{exactly(market.min_quantity)} {base}"
    yield "fee_maker", _fraction(fees.fee_maker)
    yield "fee_taker", _fraction(fees.fee_taker)
    yield "fee_asset", f"{fees.fee_asset.value} ({'what a fill brings in' if is_received else f'always {quote}'})"
    yield "slippage", _fraction(slippage)
    yield "balance", "without limit" if balance is None else f"{exactly(balance)} {quote}"


def _fraction(value: Decimal) -> str:
    return f"{exactly(value)} ({exactly(value.scaleb(2))} %)"
