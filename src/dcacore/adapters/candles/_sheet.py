"""A file's columns before they are candles, and the way from there to rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from dcacore.adapters.candles._layouts import Places
from dcacore.adapters.candles._rows import Rows
from dcacore.adapters.candles._times import milliseconds
from dcacore.ports.candle_rules import Column, possible
from dcacore.ports.candles import Times
from dcacore.ports.errors import BadCandles, BadFile

_DAY_MS: Final = 86_400_000
_DATE: Final = re.compile(r"(?<!\d)(\d{8})(?!\d)")


@attrs.frozen(kw_only=True, eq=False)
class Sheet:
    """The columns of a candle file, as far as they are needed.

    Attributes:
        file: the file's name as the user gave it.
        member: the name that may hold a date, for the one layout whose times are counted from midnight.
        columns: column by place in the file; prices and volume are float64.
        orders: where the values of a candle may stand; with several, the rows decide.
    """

    file: str
    member: str
    columns: dict[int, pa.ChunkedArray]
    orders: Sequence[Places]


def rows_of_sheet(sheet: Sheet) -> Rows:
    """Return the rows of *sheet* in the order of the file, prices unchecked.

    Raises:
        BadCandles: a value is empty, or a time cannot be read.
        BadFile: there are no rows.
    """
    if not len(sheet.columns[sheet.orders[0].time]):
        raise BadFile(sheet.file, "holds no candles")
    numbers = {place: _doubles(sheet, place) for place in _value_places(sheet.orders)}
    time = _open_times(sheet)
    candidates = [_rows(sheet, time, numbers, places) for places in sheet.orders]
    return (
        max(candidates, key=lambda rows: int(np.count_nonzero(possible(rows))))
        if len(candidates) > 1
        else candidates[0]
    )


def _value_places(orders: Sequence[Places]) -> list[int]:
    places = {place for o in orders for place in (o.open, o.high, o.low, o.close, o.volume) if place is not None}
    return sorted(places)


def _rows(sheet: Sheet, time: Times, numbers: dict[int, Column], places: Places) -> Rows:
    return Rows(
        file=sheet.file,
        number=np.arange(1, len(time) + 1, dtype=np.int64),
        time=time,
        open=numbers[places.open],
        high=numbers[places.high],
        low=numbers[places.low],
        close=numbers[places.close],
        volume=np.zeros(len(time)) if places.volume is None else numbers[places.volume],
    )


def _doubles(sheet: Sheet, place: int) -> Column:
    column = sheet.columns[place]
    if column.null_count:
        empty = np.asarray(column.is_null().to_numpy(), dtype=np.bool_)
        raise BadCandles(sheet.file, int(np.argmax(empty)) + 1, f"{_name(sheet, place)} is empty or not a number")
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _name(sheet: Sheet, place: int) -> str:
    places = sheet.orders[0]
    return next(name for name in ("open", "high", "low", "close", "volume") if getattr(places, name) == place)


def _open_times(sheet: Sheet) -> Times:
    column = sheet.columns[sheet.orders[0].time]
    if len(sheet.orders) > 1 and pa.types.is_integer(column.type) and not column.null_count and len(column):
        values = np.asarray(column.to_numpy(), dtype=np.int64)
        if 0 <= int(np.median(values)) < _DAY_MS:
            return _since_midnight(sheet, values)
    return milliseconds(sheet.file, column)


def _since_midnight(sheet: Sheet, values: Times) -> Times:
    found = _DATE.search(sheet.member) or _DATE.search(sheet.file)
    if found is None:
        raise BadFile(sheet.file, "its times count from midnight (LEAN), but no date YYYYMMDD is in its name")
    try:
        day = datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError as exc:
        raise BadFile(
            sheet.file, f"its times count from midnight (LEAN), but {found[1]} in its name is no date"
        ) from exc
    outside = (values < 0) | (values >= _DAY_MS)
    if outside.any():
        place = int(np.argmax(outside))
        raise BadCandles(sheet.file, place + 1, f"the time {values[place]} is not within a day's milliseconds")
    return values + int(day.timestamp()) * 1000
