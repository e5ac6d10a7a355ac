"""Garbage collection in a program that runs for months and must not pause."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (10_000, 20, 50)


def settle() -> None:
    """Leave what is there now out of every later collection, and collect less often.

    A full collection looks at every object: most of them are the libraries' code, which is never garbage, and to look
    through it takes a quarter of a second in which no price is heard. It is for programs, not for a library: whoever
    embeds an engine decides for their own process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
