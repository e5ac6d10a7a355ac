"""The composition root: the place that names concrete adapters.

What takes long to import is imported when it is used, so that `dca ladder` does not wait for numpy and pyarrow.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Final

from dcacore.adapters.bot_file import read_bot

if TYPE_CHECKING:
    from dcacore.adapters.candles import read_candle_files, read_candles
    from dcacore.domain.market import Market
    from dcacore.ports.bot_file import BotFile
    from dcacore.ports.candle_store import CandleStore

__all__ = ["candle_store", "market_of", "read_bot", "read_candle_files", "read_candles"]

_LATE: Final = {"read_candle_files": "dcacore.adapters.candles", "read_candles": "dcacore.adapters.candles"}


def __getattr__(name: str) -> object:
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def candle_store(folder: str | os.PathLike[str]) -> CandleStore:
    """Return the local candle store below *folder*, which need not exist yet."""
    from dcacore.adapters.candles import ParquetCandleStore

    return ParquetCandleStore(folder)


def market_of(bot: BotFile) -> Market:
    """Return the market of *bot*: key by key what its file says, else what is known of the pair.

    Raises:
        BadFile: a rule is neither in the file nor known, or it is out of range.
    """
    from dcacore.adapters.known_markets import known_markets
    from dcacore.application import markets

    return markets.market_of(bot, known_markets())
