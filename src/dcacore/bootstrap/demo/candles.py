"""The demo's past as candles: for the exchange, which answers charts, and for the local store, as backtests read it."""

from __future__ import annotations

import datetime
from decimal import Decimal
from random import Random
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from dcacore.bootstrap.demo.market import BETWEEN, Ticks
from dcacore.domain.market import Market
from dcacore.domain.money import exact
from dcacore.local_exchange.clock import to_ms
from dcacore.local_exchange.market.book import quantity_at
from dcacore.local_exchange.market.candles import KEPT, MONTH, NAMES, Candle, CandleBook, start_of
from dcacore.ports.candles import Candles
from dcacore.ports.intervals import DAY_MS, INTERVALS

MINUTE: Final = datetime.timedelta(minutes=1)
_A_MINUTE: Final = MINUTE // BETWEEN
_MINUTE_MS: Final = 60_000
_USUAL_TRADES: Final = 4
"""How many trades of the usual size a price stands for, on average."""


@attrs.frozen(kw_only=True)
class Minutes:
    """The candles of a market, a minute long; prices in ticks, volumes in steps.

    Attributes:
        opens_at: Unix milliseconds.
        trades: how many there were.
    """

    market: Market
    opens_at: Ticks
    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks
    volume: Ticks
    trades: Ticks


def minutes(market: Market, prices: Ticks, began: datetime.datetime, chance: Random) -> Minutes:
    """Return the candles of *prices*, the first of which opens a minute at *began*; how much was traded is chance."""
    starts = np.arange(0, len(prices), _A_MINUTE)
    ends = np.append(starts[1:], len(prices)) - 1
    high, low = np.maximum.reduceat(prices, starts), np.minimum.reduceat(prices, starts)
    usual = int(quantity_at(market, int(prices[0]) * market.tick_size) / market.step_size)
    rng = np.random.default_rng(chance.getrandbits(64))
    trades = (ends - starts + 1) * (1 + rng.poisson(_USUAL_TRADES - 1, len(starts)))
    # Where prices move more is traded.
    liveliness = rng.exponential(1, len(starts)) * (0.3 + 1_000 * (high - low) / low)
    return Minutes(
        market=market,
        opens_at=to_ms(began) + _MINUTE_MS * np.arange(len(starts), dtype=np.int64),
        open=prices[starts],
        high=high,
        low=low,
        close=prices[ends],
        volume=np.maximum(1, np.rint(usual * trades * liveliness)).astype(np.int64),
        trades=trades.astype(np.int64),
    )


def book_of(past: Minutes) -> CandleBook:
    """Return as many candles of each interval as the exchange keeps, all but those of seconds."""
    book = CandleBook()
    for interval in NAMES - {"1s"}:
        book.load(interval, _grouped(past, interval))
    return book


@exact
def _grouped(of: Minutes, interval: str) -> list[Candle]:
    opens = _opens(of.opens_at, interval)
    starts = np.flatnonzero(np.append(True, opens[1:] != opens[:-1]))[-KEPT:]
    ends = np.append(starts[1:], len(opens)) - 1
    since = starts[0]
    columns = (
        opens[starts],
        of.open[starts],
        np.maximum.reduceat(of.high[since:], starts - since),
        np.minimum.reduceat(of.low[since:], starts - since),
        of.close[ends],
        np.add.reduceat(of.volume[since:], starts - since),
        np.add.reduceat(of.trades[since:], starts - since),
    )
    tick, step = of.market.tick_size, of.market.step_size
    candles = []
    for at, opened, high, low, close, volume, trades in zip(*(it.tolist() for it in columns), strict=True):
        bought = volume // 2
        candles.append(
            Candle(
                at,
                opened * tick,
                high * tick,
                low * tick,
                close * tick,
                volume=volume * step,
                quote_volume=volume * step * close * tick,
                trades=trades,
                taker_base=bought * step,
                taker_quote=bought * step * close * tick,
            )
        )
    return candles


def _opens(at: Ticks, interval: str) -> Ticks:
    """Return when the candles open that hold these minutes."""
    if interval == MONTH or INTERVALS[interval] >= DAY_MS:
        days, which = np.unique(at // DAY_MS, return_inverse=True)
        return np.array([start_of(interval, int(day) * DAY_MS) for day in days], dtype=np.int64)[which]
    return at - at % INTERVALS[interval]


def stored(of: Minutes) -> Candles:
    """Return the candles as the local store keeps them."""
    return Candles(
        interval_ms=_MINUTE_MS,
        open_time=of.opens_at,
        open=_numbers(of.open, of.market.tick_size),
        high=_numbers(of.high, of.market.tick_size),
        low=_numbers(of.low, of.market.tick_size),
        close=_numbers(of.close, of.market.tick_size),
        volume=_numbers(of.volume, of.market.step_size),
        source="demo",
    )


def _numbers(counts: Ticks, size: Decimal) -> npt.NDArray[np.float64]:
    """Return the doubles nearest to these multiples, so that each prints as the decimal it means."""
    numerator, denominator = size.as_integer_ratio()
    return counts * numerator / denominator
