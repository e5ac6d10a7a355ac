"""For what watches over the program: from this machine, and for administrators."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from litestar import Response, get
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers.base import BaseRouteHandler
from prometheus_client import CONTENT_TYPE_LATEST

from dcaweb.metrics import Meter, facts_text
from dcaweb.pages.streams import Streams
from dcaweb.requests import WebRequest, app_of

_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


def near(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let through what asks from this machine itself, and administrators.

    What a proxy on this machine passes on comes from this machine, too, unless TRUSTED_PROXIES names it: so whatever
    says that it was passed on is nobody's of this machine.

    Raises:
        NotFoundException: for everybody else there is no such page.
    """
    signed_in = connection.scope.get("auth")
    if signed_in is not None and signed_in.user.is_admin:
        return
    host = "" if connection.client is None else connection.client.host
    if not _is_loopback(host) or any(name in connection.headers for name in _FORWARDED):
        raise NotFoundException


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


@get("/metrics", guards=[near], include_in_schema=False)
async def metrics(request: WebRequest) -> Response[str]:
    """Tell how requests go, and what there is."""
    meter: Meter = request.app.state.meter
    streams: Streams = request.app.state.streams
    facts = await facts_text(app_of(request), streams=sum(streams.of.values()))
    return Response(meter.text() + facts, media_type=CONTENT_TYPE_LATEST)
