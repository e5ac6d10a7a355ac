"""Choosing the candles that a backtest plays."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from dcacore.domain.errors import DcaError
from dcacore.ports.candles import Candles, Gap, gaps
from dcacore.ports.errors import NoCandles
from dcacore.ports.intervals import DAY_MS
from dcacore.ports.times import utc_text

_COLUMNS: Final = ("open_time", "open", "high", "low", "close", "volume")
_UNITS: Final = ((DAY_MS, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


class GapTooLong(DcaError):
    """A stretch without candles is too long for what lies before and after it to be one market.

    Attributes:
        source: what the candles were read from.
        gap: the first such gap.
        max_gap_ms: the longest gap that was allowed.
    """

    def __init__(self, source: str, gap: Gap, *, interval_ms: int, max_gap_ms: int) -> None:
        self.source, self.gap, self.max_gap_ms = source, gap, max_gap_ms
        ends, resumes = utc_text(gap.after + interval_ms), utc_text(gap.resumes)
        super().__init__(
            f"{source}: no candles for {duration_text(gap.missing * interval_ms)} from {ends} to {resumes} (UTC), "
            f"longer than --max-gap {duration_text(max_gap_ms)}: the symbol may be another coin afterwards; play one "
            f"side of it with --to {ends.replace(' ', 'T')} or --from {resumes.replace(' ', 'T')}, "
            "or both with --max-gap 0"
        )


@attrs.frozen(kw_only=True)
class Playable:
    """Candles fit for a backtest.

    Attributes:
        candles: what is played, at least one.
        gaps: the gaps between them, none longer than was allowed.
    """

    candles: Candles
    gaps: tuple[Gap, ...]


def playable(candles: Candles, *, from_ms: int | None, to_ms: int | None, max_gap_ms: int | None) -> Playable:
    """Return the candles that open at or after *from_ms* and before *to_ms*.

    Args:
        candles: all there are.
        from_ms: Unix milliseconds; None starts with the first.
        to_ms: likewise; None ends with the last.
        max_gap_ms: the longest stretch without candles that is taken; None takes any.

    Raises:
        NoCandles: there are none in that range.
        GapTooLong: the first gap that is longer.
    """
    part = _between(candles, from_ms, to_ms)
    if not len(part):
        first, last = utc_text(int(candles.open_time[0])), utc_text(int(candles.open_time[-1]))
        raise NoCandles(f"{candles.source}: no candles in that range; there are some from {first} to {last} (UTC)")
    found = gaps(part)
    for gap in found:
        if max_gap_ms is not None and gap.missing * part.interval_ms > max_gap_ms:
            raise GapTooLong(part.source, gap, interval_ms=part.interval_ms, max_gap_ms=max_gap_ms)
    return Playable(candles=part, gaps=found)


def _between(candles: Candles, from_ms: int | None, to_ms: int | None) -> Candles:
    start = 0 if from_ms is None else int(np.searchsorted(candles.open_time, from_ms))
    stop = len(candles) if to_ms is None else int(np.searchsorted(candles.open_time, to_ms))
    part = {name: getattr(candles, name)[start : max(start, stop)] for name in _COLUMNS}
    if 0 < start < stop:  # so that a row in a message is counted from where the user thinks
        return attrs.evolve(candles, **part, source=f"{candles.source} from {utc_text(int(candles.open_time[start]))}")
    return attrs.evolve(candles, **part)


def duration_text(length_ms: int) -> str:
    """Return *length_ms* as `18 d 5 h 20 min`, cut to whole seconds."""
    parts = []
    for unit, name in _UNITS:
        count, length_ms = divmod(length_ms, unit)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts) or "0 s"
