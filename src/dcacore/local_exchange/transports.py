"""Cutting a connection: uvicorn's protocols, which let an application reach the transport beneath them."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

_EXTENSION: Final = "dcacore.transport"


class CuttableHttp(HttpToolsProtocol):
    """HTTP whose connection can be cut."""

    def on_headers_complete(self) -> None:
        """Begin a request."""
        super().on_headers_complete()
        _keep(self.scope, self.transport)


class CuttableWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that can be cut."""

    def handle_connect(self, event: Request) -> None:
        """Begin a connection."""
        super().handle_connect(event)
        if hasattr(self, "scope"):  # a handshake that fails has none
            _keep(self.scope, self.transport)


def cut(scope: Any) -> None:
    """Cut the connection of *scope*, without a word and with nothing more sent."""
    transport: asyncio.Transport | None = (scope.get("extensions") or {}).get(_EXTENSION, {}).get("transport")
    if transport is not None:
        transport.abort()


def _keep(scope: Any, transport: asyncio.Transport) -> None:
    scope["extensions"] = {**(scope.get("extensions") or {}), _EXTENSION: {"transport": transport}}
