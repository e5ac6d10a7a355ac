"""The figures of a backtest, exact until the last rounding."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from dcacore.adapters.simulated.candle_ticks import TickCandles
from dcacore.backtest.player import Mark
from dcacore.backtest.report import ClosedDeal, OpenDeal, Statistics
from dcacore.domain.market import FeeAsset, Fees, Market
from dcacore.domain.money import HUNDRED, NO_QUOTE, ZERO, QuoteAmount, Quotient, exact


@exact
def statistics(
    deals: Sequence[ClosedDeal],
    open_deal: OpenDeal | None,
    *,
    max_funds: QuoteAmount,
    marks: Sequence[Mark],
    candles: TickCandles,
    market: Market,
    fees: Fees,
) -> Statistics:
    """Return the figures over a whole run."""
    durations = [(deal.closed_ms - deal.opened_ms) for deal in deals]
    wins = sum(deal.profit > 0 for deal in deals)
    profit = sum((deal.profit for deal in deals), ZERO)
    used = [deal.safety_orders for deal in deals] + ([open_deal.safety_orders] if open_deal is not None else [])
    return Statistics(
        win_rate=Quotient(wins * HUNDRED, Decimal(len(deals))).rounded() if deals else ZERO,
        average_duration_s=round(Fraction(sum(durations), 1000 * len(durations))) if durations else 0,
        longest_duration_s=max(durations, default=0) // 1000,
        most_safety_orders=max(used, default=0),
        max_funds=max_funds,
        max_drawdown=max_drawdown(marks, candles, market),
        buy_and_hold=buy_and_hold(max_funds, candles, market, fees),
        return_on_max_funds=Quotient(profit * HUNDRED, max_funds).rounded() if max_funds else ZERO,
    )


def max_drawdown(marks: Sequence[Mark], candles: TickCandles, market: Market) -> QuoteAmount:
    """Return the largest fall of profit so far plus unrealized from an earlier peak, at candle closes.

    The first peak is 0, before the first candle. Between two marks the value is net x close + booked, so that the
    largest fall inside the stretch is net times that of the closes, in whole ticks.
    """
    peak, deepest = ZERO, ZERO
    ends = [mark.index for mark in marks[1:]] + [len(candles)]
    for mark, end in zip(marks, ends, strict=True):
        if not mark.net:
            peak, deepest = max(peak, mark.booked), max(deepest, peak - mark.booked)
            continue
        closes = candles.close[mark.index : end]
        tops = np.maximum.accumulate(closes)
        worth = mark.net * market.tick_size
        inside = worth * int((tops - closes).max())
        from_before = peak - (worth * int(closes.min()) + mark.booked)
        deepest = max(deepest, inside, from_before)
        peak = max(peak, worth * int(tops[-1]) + mark.booked)
    return QuoteAmount(deepest)


def buy_and_hold(max_funds: QuoteAmount, candles: TickCandles, market: Market, fees: Fees) -> QuoteAmount:
    """Return what *max_funds* bought at the first open as a taker would have made by the last close."""
    first, last = (int(ticks) * market.tick_size for ticks in (candles.open[0], candles.close[-1]))
    if not max_funds:
        return NO_QUOTE
    if fees.fee_asset is FeeAsset.RECEIVED:
        worth = Quotient(max_funds * (1 - fees.fee_taker) * last, first)
    else:
        worth = Quotient(max_funds * last, first * (1 + fees.fee_taker))
    return QuoteAmount(Quotient(worth.numerator - max_funds * worth.denominator, worth.denominator).rounded())
