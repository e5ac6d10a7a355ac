"""Requests of the WebSocket API (web-socket-api.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import attrs
import msgspec
import structlog

from dcacore.local_exchange.endpoints import WS_API, Call, Endpoint, Security
from dcacore.local_exchange.endpoints.call import prepare, unforeseen
from dcacore.local_exchange.errors import ApiError, error
from dcacore.local_exchange.faults.requests import Garbled, Walled
from dcacore.local_exchange.params import Params, from_json
from dcacore.local_exchange.signing import Signed
from dcacore.local_exchange.site import Site
from dcacore.local_exchange.streams.hub import encode
from dcacore.local_exchange.windows import WEIGHT
from dcacore.local_exchange.ws_api.users import Session

log = structlog.get_logger("dcacore.local_exchange")
_LONGEST_ID: Final = 36
_VERSION: Final = "v3/"
_DECODE: Final = msgspec.json.Decoder(float_hook=str).decode  # a number is signed as it was written


@attrs.frozen
class _Request:
    """A request as it was understood."""

    number: Any
    method: str
    params: Params
    wants_limits: bool


async def answer(site: Site, session: Session, text: str) -> None:
    """Do what a client asks for, and answer.

    Raises:
        Dropped: there is to be no answer, and the connection is to be cut.
    """
    request: _Request | None = None
    try:
        request = _read(text)
        result = await _carried_out(site, session, request)
    except ApiError as refusal:
        session.put(encode(_refused(site, session, request, refusal)))
    except Walled:
        session.close()
    except Garbled:
        session.put('{"id":')
    else:
        shape = {"id": request.number, "status": HTTPStatus.OK.value, "result": result}
        session.put(encode(shape | _limits(site, session, request)))


def _read(text: str) -> _Request:
    try:
        told = _DECODE(text)
    except (msgspec.MsgspecError, RecursionError):
        raise error(-1135) from None
    if not isinstance(told, dict) or not isinstance(told.get("method"), str):
        raise error(-1102, name="method")
    number, params = told.get("id"), told.get("params") or {}
    is_good = number is None or (isinstance(number, str) and len(number) <= _LONGEST_ID) or type(number) is int
    if not is_good or not isinstance(params, dict):
        raise error(-1130, name="params" if is_good else "id")
    named = Params(from_json(params))
    wants_limits = named.flag("returnRateLimits") is not False  # it is signed as all others are
    return _Request(number, told["method"].removeprefix(_VERSION), named, wants_limits)


async def _carried_out(site: Site, session: Session, request: _Request) -> object:
    key = request.params.values.get("apiKey", "")
    await site.gauntlet.before(request.method, key, session.address)
    result = _called(site, session, request, key)
    await site.gauntlet.after(request.method, key)
    return result


def _called(site: Site, session: Session, request: _Request, key: str) -> object:
    exchange, own = site.exchange, _OWN.get(request.method)
    endpoint = own[0] if own is not None else WS_API.get(request.method)
    if endpoint is None:
        exchange.limits.request(session.address, 1, exchange.clock.ms())
        raise error(-1020)
    weight = endpoint.weighs(request.params)
    exchange.limits.request(session.address, weight, exchange.clock.ms())
    call = prepare(exchange, endpoint, request.params, key, signed(request.params))
    try:
        result = own[1](site, session, call) if own is not None else endpoint.answer(call)
    except ApiError:
        raise
    except Exception as mistake:
        log.exception("mistake", request=request.method)
        raise unforeseen() from mistake
    if endpoint.security is not Security.NONE:
        site.keep()
    if endpoint.is_free:
        exchange.limits.give_back(session.address, weight)
    return result


def signed(params: Params) -> Signed:
    """Return what of a request is signed: all parameters but the signature, by name."""
    pairs = sorted((name, value) for name, value in params.values.items() if name != "signature")
    payload = "&".join(f"{name}={value}" for name, value in pairs)
    return Signed(payload.encode(), params.values.get("signature"))


def _refused(site: Site, session: Session, request: _Request | None, refusal: ApiError) -> dict[str, Any]:
    told: dict[str, Any] = dict(refusal.body)
    retry = refusal.headers.get("Retry-After")
    if retry is not None:
        now = site.exchange.clock.ms()
        told["data"] = {"serverTime": now, "retryAfter": now + 1_000 * int(retry)}
    shape = {"id": None if request is None else request.number, "status": refusal.status, "error": told}
    return shape if request is None else shape | _limits(site, session, request)


def _limits(site: Site, session: Session, request: _Request) -> dict[str, Any]:
    if not request.wants_limits:
        return {}
    limits, now = site.exchange.limits, site.exchange.clock.ms()
    endpoint = WS_API.get(request.method)
    if endpoint is not None and endpoint.is_order:
        counts = limits.orders(request.params.values.get("apiKey", ""), now)
        return {"rateLimits": [count.limit.told() | {"count": count.used} for count in counts]}
    return {"rateLimits": [WEIGHT.told() | {"count": limits.used_weight(session.address, now)}]}


# ---------------------------------------------------------------------------------------------- the session itself


def _status(site: Site, session: Session, _: Call) -> dict[str, Any]:
    return {
        "apiKey": None,  # nobody can log on: that takes a key of another type than this exchange has
        "authorizedSince": None,
        "connectedSince": session.since,
        "returnRateLimits": True,
        "serverTime": site.exchange.clock.ms(),
        "userDataStream": bool(session.keys),
    }


def _subscriptions(_: Site, session: Session, __: Call) -> list[dict[str, Any]]:
    return [{"subscriptionId": number} for number in session.keys]


def _subscribe(site: Site, session: Session, call: Call) -> dict[str, Any]:
    return {"subscriptionId": site.users.subscribe(session, call.key)}


def _unsubscribe(site: Site, session: Session, call: Call) -> dict[str, Any]:
    site.users.unsubscribe(session, call.params.integer("subscriptionId"))
    return {}


def _nothing(_: Call) -> None:
    return None


_Own = Callable[[Site, Session, Call], object]
_OWN: Final[Mapping[str, tuple[Endpoint, _Own]]] = {
    "session.status": (Endpoint(_nothing, 2), _status),
    "session.subscriptions": (Endpoint(_nothing, 2), _subscriptions),
    "userDataStream.subscribe.signature": (Endpoint(_nothing, 2, Security.SIGNED), _subscribe),
    "userDataStream.unsubscribe": (Endpoint(_nothing, 2), _unsubscribe),
}
"""What is asked of the session, and not of the exchange."""
