"""Candles in Arrow's own formats: Parquet and feather."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from pyarrow import parquet

from dcacore.adapters.candles._bytes import MOST_BYTES, Content, too_much
from dcacore.adapters.candles._layouts import TRADES, Places, names_are_trades, places_by_name
from dcacore.adapters.candles._sheet import Sheet
from dcacore.ports.errors import BadFile

_MOST_ROWS: Final = MOST_BYTES // (6 * 8)  # six columns take eight bytes each, however well they were packed
# A name that is no UTF-8 and a length that is no length come out as plain ValueErrors and OverflowErrors.
_DAMAGED: Final = (pa.ArrowException, OSError, ValueError, OverflowError)


def read_parquet(content: Content) -> Sheet:
    """Return the candle columns of a Parquet file.

    Raises:
        BadFile: it is damaged, or its columns are no candles.
    """
    try:
        file = parquet.ParquetFile(pa.BufferReader(content.data), page_checksum_verification=True)
        names = file.schema_arrow.names
        places = _places(content.file, names)
        if file.metadata.num_rows > _MOST_ROWS:
            raise too_much(content.file)
        table = file.read(columns=[names[place] for place in _used(places)], use_threads=False)  # half the CPU time
    except _DAMAGED as exc:
        raise BadFile(content.file, "is damaged or cut short (Parquet)") from exc
    return _sheet(content, table, names, places)


def read_feather(content: Content) -> Sheet:
    """Return the candle columns of a feather (Arrow IPC) file.

    Raises:
        BadFile: it is damaged, or its columns are no candles.
    """
    try:
        options = pa.ipc.IpcReadOptions(use_threads=False)  # threads outlive a refusal
        with pa.ipc.open_file(pa.BufferReader(content.data), options=options) as file:
            names = file.schema.names
            places = _places(content.file, names)
            table = _all_batches(content.file, file, _used(places))
    except _DAMAGED as exc:
        raise BadFile(content.file, "is damaged or cut short (feather)") from exc
    return _sheet(content, table, names, places)


def _all_batches(name: str, file: pa.ipc.RecordBatchFileReader, used: list[int]) -> pa.Table:
    batches = []
    rows = 0
    for place in range(file.num_record_batches):
        batch = file.get_batch(place)
        rows += batch.num_rows
        if rows > _MOST_ROWS:
            raise too_much(name)
        batches.append(batch.select(used))
    return pa.Table.from_batches(batches, schema=pa.schema([file.schema.field(place) for place in used]))


def _places(file: str, names: list[str]) -> Places:
    places = places_by_name(names)
    if places is not None:
        return places
    if names_are_trades(names):
        raise BadFile(file, TRADES)
    shown = ", ".join(name if name.isprintable() else repr(name) for name in names[:12])
    raise BadFile(file, f"not a known layout of candles: its columns are {shown}"[:200])


def _used(places: Places) -> list[int]:
    every = (places.time, places.open, places.high, places.low, places.close, places.volume)
    return [place for place in every if place is not None]


def _sheet(content: Content, table: pa.Table, names: list[str], places: Places) -> Sheet:
    columns = {
        place: table.column(at) if place == places.time else _float64(content.file, names[place], table.column(at))
        for at, place in enumerate(_used(places))
    }
    return Sheet(file=content.file, member=content.member, columns=columns, orders=(places,))


def _float64(file: str, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_float64(kind):
        return column
    if pa.types.is_floating(kind):
        raise BadFile(file, f"column {name} holds {kind}, too few digits for prices: float64 is needed")
    try:
        if pa.types.is_decimal(kind):
            column = column.cast(pa.string())  # straight from decimal to double is not correctly rounded
        return column.cast(pa.float64())
    except pa.ArrowException as exc:
        raise BadFile(file, f"column {name} holds {kind}, and not only numbers") from exc
