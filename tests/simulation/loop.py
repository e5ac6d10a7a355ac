"""An event loop without a clock and without a world: time is a number that jumps to whatever comes next.

What is ready at one moment runs in an order that a seed decides. Each piece of work belongs to a process, by way of its
context: what belongs to a dead process is never run again, not even its `finally` blocks; what belongs to a paused
one waits.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import random
import secrets
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NoReturn, TypeVar
from unittest import mock

import attrs

T = TypeVar("T")
_MOST_AT_ONCE: Final = 200_000
"""So many steps without any time passing are an endless loop."""


class Forbidden(AssertionError):
    """The program has reached for the real world."""


class Livelock(AssertionError):
    """Work goes on and on, and no time passes."""


@attrs.define(eq=False)
class Process:
    """A program that runs, until it dies.

    Attributes:
        number: counts the processes of a world.
        is_alive: whether anything of it still runs.
        is_paused: whether it stands still, for now.
        held: what has become ready while it was paused.
    """

    number: int = 0
    is_alive: bool = True
    is_paused: bool = False
    held: list[asyncio.Handle] = attrs.field(factory=list)


PROCESS: Final[contextvars.ContextVar[Process | None]] = contextvars.ContextVar("process", default=None)


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs coroutines in virtual time."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._now = 0.0
        self._steps_at_once = 0
        self._is_buried = False
        self.steps = 0
        self.tasks: list[asyncio.Task[Any]] = []
        self.set_task_factory(self._task)

    def time(self) -> float:
        return self._now

    def _task(
        self,
        _: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        *,
        context: contextvars.Context | None = None,
        **named: Any,
    ) -> asyncio.Task[Any]:
        if self._is_buried:
            _close(work)
            return self.create_future()  # type: ignore[return-value]  # nobody waits for it
        task: asyncio.Task[Any] = asyncio.Task(work, loop=self, context=context, **named)
        self.tasks.append(task)  # a frozen task must not be collected: that would run its `finally` blocks
        if len(self.tasks) > 5_000:
            self.tasks = [it for it in self.tasks if not it.done()]
        return task

    def resume(self, process: Process) -> None:
        """Let a paused process go on."""
        process.is_paused = False
        held, process.held = process.held, []
        self._ready.extend(held)  # type: ignore[attr-defined]  # asyncio's own queue

    # What asyncio calls; the names are its own.

    def _run_once(self) -> None:
        batch = self._batch()
        self.steps += len(batch)
        self._steps_at_once += len(batch)
        if self._steps_at_once > _MOST_AT_ONCE:
            raise Livelock(f"no time passes: {batch[:5]}")
        for handle in batch:
            process = handle._context.get(PROCESS)
            if handle._cancelled or (process is not None and not process.is_alive):
                continue
            if process is not None and process.is_paused:
                process.held.append(handle)
            else:
                handle._run()

    def _batch(self) -> list[Any]:
        """Return what is ready next, in the order in which it is to run."""
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not ready and not self._stopping:  # type: ignore[attr-defined]
            if not scheduled:
                raise Livelock("everything waits, and nothing will ever happen")
            if scheduled[0]._when > self._now:
                self._now, self._steps_at_once = scheduled[0]._when, 0
        while scheduled and scheduled[0]._when <= self._now:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        batch = list(ready)
        ready.clear()
        if len(batch) > 1:
            self._chance.shuffle(batch)
        return batch

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def _check_closed(self) -> None:
        pass  # what is left of the dead may still cancel something when it is collected

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        raise Forbidden(f"a thread was asked for, to run {func}")

    def bury(self) -> None:
        """Close what the dead have left behind; nothing of it can do harm any more."""
        self._is_buried = True
        asyncio._set_running_loop(self)
        try:
            self._close_all()
        finally:
            asyncio._set_running_loop(None)

    def _close_all(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # coroutines that will never run are what this is about
            for task in self.tasks:
                if not task.done():
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    _close(task.get_coro())
            self.tasks.clear()
            self._ready.clear()  # type: ignore[attr-defined]
            self._scheduled.clear()  # type: ignore[attr-defined]


def _close(work: Any) -> None:
    for _ in range(3):
        try:
            work.close()
        except BaseException:  # noqa: BLE001  # whatever its `finally` blocks ran into: it is dead
            continue
        return


def _forbidden(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise Forbidden(f"{name} was called")

    return refuse


def _guarded(name: str, real: Callable[..., T]) -> Callable[..., T]:
    """Return *real* for everybody but our own code: what SQLAlchemy notes of its connections' age does no harm."""

    def call(*args: Any) -> T:
        if sys._getframe(1).f_globals.get("__name__", "").startswith("dcacore"):
            raise Forbidden(f"{name} was called")
        return real(*args)

    return call


@contextmanager
def sealed() -> Iterator[None]:
    """Let nothing in from outside: no threads, no sockets, no waiting, and no wall clock or chance for our own code."""
    with ExitStack() as stack:
        for owner, name in ((threading.Thread, "start"), (time, "sleep"), (uuid, "uuid4")):
            stack.enter_context(mock.patch.object(owner, name, _forbidden(name)))
        stack.enter_context(mock.patch("socket.socket", _forbidden("socket")))
        for module, names in (
            (time, ("time", "monotonic", "time_ns", "monotonic_ns", "perf_counter")),
            (random, ("random", "uniform", "randrange", "choice", "shuffle")),
            (secrets, ("token_bytes", "token_hex", "choice", "randbelow")),
        ):
            for name in names:
                stack.enter_context(mock.patch.object(module, name, _guarded(name, getattr(module, name))))
        yield
