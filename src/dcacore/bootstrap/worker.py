"""An engine as a program of its own: until it is told to stop, whatever becomes of its log."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import Final

import structlog

from dcacore.bootstrap import garbage
from dcacore.bootstrap.app import App, delivering, open_app, running
from dcacore.bootstrap.logs import Lines, configure_logs
from dcacore.settings import Settings

log = structlog.get_logger("dcacore.worker")

END_WITHIN_S: Final = 15
_STANDARD_STREAMS: Final = 3


def run_worker(settings: Settings) -> None:
    """Run an engine until SIGTERM or SIGINT, and return when what was on the wire has been answered and stored.

    Raises:
        EngineRunning: another engine runs over the same SQLite database.
        DcaError: it could not start.
    """
    _keep_standard_streams()
    lines = configure_logs(settings)
    try:
        asyncio.run(_run(settings, lines))
    finally:
        lines.close()


def _keep_standard_streams() -> None:
    """Open what the shell has closed: else the database could become stderr, and be written over."""
    handle = os.open(os.devnull, os.O_RDWR)
    while handle < _STANDARD_STREAMS:
        handle = os.dup(handle)
    os.close(handle)


async def _run(settings: Settings, lines: Lines) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with open_app(settings, may_create=True) as app:
        work = asyncio.create_task(_work(app, stopping))
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        done, _ = await asyncio.wait({work}, timeout=END_WITHIN_S - 2)
        if not done:  # what hangs is not waited for: all that matters is in the database
            log.error("not_stopped_in_time", seconds=END_WITHIN_S - 2)
            lines.close()
            os._exit(0)
        await work


async def _work(app: App, stopping: asyncio.Event) -> None:
    async with running(app) as with_engine, delivering(app):
        garbage.settle()
        log.info("worker_started", engine=with_engine.engine and with_engine.engine.around.name, process=os.getpid())
        assert with_engine.engine_task is not None  # noqa: S101  # for the type checker
        waiting = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({with_engine.engine_task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
