"""HEAD, answered as GET is, without what the answer would hold."""

from __future__ import annotations

from typing import Final, cast

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
        # A scope of its own: the server goes by what it has asked for when it counts what the answer holds.
        as_get = cast("Scope", {**scope, "method": HttpMethod.GET})

        async def without_body(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
            elif not message.get("more_body"):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await inner(as_get, receive, without_body)

    return outer
