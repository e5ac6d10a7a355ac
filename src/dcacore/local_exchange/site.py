"""The exchange as it stands behind its port: with everybody who is connected, and everything that may go wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.faults.desk import FaultDesk
from dcacore.local_exchange.faults.requests import Gauntlet
from dcacore.local_exchange.streams.broadcast import BEAT_MS, Broadcast
from dcacore.local_exchange.streams.connection import LIFE_S, Connection
from dcacore.local_exchange.streams.hub import Hub, encode
from dcacore.local_exchange.streams.payloads import shutdown
from dcacore.local_exchange.ws_api.users import UserStreams

_BEAT_S: Final = BEAT_MS / 1_000


class Site:
    """Everything that answers.

    Attributes:
        exchange: the exchange.
        desk: the faults that wait.
        gauntlet: what they do to requests.
        hub: who hears the markets.
        broadcast: what they hear.
        users: who hears of an account.
        life: seconds for which a connection is good.
    """

    def __init__(self, exchange: LocalExchange | None = None, *, life: float = LIFE_S) -> None:
        self.exchange = exchange or LocalExchange()
        self.desk = FaultDesk()
        self.gauntlet = Gauntlet(self.exchange, self.desk)
        self.hub = Hub()
        self.broadcast = Broadcast(self.exchange, self.hub)
        self.users = UserStreams(self.exchange, self.desk)
        self.life = life

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell what has to be told from time to time, until the block ends; then everybody is sent away."""
        self.exchange.feed.later = asyncio.get_running_loop().call_soon
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            self.exchange.feed.later = None
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            self.close("all")

    def close(self, which: str, code: int = 1001) -> None:
        """Close the connections that *which* names: market, user or all."""
        for connection in self.connections(which):
            connection.close(code)

    def connections(self, which: str) -> tuple[Connection, ...]:
        """Return the connections that *which* names: market, user or all."""
        market = self.hub.connections if which in {"market", "all"} else ()
        users = self.users.sessions if which in {"user", "all"} else ()
        return (*market, *users)

    def announce_shutdown(self, which: str) -> None:
        """Tell the connections that the server is about to go (web-socket-streams.md, "serverShutdown")."""
        event = shutdown(self.exchange.clock.ms())
        if which in {"market", "all"}:
            for connection in self.hub.connections:
                connection.tell("!serverShutdown", event)
        if which in {"user", "all"}:
            for session in self.users.sessions:
                session.put(encode({"event": event}))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_S)
            self.broadcast.beat()
