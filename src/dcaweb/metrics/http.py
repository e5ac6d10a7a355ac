"""How long requests take, by the pattern of their address: the address itself may hold names of bots, and secrets."""

from __future__ import annotations

from typing import Final

import attrs
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from dcacore.ports.clock import Clock

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BEGAN: Final = "dca_began"
_STATUS: Final = "dca_status"
_ENDLESS: Final = frozenset({"/events"})


@attrs.define(eq=False)
class Meter:
    """Measures requests, each from the moment it is led to its handler until the answer is whole.

    Attributes:
        clock: for how long.
    """

    clock: Clock
    _registry: CollectorRegistry = attrs.field(factory=CollectorRegistry, init=False)
    _took: Histogram = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._took = Histogram(
            "dca_http_request_duration_seconds",
            "How long requests took, by route and status.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def begin(self, scope: Scope) -> None:
        """Note that a request has come."""
        if scope["path_template"] not in _ENDLESS:
            scope["state"][_BEGAN] = self.clock.monotonic()

    async def before_send(self, message: Message, scope: Scope) -> None:
        """Note what is answered, errors too; what no route was found for is not counted."""
        if scope["type"] != ScopeType.HTTP or (began := scope["state"].get(_BEGAN)) is None:
            return
        if message["type"] == "http.response.start":
            scope["state"][_STATUS] = message["status"]
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            took = self.clock.monotonic() - began
            status = scope["state"].get(_STATUS, 0)
            self._took.labels(str(scope["method"]), scope["path_template"], str(status)).observe(took)

    def text(self) -> str:
        """Return what was measured, as Prometheus reads it."""
        return generate_latest(self._registry).decode()


class Metering(ASGIMiddleware):
    """Lets the meter know of each request."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, meter: Meter) -> None:
        """Take what measures."""
        self._meter = meter

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Note that a request has come, and let it through."""
        self._meter.begin(scope)
        await next_app(scope, receive, send)
