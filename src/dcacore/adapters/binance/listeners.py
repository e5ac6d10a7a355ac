"""Everybody who listens to an account's events: each has a queue of its own without an end, so that none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from dcacore.ports.exchange import AccountEvent

_Queue = asyncio.Queue[AccountEvent | BaseException]


class Listeners:
    """Hands events on.

    Attributes:
        on_last_gone: called when nobody listens any more.
    """

    def __init__(self, on_last_gone: Callable[[], None]) -> None:
        self._queues: list[_Queue] = []
        self._on_last_gone = on_last_gone

    def tell(self, event: AccountEvent | BaseException) -> None:
        """Hand an event on; an error ends the listening with it."""
        for queue in self._queues:
            queue.put_nowait(event)

    def join(self, *first: AccountEvent) -> AsyncIterator[AccountEvent]:
        """Yield *first*, and then every event from now on."""
        queue: _Queue = asyncio.Queue()
        for event in first:
            queue.put_nowait(event)
        self._queues.append(queue)

        async def told() -> AsyncIterator[AccountEvent]:
            try:
                while True:
                    event = await queue.get()
                    if isinstance(event, BaseException):
                        raise event
                    yield event
            finally:
                self._queues.remove(queue)
                if not self._queues:
                    self._on_last_gone()

        return told()
