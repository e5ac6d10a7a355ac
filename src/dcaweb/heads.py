"""HEAD, answered as GET is, without what the answer would hold."""

from __future__ import annotations

from typing import Final

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_LONG: Final = ("/events", "/exports/")
"""Whatever takes long to tell is not told to throw it away: there HEAD stays refused."""


def with_heads(inner: ASGIApp) -> ASGIApp:
    """Return *inner* as it also answers HEAD."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        is_head = scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.HEAD
        if not is_head or scope["path"].startswith(_LONG):
            await inner(scope, receive, send)
            return
        scope["method"] = HttpMethod.GET  # type: ignore[typeddict-unknown-key]  # it is HTTP

        async def without_body(message: Message) -> None:
            # The server looks again at what was asked for: of an answer to GET it counts what it holds.
            scope["method"] = HttpMethod.HEAD  # type: ignore[typeddict-unknown-key]  # it is HTTP
            if message["type"] != "http.response.body":
                await send(message)
            elif not message.get("more_body"):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await inner(scope, receive, without_body)

    return outer
