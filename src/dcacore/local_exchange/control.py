"""The control interface: whoever tests with this exchange is its market, its staff and its bad luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.types import ControllerRouterHandler

from dcacore.domain.errors import DcaError
from dcacore.domain.money import Price, plain
from dcacore.local_exchange.acts import strike_now
from dcacore.local_exchange.books import books_of
from dcacore.local_exchange.clock import to_ms
from dcacore.local_exchange.driving.hand import Hand
from dcacore.local_exchange.driving.stepper import Stepper
from dcacore.local_exchange.errors import ApiError
from dcacore.local_exchange.faults.kinds import KINDS, Strikes, listed, read_fault
from dcacore.local_exchange.site import Site

Told = Mapping[str, Any]


class BadControl(DcaError):
    """A request to the control interface that makes no sense."""


def text(told: Told, name: str) -> str:
    """Return a text that has to be there.

    Raises:
        BadControl: it is not.
    """
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise BadControl(f"{name} is missing, or no text")
    return value


def number(told: Told, name: str) -> Decimal:
    """Return a number, written as text, that has to be there and 0 or more.

    Raises:
        BadControl: it is not.
    """
    try:
        value = Decimal(str(told.get(name)))
    except InvalidOperation:
        raise BadControl(f"{name} is missing, or no number") from None
    if not value.is_finite() or value < 0:
        raise BadControl(f"{name} has to be a number, 0 or more")
    return value


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


def _step(site: Site, _: Told) -> object:
    stand = _stepper(site).step()
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
    _stepper(site).watch(symbol, [Price(number({"prices": price}, "prices")) for price in prices])
    return {"symbol": symbol, "prices": prices}


def _balance(site: Site, told: Told) -> object:
    key, asset = text(told, "apiKey"), text(told, "asset")
    site.exchange.set_free(key, asset, number(told, "free"))
    return {"apiKey": key, "asset": asset, "free": told["free"]}


def _symbol(site: Site, told: Told) -> object:
    symbol = text(told, "symbol")
    site.exchange.set_status(symbol, text(told, "status"))
    return {"symbol": symbol, "status": site.exchange.status(symbol)}


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


POSTS: Final[Mapping[str, Callable[[Site, Told], object]]] = {
    "/control/price": _price,
    "/control/move": _move,
    "/control/step": _step,
    "/control/watch": _watch,
    "/control/balance": _balance,
    "/control/symbol": _symbol,
    "/control/key": _key,
    "/control/fault": _fault,
    "/control/reset": _reset,
}
"""By path: what is done, and told back."""


def control_handlers(site: Site) -> list[ControllerRouterHandler]:
    """Return the handlers of the control interface."""

    @post(list(POSTS), status_code=HTTPStatus.OK)
    async def change(request: Request[Any, Any, Any]) -> Response[Any]:
        body = await request.body()
        return _answered(lambda: _done(site, request.scope["path"], _read(body)))

    @get("/control/fault")
    async def faults() -> Response[Any]:
        waiting = [{"kind": one.kind, "match": one.match, "times": one.times} for one in site.desk.waiting]
        return Response({"kinds": listed(), "waiting": waiting, "struck": site.desk.struck})

    @get("/control/books")
    async def books(request: Request[Any, Any, Any]) -> Response[Any]:
        return _answered(lambda: books_of(site.exchange, text(request.query_params, "apiKey")))

    return [change, faults, books]


def _done(site: Site, path: str, told: Told) -> object:
    done = POSTS[path](site, told)
    site.keep()
    return done


def _read(body: bytes) -> Told:
    try:
        told = msgspec.json.decode(body or b"{}")
    except msgspec.DecodeError:
        raise BadControl("the body is no JSON") from None
    if not isinstance(told, dict):
        raise BadControl("the body has to be a JSON object")
    return told


def _answered(work: Callable[[], object]) -> Response[Any]:
    """Return what *work* says, or why it could not be done."""
    try:
        return Response(work())
    except ApiError as refusal:
        return Response(refusal.body, status_code=refusal.status)
    except (DcaError, ValueError) as wrong:
        return Response({"error": str(wrong)}, status_code=HTTPStatus.BAD_REQUEST)
