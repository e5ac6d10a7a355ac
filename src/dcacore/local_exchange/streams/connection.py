"""One WebSocket connection: what is sent on it, in order, and how it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs

MOST_UNSENT: Final = 50_000
"""Messages after which a client that does not read is cut off."""
LIFE_S: Final = 86_400.0
"""For how long a connection is good: 24 hours."""
Send = Callable[[Any], Awaitable[None]]
GOING_AWAY: Final = 1001
POLICY: Final = 1008
_WINDOW_S: Final = 1.0
MOST_MESSAGES: Final = 5
"""Messages a second that a client may send on a market stream."""


@attrs.define(eq=False)
class Connection:
    """One connection.

    Attributes:
        address: where the client is.
        cut: ends it without a word.
    """

    address: str
    cut: Callable[[], None]
    _unsent: deque[str] = attrs.field(factory=deque, init=False)
    _filled: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _code: int | None = attrs.field(default=None, init=False)
    _window: float = attrs.field(default=0.0, init=False)
    _received: int = attrs.field(default=0, init=False)

    def put(self, text: str) -> None:
        """Send a text, after all that was put before it."""
        if self._code is None:
            self._unsent.append(text)
            self._filled.set()
            if len(self._unsent) > MOST_UNSENT:
                self.cut()

    def close(self, code: int = GOING_AWAY) -> None:
        """End the connection, after all that was put before."""
        if self._code is None:
            self._code = code
            self._filled.set()

    def abort(self) -> None:
        """Cut it, whatever is still to be sent."""
        self._code = GOING_AWAY
        self._unsent.clear()
        self.cut()

    def is_too_fast(self, now: float) -> bool:
        """Count a message of the client's at *now*, in seconds, and say whether it is one too many."""
        if now - self._window >= _WINDOW_S:
            self._window, self._received = now, 0
        self._received += 1
        return self._received > MOST_MESSAGES

    async def write(self, send: Send) -> None:
        """Send what is put, until the connection is to end."""
        while True:
            while self._unsent:
                await send({"type": "websocket.send", "text": self._unsent.popleft()})
            if self._code is not None:
                await send({"type": "websocket.close", "code": self._code})
                return
            self._filled.clear()
            await self._filled.wait()


async def converse(
    connection: Connection,
    receive: Callable[[], Awaitable[Mapping[str, Any]]],
    send: Send,
    heard: Callable[[str], None],
    life: float = LIFE_S,
) -> None:
    """Talk until either side ends it: what comes goes to *heard*, what is put goes out.

    Args:
        connection: the connection.
        receive: gives the next message.
        send: takes a message.
        heard: takes each text that comes.
        life: seconds after which the exchange ends it.
    """
    writer = asyncio.create_task(connection.write(send))
    end = asyncio.get_running_loop().call_later(life, connection.close, POLICY)
    try:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                text = (message.get("bytes") or b"").decode("utf-8", "replace")
            heard(text)
    finally:
        end.cancel()
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
