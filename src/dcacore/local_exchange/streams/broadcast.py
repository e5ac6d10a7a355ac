"""Telling the markets: trades and best prices as they come, everything else when its time has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.filters import AVERAGE_MINUTES
from dcacore.local_exchange.market.book import Book, book_of, changes, quantity_at
from dcacore.local_exchange.market.candles import KEPT
from dcacore.local_exchange.market.day import average_price, day_of
from dcacore.local_exchange.market.tape import PublicTrade, Ticker
from dcacore.local_exchange.streams import payloads
from dcacore.local_exchange.streams.hub import Hub, Subscriber
from dcacore.local_exchange.streams.names import ALL, StreamName

BEAT_MS: Final = 100
_SECOND, _TWO_SECONDS = 1_000, 2_000
_PERIODS: Final = {"kline": _TWO_SECONDS, "miniTicker": _SECOND, "ticker": _SECOND, "avgPrice": _SECOND}


@attrs.define
class _Told:
    """What was last told on a stream."""

    at: int = 0
    update: int = -1
    updates: dict[str, int] = attrs.field(factory=dict)
    candle: int = 0
    book: Book | None = None


class Broadcast:
    """Everything that market streams tell."""

    def __init__(self, exchange: LocalExchange, hub: Hub) -> None:
        self._exchange, self._hub = exchange, hub
        self._told: dict[str, _Told] = {}
        exchange.tape.listeners.append(self._traded)

    def greet(self, connection: Subscriber, names: list[StreamName]) -> None:
        """Tell a new subscriber where the markets stand: in a still one there would be no word for long.

        It alone is told. For all others a stream goes on from where it was, so that no candle closes unheard and no
        change of a book is missing.
        """
        now = self._exchange.clock.ms()
        for name in names:
            if name.kind == "bookTicker" and name.symbol in self._exchange.venue.pairs:
                ticker = self._exchange.tape.of(name.symbol)
                if ticker.last is not None:
                    connection.tell(name.text, self._best(name.symbol, ticker))
            elif (builder := _BUILDERS.get(name.kind)) is not None:
                told = _Told(at=now)
                for payload in builder(self, name, told, now):
                    connection.tell(name.text, payload)
                self._told.setdefault(name.text, told)

    def beat(self) -> None:
        """Tell all whose time has come and that has something new to say."""
        now = self._exchange.clock.ms()
        for name in self._hub.names:
            told = self._told.setdefault(name.text, _Told())
            builder = _BUILDERS.get(name.kind)
            if builder is None or abs(now - told.at) < _period(name):  # the clock may have been set back
                continue
            told.at = now
            for payload in builder(self, name, told, now):
                self._hub.publish(name.text, payload)
        for gone in [text for text in self._told if not self._hub.has(text)]:
            del self._told[gone]

    def _traded(self, symbol: str, ticker: Ticker, trade: PublicTrade) -> None:
        lower, hub = symbol.lower(), self._hub
        now = self._exchange.clock.ms()
        if hub.has(name := f"{lower}@trade"):
            hub.publish(name, payloads.trade(symbol, trade, now))
        if hub.has(name := f"{lower}@aggTrade"):
            hub.publish(name, payloads.aggregate(symbol, trade, now))
        for name in (f"{lower}@bookTicker", "!bookTicker"):
            if hub.has(name):
                hub.publish(name, self._best(symbol, ticker))

    def _best(self, symbol: str, ticker: Ticker) -> dict[str, Any]:
        state = self._exchange.venue.pair(symbol)
        price = state.price if state.price is not None else ticker.last
        if price is None:
            return {}
        return payloads.book_ticker(symbol, ticker.update, price, quantity_at(state.market, price))

    def _symbols(self, name: StreamName) -> tuple[str, ...]:
        pairs = self._exchange.venue.pairs
        if name.symbol == ALL:
            return pairs
        return (name.symbol,) if name.symbol in pairs else ()

    def days(self, name: StreamName, told: _Told, now: int) -> Iterator[Any]:
        """Yield the day of a symbol, or an array of all that have changed."""
        rows = []
        for symbol in self._symbols(name):
            ticker = self._exchange.tape.of(symbol)
            day = day_of(ticker, now) if told.updates.get(symbol) != ticker.update else None
            if day is None:
                continue
            told.updates[symbol] = ticker.update
            if name.kind == "miniTicker":
                rows.append(payloads.mini_ticker(symbol, day, now))
            else:
                quantity = quantity_at(self._exchange.venue.pair(symbol).market, day.last)
                rows.append(payloads.ticker(symbol, day, quantity, now))
        if rows:
            yield rows if name.symbol == ALL else rows[0]

    def candles(self, name: StreamName, told: _Told, now: int) -> Iterator[Any]:
        """Yield the candles that have closed since, and the one that is being made."""
        for symbol in self._symbols(name):
            ticker = self._exchange.tape.of(symbol)
            current = ticker.candles.at(name.detail, now)
            if current is None or (told.update == ticker.update and told.candle == current.opens_at):
                continue
            for candle in ticker.candles.rows(name.detail, now, told.candle, None, KEPT) if told.candle else ():
                if candle is not current:
                    yield payloads.kline(symbol, name.detail, candle, now, is_closed=True)
            yield payloads.kline(symbol, name.detail, current, now, is_closed=False)
            told.update, told.candle = ticker.update, current.opens_at

    def averages(self, name: StreamName, told: _Told, now: int) -> Iterator[Any]:
        """Yield the average price."""
        for symbol in self._symbols(name):
            ticker = self._exchange.tape.of(symbol)
            price = average_price(ticker, now, AVERAGE_MINUTES)
            if price is not None and told.update != ticker.update:
                told.update = ticker.update
                yield payloads.average(symbol, price, now)

    def books(self, name: StreamName, told: _Told, now: int) -> Iterator[Any]:
        """Yield the best levels, or those that have changed."""
        venue = self._exchange.venue
        for symbol in self._symbols(name):
            ticker, state = self._exchange.tape.of(symbol), venue.pair(symbol)
            if state.price is None or told.update == ticker.update:
                continue
            accounts = (venue.account(account) for account in venue.accounts)
            resting = [order for held in accounts for order in held.open.values() if order.pair == symbol]
            book = book_of(state.market, state.price, resting)
            if name.kind == "partialDepth":
                levels = int(name.detail)
                yield payloads.partial_depth(ticker.update, list(book.bids[:levels]), list(book.asks[:levels]))
            else:
                first = told.update + 1 if told.update >= 0 else ticker.update
                yield payloads.depth_update(symbol, first, ticker.update, changes(told.book, book), now)
            told.update, told.book = ticker.update, book


_BUILDERS: Final[Mapping[str, Callable[[Broadcast, StreamName, _Told, int], Iterator[Any]]]] = {
    "miniTicker": Broadcast.days,
    "ticker": Broadcast.days,
    "kline": Broadcast.candles,
    "avgPrice": Broadcast.averages,
    "partialDepth": Broadcast.books,
    "depth": Broadcast.books,
}
"""By kind of stream: what it has to say at its time."""


def _period(name: StreamName) -> int:
    if name.kind == "kline" and name.detail == "1s":
        return _SECOND
    return BEAT_MS if name.is_fast else _PERIODS.get(name.kind, _SECOND)
