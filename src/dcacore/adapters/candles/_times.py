"""A column of times, however it is written, as Unix milliseconds."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from dcacore.ports.candles import Times
from dcacore.ports.errors import BadCandles, BadFile

_UNITS: Final = ("s", "ms", "us", "ns")
_LIMITS: Final = np.array([10**11, 10**14, 10**17], dtype=np.int64)
_PER_MS: Final = {"ms": 1, "us": 1_000, "ns": 1_000_000}
_DAY_MS: Final = 86_400_000
_TOO_LARGE: Final = 2.0**63
_FARTHEST_S: Final = 2**63 // 1000 - 1

_WHOLE: Final = r"^\d+(\.0*)?$"
_ZONED: Final = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)$"
_NAIVE: Final = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?$"


def milliseconds(file: str, column: pa.ChunkedArray) -> Times:
    """Return *column* as Unix milliseconds, in the order of the file.

    Whole numbers are seconds, milliseconds, microseconds or nanoseconds by their size; text is ISO 8601, and UTC
    where it names no zone.

    Raises:
        BadCandles: a time is empty, unreadable, negative or of another unit than the rest.
        BadFile: the column's type cannot be a time.
    """
    if column.null_count:
        raise BadCandles(file, _first(column.is_null()), "the time is empty")
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _whole_ms(file, _int64(column.cast(pa.int64())), kind.unit)
    if pa.types.is_date(kind):
        return _int64(column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())) * _DAY_MS
    if pa.types.is_signed_integer(kind):
        return _by_size(file, _int64(column if pa.types.is_int64(kind) else column.cast(pa.int64())))
    if pa.types.is_unsigned_integer(kind) or pa.types.is_floating(kind):
        return _by_size(file, _whole_numbers(file, column))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(file, column)
    raise BadFile(file, f"the time column holds {kind}, which is no time")


def _int64(column: pa.ChunkedArray) -> Times:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _whole_numbers(file: str, column: pa.ChunkedArray) -> Times:
    values = np.asarray(column.to_numpy(), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        wrong = ~((np.abs(values) < _TOO_LARGE) & (np.floor(values) == values))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise BadCandles(file, place + 1, f"the time {float(values[place])!r} is no whole number, or too large")
    return values.astype(np.int64)


def _by_size(file: str, values: Times) -> Times:
    if not len(values):
        return values
    if int(values.min()) < 0:
        place = int(np.argmax(values < 0))
        raise BadCandles(file, place + 1, f"the time {values[place]} is below 0")
    if np.searchsorted(_LIMITS, values.min(), "right") != np.searchsorted(_LIMITS, values.max(), "right"):
        units = np.searchsorted(_LIMITS, values, "right")
        usual = int(np.bincount(units).argmax())
        place = int(np.argmax(units != usual))
        raise BadCandles(file, place + 1, f"the time {values[place]} is not in {_UNITS[usual]} as the others are")
    unit = _UNITS[int(np.searchsorted(_LIMITS, values[0], "right"))]
    return values * 1000 if unit == "s" else _whole_ms(file, values, unit)


def _whole_ms(file: str, values: Times, unit: str) -> Times:
    if unit == "s":
        far = (values > _FARTHEST_S) | (values < -_FARTHEST_S)
        if far.any():
            place = int(np.argmax(far))
            raise BadCandles(file, place + 1, f"the time {values[place]} s is too large")
        return values * 1000
    if unit == "ms":
        return values
    whole, rest = np.divmod(values, _PER_MS[unit])
    if rest.any():
        place = int(np.argmax(rest != 0))
        raise BadCandles(file, place + 1, f"the time {values[place]} {unit} is off the grid: no whole millisecond")
    return whole


def _from_text(file: str, column: pa.ChunkedArray) -> Times:
    import pyarrow.compute as pc  # 40 ms that no other layout has to pay

    column = pc.utf8_trim_whitespace(column)
    fitting = {form: pc.match_substring_regex(column, form) for form in (_WHOLE, _ZONED, _NAIVE)}
    form = max(fitting, key=lambda form: pc.sum(fitting[form]).as_py() or 0)
    if not pc.all(fitting[form]).as_py():
        place = _first(pc.invert(fitting[form]))
        text = column[place - 1].as_py()
        raise BadCandles(file, place, f"the time {text[:40]!r} cannot be read" + ("" if text else ": it is empty"))
    target = {_WHOLE: pa.float64(), _ZONED: pa.timestamp("ns", "UTC"), _NAIVE: pa.timestamp("ns")}[form]
    try:
        return milliseconds(file, pc.cast(column, target))
    except pa.ArrowInvalid as exc:
        place = _first_failing(column, target)
        raise BadCandles(file, place, f"the time {column[place - 1].as_py()!r} does not exist") from exc


def _first_failing(column: pa.ChunkedArray, target: pa.DataType) -> int:
    for place, value in enumerate(column, start=1):  # only on the way to an error
        try:
            value.cast(target)
        except pa.ArrowInvalid:
            return place
    return len(column)


def _first(mask: pa.ChunkedArray) -> int:
    """Return the row number, from 1, of the first true place of *mask*."""
    return int(np.argmax(np.asarray(mask.to_numpy(), dtype=np.bool_))) + 1
