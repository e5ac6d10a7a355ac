"""The socket of a venue process."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable
from typing import Any, Final

import attrs

from dcacore.adapters.simulated.process.errors import pack_error
from dcacore.adapters.simulated.process.service import BAD_REQUEST, VenueService
from dcacore.adapters.simulated.wire import pack
from dcacore.domain.ids import AccountId
from dcacore.domain.money import Price
from dcacore.ports.exchange import AccountEvent
from dcacore.ports.prices import Tick

LONGEST_LINE: Final = 2**26
_UNREAD: Final = 2**24
"""Bytes after which a client that does not read is cut off."""


@attrs.define
class Caller:
    """One connection."""

    service: VenueService
    writer: asyncio.StreamWriter
    watched: set[str] = attrs.field(factory=set)
    leaving: list[Callable[[], object]] = attrs.field(factory=list)

    def answer(self, line: bytes) -> None:
        """Do what a line asks for, and write the answer."""
        request = json.loads(line)
        try:
            result = self._ask(request["method"], request["params"])
        except (*BAD_REQUEST, OSError) as error:
            packed = pack_error(OSError(str(error)) if isinstance(error, OSError) else error)
            self.write({"id": request["id"], "error": packed})
        else:
            self.write({"id": request["id"], "result": result})

    def write(self, message: dict[str, Any]) -> None:
        """Send a message, unless the other side has long stopped reading."""
        if self.writer.transport.get_write_buffer_size() > _UNREAD:
            self.writer.transport.abort()
        elif not self.writer.is_closing():
            self.writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        venue = self.service.venue
        match method:
            case "subscribe":
                self.leaving.append(venue.listen(AccountId(params["account"]), self._tell))
                return None
            case "watch":
                price = venue.price(params["pair"])
                self.watched.add(params["pair"])
                return pack(Tick(params["pair"], price, venue.now()))
            case "unwatch":
                return self.watched.discard(params["pair"])
            case _:
                return self.service.handle(method, params)

    def _tell(self, event: AccountEvent) -> None:
        self.write({"event": pack(event)})

    def heard(self, pair: str, price: Price, at: datetime.datetime) -> None:
        """Pass a price on to a caller who watches it."""
        if pair in self.watched:
            self.write({"tick": pack(Tick(pair, price, at))})


class VenueServer:
    """Answers on the loopback interface."""

    def __init__(self, service: VenueService) -> None:
        self.service = service
        self._server: asyncio.Server | None = None
        self._callers: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def start(self, port: int = 0) -> int:
        """Listen, and return the port; 0 takes any that is free."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=LONGEST_LINE)
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def stop(self) -> None:
        """Hang up on everybody, and listen no more."""
        if self._server is not None:
            self._server.close()
            for writer in self._callers.values():
                writer.transport.abort()
            await asyncio.gather(*self._callers)
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller, venue = Caller(self.service, writer), self.service.venue
        task = asyncio.current_task()
        if task is not None:
            self._callers[task] = writer
            task.add_done_callback(lambda done: self._callers.pop(done, None))
        venue.price_listeners.append(caller.heard)
        try:
            while line := await reader.readline():
                caller.answer(line)
        except (ConnectionError, KeyError, ValueError):
            pass  # it hung up, or it does not speak as we do
        finally:
            venue.price_listeners.remove(caller.heard)
            for leave in caller.leaving:
                leave()
            writer.close()
