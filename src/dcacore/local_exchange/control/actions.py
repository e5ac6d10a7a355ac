"""What the control interface does: whoever tests with this exchange is its market, its staff and its bad luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dcacore.adapters.simulated.wire import unpack
from dcacore.domain.errors import DomainError
from dcacore.domain.market import Market
from dcacore.domain.money import Price, plain
from dcacore.local_exchange.clock import to_ms
from dcacore.local_exchange.control.strikes import strike_now
from dcacore.local_exchange.control.told import BadControl, Told, flag, moment, number, text
from dcacore.local_exchange.driving.hand import Hand
from dcacore.local_exchange.driving.stepper import Stepper
from dcacore.local_exchange.faults.kinds import KINDS, Strikes, read_fault
from dcacore.local_exchange.filters import checked_filters, told_filters
from dcacore.local_exchange.site import Site


def _hand(site: Site) -> Hand:
    stepper = site.stepper
    return Hand(site.exchange.venue) if stepper is None else Hand(site.exchange.venue, stepper.watched)


def _price(site: Site, told: Told) -> object:
    symbol, price = text(told, "symbol"), Price(number(told, "price"))
    site.exchange.pair(symbol)
    _hand(site).price(symbol, price)
    return {"symbol": symbol, "price": told["price"]}


def _move(site: Site, told: Told) -> object:
    symbol, price = text(told, "symbol"), Price(number(told, "price"))
    site.exchange.pair(symbol)
    _hand(site).move(symbol, price)
    return {"symbol": symbol, "price": told["price"]}


def _stepper(site: Site) -> Stepper:
    if site.stepper is None:
        raise BadControl("there are no candles to step through: this exchange was started without any")
    return site.stepper


def _step(site: Site, told: Told) -> object:
    stand = _stepper(site).step(past_points=flag(told, "past_points"), until=moment(told, "until_ms"))
    return {
        "symbol": stand.symbol,
        "price": plain(stand.price),
        "time_ms": to_ms(stand.at),
        "candle": stand.candle,
        "point": None if stand.point is None else stand.point.value,
        "stopped_by": stand.stopped_by.value,
        "pending": stand.pending.value,
        "is_over": stand.is_over,
    }


def _watch(site: Site, told: Told) -> object:
    symbol, prices = text(told, "symbol"), told.get("prices")
    site.exchange.pair(symbol)
    if not isinstance(prices, list):
        raise BadControl("prices has to be a list")
    above = None if told.get("above") is None else Price(number(told, "above"))
    _stepper(site).watch(symbol, [Price(number({"prices": price}, "prices")) for price in prices], above)
    return {"symbol": symbol, "prices": prices, "above": told.get("above")}


def _balance(site: Site, told: Told) -> object:
    key, asset = text(told, "apiKey"), text(told, "asset")
    site.exchange.set_free(key, asset, number(told, "free"))
    return {"apiKey": key, "asset": asset, "free": told["free"]}


def _symbol(site: Site, told: Told) -> object:
    symbol = text(told, "symbol")
    if "filters" in told:
        site.exchange.set_filters(symbol, checked_filters(told["filters"]))
    if "status" in told or "filters" not in told:
        site.exchange.set_status(symbol, text(told, "status"))
    state = site.exchange.pair(symbol)
    return {"symbol": symbol, "status": site.exchange.status(symbol), "filters": told_filters(state)}


def _pair(site: Site, told: Told) -> object:
    """Open a market with rules of its own; one that is open stays as it is."""
    exchange = site.exchange
    try:
        market = unpack(told.get("market"), Market)
    except (ValueError, TypeError, ArithmeticError, DomainError) as wrong:
        raise BadControl("market is missing, or makes no sense") from wrong
    if market.pair not in exchange.venue.pairs:
        price = Price(number(told, "price")) if "price" in told else exchange.price_of_new(market)
        if price is not None and (not price or price % market.tick_size):
            raise BadControl(f"{price} is no price of {market.pair}: its tick size is {market.tick_size}")
        exchange.list_pair(market, price)
        if "price" in told:
            exchange.by_chance.add(market.pair)  # what somebody made up is no real one's
    return {"symbol": market.pair}


def _key(site: Site, told: Told) -> object:
    key = text(told, "apiKey")
    if not site.exchange.keys.tell(key, text(told, "secret")):
        raise BadControl(f"{key} has another secret already")
    site.exchange.account(key)
    return {"apiKey": key}


def _fault(site: Site, told: Told) -> object:
    fault = read_fault(told)
    if KINDS[fault.kind].strikes is Strikes.NOW:
        return strike_now(site, fault)
    site.desk.add(fault)
    return {"kind": fault.kind, "match": fault.match, "times": fault.times}


def _reset(site: Site, _: Told) -> object:
    site.desk.clear()
    site.exchange.reset()
    return {}


PAIR: Final = "/control/pair"
"""The one that a paper exchange needs: a bot's own market is opened by it."""
POSTS: Final[Mapping[str, Callable[[Site, Told], object]]] = {
    "/control/price": _price,
    "/control/move": _move,
    "/control/step": _step,
    "/control/watch": _watch,
    "/control/balance": _balance,
    "/control/symbol": _symbol,
    PAIR: _pair,
    "/control/key": _key,
    "/control/fault": _fault,
    "/control/reset": _reset,
}
"""By path: what is done, and told back."""
