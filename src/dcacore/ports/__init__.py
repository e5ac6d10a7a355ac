"""The Protocols through which the library meets the outside, and the values and errors they speak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dcacore._lazy import lazy

if TYPE_CHECKING:
    from dcacore.ports.bot_file import BotFile
    from dcacore.ports.candle_archive import CandleArchive, ExchangeCandles
    from dcacore.ports.candle_store import CandleStore, ReadCandleFiles
    from dcacore.ports.candles import Candles, Gap, gaps
    from dcacore.ports.errors import BadCandles, BadFile, CandleConflict, NoCandles, PortError, UnknownPair
    from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing

__all__ = [
    "AccountEvent",
    "BadCandles",
    "BadFile",
    "Balance",
    "BotFile",
    "CandleArchive",
    "CandleConflict",
    "CandleStore",
    "Candles",
    "Exchange",
    "ExchangeCandles",
    "Gap",
    "Listing",
    "NoCandles",
    "PortError",
    "ReadCandleFiles",
    "UnknownPair",
    "gaps",
]

_HOMES: Final = {
    "BadCandles": "dcacore.ports.errors",
    "BadFile": "dcacore.ports.errors",
    "AccountEvent": "dcacore.ports.exchange",
    "Balance": "dcacore.ports.exchange",
    "BotFile": "dcacore.ports.bot_file",
    "CandleConflict": "dcacore.ports.errors",
    "CandleArchive": "dcacore.ports.candle_archive",
    "CandleStore": "dcacore.ports.candle_store",
    "Candles": "dcacore.ports.candles",
    "Exchange": "dcacore.ports.exchange",
    "ExchangeCandles": "dcacore.ports.candle_archive",
    "Gap": "dcacore.ports.candles",
    "NoCandles": "dcacore.ports.errors",
    "Listing": "dcacore.ports.exchange",
    "PortError": "dcacore.ports.errors",
    "ReadCandleFiles": "dcacore.ports.candle_store",
    "UnknownPair": "dcacore.ports.errors",
    "gaps": "dcacore.ports.candles",
}

__getattr__, __dir__ = lazy(__name__, _HOMES)
