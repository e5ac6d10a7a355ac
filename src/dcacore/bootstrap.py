"""The composition root: the place that names concrete adapters."""

from __future__ import annotations

import os

from dcacore.adapters.candles import ParquetCandleStore, read_candle_files, read_candles
from dcacore.ports.candle_store import CandleStore

__all__ = ["candle_store", "read_candle_files", "read_candles"]


def candle_store(folder: str | os.PathLike[str]) -> CandleStore:
    """Return the local candle store below *folder*, which need not exist yet."""
    return ParquetCandleStore(folder)
