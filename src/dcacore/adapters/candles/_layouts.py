"""The known layouts as two tables: those whose columns have names, and those told apart by their width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

TRADES: Final = "these are trades, not candles"
_TRADE_NAMES: Final = frozenset({"qty", "quantity", "amount", "size", "cost", "quote_qty"})
_TRADE_WORDS: Final = frozenset({"true", "false", "buy", "sell"})


@attrs.frozen(kw_only=True)
class Places:
    """Where the columns of a candle stand in a file, counted from 0.

    Attributes:
        layout: the layout's name, for messages.
        time: column of the open time.
        open: column of the first price; likewise `high`, `low` and `close`.
        volume: column of the traded base asset; None where the layout has none.
    """

    layout: str
    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None


@attrs.frozen(kw_only=True)
class Named:
    """A layout with column names; names are compared in lower case.

    Attributes:
        layout: its name, for messages.
        tell_tale: names that only this layout has.
        time: name of the open time.
        prices: names of open, high, low and close.
        volume: name of the base volume, or how it begins where a coin's name follows.
        may_lack_volume: whether files without volume exist.
    """

    layout: str
    time: str
    tell_tale: frozenset[str] = frozenset()
    prices: tuple[str, str, str, str] = ("open", "high", "low", "close")
    volume: str = "volume"
    may_lack_volume: bool = False


NAMED: Final = (
    Named(
        layout="CoinAPI",
        tell_tale=frozenset({"time_period_end"}),
        time="time_period_start",
        prices=("price_open", "price_high", "price_low", "price_close"),
        volume="volume_traded",
    ),
    Named(layout="CryptoDataDownload", tell_tale=frozenset({"date", "symbol"}), time="unix"),
    Named(layout="Binance archive", tell_tale=frozenset({"close_time", "count"}), time="open_time"),
    Named(layout="open_time", time="open_time"),
    Named(layout="TradingView", time="time", may_lack_volume=True),
    Named(layout="timestamp", time="timestamp"),
    Named(layout="datetime", time="datetime"),
    Named(layout="freqtrade", time="date"),
    Named(layout="unix", time="unix"),
)
"""Tried from the top; the first whose names are all there is taken."""


@attrs.frozen(kw_only=True)
class Bare:
    """A layout without column names.

    Attributes:
        delimiter: what stands between two fields.
        width: number of fields in a row.
        orders: where time, open, high, low, close and volume stand; several where the rows must decide.
    """

    layout: str
    delimiter: str
    width: int
    orders: tuple[tuple[int, int, int, int, int, int], ...]


BARE: Final = (
    Bare(layout="Binance archive", delimiter=",", width=12, orders=((0, 1, 2, 3, 4, 5),)),
    Bare(layout="cryptoarchive", delimiter="|", width=10, orders=((0, 1, 2, 3, 4, 5),)),
    Bare(layout="Kaiko", delimiter=",", width=8, orders=((0, 2, 3, 4, 5, 6),)),
    Bare(layout="ccxt or Bitfinex", delimiter=",", width=6, orders=((0, 1, 2, 3, 4, 5), (0, 1, 3, 4, 2, 5))),
)
"""With six fields the second order is Bitfinex's: time, open, close, high, low, volume. LEAN also has six."""


def places_by_name(names: Sequence[str]) -> Places | None:
    """Return where the columns *names* put a candle, None when no layout fits."""
    lowered = [name.strip().strip('"').lower() for name in names]
    for row in NAMED:
        if row.time in lowered and row.tell_tale.issubset(lowered) and set(row.prices).issubset(lowered):
            volume = _volume(row.volume, lowered)
            if volume is None and not row.may_lack_volume:
                continue
            first, high, low, last = (lowered.index(name) for name in row.prices)
            return Places(
                layout=row.layout,
                time=lowered.index(row.time),
                open=first,
                high=high,
                low=low,
                close=last,
                volume=volume,
            )
    return None


def places_by_width(delimiter: str, width: int) -> tuple[Places, ...]:
    """Return where a row of *width* fields without names may put a candle; empty when no layout fits."""
    return tuple(
        Places(
            layout=row.layout,
            time=order[0],
            open=order[1],
            high=order[2],
            low=order[3],
            close=order[4],
            volume=order[5],
        )
        for row in BARE
        if (row.delimiter, row.width) == (delimiter, width)
        for order in row.orders
    )


def names_are_trades(names: Sequence[str]) -> bool:
    """Return whether columns called *names* are single trades and no candles."""
    lowered = {name.strip().strip('"').lower() for name in names}
    return "price" in lowered and "open" not in lowered and bool(lowered & _TRADE_NAMES)


def fields_are_trades(fields: Sequence[str]) -> bool:
    """Return whether the row *fields*, of a file without names, is a single trade: only those have words in them."""
    return any(field.strip().strip('"').lower() in _TRADE_WORDS for field in fields)


def _volume(wanted: str, names: Sequence[str]) -> int | None:
    if wanted in names:
        return names.index(wanted)
    return next((place for place, name in enumerate(names) if name.startswith(f"{wanted} ")), None)
