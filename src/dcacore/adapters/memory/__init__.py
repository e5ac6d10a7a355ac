"""A database in this process's memory: for tests, simulations, and trying things out. It is gone with the process."""

from __future__ import annotations

from dcacore.adapters.memory._live import MemoryLive
from dcacore.adapters.memory._store import MemoryStore

__all__ = ["MemoryLive", "MemoryStore"]
