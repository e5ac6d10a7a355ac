"""Prices, books, candles and trades: what everybody may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dcacore.domain.money import ZERO, Price
from dcacore.local_exchange.endpoints.call import Call
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.filters import AVERAGE_MINUTES
from dcacore.local_exchange.formats import amount
from dcacore.local_exchange.market.book import Book, book_of, quantity_at
from dcacore.local_exchange.market.candles import check_interval
from dcacore.local_exchange.market.day import average_price, day_of, day_row
from dcacore.local_exchange.market.tape import PublicTrade

Row = dict[str, Any]
DEPTH: Final = 100
MOST_LEVELS: Final = 5_000
CANDLES: Final = 500
MOST_CANDLES: Final = 1_000
TRADES: Final = 500
MOST_TRADES: Final = 1_000


def resting_book(call: Call, symbol: str) -> Book | None:
    """Return the book of a market; None before its first price."""
    venue = call.exchange.venue
    state = venue.pair(symbol)
    if state.price is None:
        return None
    resting = [
        order for account in venue.accounts for order in venue.account(account).open.values() if order.pair == symbol
    ]
    return book_of(state.market, state.price, resting)


def depth(call: Call) -> Row:
    """Return the book."""
    symbol, limit = call.symbol, _limit(call, DEPTH, MOST_LEVELS)
    book = resting_book(call, symbol)
    levels = (book.bids, book.asks) if book is not None else ((), ())
    bids, asks = ([[amount(price), amount(left)] for price, left in side[:limit]] for side in levels)
    return {"lastUpdateId": call.exchange.tape.of(symbol).update, "bids": bids, "asks": asks}


def klines(call: Call) -> list[list[Any]]:
    """Return candles; the last one is not finished."""
    symbol, params = call.symbol, call.params
    interval = check_interval(params.need("interval"))
    limit = _limit(call, CANDLES, MOST_CANDLES)
    candles = call.exchange.tape.of(symbol).candles
    start, end = params.integer("startTime"), params.integer("endTime")
    rows = candles.rows(interval, call.exchange.clock.ms(), start, end, limit)
    return [candle.row(interval) for candle in rows]


def trades(call: Call) -> list[Row]:
    """Return the latest trades, oldest first."""
    return [_public(trade) for trade in _latest(call)]


def aggregated(call: Call) -> list[Row]:
    """Return trades, oldest first, each an aggregate of its own: from an id or a time on, or the latest."""
    symbol, params = call.symbol, call.params
    since, until, first = params.integer("startTime"), params.integer("endTime"), params.integer("fromId")
    limit = _limit(call, TRADES, MOST_TRADES)
    found = [
        trade
        for trade in call.exchange.tape.of(symbol).trades
        if (since is None or trade.at >= since)
        and (until is None or trade.at <= until)
        and (first is None or trade.number >= first)
    ]
    return [_aggregate(trade) for trade in (found[-limit:] if since is None and first is None else found[:limit])]


def average(call: Call) -> Row:
    """Return what was paid on average in the last five minutes."""
    symbol, now = call.symbol, call.exchange.clock.ms()
    price = average_price(call.exchange.tape.of(symbol), now, AVERAGE_MINUTES)
    if price is None:
        raise error(-1130, name="symbol")
    return {"mins": AVERAGE_MINUTES, "price": amount(price), "closeTime": now}


def price_row(call: Call, symbol: str) -> Row:
    """Return a row of `ticker/price`; a market without a trade has the price 0."""
    return {"symbol": symbol, "price": amount(call.exchange.pair(symbol).price or ZERO)}


def book_row(call: Call, symbol: str) -> Row:
    """Return a row of `ticker/bookTicker`."""
    price = _price(call, symbol)
    quantity = amount(quantity_at(call.exchange.venue.pair(symbol).market, price))
    best = amount(price)
    return {"symbol": symbol, "bidPrice": best, "bidQty": quantity, "askPrice": best, "askQty": quantity}


def day(call: Call, symbol: str) -> Row:
    """Return a row of `ticker/24hr`."""
    statistics = day_of(call.exchange.tape.of(symbol), call.exchange.clock.ms())
    if statistics is None:
        raise error(-1121)
    quantity = quantity_at(call.exchange.venue.pair(symbol).market, statistics.last)
    row = day_row(symbol, statistics, quantity)
    if call.params.get("type") == "MINI":
        return {name: row[name] for name in MINI}
    return row


MINI: Final = (
    "symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume", "openTime", "closeTime",
    "firstId", "lastId", "count",
)  # fmt: skip


def of_symbols(row: Callable[[Call, str], Row]) -> Callable[[Call], Row | list[Row]]:
    """Return an answer that gives *row* of one symbol, of several, or of all that have a price."""

    def answer(call: Call) -> Row | list[Row]:
        wanted, venue = call.params.symbols(), call.exchange.venue
        for symbol in wanted or ():
            call.exchange.pair(symbol)
        if call.params.has("symbol") and wanted:
            return row(call, wanted[0])
        symbols = wanted if wanted is not None else venue.pairs
        return [row(call, symbol) for symbol in symbols if venue.price(symbol) is not None]

    return answer


def _price(call: Call, symbol: str) -> Price:
    price = call.exchange.pair(symbol).price
    if price is None:
        raise error(-1121)
    return price


def _limit(call: Call, usual: int, most: int) -> int:
    wanted = call.params.integer("limit")
    return usual if wanted is None else max(1, min(wanted, most))


def _latest(call: Call) -> list[PublicTrade]:
    symbol = call.symbol
    return list(call.exchange.tape.of(symbol).trades)[-_limit(call, TRADES, MOST_TRADES) :]


def _public(trade: PublicTrade) -> Row:
    return {
        "id": trade.number,
        "price": amount(trade.price),
        "qty": amount(trade.quantity),
        "quoteQty": amount(trade.price * trade.quantity),
        "time": trade.at,
        "isBuyerMaker": trade.is_buyer_maker,
        "isBestMatch": True,
    }


def _aggregate(trade: PublicTrade) -> Row:
    return {
        "a": trade.number,
        "p": amount(trade.price),
        "q": amount(trade.quantity),
        "f": trade.number,
        "l": trade.number,
        "T": trade.at,
        "m": trade.is_buyer_maker,
        "M": True,
    }
