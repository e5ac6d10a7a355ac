"""One or more candle files, whatever their layout, as candles."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from dcacore.adapters.candles._bytes import Content, file_bytes, unpack
from dcacore.adapters.candles._grid import find_interval, refuse_mixed, refuse_off_grid
from dcacore.adapters.candles._rows import COLUMNS, Rows, in_order, refuse_future, refuse_impossible
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.candle_store import Source
from dcacore.ports.candles import Candles
from dcacore.ports.errors import BadCandles
from dcacore.ports.intervals import interval_ms
from dcacore.ports.times import utc_text


def read_candles(
    *paths: str | os.PathLike[str],
    interval: str | None = None,
    now_ms: int | None = None,
) -> Candles:
    """Return the candles of *paths*, files of one pair and one interval in any known layout.

    The files are put in order of time. Where they overlap, the same candle may stand in two of them.

    Args:
        paths: the files; gzip and zip are opened.
        interval: such as `1m`; None finds it from the times, for which some file needs two candles.
        now_ms: the present in Unix milliseconds, to refuse candles that open later; None does not look.

    Raises:
        BadFile: a file is missing, damaged, empty or not of a known layout.
        BadCandles: a row cannot be right; it names the file and the row.
        InvalidParameter: there is no such interval, or no file was given.
    """
    files = [_read_one(path, file_bytes(path), now_ms) for path in map(str, paths)]
    return _together(files, interval)


def read_candle_files(
    *paths: str | os.PathLike[str],
    interval: str | None = None,
    now_ms: int | None = None,
) -> tuple[Candles, tuple[Source, ...]]:
    """Return what `read_candles` returns, and for each file its name, checksum and range."""
    files: list[Rows] = []
    sources: list[Source] = []
    for path in map(str, paths):
        data = file_bytes(path)
        rows = _read_one(path, data, now_ms)
        files.append(rows)
        sources.append(
            Source(
                name=Path(path).name,
                sha256=hashlib.sha256(data).hexdigest(),
                first=int(rows.time[0]),
                last=int(rows.time[-1]),
            ),
        )
    return _together(files, interval), tuple(sources)


def candles_of(content: Content, interval: str) -> Candles:
    """Return the candles of *content*, oldest first.

    Raises:
        BadFile: it is not of a known layout; BadCandles, a row cannot be right.
        InvalidParameter: there is no such interval.
    """
    return _together([_checked(content, None)], interval)


def _read_one(file: str, data: bytes, now_ms: int | None) -> Rows:
    return _checked(unpack(file, data), now_ms)


def _checked(content: Content, now_ms: int | None) -> Rows:
    rows = _rows(content)
    refuse_impossible(rows)
    if now_ms is not None:
        refuse_future(rows, now_ms)
    return in_order(rows)


def _rows(content: Content) -> Rows:
    # pyarrow takes a tenth of a second to import: only who reads a file pays for it.
    from dcacore.adapters.candles._arrow import read_feather, read_parquet
    from dcacore.adapters.candles._sheet import rows_of_sheet
    from dcacore.adapters.candles._text import read_text

    by_magic = {b"PAR1": read_parquet, b"ARROW1": read_feather}
    read = next((read for magic, read in by_magic.items() if content.data.startswith(magic)), read_text)
    return rows_of_sheet(read(content))


def _together(files: Sequence[Rows], interval: str | None) -> Candles:
    if not files:
        raise InvalidParameter("paths", None, "at least one candle file is needed")
    length = find_interval(files) if interval is None else interval_ms(interval)
    for rows in files:
        refuse_off_grid(rows, length)
        refuse_mixed(rows, length)
    ordered = sorted(files, key=lambda rows: int(rows.time[0]))
    first = ordered[0]
    if len(ordered) == 1:
        return first.candles(length, first.file)
    merged = _merged(ordered)
    refuse_off_grid(merged, length)
    refuse_mixed(merged, length)
    return merged.candles(length, f"{first.file} and {len(ordered) - 1} more")


def _merged(ordered: Sequence[Rows]) -> Rows:
    together = Rows(
        file=ordered[0].file,
        number=np.concatenate([rows.number for rows in ordered]),
        time=np.concatenate([rows.time for rows in ordered]),
        **{name: np.concatenate([getattr(rows, name) for rows in ordered]) for name in COLUMNS},
    )
    if all(one.time[-1] < other.time[0] for one, other in pairwise(ordered)):
        return together
    origin = np.repeat(np.arange(len(ordered)), [len(rows) for rows in ordered])
    order = np.argsort(together.time, kind="stable")
    together, origin = together.take(order), origin[order]
    repeats = np.flatnonzero(np.diff(together.time) == 0) + 1
    same = np.ones(len(repeats), dtype=np.bool_)
    for name in COLUMNS:
        column = getattr(together, name)
        same &= column[repeats] == column[repeats - 1]
    if not same.all():
        place = int(repeats[np.argmin(same)])
        when = utc_text(int(together.time[place]))
        here, there = ordered[int(origin[place])], ordered[int(origin[place - 1])]
        raise BadCandles(
            here.file,
            int(together.number[place]),
            f"{when} has other values in row {together.number[place - 1]} of {there.file}",
        )
    keep = np.ones(len(together), dtype=np.bool_)
    keep[repeats] = False
    return together.take(keep)
