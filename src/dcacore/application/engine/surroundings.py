"""What every part of an engine works with."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

import attrs
import structlog

from dcacore.application.engine.tally import Tally
from dcacore.application.telling import Post
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.live import Saying, Silence
from dcacore.ports.records import Environment
from dcacore.ports.store import Store
from dcacore.ports.venues import Venues

log = structlog.get_logger("dcacore.engine")


def speak_of(environment: Environment) -> None:
    """Let every further line that the running task logs, and the tasks it starts, name the environment."""
    structlog.contextvars.bind_contextvars(environment=environment.value)


@attrs.define
class Tasks:
    """Tasks that run beside each other; one that ends is forgotten, one that nobody foresaw to fail is logged at once.

    Attributes:
        environment: what they are about, for their lines in the log, whoever starts them; None leaves that open.
        on_failure: called with why one failed.
    """

    environment: Environment | None = None
    on_failure: Callable[[Exception], None] | None = None
    _running: dict[asyncio.Task[Any], None] = attrs.field(factory=dict, init=False)  # in the order of their start

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Let *work* run."""
        context = contextvars.copy_context()
        if self.environment is not None:
            context.run(speak_of, self.environment)
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._running[task] = None
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.pop(task, None)
        failure = None if task.cancelled() else task.exception()
        if isinstance(failure, Exception):
            log.error("task_failed", task=task.get_name(), reason=repr(failure), exc_info=failure)
            if self.on_failure is not None:
                self.on_failure(failure)

    def cancel(self) -> None:
        """Cancel all of them."""
        for task in tuple(self._running):
            task.cancel()

    async def end(self) -> None:
        """Cancel all of them and return when they have ended."""
        self.cancel()
        await self.wait()

    async def wait(self) -> None:
        """Return when all of them have ended, well or not."""
        while self._running:
            await asyncio.wait(tuple(self._running))


@attrs.frozen
class Surroundings:
    """The ports of an engine, and its name.

    Attributes:
        store: the database.
        venues: exchanges and prices.
        clock: time.
        ids: new ids.
        name: names this engine among others over the same database.
        live: hears at once what pages should show.
        tally: counts what the engine does.
        post: writes what users are told by mail; None where no mail is written.
    """

    store: Store
    venues: Venues
    clock: Clock
    ids: Ids
    name: str
    live: Saying = attrs.field(factory=Silence)
    tally: Tally = attrs.field(factory=Tally)
    post: Post | None = None


async def first_of(*waits: asyncio.Future[Any]) -> None:
    """Return when one of *waits* has ended; the others are cancelled."""
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
