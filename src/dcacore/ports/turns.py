"""Waiting for one's turn is no waiting for an answer: who gives a question so long to be answered says so by
`answered_within`, and an adapter that holds it back says so by `waiting_for_turn`. The time rests meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

_limits: ContextVar[tuple[asyncio.Timeout, float] | None] = ContextVar("limits", default=None)


@asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Give what happens inside so long, not counting its waits for its turn.

    Raises:
        TimeoutError: it takes longer.
    """
    async with asyncio.timeout(seconds) as limit:
        before = _limits.set((limit, seconds))
        try:
            yield
        except GeneratorExit:  # thrown away, in nobody's context
            raise
        except BaseException:
            _limits.reset(before)
            raise
        _limits.reset(before)


@contextmanager
def waiting_for_turn() -> Iterator[None]:
    """Wait, inside, for as long as it takes; the time for the answer begins anew after that."""
    if (known := _limits.get()) is None:
        yield
        return
    limit, seconds = known
    limit.reschedule(None)
    try:
        yield
    finally:
        limit.reschedule(asyncio.get_running_loop().time() + seconds)
