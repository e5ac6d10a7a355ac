"""Keeps one connection open, for ever: opened again after every end, replaced before the exchange cuts it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import attrs
import structlog

from dcacore.adapters.binance.dials import Dials
from dcacore.adapters.binance.link import Dead, Link, Turned
from dcacore.adapters.binance.pace import Pace
from dcacore.adapters.binance.reading import Row
from dcacore.adapters.binance.talk import Talk, is_shutdown
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Unavailable

log = structlog.get_logger("dcacore.binance")


@attrs.define(eq=False)
class Keeper:
    """Keeps the connection of one talk.

    Attributes:
        opened_at: since when the present connection is open, by the monotonic clock; None while there is none.
        opened: how many have been opened.
    """

    _talk: Talk
    _name: str
    _clock: Clock
    _pace: Pace
    _dials: Dials
    _chance: random.Random
    opened_at: float | None = attrs.field(default=None, init=False)
    opened: int = attrs.field(default=0, init=False)
    _failures: int = attrs.field(default=0, init=False)
    _links: dict[Link, asyncio.Task[None]] = attrs.field(factory=dict, init=False)

    async def run(self) -> None:
        """Keep it open until this is cancelled, or fails in a way that nobody foresaw.

        Raises:
            BadCredentials: the exchange does not take the key.
        """
        try:
            while True:
                try:
                    reason = await self._one_life()
                except (Dead, Unavailable) as exc:
                    reason = str(exc)
                log.warning("stream_down", stream=self._name, reason=reason)
                await self._clock.sleep(self._pace.pause(self._failures, self._chance))
                self._failures += 1
        finally:
            self.opened_at = None
            for link in tuple(self._links):
                await self._drop(link)

    async def _one_life(self) -> str:
        """Open a connection and return why it, and those that replaced it, came to an end."""
        link = await self._open()
        self._talk.up()
        while True:
            reason = await self._until_it_ends_or_is_old(link)
            if reason is not None:
                break
            old = link
            try:
                link = await self._replace(old)
                if old.ended.done():  # too early: nobody listened for a moment
                    self._talk.down("the connection was cut while it was being replaced")
                    self._talk.up()
            except (Dead, Unavailable) as exc:  # the old one is as good as ever, until it ends
                log.warning("stream_not_renewed", stream=self._name, reason=str(exc))
                await self._clock.sleep(self._pace.pause(self._failures, self._chance))
                self._failures += 1
        if self.opened_at is not None and self._clock.monotonic() - self.opened_at > self._pace.steady_after:
            self._failures = 0
        self.opened_at = None
        await self._drop(link)
        self._talk.down(reason)
        return reason

    async def _open(self) -> Link:
        await self._dials.permission()
        try:
            link = await Link.open(self._talk.url(), self._pace, self._talk.bad_frame)
        except Turned as exc:
            self._dials.turned(exc.status, "", exc.retry_after)
            raise
        try:
            link.listen(lambda frame: self._hear(link, frame))
            await self._talk.greet(link)
        except BaseException:
            await link.close()
            raise
        self._links[link] = asyncio.create_task(self._attend(link), name=f"binance {self._name}")
        self.opened_at = self._clock.monotonic()
        self.opened += 1
        return link

    def _hear(self, link: Link, frame: Row) -> None:
        if is_shutdown(frame):
            link.leaving.set()
        else:
            self._talk.hear(link, frame)

    async def _attend(self, link: Link) -> None:
        try:
            await self._talk.attend(link)
        except (Dead, Unavailable) as exc:
            link.fail(str(exc))

    async def _until_it_ends_or_is_old(self, link: Link) -> str | None:
        """Return why the connection ended; None when it has to be replaced."""
        old_in = (self.opened_at or 0.0) + self._pace.renew_after - self._clock.monotonic()
        attending, leaving = self._links[link], asyncio.ensure_future(link.leaving.wait())
        waits: set[asyncio.Future[Any]] = {link.ended, attending, leaving}
        try:
            await asyncio.wait(waits, timeout=max(old_in, 0), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
        if attending.done():
            attending.result()  # what nobody foresaw must not pass for a connection that is attended to
        return link.ended.result() if link.ended.done() else None

    async def _replace(self, old: Link) -> Link:
        """Open another connection while *old* goes on, so that nothing is missed in between."""
        link = await self._open()
        log.info("stream_renewed", stream=self._name)
        self._links[old].cancel()
        self._links[old] = asyncio.create_task(self._retire(old), name=f"binance {self._name}, replaced")
        return link

    async def _retire(self, link: Link) -> None:
        await self._clock.sleep(self._pace.overlap)
        self._links.pop(link, None)
        await link.close()

    async def _drop(self, link: Link) -> None:
        task = self._links.pop(link, None)
        if task is not None:
            task.cancel()
        await link.close()
