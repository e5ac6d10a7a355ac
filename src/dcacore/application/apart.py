"""Work on passwords, in threads of its own: what takes long on purpose must not keep anything else waiting."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_THREADS: Final = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="passwords")


async def apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what *work* returns; as much of it goes on at a time as there are cores, and the rest waits its turn."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, partial(work, *args, **kwargs))
