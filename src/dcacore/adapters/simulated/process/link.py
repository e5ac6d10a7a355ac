"""A connection to a venue process that comes back by itself, for ever."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from dcacore.adapters.simulated.process.errors import unpack_error
from dcacore.adapters.simulated.process.server import LONGEST_LINE
from dcacore.ports.clock import Clock
from dcacore.ports.errors import OutcomeUnknown, PortError, Unavailable

TIMEOUT: Final = 10.0
"""Seconds that an answer may take."""
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 30.0

Address = Callable[[], int | None]
"""Says on which port the venue listens now; None while it is not known to."""


class Lost(Exception):
    """A request went out, and its answer did not come."""


class Link:
    """Asks and is told. No request is ever sent twice."""

    def __init__(
        self,
        address: Address,
        clock: Clock,
        *,
        opened: Callable[[], Awaitable[None]],
        told: Callable[[dict[str, Any]], None],
        lost: Callable[[str], None],
    ) -> None:
        """Say where to connect, and what to call.

        Args:
            address: asked before each try.
            clock: for all waiting.
            opened: called on each new connection, before anybody else may ask.
            told: called with what comes unasked.
            lost: called when a connection that was open is gone.
        """
        self._address, self._clock = address, clock
        self._opened, self._told, self._lost = opened, told, lost
        self._writer: asyncio.StreamWriter | None = None
        self._is_open = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now."""
        return self._is_open.is_set()

    def start(self) -> None:
        """Connect, if that has not begun."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Hang up for good."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def read(self, method: str, **params: Any) -> Any:
        """Return the answer to a question.

        Raises:
            Unavailable: no connection, or no answer in time.
            PortError: as the venue says.
        """
        await self._wait_open()
        try:
            return await self.ask(method, **params)
        except Lost as lost:
            raise Unavailable(str(lost)) from lost

    async def change(self, method: str, **params: Any) -> Any:
        """Return what came of a change.

        Raises:
            Unavailable: no connection, so that nothing was sent.
            OutcomeUnknown: it was sent, and no answer came.
            PortError: as the venue says.
        """
        await self._wait_open()
        try:
            return await self.ask(method, **params)
        except Lost as lost:
            raise OutcomeUnknown(str(lost)) from lost

    async def ask(self, method: str, **params: Any) -> Any:
        """Send one request over the connection there is, and return its answer."""
        if self._writer is None or self._writer.is_closing():
            raise Unavailable("the simulated exchange is not connected")
        self._number += 1
        number = self._number
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        message = json.dumps({"id": number, "method": method, "params": params}, separators=(",", ":"))
        self._writer.write(message.encode() + b"\n")
        try:
            if not await self._within(answer):
                raise Lost("no answer in time")
            return answer.result()
        finally:
            del self._waiting[number]

    async def _wait_open(self) -> None:
        self.start()
        if not self.is_open and not await self._within(asyncio.ensure_future(self._is_open.wait())):
            raise Unavailable("the simulated exchange is not connected")

    async def _within(self, awaited: asyncio.Future[Any]) -> bool:
        if awaited.done():
            return True
        limit = asyncio.ensure_future(self._clock.sleep(TIMEOUT))
        try:
            await asyncio.wait({awaited, limit}, return_when=asyncio.FIRST_COMPLETED)
            return awaited.done()
        finally:
            limit.cancel()
            if not awaited.done():
                awaited.cancel()

    async def _run(self) -> None:
        wait = _FIRST_WAIT
        while True:
            with contextlib.suppress(OSError, PortError, ValueError):  # whatever it was, it is tried again
                if await self._connected():
                    wait = _FIRST_WAIT
            await self._clock.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _connected(self) -> bool:
        """Hold one connection for as long as it lasts, and say whether it got as far as being open."""
        port = self._address()
        if port is None:
            return False
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LONGEST_LINE)
        self._writer = writer
        reading = asyncio.ensure_future(self._read_on(reader))
        try:
            await self._opened()
            self._is_open.set()
            await reading
        except (Lost, Unavailable):
            pass
        finally:
            reading.cancel()
            was_open, self._writer = self.is_open, None
            self._is_open.clear()
            writer.transport.abort()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Lost("the connection was lost"))
            if was_open:
                self._lost("the connection was lost")
        return was_open

    async def _read_on(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := await reader.readline():
                message = json.loads(line)
                if "id" not in message:
                    self._told(message)
                    continue
                answer = self._waiting.get(message["id"])
                if answer is None or answer.done():
                    continue
                if "error" in message:
                    answer.set_exception(unpack_error(message["error"]))
                else:
                    answer.set_result(message["result"])
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Lost("the connection was lost"))
