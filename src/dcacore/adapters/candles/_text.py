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
    data: bytes
    skip: int
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
    data = content.data.removeprefix(_BOM)
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as exc:
            raise BadFile(file, f"{_KNOWN}: neither a known binary format nor UTF-8 text") from exc
    if data.lstrip()[:1] in {b"[", b"{"}:
        data = _without_brackets(file, data)
    lines = data.lstrip(b"\r\n").split(b"\n", 2)[:2]
    skip = 0
    if lines[0].lower().startswith(b"http"):  # CryptoDataDownload puts its address above the names
        skip, lines = 1, lines[1:]
    first = lines[0].decode().strip("\r") if lines else ""
    delimiter = max(_DELIMITERS, key=first.count)
    fields = next(csv.reader([first], delimiter=delimiter, skipinitialspace=True), [])
    if not fields or "\0" in first:
        raise BadFile(file, _KNOWN)
    if fields[0][:1].isdigit():
        orders = places_by_width(delimiter, len(fields))
        trades = fields_are_trades(fields)
    else:
        skip += 1
        named = places_by_name(fields)
        orders = (named,) if named else ()
        trades = names_are_trades(fields)
    if trades:
        raise BadFile(file, TRADES)
    if not orders:
        raise BadFile(file, f"{_KNOWN}: it begins with {first[:60]!r}")
    return _Text(file=file, data=data, skip=skip, delimiter=delimiter, width=len(fields), orders=orders)


def _without_brackets(file: str, data: bytes) -> bytes:
    packed = data.translate(None, b" \t\r\n")
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


def _used(places: Places) -> list[int]:
    every = (places.time, places.open, places.high, places.low, places.close, places.volume)
    return [place for place in every if place is not None]


def _parse(text: _Text, places: Sequence[int]) -> pa.Table:
    time = text.orders[0].time
    return arrow_csv.read_csv(
        pa.BufferReader(text.data),
        read_options=_names(text, threads=True),
        parse_options=arrow_csv.ParseOptions(delimiter=text.delimiter),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=[str(place) for place in places],
            column_types={str(place): pa.float64() for place in places if place != time},
        ),
    )


def _names(text: _Text, *, threads: bool) -> arrow_csv.ReadOptions:
    return arrow_csv.ReadOptions(
        column_names=[str(place) for place in range(text.width)],
        skip_rows=text.skip,
        use_threads=threads,
    )


def _why(text: _Text, places: Sequence[int]) -> BadFile:
    """Return what is wrong with a text that could not be parsed: read again, slowly, keeping every value as text."""
    ragged: list[arrow_csv.InvalidRow] = []

    def keep(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text.data),
            read_options=_names(text, threads=False),
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
            row.number - text.skip,
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
