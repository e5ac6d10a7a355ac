"""The statistics of the last 24 hours, out of the candles of a minute."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any, Final

import attrs

from dcacore.local_exchange.formats import amount
from dcacore.local_exchange.market.tape import Ticker

DAY_MINUTES: Final = 1_440
_MINUTE_MS: Final = 60_000
_DIGITS: Final = 28


@attrs.frozen(kw_only=True)
class Day:
    """What happened within a day; times in Unix milliseconds."""

    opens_at: int
    closes_at: int
    open: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    quantity: Decimal
    volume: Decimal
    quote_volume: Decimal
    average: Decimal
    first_trade: int
    last_trade: int
    trades: int

    @property
    def change(self) -> Decimal:
        """The difference between the first and the last price."""
        return self.last - self.open

    @property
    def change_percent(self) -> Decimal:
        """The same in percent."""
        return _quotient(100 * self.change, self.open)


def day_of(ticker: Ticker, now: int) -> Day | None:
    """Return the last 24 hours; None before the first price."""
    minutes = ticker.candles.rows("1m", now, now - DAY_MINUTES * _MINUTE_MS, None, DAY_MINUTES)
    if not minutes or ticker.last is None:
        return None
    with localcontext(prec=_DIGITS):
        volume = sum((minute.volume for minute in minutes), Decimal(0))
        quote_volume = sum((minute.quote_volume for minute in minutes), Decimal(0))
    traded = [minute for minute in minutes if minute.trades]
    return Day(
        opens_at=minutes[0].opens_at,
        closes_at=now,
        open=minutes[0].open,
        high=max(minute.high for minute in minutes),
        low=min(minute.low for minute in minutes),
        last=minutes[-1].close,
        quantity=ticker.trades[-1].quantity if ticker.trades else Decimal(0),
        volume=volume,
        quote_volume=quote_volume,
        average=_quotient(quote_volume, volume) if volume else ticker.last,
        first_trade=traded[0].first_trade if traded else -1,
        last_trade=traded[-1].last_trade if traded else -1,
        trades=sum(minute.trades for minute in minutes),
    )


def average_price(ticker: Ticker, now: int, minutes: int) -> Decimal | None:
    """Return what was paid on average in the last *minutes*, the last price when nothing was traded."""
    rows = ticker.candles.rows("1m", now, None, None, minutes)
    with localcontext(prec=_DIGITS):
        volume = sum((row.volume for row in rows), Decimal(0))
        return _quotient(sum((row.quote_volume for row in rows), Decimal(0)), volume) if volume else ticker.last


def day_row(symbol: str, day: Day, quantity: Decimal) -> dict[str, Any]:
    """Return a row of `ticker/24hr`; *quantity* is what lies at the best prices."""
    return {
        "symbol": symbol,
        "priceChange": amount(day.change),
        "priceChangePercent": format(day.change_percent, ".3f"),
        "weightedAvgPrice": amount(day.average),
        "prevClosePrice": amount(day.open),
        "lastPrice": amount(day.last),
        "lastQty": amount(day.quantity),
        "bidPrice": amount(day.last),
        "bidQty": amount(quantity),
        "askPrice": amount(day.last),
        "askQty": amount(quantity),
        "openPrice": amount(day.open),
        "highPrice": amount(day.high),
        "lowPrice": amount(day.low),
        "volume": amount(day.volume),
        "quoteVolume": amount(day.quote_volume),
        "openTime": day.opens_at,
        "closeTime": day.closes_at,
        "firstId": day.first_trade,
        "lastId": day.last_trade,
        "count": day.trades,
    }


def _quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Return a quotient as it is shown: half-even at 8 decimals."""
    with localcontext(prec=60):
        return (numerator / denominator).quantize(Decimal("1E-8")) if denominator else Decimal(0)
