"""Bringing candle files into the local store."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from dcacore.ports.candle_store import CandleStore, ReadCandleFiles, Saved, known_pair
from dcacore.ports.candles import Candles
from dcacore.ports.intervals import INTERVALS, interval_name

_ARCHIVE_NAME: Final = re.compile(r"(?:.*-)?(?P<pair>[A-Z0-9]{2,40})-(?P<interval>\d+[smhdwM]o?)(?![a-zA-Z0-9])")


@attrs.frozen(kw_only=True)
class Named:
    """What file names say about the candles inside.

    Attributes:
        pair: the trading pair; None when the names do not say it, or not the same.
        interval: likewise the interval.
    """

    pair: str | None
    interval: str | None


@attrs.frozen(kw_only=True)
class Imported:
    """What an import did.

    Attributes:
        pair: the trading pair under which the candles are stored.
        interval: their interval.
        candles: all candles of the files.
        saved: how many of them were new, replaced or there already.
    """

    pair: str
    interval: str
    candles: Candles
    saved: Saved


def named(paths: Sequence[str]) -> Named:
    """Return the pair and interval that all of *paths* name as the Binance archive does: `BTCUSDT-1m-2021-04.zip`."""
    found = [_ARCHIVE_NAME.match(Path(path).name) for path in paths]
    pairs = {match["pair"] if match else None for match in found}
    intervals = {match["interval"] if match else None for match in found}
    interval = intervals.pop() if len(intervals) == 1 else None
    return Named(
        pair=pairs.pop() if len(pairs) == 1 else None,
        interval=interval if interval in INTERVALS or interval in {"1M", "1mo"} else None,
    )


def import_candles(
    store: CandleStore,
    read: ReadCandleFiles,
    paths: Sequence[str],
    *,
    pair: str,
    interval: str | None,
    now_ms: int | None = None,
    replace: bool = False,
) -> Imported:
    """Read *paths*, files of one pair and interval, save their candles and return what was done.

    All files are read and checked before anything is saved.

    Args:
        store: where the candles go.
        read: reads candle files.
        paths: the files.
        pair: the trading pair, which candle files do not name.
        interval: checked against the rows; None finds it from them.
        now_ms: the present, to refuse candles of the future.
        replace: let the files win where the store has other values.

    Raises:
        InvalidParameter: the pair or the interval is none.
        BadFile: a file cannot be used; BadCandles, one of its rows.
        CandleConflict: the store has other values, and *replace* is false.
    """
    known_pair(pair)
    candles, sources = read(*paths, interval=interval, now_ms=now_ms)
    saved = store.save(pair, candles, sources=sources, replace=replace)
    return Imported(pair=pair, interval=interval_name(candles.interval_ms), candles=candles, saved=saved)
