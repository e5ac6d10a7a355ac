"""An exchange on the loopback for commands, which have an event loop of their own: it runs in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from tests.unit.binance.wire import Wire, serving


@attrs.frozen
class Served:
    """The exchange.

    Attributes:
        wire: what was on the wire, and what will be said.
        environment: the settings that name it as the custom exchange.
    """

    wire: Wire
    environment: dict[str, str]


@contextmanager
def served() -> Iterator[Served]:
    """Yield an exchange that runs until the end of the block."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serving() as (wire, urls):
            names = ("BINANCE_REST_URL", "BINANCE_STREAM_URL", "BINANCE_WS_API_URL")
            found.append(Served(wire, dict(zip(names, (urls.rest, urls.streams, urls.ws_api), strict=True))))
            is_there.set()
            await stop.wait()

    found: list[Served] = []
    is_there = threading.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert is_there.wait(10)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
