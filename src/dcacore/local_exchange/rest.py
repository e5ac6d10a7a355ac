"""REST: a request's text in, an answer's text out."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import attrs
import msgspec
import structlog

from dcacore.local_exchange.endpoints import REST, Security
from dcacore.local_exchange.endpoints.call import prepare, unforeseen
from dcacore.local_exchange.errors import ApiError
from dcacore.local_exchange.faults.requests import HTML, Garbled, Walled
from dcacore.local_exchange.params import Params, decode
from dcacore.local_exchange.signing import signed
from dcacore.local_exchange.site import Site

log = structlog.get_logger("dcacore.local_exchange")
JSON: Final = "application/json;charset=UTF-8"
GONE: Final = ("/api/v3/userDataStream", "/api/v1/userDataStream")
"""Where listen keys were to be had until 2026-02-20."""
_ENCODE: Final = msgspec.json.Encoder().encode


@attrs.frozen
class Request:
    """A request as it came.

    Attributes:
        method: such as GET.
        path: without the query.
        query: as it came, without the question mark.
        body: as it came.
        key: the head's `X-MBX-APIKEY`, or nothing.
        address: whose it is.
    """

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    key: str = ""
    address: str = "127.0.0.1"

    @property
    def label(self) -> str:
        """What faults know it by."""
        return f"{self.method} {self.path}"


@attrs.frozen
class Answer:
    """An answer as it goes out."""

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict)
    media_type: str = JSON


async def answer(site: Site, request: Request) -> Answer:
    """Return the answer to *request*.

    Raises:
        Dropped: there is to be none, and the connection is to be cut.
    """
    limits, clock = site.exchange.limits, site.exchange.clock
    headers: dict[str, str] = {}
    try:
        status, body = HTTPStatus.OK.value, await _carried_out(site, request, headers)
    except ApiError as refusal:
        status, body = refusal.status, _ENCODE(refusal.body)
        headers |= refusal.headers
    except Walled:
        return Answer(HTTPStatus.FORBIDDEN, HTML.encode(), media_type="text/html")
    used = str(limits.used_weight(request.address, clock.ms()))
    headers |= {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
    return Answer(status, body, headers)


async def _carried_out(site: Site, request: Request, headers: dict[str, str]) -> bytes:
    await site.gauntlet.before(request.label, request.key, request.address)
    body = _ENCODE(_called(site, request, headers))
    try:
        await site.gauntlet.after(request.label, request.key)
    except Garbled:
        return body[: len(body) // 2]
    return body


def _called(site: Site, request: Request, headers: dict[str, str]) -> object:
    exchange = site.exchange
    endpoint = REST.get((request.method, request.path))
    if endpoint is None:
        exchange.limits.request(request.address, 1, exchange.clock.ms())
        raise _missing(request)
    params = Params(decode(request.query, request.body))
    weight = endpoint.weighs(params)
    exchange.limits.request(request.address, weight, exchange.clock.ms())
    call = prepare(exchange, endpoint, params, request.key, signed(request.query, request.body))
    try:
        result = endpoint.answer(call)
    except ApiError:
        raise
    except Exception as mistake:
        log.exception("mistake", request=request.label)
        raise unforeseen() from mistake
    if endpoint.security is not Security.NONE:
        site.keep()
    if endpoint.is_free:
        exchange.limits.give_back(request.address, weight)
    if endpoint.is_order:
        headers.update(order_counts(site, request.key))
    return result


def order_counts(site: Site, key: str) -> dict[str, str]:
    """Return what the head of an answer to an order says of the account's counts."""
    counts = site.exchange.limits.orders(key, site.exchange.clock.ms())
    return {f"X-MBX-ORDER-COUNT-{count.limit.suffix}": str(count.used) for count in counts}


def _missing(request: Request) -> ApiError:
    if request.path in GONE:
        return ApiError(-1016, "This service is no longer available.", HTTPStatus.GONE)
    if any(path == request.path for _, path in REST):
        return ApiError(-1020, "This operation is not supported.", HTTPStatus.METHOD_NOT_ALLOWED)
    return ApiError(-1020, "This operation is not supported.", HTTPStatus.NOT_FOUND)
