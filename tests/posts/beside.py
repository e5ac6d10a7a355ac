"""A service in a thread of its own: for tests that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def beside(opened: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Yield what *opened* does, served by another thread."""
    ready, ends = threading.Event(), asyncio.Event()
    made: list[tuple[T, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        async with opened as service:
            made.append((service, asyncio.get_running_loop()))
            ready.set()
            await ends.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="service")
    thread.start()
    try:
        assert ready.wait(30), "the service does not answer"
        yield made[0][0]
    finally:
        if made:
            made[0][1].call_soon_threadsafe(ends.set)
        thread.join(30)
