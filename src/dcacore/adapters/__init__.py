"""What implements the ports, one package a technology."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dcacore._lazy import lazy

if TYPE_CHECKING:
    from dcacore.adapters.bot_file import read_bot
    from dcacore.adapters.candles import MemoryCandleStore, ParquetCandleStore, read_candle_files, read_candles
    from dcacore.adapters.simulated import MatchingCore, Wallet
    from dcacore.adapters.simulated.exchange import SimulatedExchange

__all__ = [
    "MatchingCore",
    "MemoryCandleStore",
    "ParquetCandleStore",
    "SimulatedExchange",
    "Wallet",
    "read_bot",
    "read_candle_files",
    "read_candles",
]

_HOMES: Final = {
    "MatchingCore": "dcacore.adapters.simulated",
    "MemoryCandleStore": "dcacore.adapters.candles",
    "ParquetCandleStore": "dcacore.adapters.candles",
    "SimulatedExchange": "dcacore.adapters.simulated.exchange",
    "Wallet": "dcacore.adapters.simulated",
    "read_bot": "dcacore.adapters.bot_file",
    "read_candle_files": "dcacore.adapters.candles",
    "read_candles": "dcacore.adapters.candles",
}

__getattr__, __dir__ = lazy(__name__, _HOMES)
