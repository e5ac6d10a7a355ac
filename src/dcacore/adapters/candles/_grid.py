"""The grid of times: which interval rows have, and which rows do not lie on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from dcacore.adapters.candles._rows import Rows
from dcacore.ports.candles import Times
from dcacore.ports.errors import BadCandles, BadFile
from dcacore.ports.intervals import DAY_MS, INTERVALS, interval_name
from dcacore.ports.times import utc_text

_LENGTHS: Final = np.array(list(INTERVALS.values()), dtype=np.int64)
_A_FEW: Final = 1 / 3
_SAME_STEPS: Final = 12


def find_interval(files: Sequence[Rows]) -> int:
    """Return the interval of all *files* in milliseconds, from the steps between their rows.

    It is the smallest step that is a known interval; but when few rows (less than a third) are off the grid of the
    most frequent step, then it is that one, and those rows are wrong.

    Raises:
        BadFile: no step between two rows is a known interval.
    """
    steps = np.concatenate([np.diff(rows.time) for rows in files])
    if not len(steps):
        raise BadFile(files[0].file, "one candle does not show its interval: say which one it is")
    known = steps[np.isin(steps, _LENGTHS)]
    if not len(known):
        raise BadFile(
            files[0].file,
            f"candles lie {_span(int(steps.min()))} apart or more, which is no interval of {', '.join(INTERVALS)}",
        )
    lengths, counts = np.unique(known, return_counts=True)
    smallest, frequent = int(lengths[0]), int(lengths[np.argmax(counts)])
    if smallest == frequent:
        return smallest
    off = sum(int(np.count_nonzero(off_grid(rows.time, frequent))) for rows in files)
    return frequent if off < _A_FEW * sum(len(rows) for rows in files) else smallest


def off_grid(time: Times, interval_ms: int) -> npt.NDArray[np.bool_]:
    """Return for each *time* whether no candle of that interval can open then.

    Up to a day the grid starts at the Unix epoch; three days and weeks start where most of the rows say.
    """
    phase: Times = time % interval_ms
    if interval_ms <= DAY_MS:
        return np.not_equal(phase, 0)
    phases, counts = np.unique(phase, return_counts=True)
    start = int(phases[np.argmax(counts)])
    return np.not_equal(phase, start) if start % DAY_MS == 0 else np.ones(len(time), dtype=np.bool_)


def refuse_off_grid(rows: Rows, interval_ms: int) -> None:
    """Refuse rows that are not on the grid of *interval_ms*.

    Raises:
        BadCandles: the first row that is off the grid.
    """
    off = off_grid(rows.time, interval_ms)
    if off.any():
        place = int(np.flatnonzero(off)[np.argmin(rows.number[off])])
        raise rows.refuse(
            place, f"{utc_text(int(rows.time[place]))} is not on the grid of {interval_name(interval_ms)}"
        )


def refuse_mixed(rows: Rows, interval_ms: int) -> None:
    """Refuse a file in which a run of rows has a longer interval than *interval_ms*.

    Only what a user hands in is judged so; the store may hold any rows of an interval, in whatever order they came.

    Raises:
        BadCandles: the first row of such a run.
    """
    steps = np.diff(rows.time)
    for longer in (length for length in INTERVALS.values() if length > interval_ms):
        run = _first_run(steps == longer)
        if run is not None:
            raise _mixed(rows, run, longer, interval_ms)


def _first_run(same: npt.NDArray[np.bool_]) -> int | None:
    # Sums over a window of steps: a full window is a run. In a sparse market such runs do not come by chance.
    if np.count_nonzero(same) < _SAME_STEPS:
        return None
    sums = np.cumsum(np.concatenate([[0], same]))
    full = np.flatnonzero(sums[_SAME_STEPS:] - sums[:-_SAME_STEPS] == _SAME_STEPS)
    return int(full[0]) if len(full) else None


def _mixed(rows: Rows, place: int, longer: int, interval_ms: int) -> BadCandles:
    first = min(place, place + _SAME_STEPS, key=lambda at: int(rows.number[at]))
    return rows.refuse(
        first,
        f"from here {_SAME_STEPS + 1} candles lie {interval_name(longer)} apart, but the interval is "
        f"{interval_name(interval_ms)}: mixed intervals",
    )


def _span(length_ms: int) -> str:
    days, rest = divmod(length_ms, DAY_MS)
    if days and not rest:
        return f"{days} days"
    return f"{length_ms / 1000:g} s"
