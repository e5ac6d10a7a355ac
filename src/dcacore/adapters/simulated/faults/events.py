"""Account events as a stream over a network tells them: lost, doubled, late, swapped, or none at all for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Final

import attrs

from dcacore.adapters.simulated.faults.kinds import Dice, Fault
from dcacore.ports.clock import Clock
from dcacore.ports.exchange import AccountEvent, OrderChanged, StreamLost, StreamOpened

NOTICED: Final = 90.0
"""Seconds after which at the latest a dead stream is noticed and opened anew, as every adapter has to."""
_HELD: Final = 5.0


@attrs.define
class AccountStream:
    """What *inner* tells, with faults in between."""

    _inner: AsyncIterator[AccountEvent]
    _clock: Clock
    _dice: Dice
    _queue: asyncio.Queue[AccountEvent] = attrs.field(factory=asyncio.Queue, init=False)
    _tasks: list[asyncio.Task[None]] = attrs.field(factory=list, init=False)
    _is_cut: bool = attrs.field(default=False, init=False)
    _held: OrderChanged | None = attrs.field(default=None, init=False)

    async def told(self) -> AsyncIterator[AccountEvent]:
        """Yield what comes through."""
        self._start(self._pump())
        try:
            while True:
                yield await self._queue.get()
        finally:
            for task in tuple(self._tasks):
                task.cancel()

    async def _pump(self) -> None:
        async for event in self._inner:
            if isinstance(event, OrderChanged):
                self._pass_on(event)
            else:
                self._queue.put_nowait(event)

    def _pass_on(self, event: OrderChanged) -> None:
        strikes, within = self._dice.strikes, self._dice.within
        if self._is_cut or strikes(Fault.EVENT_DROPPED):
            return
        if strikes(Fault.STREAM_DEAD):
            self._is_cut = True
            self._start(self._reopen(within(15, NOTICED), StreamLost("no word for too long")))
        elif strikes(Fault.STREAM_LOST):
            self._is_cut = True
            self._queue.put_nowait(StreamLost("connection reset by peer"))
            self._start(self._reopen(within(0.5, 30)))
        elif strikes(Fault.EVENT_LATE):
            self._start(self._tell_after(within(0.5, 20), event))
        elif self._held is None and strikes(Fault.EVENTS_SWAPPED):
            self._held = event
            self._start(self._let_go_after(_HELD))
        else:
            self._queue.put_nowait(event)
            if strikes(Fault.EVENT_TWICE):
                self._queue.put_nowait(event)
            self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            self._queue.put_nowait(self._held)
            self._held = None

    async def _let_go_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._let_go()

    async def _tell_after(self, seconds: float, event: AccountEvent) -> None:
        await self._clock.sleep(seconds)
        self._queue.put_nowait(event)

    async def _reopen(self, seconds: float, *first: AccountEvent) -> None:
        await self._clock.sleep(seconds)
        for event in (*first, StreamOpened()):
            self._queue.put_nowait(event)
        self._is_cut = False

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)
