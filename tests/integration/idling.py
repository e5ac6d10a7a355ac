"""An event loop that knows when nobody has anything left to do, sockets and the database's threads included."""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
import stat
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import attrs

from dcacore.ports.records import Lease
from dcacore.ports.store import Store, Work

QUIET_S: Final = 0.001
"""So long nothing must come."""
_RECEIVED_AT, _SENT_AT, _TOLD = 128, 200, 216
"""Where Linux counts the bytes of a connection: received; sent and, behind that, sent again; and the size with all."""
GIVES_UP_S: Final = 60


class IdleSelector(selectors.DefaultSelector):
    """Tells who waits for it that nothing is ready, nothing is on a socket, and no transaction is open.

    Timers do not count: what waits for time to pass has nothing to do.
    """

    def __init__(self, soon_s: float = QUIET_S) -> None:
        """Make one; a timer that is due within *soon_s* is work all the same, where time passes by itself."""
        super().__init__()
        self._soon_s = soon_s
        self.open_works = 0
        """How many transactions are open: a thread that works on one makes no noise on a socket."""
        self._waiting: asyncio.Future[None] | None = None

    async def idle(self) -> None:
        """Return when nobody has anything left to do before time passes.

        Raises:
            TimeoutError: that does not come.
        """
        async with asyncio.timeout(GIVES_UP_S):
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        waiting = self._waiting
        is_work_ready = timeout is not None and timeout <= self._soon_s
        if waiting is None or waiting.done() or is_work_ready or self.open_works:
            return super().select(timeout)
        events = super().select(QUIET_S)
        if not events and not self._is_anything_under_way():
            events = super().select(0)  # what was under way may have arrived in this very moment
            if not events:
                waiting.set_result(None)
        return events

    def _is_anything_under_way(self) -> bool:
        """Say whether something that was sent has not arrived at the other end.

        Both ends of a connection are here. A busy machine lets bytes lie between them for longer than `QUIET_S`.
        """
        received: dict[tuple[Any, Any], int] = {}
        sent: dict[tuple[Any, Any], int] = {}
        for key in self.get_map().values():
            ends = _ends_of(key.fd)
            if ends is not None:
                here, there, got, gave = ends
                received[there, here] = got
                sent[here, there] = gave
        return any(received.get(way, count) < count for way, count in sent.items())


@attrs.define
class CountedStore(Store):
    """A database whose open transactions are counted."""

    inner: Store
    selector: IdleSelector

    def begin(self, lease: Lease | None = None, *, reads_only: bool = False) -> AbstractAsyncContextManager[Work]:
        return self._begin(lease, reads_only=reads_only)

    @asynccontextmanager
    async def _begin(self, lease: Lease | None, *, reads_only: bool) -> AsyncIterator[Work]:
        self.selector.open_works += 1
        try:
            async with self.inner.begin(lease, reads_only=reads_only) as work:
                yield work
        finally:
            self.selector.open_works -= 1

    async def check(self) -> None:
        await self.inner.check()

    async def epoch(self) -> str:
        return await self.inner.epoch()

    async def close(self) -> None:
        await self.inner.close()


def _ends_of(fd: int) -> tuple[Any, Any, int, int] | None:
    """Return where a connection begins and ends, and how many bytes came and went; None for what is no connection."""
    if sys.platform != "linux" or not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return None
    known = socket.socket(fileno=os.dup(fd))
    try:
        here, there = known.getsockname(), known.getpeername()
        told = known.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    except OSError:
        return None
    finally:
        known.close()
    if len(told) < _TOLD:
        return None
    (got,) = struct.unpack_from("=Q", told, _RECEIVED_AT)
    gave, again = struct.unpack_from("=QQ", told, _SENT_AT)
    return here, there, got, gave - again
