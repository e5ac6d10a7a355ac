"""What every program needs that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Final

import structlog

from dcacore.bootstrap.logs import Lines, configure_logs
from dcacore.settings import Settings

log = structlog.get_logger("dcacore.programs")

STOP_WITHIN_S: Final = 13
"""Who sent the signal may wait 15 seconds, and the last lines of the log take one or two."""
_STANDARD_STREAMS: Final = 3

Program = Callable[[asyncio.Event], Coroutine[None, None, None]]


def run_program(settings: Settings, program: Program, *, stop_within_s: float = STOP_WITHIN_S) -> None:
    """Run *program* until it ends, and log meanwhile as *settings* want it.

    SIGTERM and SIGINT set the event that *program* is given; it may set that itself when it begins to end. From then
    on it has *stop_within_s* seconds. One that hangs is left behind, with exit code 0 if a signal had asked for the
    end and 1 otherwise: all that matters is in the database.

    Raises:
        DcaError: whatever *program* raised.
    """
    _keep_standard_streams()
    lines = configure_logs(settings)
    try:
        asyncio.run(_run(program, lines, stop_within_s))
    finally:
        lines.close()


def _keep_standard_streams() -> None:
    """Open what the shell has closed: else the database could become stderr, and be written over."""
    handle = os.open(os.devnull, os.O_RDWR)
    while handle < _STANDARD_STREAMS:
        handle = os.dup(handle)
    os.close(handle)


async def _run(program: Program, lines: Lines, stop_within_s: float) -> None:
    stopping, signalled = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        signalled.set()
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    work = asyncio.create_task(program(stopping), name="program")
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    done, _ = await asyncio.wait({work}, timeout=stop_within_s)
    if not done:
        log.error("not_stopped_in_time", seconds=stop_within_s)
        lines.close()
        os._exit(0 if signalled.is_set() else 1)
    await work
