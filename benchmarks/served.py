"""The dashboard in a process of its own, noting what each request costs it.

CPU is that of the whole process, the threads that read the database among them: ask for one thing at a time.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import attrs
import structlog
import uvicorn
from litestar import Litestar
from litestar.routes import HTTPRoute

from dcacore.bootstrap import garbage
from dcacore.bootstrap.app import open_app, running
from dcacore.ports.live import PriceMoved
from dcacore.settings import Settings
from dcaweb.api.pace import Pace
from dcaweb.app import create_app
from dcaweb.serving import address_of, listening

_UNHURRIED: Final = 10**9
"""How many requests at once a program may send here: it is the pages that are measured, and not the brake."""
_START_S: Final = 60


@attrs.frozen
class Cost:
    """What a request has cost.

    Attributes:
        path: what was asked for, with its query.
        status: HTTP's.
        cpu_ms: of the process.
        wall_ms: from its being read to the last byte's being handed to the server.
        size: of the answer's body as it was sent, compressed or not.
    """

    path: str
    status: int
    cpu_ms: float
    wall_ms: float
    size: int


@attrs.frozen
class Served:
    """The dashboard, as the other process sees it.

    Attributes:
        url: where it is.
        pages: the paths that can be asked for, with the names of their parameters in braces.
        pid: of its process.
    """

    url: str
    pages: tuple[str, ...]
    pid: int
    _there: Connection

    def say(self, words: Sequence[PriceMoved]) -> float:
        """Let its pages be told of prices; return when, in seconds of the monotonic clock."""
        self._there.send(words)
        at: float = self._there.recv()
        return at

    @property
    def cpu_s(self) -> float:
        """The seconds of CPU that it has taken so far, to the hundredth."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_kib(self) -> int:
        """What it has in memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024

    def costs(self) -> list[Cost]:
        """Return what the requests have cost that ended since this was last asked."""
        self._there.send(None)
        found: list[Cost] = self._there.recv()
        return found


@contextmanager
def served(settings: Settings, *, has_engine: bool = False) -> Iterator[Served]:
    """Yield the dashboard over the database of *settings* until the end of the block, by default without an engine."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(there, settings, has_engine), daemon=True)
    process.start()
    there.close()  # or nobody would learn that the process has died
    try:
        if not here.poll(_START_S):
            raise TimeoutError("the dashboard does not answer")
        url, pages = here.recv()
        assert process.pid is not None
        yield Served(url, pages, process.pid, here)
    finally:
        process.terminate()
        process.join()


def _run(tell: Connection, settings: Settings, has_engine: bool) -> None:  # noqa: FBT001  # a process's arguments
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a stream is an open file
    asyncio.run(_serve(tell, settings, has_engine=has_engine))


async def _serve(tell: Connection, settings: Settings, *, has_engine: bool) -> None:
    async with AsyncExitStack() as stack:
        taken = stack.enter_context(listening("127.0.0.1", 0))
        app = await stack.enter_async_context(open_app(attrs.evolve(settings, base_url=address_of(taken))))
        if has_engine:
            app = await stack.enter_async_context(running(app))
        web = create_app(app)
        web.state.pace = Pace(app.clock, burst=_UNHURRIED)
        garbage.settle()
        noting = Noting(web)
        config = uvicorn.Config(noting, log_config=None, access_log=False, server_header=False, ws="none")

        def hear() -> None:
            words = tell.recv()
            if words is None:
                tell.send(noting.costs)
                noting.costs = []
                return
            at = time.monotonic()
            for word in words:
                app.live.say(word)
            tell.send(at)

        asyncio.get_running_loop().add_reader(tell.fileno(), hear)
        tell.send((address_of(taken), pages_of(web)))
        await uvicorn.Server(config).serve(sockets=[taken])


def pages_of(web: Litestar) -> tuple[str, ...]:
    """Return all paths of *web* that can be asked for."""
    return tuple([it.path for it in web.routes if isinstance(it, HTTPRoute) and "GET" in it.methods])


@attrs.define
class Noting:
    """An application that notes what its requests cost."""

    _inner: Any
    costs: list[Cost] = attrs.field(factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        status, size = 0, 0

        async def sending(message: Any) -> None:
            nonlocal status, size
            status = message.get("status", status)
            size += len(message.get("body", b""))
            await send(message)

        cpu, wall = time.process_time(), time.perf_counter()
        await self._inner(scope, receive, sending)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        path = scope["path"] + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        self.costs.append(Cost(path, status, cpu * 1e3, wall * 1e3, size))
