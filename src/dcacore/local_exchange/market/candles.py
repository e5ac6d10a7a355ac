"""Candles of one market in every interval, made from its trades as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.domain.money import ZERO
from dcacore.local_exchange.clock import from_ms, to_ms
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.formats import amount
from dcacore.ports.intervals import DAY_MS, INTERVALS

KEPT: Final = 1_500
"""Candles that are kept of each interval; at least those of a day in minutes."""
MONTH: Final = "1M"
NAMES: Final = frozenset({*INTERVALS, MONTH})
_WEEK: Final = "1w"
_TO_MONDAY_MS: Final = 4 * DAY_MS
"""The epoch was a Thursday, and a week's candle begins on a Monday."""


@attrs.define
class Candle:
    """A candle; times in Unix milliseconds."""

    opens_at: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote_volume: Decimal = ZERO
    trades: int = 0
    taker_base: Decimal = ZERO
    taker_quote: Decimal = ZERO
    first_trade: int = -1
    last_trade: int = -1

    @classmethod
    def flat(cls, opens_at: int, price: Decimal) -> Candle:
        """Return a candle without trades."""
        return cls(opens_at, price, price, price, price)

    def row(self, interval: str) -> list[Any]:
        """Return it as `klines` lists it."""
        return [
            self.opens_at,
            *(amount(value) for value in (self.open, self.high, self.low, self.close, self.volume)),
            end_of(interval, self.opens_at),
            amount(self.quote_volume),
            self.trades,
            amount(self.taker_base),
            amount(self.taker_quote),
            "0",
        ]


def start_of(interval: str, at: int) -> int:
    """Return when the candle that holds *at* opens."""
    if interval == MONTH:
        moment = from_ms(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return to_ms(moment)
    shift = _TO_MONDAY_MS if interval == _WEEK else 0
    return at - (at - shift) % INTERVALS[interval]


def end_of(interval: str, opens_at: int) -> int:
    """Return the last millisecond of the candle that opens at *opens_at*."""
    if interval == MONTH:
        return start_of(MONTH, opens_at + 32 * DAY_MS) - 1
    return opens_at + INTERVALS[interval] - 1


def check_interval(name: str) -> str:
    """Return *name*.

    Raises:
        ApiError: -1120, there is no such interval.
    """
    if name not in NAMES:
        raise error(-1120)
    return name


class CandleBook:
    """The candles of one market. Where nothing was traded they are flat: the exchange leaves none out."""

    def __init__(self) -> None:
        self._rows: dict[str, deque[Candle]] = {name: deque(maxlen=KEPT) for name in NAMES}

    def trade(self, at: int, price: Decimal, quantity: Decimal, number: int, *, is_taker_buy: bool) -> None:
        """Count a trade in every interval."""
        quote = price * quantity
        for name, rows in self._rows.items():
            candle = self._current(name, rows, at, price)
            if not candle.trades:
                candle.open = candle.high = candle.low = price
                candle.first_trade = number
            elif price > candle.high:
                candle.high = price
            elif price < candle.low:
                candle.low = price
            candle.close = price
            candle.volume += quantity
            candle.quote_volume += quote
            candle.trades += 1
            candle.last_trade = number
            if is_taker_buy:
                candle.taker_base += quantity
                candle.taker_quote += quote

    def load(self, interval: str, candles: Iterable[Candle]) -> None:
        """Put candles of the past, oldest first, before all others of their interval."""
        rows = self._rows[interval]
        past = [candle for candle in candles if not rows or candle.opens_at < rows[0].opens_at]
        self._rows[interval] = deque([*past, *rows], maxlen=KEPT)

    def at(self, interval: str, now: int) -> Candle | None:
        """Return the candle that is being made; None before the first price."""
        rows = self._rows[interval]
        return self._current(interval, rows, now, rows[-1].close) if rows else None

    def rows(self, interval: str, now: int, start: int | None, end: int | None, limit: int) -> list[Candle]:
        """Return at most *limit* candles: from *start* on, or else the last ones up to *end*."""
        self.at(interval, now)
        kept = [
            candle
            for candle in self._rows[interval]
            if (start is None or candle.opens_at >= start) and (end is None or candle.opens_at <= end)
        ]
        return kept[:limit] if start is not None else kept[-limit:]

    def _current(self, interval: str, rows: deque[Candle], at: int, price: Decimal) -> Candle:
        opens_at = start_of(interval, at)
        while rows and rows[-1].opens_at > opens_at:  # the clock was set back: that is still to come
            rows.pop()
        if not rows:
            rows.append(Candle.flat(opens_at, price))
        elif rows[-1].opens_at < opens_at:
            self._pass(interval, rows, opens_at)
        return rows[-1]

    def _pass(self, interval: str, rows: deque[Candle], until: int) -> None:
        """Add flat candles up to the one that opens at *until*, as many as are kept."""
        if interval != MONTH:
            first = max(rows[-1].opens_at + INTERVALS[interval], until - (KEPT - 1) * INTERVALS[interval])
            for opens_at in range(first, until, INTERVALS[interval]):
                rows.append(Candle.flat(opens_at, rows[-1].close))
        rows.append(Candle.flat(until, rows[-1].close))
