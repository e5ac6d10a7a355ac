"""Several things at once, one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


async def running_ahead(work: Callable[[S], Awaitable[T]], given: Iterable[S], at_once: int) -> AsyncGenerator[T]:
    """Yield what *work* returns for each of *given*, in their order, while up to *at_once* of them are worked on.

    Close it (`contextlib.aclosing`): what runs ahead then ends before the block does, whatever happened.
    """

    async def one(item: S) -> T:
        return await work(item)

    ahead: deque[asyncio.Task[T]] = deque()
    try:
        for item in given:
            ahead.append(asyncio.create_task(one(item)))
            if len(ahead) == at_once:
                yield await ahead[0]
                ahead.popleft()
        while ahead:
            yield await ahead[0]
            ahead.popleft()
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)
