"""An engine as a program of its own: until it is told to stop, whatever becomes of its log."""

from __future__ import annotations

import asyncio
import contextlib
import os

import structlog

from dcacore.bootstrap import garbage
from dcacore.bootstrap.app import App, delivering, open_app, running
from dcacore.bootstrap.programs import run_program
from dcacore.settings import Settings

log = structlog.get_logger("dcacore.worker")


def run_worker(settings: Settings) -> None:
    """Run an engine until SIGTERM or SIGINT, and return when what was on the wire has been answered and stored.

    Raises:
        EngineRunning: another engine runs over the same SQLite database.
        DcaError: it could not start.
    """

    async def work(stopping: asyncio.Event) -> None:
        async with open_app(settings, may_create=True) as app:
            await _work(app, stopping)

    run_program(settings, work)


async def _work(app: App, stopping: asyncio.Event) -> None:
    async with running(app) as with_engine, delivering(app):
        garbage.settle()
        log.info("worker_started", engine=with_engine.engine and with_engine.engine.around.name, process=os.getpid())
        assert with_engine.engine_task is not None  # noqa: S101  # for the type checker
        waiting = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({with_engine.engine_task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.set()  # from here on it has to end in time, also when the engine ended by itself
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
