"""Putting new candles among stored ones; both stores do it the same way."""

from __future__ import annotations

import attrs
import numpy as np

from dcacore.adapters.candles._grid import refuse_off_grid
from dcacore.adapters.candles._rows import COLUMNS, in_order, refuse_impossible, rows_of
from dcacore.ports.candle_store import Saved
from dcacore.ports.candles import Candles
from dcacore.ports.errors import CandleConflict


@attrs.frozen(kw_only=True)
class Merged:
    """Stored and new candles in one.

    Attributes:
        candles: each candle once, oldest first.
        saved: how many of the new ones were added, replaced and there already.
    """

    candles: Candles
    saved: Saved


def sound(candles: Candles) -> Candles:
    """Return *candles* oldest first and each once.

    Raises:
        BadCandles: a row that cannot be right.
        BadFile: there are none.
    """
    rows = rows_of(candles)
    refuse_impossible(rows)
    rows = in_order(rows)
    refuse_off_grid(rows, candles.interval_ms)
    return rows.candles(candles.interval_ms, candles.source)


def merge(stored: Candles | None, new: Candles, *, replace: bool) -> Merged:
    """Return *new* among *stored*.

    Raises:
        CandleConflict: one candle has other values in *stored*, and *replace* is false.
    """
    if stored is None:
        return Merged(candles=new, saved=Saved(added=len(new), replaced=0, unchanged=0))
    _, here, there = np.intersect1d(new.open_time, stored.open_time, assume_unique=True, return_indices=True)
    same = np.ones(len(here), dtype=np.bool_)
    for name in COLUMNS:
        same &= getattr(new, name)[here] == getattr(stored, name)[there]
    if not same.all() and not replace:
        place = int(np.argmin(same))
        raise _conflict(new, int(here[place]), stored, int(there[place]))
    kept = np.ones(len(stored), dtype=np.bool_)
    kept[there] = False
    time = np.concatenate([stored.open_time[kept], new.open_time])
    order = np.argsort(time, kind="stable")
    columns = {name: np.concatenate([getattr(stored, name)[kept], getattr(new, name)])[order] for name in COLUMNS}
    together = Candles(interval_ms=new.interval_ms, open_time=time[order], source=stored.source, **columns)
    refuse_off_grid(rows_of(together), together.interval_ms)
    unchanged = int(np.count_nonzero(same))
    saved = Saved(added=len(new) - len(here), replaced=len(here) - unchanged, unchanged=unchanged)
    return Merged(candles=together, saved=saved)


def between(candles: Candles, from_ms: int | None, to_ms: int | None) -> Candles:
    """Return the candles that open at or after *from_ms* and before *to_ms*."""
    start = 0 if from_ms is None else int(np.searchsorted(candles.open_time, from_ms))
    stop = len(candles) if to_ms is None else int(np.searchsorted(candles.open_time, to_ms))
    part = slice(start, max(start, stop))
    columns = {name: getattr(candles, name)[part] for name in COLUMNS}
    return attrs.evolve(candles, open_time=candles.open_time[part], **columns)


def _conflict(new: Candles, here: int, stored: Candles, there: int) -> CandleConflict:
    for name in COLUMNS:
        given, kept = float(getattr(new, name)[here]), float(getattr(stored, name)[there])
        if given != kept:
            return CandleConflict(new.source, int(new.open_time[here]), name, kept, given)
    raise AssertionError("the two candles are equal")
