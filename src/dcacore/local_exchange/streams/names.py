"""Names of market streams, such as `btcusdt@kline_1m`."""

from __future__ import annotations

import re
from typing import Final

import attrs

from dcacore.local_exchange.market.candles import NAMES

ALL: Final = "!"
"""What stands for the symbol in a stream of all symbols."""
_DEPTH: Final = re.compile(r"depth(?P<levels>5|10|20)?(@(?P<speed>100ms|1000ms))?", re.ASCII)
_PLAIN: Final = frozenset({"aggTrade", "trade", "miniTicker", "ticker", "bookTicker", "avgPrice"})
_OF_ALL: Final = {"!miniTicker@arr": "miniTicker", "!ticker@arr": "ticker", "!bookTicker": "bookTicker"}
_SYMBOL: Final = re.compile(r"[a-z0-9_.\-]{1,20}", re.ASCII)


@attrs.frozen
class StreamName:
    """What a stream tells.

    Attributes:
        text: its name.
        kind: such as `trade` or `kline`.
        symbol: in capitals; `!` for all.
        detail: a candle's interval, or how many levels of the book.
        is_fast: whether it tells ten times a second where others do once.
    """

    text: str
    kind: str
    symbol: str
    detail: str = ""
    is_fast: bool = False


def parse_name(text: str) -> StreamName | None:
    """Return what *text* names; None when it names no stream."""
    if text in _OF_ALL:
        return StreamName(text, _OF_ALL[text], ALL)
    symbol, _, rest = text.partition("@")
    if not _SYMBOL.fullmatch(symbol):
        return None
    name, detail = symbol.upper(), rest.removeprefix("kline_")
    if rest in _PLAIN:
        return StreamName(text, rest, name)
    if rest.startswith("kline_") and detail.partition("@")[0] in NAMES:
        return StreamName(text, "kline", name, detail.partition("@")[0])
    depth = _DEPTH.fullmatch(rest)
    if depth is None:
        return None
    kind = "partialDepth" if depth["levels"] else "depth"
    return StreamName(text, kind, name, depth["levels"] or "", depth["speed"] == "100ms")
