"""A WebSocket client without manners."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import attrs
from websockets.asyncio.client import ClientConnection, connect

from dcacore.local_exchange.signing import sign
from tests.local_exchange.api import Api

PATIENCE_S = 10


@attrs.define
class Socket:
    """One connection; what comes beside an answer is kept for `read`."""

    connection: ClientConnection
    _numbers: itertools.count[int] = attrs.field(factory=itertools.count)
    _kept: list[dict[str, Any]] = attrs.field(factory=list)

    async def read(self) -> dict[str, Any]:
        """Return the next message."""
        return self._kept.pop(0) if self._kept else await self._receive()

    async def send(self, text: str) -> None:
        await self.connection.send(text)

    async def ask(self, method: str, params: object = None) -> dict[str, Any]:
        """Return the answer to a request."""
        number = next(self._numbers)
        await self.send(json.dumps({"id": number, "method": method} | ({} if params is None else {"params": params})))
        while True:
            message = await self._receive()
            if message.get("id") == number and "event" not in message:
                return message
            self._kept.append(message)

    async def signed(self, api: Api, method: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the answer to a signed request."""
        sent: dict[str, Any] = {"apiKey": api.key, "timestamp": time.time_ns() // 1_000_000, **(params or {})}
        payload = "&".join(f"{name}={value}" for name, value in sorted(sent.items()))
        return await self.ask(method, sent | {"signature": sign(api.secret, payload.encode())})

    async def _receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        return message


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Socket]:
    """Yield a connection to *url*."""
    async with connect(url, compression=None) as connection:
        yield Socket(connection)
