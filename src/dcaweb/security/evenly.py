"""Answers that take the same time for everybody: how long one takes must not tell which addresses are known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from dcacore.ports.clock import Clock

TAKES_S: Final = 0.3
"""More than a database needs to store a link and a mail."""


@asynccontextmanager
async def evenly(clock: Clock) -> AsyncIterator[None]:
    """Let what is done within take `TAKES_S` at least, however it ends."""
    until = clock.monotonic() + TAKES_S
    try:
        yield
    finally:
        if (left := until - clock.monotonic()) > 0:
            await clock.sleep(left)
