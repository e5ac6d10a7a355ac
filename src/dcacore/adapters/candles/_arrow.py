"""Candles in Arrow's own formats: Parquet and feather."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from pyarrow import parquet

from dcacore.adapters.candles._bytes import Content
from dcacore.adapters.candles._layouts import TRADES, Places, names_are_trades, places_by_name
from dcacore.adapters.candles._sheet import Sheet
from dcacore.ports.errors import BadFile

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
        with pa.ipc.open_file(pa.BufferReader(content.data)) as file:
            names = file.schema.names
            places = _places(content.file, names)
            table = file.read_all().select(_used(places))
    except _DAMAGED as exc:
        raise BadFile(content.file, "is damaged or cut short (feather)") from exc
    return _sheet(content, table, names, places)


def _places(file: str, names: list[str]) -> Places:
    places = places_by_name(names)
    if places is not None:
        return places
    if names_are_trades(names):
        raise BadFile(file, TRADES)
    raise BadFile(file, f"not a known layout of candles: its columns are {', '.join(names[:12])}"[:200])


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
