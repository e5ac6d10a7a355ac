"""What charts of a backtest draw: bounded however long it was. Floats: the report has the exact figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np

from dcacore.backtest.curves import Candlesticks, buy_and_hold, drawdown, equity, thin
from dcacore.backtest.played import PlayedBacktest
from dcacore.domain.deal import Deal
from dcacore.domain.money import Quotient, exact
from dcacore.domain.orders import Role, Side
from dcacore.ports.candle_rules import Column
from dcacore.ports.intervals import INTERVALS

Json = dict[str, Any]

MOST_POINTS: Final = 500
MOST_CANDLES: Final = 500
MOST_MARKERS: Final = 200
_ROLES: Final = {
    Role.BASE: "Base",
    Role.SAFETY: "SO",
    Role.TAKE_PROFIT: "TP",
    Role.STOP_LOSS: "SL",
    Role.CLOSE: "Close",
    Role.EXTRA: "Extra",
}


def drawings(played: PlayedBacktest) -> Json:
    """Return the plots of *played* by name: equity, drawdown and deals, and the candles with what was done there."""
    report, candles = played.report, played.candles
    curve = equity(report.marks, candles)
    held = buy_and_hold(report.statistics.max_funds, candles, played.bot.fees)
    below = drawdown(curve)
    unit = played.market.quote_asset
    times = (candles.open_time + candles.interval_ms) // 1000
    points = np.union1d(thin(curve, MOST_POINTS), thin(held, MOST_POINTS))
    depths = thin(below, MOST_POINTS)
    return {
        "equity": {
            "x": times[points].tolist(),
            "time": True,
            "unit": unit,
            "series": [
                _line("Bot", curve[points], kind="area", tone="primary"),
                _line("Buy and hold", held[points], tone="tertiary"),
            ],
        },
        "drawdown": {
            "x": times[depths].tolist(),
            "time": True,
            "unit": unit,
            "series": [_line("Below its peak", below[depths], kind="area", tone="loss")],
        },
        "candles": _candles(played),
    }


def _line(label: str, values: Column, **how: str) -> Json:
    return {"label": label, "values": [round(float(it), 8) for it in values], **how}


def _candles(played: PlayedBacktest) -> Json:
    sticks = Candlesticks.of(played.candles, MOST_CANDLES)
    columns = (sticks.start // 1000, sticks.open, sticks.high, sticks.low, sticks.close)
    rows = zip(*[column.tolist() for column in columns], strict=True)
    deals = [closed.deal for closed in played.report.deals]
    if played.report.open_deal is not None:
        deals.append(played.report.open_deal.deal)
    found = list(islice(_markers(deals), MOST_MARKERS + 1))
    fitting = found if len(found) <= MOST_MARKERS else []  # more of them hide what they stand at
    return {
        "pair": played.market.pair,
        "interval": _shortest(sticks.length_ms),
        "candles": [dict(zip(("time", "open", "high", "low", "close"), row, strict=True)) for row in rows],
        "markers": _on_sticks(fitting, (sticks.start // 1000).tolist()),
        "lines": [],
        "reason": "",
    }


def _shortest(length_ms: int) -> str:
    """Return a name for the length, for whoever counts on from the last candlestick."""
    return next((name for name, length in INTERVALS.items() if length == length_ms), f"{length_ms // 1000}s")


@exact
def _markers(deals: Sequence[Deal]) -> Iterator[Json]:
    for deal in deals:
        for order in deal.orders.values():
            if order.fills:
                text = f"{_ROLES[order.role]} {order.rung}" if order.role is Role.SAFETY else _ROLES[order.role]
                price = Quotient(order.notional, order.filled).rounded()
                side = "buy" if order.side is Side.BUY else "sell"
                yield {"time": int(order.fills[-1].at.timestamp()), "side": side, "text": text, "price": f"{price:f}"}


def _on_sticks(found: Sequence[Json], starts: Sequence[int]) -> list[Json]:
    """Return the markers, each at the candlestick in which it lies, oldest first."""
    places = np.searchsorted(np.array(starts), [it["time"] for it in found], side="right") - 1
    placed = [{**it, "time": starts[max(0, int(place))]} for it, place in zip(found, places, strict=True)]
    return sorted(placed, key=lambda it: it["time"])
