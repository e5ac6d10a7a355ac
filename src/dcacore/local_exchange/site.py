"""The exchange as it stands behind its port: with everybody who is connected, and everything that may go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

import structlog

from dcacore.local_exchange.driving.source import Source, Told
from dcacore.local_exchange.driving.stepper import Stepper
from dcacore.local_exchange.errors import ApiError
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.faults.desk import FaultDesk
from dcacore.local_exchange.faults.requests import Gauntlet
from dcacore.local_exchange.keeping import Keeper
from dcacore.local_exchange.streams.broadcast import BEAT_MS, Broadcast
from dcacore.local_exchange.streams.connection import LIFE_S, Connection
from dcacore.local_exchange.streams.hub import Hub, encode
from dcacore.local_exchange.streams.payloads import shutdown
from dcacore.local_exchange.ws_api.users import UserStreams

log = structlog.get_logger("dcacore.local_exchange")
_BEAT_S: Final = BEAT_MS / 1_000
_KEPT_EVERY: Final = 10
"""Beats after which prices are kept that nobody has traded at."""


class Driver(Protocol):
    """Something that moves markets by itself."""

    async def run(self) -> None:
        """Go on until there is nowhere left to go."""


class Site:
    """Everything that answers.

    Attributes:
        exchange: the exchange.
        desk: the faults that wait.
        gauntlet: what they do to requests.
        hub: who hears the markets.
        broadcast: what they hear.
        users: who hears of an account.
        stepper: moves the markets along candles, a step at a time; None when there are no candles.
        drivers: what moves the markets by itself.
        keeper: keeps it on disk; None keeps nothing.
        mark: by what a program knows the exchange that it has started; empty for none.
        is_paper: whether it is one for paper accounts.
        opens_pairs: whether `POST /control/pair` is served though the rest of the control interface is not.
        told: returns where prices come from.
        life: seconds for which a connection is good.
    """

    def __init__(
        self, exchange: LocalExchange | None = None, *, stepper: Stepper | None = None, life: float = LIFE_S
    ) -> None:
        self.exchange = exchange or LocalExchange()
        self.desk = FaultDesk()
        self.gauntlet = Gauntlet(self.exchange, self.desk)
        self.hub = Hub()
        self.broadcast = Broadcast(self.exchange, self.hub)
        self.users = UserStreams(self.exchange, self.desk)
        self.stepper = stepper
        self.drivers: list[Driver] = []
        self.keeper: Keeper | None = None
        self.mark = ""
        self.is_paper = self.opens_pairs = False
        self.told: Callable[[], Told] = lambda: Told(Source.HAND)
        self.life = life

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell what has to be told from time to time, until the block ends; then everybody is sent away."""
        self.exchange.feed.later = asyncio.get_running_loop().call_soon
        tasks = [asyncio.create_task(work) for work in (self._beat(), *map(_driven, self.drivers))]
        try:
            yield
        finally:
            self.exchange.feed.later = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.close("all")
            if self.keeper is not None:
                self.exchange.feed.keep = None
                self.keeper.close()

    def keep(self) -> None:
        """Write what has happened to disk, before anybody is told.

        Raises:
            ApiError: it cannot be written.
        """
        if self.keeper is not None:
            self.keeper.keep()

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
        for number in itertools.count(1):
            await asyncio.sleep(_BEAT_S)
            self.broadcast.beat()
            if number % _KEPT_EVERY == 0:
                with contextlib.suppress(ApiError):  # it was logged, and the next one may succeed
                    self.keep()
                    self.exchange.feed.settle()  # what could not be kept before, and so was not told


async def _driven(driver: Driver) -> None:
    try:
        await driver.run()
    except Exception:
        log.exception("the markets stand still: what moves them has failed")
