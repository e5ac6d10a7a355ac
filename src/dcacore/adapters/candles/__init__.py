"""Candle files of other programs, and the stores that keep candles."""

from dcacore.adapters.candles._memory_store import MemoryCandleStore
from dcacore.adapters.candles._parquet_store import ParquetCandleStore
from dcacore.adapters.candles._read import read_candle_files, read_candles

__all__ = ["MemoryCandleStore", "ParquetCandleStore", "read_candle_files", "read_candles"]
