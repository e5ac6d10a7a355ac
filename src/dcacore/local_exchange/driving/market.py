"""What a driver does to a venue: the price goes somewhere, what it reaches fills, and everybody is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from dcacore.domain.money import Price
from dcacore.ports.exchange import Listing


class Movable(Protocol):
    """Markets that can be moved; a `SimulatedVenue`, or one whose state is kept.

    A move has three parts, so that a driver can choose in which order a bot hears of fills and of the price.
    """

    def listing(self, pair: str) -> Listing:
        """Return a market's rules.

        Raises:
            UnknownPair: there is no such market.
        """

    def price(self, pair: str) -> Price | None:
        """Return where a market stands; None before its first price.

        Raises:
            UnknownPair: there is no such market.
        """

    def best_orders(self, pair: str) -> tuple[Price | None, Price | None]:
        """Return the highest price at which a buy rests, and the lowest at which a sell does."""

    def set_price(self, pair: str, price: Price) -> None:
        """Bring a market to *price* without a word."""

    def fill_reached(self, pair: str) -> None:
        """Fill the resting orders that the market has reached, and tell whose they are."""

    def tell_price(self, pair: str) -> None:
        """Tell all who listen where a market stands."""


def jump(market: Movable, symbol: str, price: Price) -> None:
    """Bring a market to *price* with no trade on the way: what it has passed fills at its own limits.

    Raises:
        UnknownPair: there is no such market.
        ValueError: *price* is no price.
    """
    market.set_price(symbol, price)
    market.fill_reached(symbol)
    market.tell_price(symbol)


def move(market: Movable, symbol: str, price: Price, through: Iterable[Price] = ()) -> None:
    """Bring a market to *price* with a trade at every tick on the way: orders fill as it comes to them.

    Those who listen are told where it was when orders filled, of the prices in *through* on the way, and of its end.

    Raises:
        UnknownPair: there is no such market.
        ValueError: *price* is no price.
    """
    while (stop := next_stop(market, symbol, price, through)) != price:
        jump(market, symbol, stop)
    jump(market, symbol, price)


def next_stop(market: Movable, symbol: str, target: Price, through: Iterable[Price] = ()) -> Price:
    """Return the first price on the way to *target* at which an order rests or that is in *through*; else *target*."""
    here = market.price(symbol)
    if here is None or here == target:
        return target
    buy, sell = market.best_orders(symbol)
    order = buy if target < here else sell
    stops = [*through, target] if order is None else [*through, order, target]
    if target < here:
        return max(stop for stop in stops if target <= stop < here)
    return min(stop for stop in stops if here < stop <= target)


def is_order_at(market: Movable, symbol: str, price: Price) -> bool:
    """Say whether a market that comes to *price* reaches a resting order."""
    buy, sell = market.best_orders(symbol)
    return (buy is not None and price <= buy) or (sell is not None and price >= sell)
