"""Candles in text: CSV with or without names, and JSON arrays, which are CSV once the brackets are off."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Final

import attrs
import pyarrow as pa
from pyarrow import csv as arrow_csv

from dcacore.adapters.candles._bytes import Content
from dcacore.adapters.candles._layouts import (
    TRADES,
    Places,
    fields_are_trades,
    names_are_trades,
    places_by_name,
    places_by_width,
)
from dcacore.adapters.candles._sheet import Sheet
from dcacore.ports.errors import BadCandles, BadFile

_BOM: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = ",;|\t"
_NUMBER: Final = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_KNOWN: Final = "not a known layout of candles"


@attrs.frozen(kw_only=True)
class _Text:
    file: str
    rows: pa.Buffer
    delimiter: str
    width: int
    orders: tuple[Places, ...]


def read_text(content: Content) -> Sheet:
    """Return the columns of a text file.

    Raises:
        BadFile: it is not UTF-8, not a known layout, or holds trades.
        BadCandles: a row is too short or too long, or a value is no number.
    """
    text = _recognise(content)
    places = sorted({place for order in text.orders for place in _used(order)})
    try:
        table = _parse(text, places)
    except pa.ArrowException as exc:
        raise _why(text, places) from exc
    columns = {place: table.column(str(place)) for place in places}
    return Sheet(file=content.file, member=content.member, columns=columns, orders=text.orders)


def _recognise(content: Content) -> _Text:
    file = content.file
    data = _lines(content)
    line, below = _line(data, 0)
    if line[:4].lower() == b"http":  # CryptoDataDownload puts its address above the names
        line, below = _line(data, below)
    first = line.decode()
    delimiter = max(_DELIMITERS, key=first.count)
    fields = _fields(file, first, delimiter)
    if fields[0][:1].isdigit():
        orders = places_by_width(delimiter, len(fields))
        trades = fields_are_trades(fields)
        below -= len(line) + 1  # this line is a row
    else:
        named = places_by_name(fields)
        orders = (named,) if named else ()
        trades = names_are_trades(fields)
    if trades:
        raise BadFile(file, TRADES)
    if not orders:
        raise BadFile(file, f"{_KNOWN}: it begins with {first[:60]!r}")
    if not _line(data, below)[0]:
        raise BadFile(file, "holds no candles")
    rows = _in_arrows_memory(memoryview(data)[below:])
    return _Text(file=file, rows=rows, delimiter=delimiter, width=len(fields), orders=orders)


def _lines(content: Content) -> bytes:
    data = content.data.removeprefix(_BOM)
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as exc:
            raise BadFile(content.file, f"{_KNOWN}: neither a known binary format nor UTF-8 text") from exc
    if data.lstrip()[:1] in {b"[", b"{"}:
        return _without_brackets(content.file, data)
    if b"\r" in data:  # Windows, and Macs of old
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data


def _fields(file: str, line: str, delimiter: str) -> list[str]:
    try:
        fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as exc:  # such as a quotation that never ends
        raise BadFile(file, f"{_KNOWN}: its first line cannot be read") from exc
    if not fields or "\0" in line:
        raise BadFile(file, _KNOWN)
    return fields


def _line(data: bytes, start: int) -> tuple[bytes, int]:
    """Return the first line of *data* from *start* on that is not blank, and where the next line begins."""
    while start < len(data):
        end = data.find(b"\n", start)
        line = data[start:end] if end >= 0 else data[start:]
        start += len(line) + 1
        if line.strip():
            return line, start
    return b"", start


def _in_arrows_memory(data: memoryview) -> pa.Buffer:
    # Arrow reads ahead on a thread of its own. Were that the last to let go of memory that is Python's, while the
    # interpreter shuts down after a refusal, the process would be aborted.
    buffer = pa.allocate_buffer(len(data))
    pa.FixedSizeBufferWriter(buffer).write(data)
    return buffer


def _without_brackets(file: str, data: bytes) -> bytes:
    packed = _tight(data)
    if packed in {b"[]", b"[[]]"}:
        raise BadFile(file, "holds no candles")
    if not packed.startswith(b"[["):
        raise BadFile(file, f"{_KNOWN}: JSON candles are arrays in an array, [[time, open, ...], ...]")
    if not packed.endswith(b"]]"):
        raise BadFile(file, "is cut short: the JSON array does not end")
    lines = packed[2:-2].replace(b"],[", b"\n")
    if any(bracket in lines for bracket in (b"[", b"]", b"{", b"}")):
        raise BadFile(file, f"{_KNOWN}: the JSON array is damaged, or its rows are not plain arrays")
    return lines


def _tight(data: bytes) -> bytes:
    """Return JSON without the white space between its values; what is inside a value stays, and spoils a number."""
    data = data.translate(bytes.maketrans(b"\t\r\n", b"   ")).strip()
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    for sign in (b",", b"[", b"]"):
        data = data.replace(sign + b" ", sign).replace(b" " + sign, sign)
    return data


def _used(places: Places) -> list[int]:
    every = (places.time, places.open, places.high, places.low, places.close, places.volume)
    return [place for place in every if place is not None]


def _parse(text: _Text, places: Sequence[int]) -> pa.Table:
    time = text.orders[0].time
    return arrow_csv.read_csv(
        pa.BufferReader(text.rows),
        read_options=_names(text),
        parse_options=arrow_csv.ParseOptions(delimiter=text.delimiter),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=[str(place) for place in places],
            column_types={str(place): pa.float64() for place in places if place != time},
        ),
    )


def _names(text: _Text) -> arrow_csv.ReadOptions:
    names = [str(place) for place in range(text.width)]
    return arrow_csv.ReadOptions(column_names=names, use_threads=False)  # threads outlive a refusal


def _why(text: _Text, places: Sequence[int]) -> BadFile:
    """Return what is wrong with a text that could not be parsed: read again, slowly, keeping every value as text."""
    ragged: list[arrow_csv.InvalidRow] = []

    def keep(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text.rows),
            read_options=_names(text),
            parse_options=arrow_csv.ParseOptions(delimiter=text.delimiter, invalid_row_handler=keep),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=[str(place) for place in places],
                column_types={str(place): pa.string() for place in places},
            ),
        )
    except pa.ArrowException:
        return BadFile(text.file, f"{_KNOWN}: it cannot be read as rows")
    if ragged:
        row = ragged[0]
        return BadCandles(
            text.file,
            row.number,
            f"has {row.actual_columns} fields, the first row has {row.expected_columns}",
        )
    return _no_number(text, table, places)


def _no_number(text: _Text, table: pa.Table, places: Sequence[int]) -> BadFile:
    import pyarrow.compute as pc  # 40 ms that only a refusal has to pay

    order = text.orders[0]
    names = {order.open: "open", order.high: "high", order.low: "low", order.close: "close", order.volume: "volume"}
    found: list[tuple[int, int, str]] = []
    for place in places:
        column = table.column(str(place))
        fits = pc.is_valid(column) if place == order.time else pc.match_substring_regex(column, _NUMBER)
        wrong = pc.index(fits, value=False).as_py()
        if wrong >= 0:
            found.append((wrong, place, column[wrong].as_py() or ""))
    if not found:
        return BadFile(text.file, f"{_KNOWN}: a time or a number in it cannot be read")
    row, place, value = min(found)
    return BadCandles(text.file, row + 1, f"{names.get(place, 'the time')} {value[:40]!r} is no number")
