"""The tape: every trade of a market, those of the accounts here and those that the market itself is made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import attrs

from dcacore.adapters.simulated.floor import PairState
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.money import Price
from dcacore.local_exchange.clock import ServerClock
from dcacore.local_exchange.market.book import quantity_at
from dcacore.local_exchange.market.candles import CandleBook

KEPT: Final = 1_000


@attrs.frozen
class PublicTrade:
    """A trade as everybody sees it; *at* in Unix milliseconds."""

    number: int
    at: int
    price: Decimal
    quantity: Decimal
    is_buyer_maker: bool


@attrs.define
class Ticker:
    """What the tape knows of one market.

    Attributes:
        update: counts the changes of its book.
        last: its last price on the tape; None before the first.
    """

    trades: deque[PublicTrade] = attrs.field(factory=lambda: deque(maxlen=KEPT))
    candles: CandleBook = attrs.field(factory=CandleBook)
    update: int = 1
    last: Decimal | None = None


TapeListener = Callable[[str, Ticker, PublicTrade], None]


class Tape:
    """All trades. A market that moves is one trade, at the price to which it has come."""

    def __init__(self, venue: SimulatedVenue, clock: ServerClock) -> None:
        self._venue, self._clock = venue, clock
        self._tickers: dict[str, Ticker] = {}
        self.listeners: list[TapeListener] = []
        venue.price_listeners.append(lambda pair, price, _at: self.moved(pair, price))

    def of(self, pair: str) -> Ticker:
        """Return what is known of a market; it begins with the price that the market has."""
        ticker = self._tickers.get(pair)
        if ticker is None:
            ticker = self._tickers[pair] = Ticker()
            price = self._venue.price(pair)
            if price is not None:
                self.moved(pair, price)
        return ticker

    def take_up(self, pair: str, past: CandleBook) -> None:
        """Begin with candles of the past, where the market stands; nothing is told of what has been."""
        self._tickers[pair] = Ticker(candles=past, last=self._venue.price(pair))

    def moved(self, pair: str, price: Price) -> None:
        """Note that the market has come to *price*."""
        state, ticker = self._venue.pair(pair), self.of(pair)
        state.trades += 1
        is_up = ticker.last is None or price >= ticker.last
        quantity = quantity_at(state.market, price)
        self._print(state, ticker, PublicTrade(state.trades, self._clock.ms(), price, quantity, not is_up))

    def traded(self, pair: str, trade: PublicTrade) -> None:
        """Note a trade of an account."""
        self._print(self._venue.pair(pair), self.of(pair), trade)

    def touched(self, pair: str) -> int:
        """Note that the book has changed, and return its number."""
        ticker = self.of(pair)
        ticker.update += 1
        return ticker.update

    def forget(self) -> None:
        """Begin anew: no trades, no candles."""
        self._tickers.clear()

    def _print(self, state: PairState, ticker: Ticker, trade: PublicTrade) -> None:
        ticker.trades.append(trade)
        ticker.last = trade.price
        ticker.update += 1
        ticker.candles.trade(trade.at, trade.price, trade.quantity, trade.number, is_taker_buy=not trade.is_buyer_maker)
        for listener in self.listeners:
            listener(state.market.pair, ticker, trade)
