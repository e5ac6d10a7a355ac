"""The gate that every call of a port goes through: it is noted, it may fail, and the process may die in it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum
from random import Random
from typing import Any, Final, NoReturn, TypeVar

import attrs

from dcacore.adapters.simulated.faults import Dice
from dcacore.ports.errors import PortError
from tests.simulation.faults import MachineFault
from tests.simulation.loop import PROCESS, Process, VirtualLoop

T = TypeVar("T")
REMEMBERED: Final = 400
"""How many of the last calls are kept for whoever looks into a failure."""


class Trace:
    """Every call of a port and what came of it, as one number."""

    def __init__(self, loop: VirtualLoop, *, is_told: bool = False) -> None:
        self._loop = loop
        self._is_told = is_told
        self._sum = hashlib.blake2b(digest_size=16)
        self.lines: deque[str] = deque(maxlen=REMEMBERED)
        self.calls = 0

    def note(self, text: str) -> None:
        """Note a line."""
        process = PROCESS.get()
        line = f"{self._loop.time():.6f} {0 if process is None else process.number} {text}"
        self.calls += 1
        self._sum.update(line.encode())
        self.lines.append(line)
        if self._is_told:
            print(line)  # noqa: T201  # it was asked for

    @property
    def digest(self) -> str:
        """The number so far."""
        return self._sum.hexdigest()


class Moment(Enum):
    """When in a call a process dies."""

    BEFORE = "before"  # the call has not happened
    AFTER = "after"  # it has, and its answer is lost
    LATER = "later"  # it has not, and happens when the process is long dead: only requests to the exchange can
    UNANSWERED = "unanswered"  # it has; the process hears of no answer, goes on, and dies in its next call


@attrs.define
class Crash:
    """Where a process dies: in its call number *call*, counted from 0."""

    call: int
    moment: Moment


@attrs.define(eq=False, kw_only=True)
class Gate:
    """One process's way to everything outside of it.

    Attributes:
        process: the process.
        loop: its world's loop.
        trace: where calls are noted.
        dice: decides what fails.
        chance: decides how long things take.
        die: what happens to the world when the process dies.
        crash: where it is to die.
        calls: how many calls that count have been made.
    """

    process: Process
    loop: VirtualLoop
    trace: Trace
    dice: Dice
    chance: Random
    die: Callable[[Process], None]
    crash: Crash | None = None
    calls: int = 0
    names: list[str] = attrs.field(factory=list)
    _dies_next: bool = False

    async def call(
        self, name: str, work: Callable[[], Awaitable[T]], *, counts: bool = True, told: Callable[[Any], str] = str
    ) -> T:
        """Return what *work* returns, if the process lives so long."""
        moment = self._moment(name) if counts else None
        if moment in {Moment.BEFORE, Moment.LATER}:
            await self._end(name, "dies before")
        try:
            answer = await work()
        except PortError as exc:
            self.trace.note(f"{name} ! {type(exc).__name__}: {exc}")
            if moment is Moment.AFTER:
                await self._end(name, "dies after")
            raise
        self.trace.note(f"{name} = {told(answer)}")
        if moment in {Moment.AFTER, Moment.UNANSWERED}:
            await self._end(name, "dies after")
        return answer

    def moment(self, name: str) -> Moment | None:
        """Count a call, and say when in it the process is to die."""
        return self._moment(name)

    def _moment(self, name: str) -> Moment | None:
        number, self.calls = self.calls, self.calls + 1
        if self.crash is not None:
            self.names.append(name)
            if self._dies_next:
                return Moment.BEFORE
            if number == self.crash.call:
                self._dies_next = self.crash.moment is Moment.UNANSWERED
                return self.crash.moment
            return None
        if self.dice.strikes(MachineFault.CRASH_BEFORE):
            return Moment.BEFORE
        if self.dice.strikes(MachineFault.CRASH_AFTER):
            return Moment.AFTER
        return None

    async def die_now(self, name: str, how: str) -> NoReturn:
        """Let the process die in this call."""
        await self._end(name, how)

    async def _end(self, name: str, how: str) -> NoReturn:
        self.trace.note(f"{name} {how}")
        self.die(self.process)
        await self.loop.create_future()
        raise AssertionError("the dead do not wake")

    async def pass_time(self, least: float, most: float) -> None:
        """Let a little time pass, as on a network."""
        await asyncio.sleep(self.chance.uniform(least, most))

    async def yield_now_and_then(self) -> None:
        """Let others run in between, sometimes, as a database does that is not in the same thread."""
        if self.chance.random() < 0.1:
            await asyncio.sleep(self.chance.choice((0.0, 0.0, 0.002, 0.02)))
