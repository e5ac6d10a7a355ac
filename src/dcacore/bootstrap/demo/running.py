"""The demo as a program of its own: until it is told to stop, and then nothing of it is left."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

from dcacore.bootstrap.demo.opening import Demo, DemoOptions, Tell, demo
from dcacore.bootstrap.logs import configure_logs

Show = Callable[[Demo], Awaitable[None]]


def run_demo(options: DemoOptions, *, tell: Tell, ready: Callable[[Demo], object], show: Show | None = None) -> None:
    """Run it until SIGTERM or Ctrl-C.

    Args:
        options: what it is to be like.
        tell: told which share of the history has been played.
        ready: told once it runs.
        show: shows it to people until it is cancelled or fails; None lets it run unseen.

    Raises:
        DcaError: the engine could not start.
    """
    lines = configure_logs(options.settings)
    try:
        asyncio.run(_run(options, tell, ready, show or _run_unseen))
    finally:
        lines.close()


async def _run(options: DemoOptions, tell: Tell, ready: Callable[[Demo], object], show: Show) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    work = asyncio.create_task(_work(options, tell, ready, show))
    waiting = asyncio.create_task(asked.wait())
    await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    work.cancel()  # once: another Ctrl-C must not keep the folder from being cleared away
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def _work(options: DemoOptions, tell: Tell, ready: Callable[[Demo], object], show: Show) -> None:
    async with demo(options, tell=tell) as it:
        ready(it)
        await show(it)


async def _run_unseen(it: Demo) -> None:
    assert it.app.engine_task is not None  # noqa: S101  # for the type checker
    await asyncio.wait({it.app.engine_task})
