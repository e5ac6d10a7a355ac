"""What a backtest found: its deals, its open deal, and the statistics over them."""

from __future__ import annotations

from decimal import Decimal

import attrs

from dcacore.adapters.simulated import Path
from dcacore.backtest.player import Mark
from dcacore.domain.books import Carried
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.money import BaseQty, Price, QuoteAmount


@attrs.frozen(kw_only=True)
class ClosedDeal:
    """One closed deal.

    Attributes:
        opened_ms: open time of the candle in which it opened.
        closed_ms: open time of the candle in which it closed.
        base_price: average price of the base order's fills.
        safety_orders: how many safety orders filled.
        spent: all that it spent, carried cost included, in quote.
        sold: base sold.
        exit_price: average price of its sells.
        profit: in quote.
        reason: why it was sold.
        deal: the deal itself, with its orders and fills.
    """

    opened_ms: int
    closed_ms: int
    base_price: Decimal
    safety_orders: int
    spent: QuoteAmount
    sold: BaseQty
    exit_price: Decimal
    profit: QuoteAmount
    reason: Exit
    deal: Deal


@attrs.frozen(kw_only=True)
class OpenDeal:
    """The deal that is open when the data ends.

    Attributes:
        opened_ms: open time of the candle in which it opened.
        base_price: average price of the base order's fills.
        safety_orders: how many safety orders have filled.
        spent: what it has spent, carried cost included, in quote.
        net: base it holds.
        take_profit_price: its target.
        unrealized: net x last close - spent.
        deal: the deal itself, with its orders and fills.
    """

    opened_ms: int
    base_price: Decimal
    safety_orders: int
    spent: QuoteAmount
    net: BaseQty
    take_profit_price: Price
    unrealized: QuoteAmount
    deal: Deal


@attrs.frozen(kw_only=True)
class Statistics:
    """Figures over a whole run; docs/reference/statistics.md has formula and source of each.

    Attributes:
        win_rate: percent of the closed deals that made a profit.
        average_duration_s: mean time from open to close of the closed deals, in whole seconds, half-even.
        longest_duration_s: the longest of them.
        most_safety_orders: the most safety orders that filled in one deal, the open one included.
        max_funds: the most that was ever tied up, in quote.
        max_drawdown: largest fall in quote of profit so far plus unrealized from an earlier peak, at candle closes.
        buy_and_hold: profit in quote of `max_funds` bought at the first open as a taker, valued at the last close.
        return_on_max_funds: profit in percent of `max_funds`.
    """

    win_rate: Decimal
    average_duration_s: int
    longest_duration_s: int
    most_safety_orders: int
    max_funds: QuoteAmount
    max_drawdown: QuoteAmount
    buy_and_hold: QuoteAmount
    return_on_max_funds: Decimal


@attrs.frozen(kw_only=True)
class BacktestReport:
    """What a backtest found.

    Attributes:
        pair: the market's symbol.
        engine: which engine played.
        path: how candles were walked through.
        candles: how many were played.
        from_ms: open time of the first.
        to_ms: open time of the last.
        deals: the closed deals, oldest first.
        open_deal: the deal that is still open; None when there is none.
        profit: sum of the closed deals' profits, in quote.
        carried: what the last closed deal could not sell, while no deal has taken it over.
        fees_quote: all fees paid in quote.
        fees_base: all fees paid in base.
        statistics: figures over the whole run.
        marks: how the bot stood, candle by candle, for curves.
    """

    pair: str
    engine: str
    path: Path
    candles: int
    from_ms: int
    to_ms: int
    deals: tuple[ClosedDeal, ...]
    open_deal: OpenDeal | None
    profit: QuoteAmount
    carried: Carried
    fees_quote: QuoteAmount
    fees_base: BaseQty
    statistics: Statistics
    marks: tuple[Mark, ...]
