"""What market streams tell (web-socket-streams.md)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dcacore.domain.money import ZERO
from dcacore.local_exchange.formats import amount
from dcacore.local_exchange.market.candles import Candle, end_of
from dcacore.local_exchange.market.day import Day
from dcacore.local_exchange.market.tape import PublicTrade

Payload = dict[str, Any]
Levels = list[tuple[Decimal, Decimal]]


def book_ticker(symbol: str, update: int, price: Decimal, quantity: Decimal) -> Payload:
    """Return the best prices; this one has neither `e` nor `E`."""
    best, lies = amount(price), amount(quantity)
    return {"u": update, "s": symbol, "b": best, "B": lies, "a": best, "A": lies}


def trade(symbol: str, told: PublicTrade, now: int) -> Payload:
    """Return a trade."""
    return {
        "e": "trade",
        "E": now,
        "s": symbol,
        "t": told.number,
        "p": amount(told.price),
        "q": amount(told.quantity),
        "T": told.at,
        "m": told.is_buyer_maker,
        "M": True,
    }


def aggregate(symbol: str, told: PublicTrade, now: int) -> Payload:
    """Return a trade as an aggregate of its own."""
    return {
        "e": "aggTrade",
        "E": now,
        "s": symbol,
        "a": told.number,
        "p": amount(told.price),
        "q": amount(told.quantity),
        "f": told.number,
        "l": told.number,
        "T": told.at,
        "m": told.is_buyer_maker,
        "M": True,
    }


def kline(symbol: str, interval: str, candle: Candle, now: int, *, is_closed: bool) -> Payload:
    """Return a candle."""
    return {
        "e": "kline",
        "E": now,
        "s": symbol,
        "k": {
            "t": candle.opens_at,
            "T": end_of(interval, candle.opens_at),
            "s": symbol,
            "i": interval,
            "f": candle.first_trade,
            "L": candle.last_trade,
            "o": amount(candle.open),
            "c": amount(candle.close),
            "h": amount(candle.high),
            "l": amount(candle.low),
            "v": amount(candle.volume),
            "n": candle.trades,
            "x": is_closed,
            "q": amount(candle.quote_volume),
            "V": amount(candle.taker_base),
            "Q": amount(candle.taker_quote),
            "B": "0",
        },
    }


def mini_ticker(symbol: str, day: Day, now: int) -> Payload:
    """Return a day in short."""
    return {
        "e": "24hrMiniTicker",
        "E": now,
        "s": symbol,
        "c": amount(day.last),
        "o": amount(day.open),
        "h": amount(day.high),
        "l": amount(day.low),
        "v": amount(day.volume),
        "q": amount(day.quote_volume),
    }


def ticker(symbol: str, day: Day, quantity: Decimal, now: int) -> Payload:
    """Return a day."""
    return {
        "e": "24hrTicker",
        "E": now,
        "s": symbol,
        "p": amount(day.change),
        "P": format(day.change_percent, ".3f"),
        "w": amount(day.average),
        "x": amount(day.open),
        "c": amount(day.last),
        "Q": amount(day.quantity),
        "b": amount(day.last),
        "B": amount(quantity),
        "a": amount(day.last),
        "A": amount(quantity),
        "o": amount(day.open),
        "h": amount(day.high),
        "l": amount(day.low),
        "v": amount(day.volume),
        "q": amount(day.quote_volume),
        "O": day.opens_at,
        "C": day.closes_at,
        "F": day.first_trade,
        "L": day.last_trade,
        "n": day.trades,
    }


def average(symbol: str, price: Decimal, now: int) -> Payload:
    """Return the average price of five minutes."""
    return {"e": "avgPrice", "E": now, "s": symbol, "i": "5m", "w": amount(price), "T": now}


def partial_depth(update: int, bids: Levels, asks: Levels) -> Payload:
    """Return the best levels."""
    return {"lastUpdateId": update, "bids": _levels(bids), "asks": _levels(asks)}


def depth_update(symbol: str, first: int, last: int, sides: tuple[Levels, Levels], now: int) -> Payload:
    """Return the levels that have changed."""
    bids, asks = sides
    return {"e": "depthUpdate", "E": now, "s": symbol, "U": first, "u": last, "b": _levels(bids), "a": _levels(asks)}


def shutdown(now: int) -> Payload:
    """Return the word that the server is about to go."""
    return {"e": "serverShutdown", "E": now}


def _levels(levels: Levels) -> list[list[str]]:
    return [[amount(price), amount(left or ZERO)] for price, left in levels]
