"""Files that are there whole or not at all, and the bytes of a stored month."""

from __future__ import annotations

import fcntl
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dcacore.ports.errors import BadFile

if TYPE_CHECKING:
    from dcacore.ports.candles import Candles


def write_whole(path: Path, data: bytes) -> None:
    """Write *data* to *path* so that a reader, now or after a crash, sees the old file or the new one.

    Raises:
        BadFile: the disk refused it; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:  # also on Ctrl-C
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as exc:
        raise BadFile(str(path), f"cannot be written: {exc.strerror or exc}") from exc


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Yield once no other process is inside `alone` with the same *folder*, which is made if need be.

    The lock ends with the process, however that ends.

    Raises:
        BadFile: the disk refused it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    except OSError as exc:
        raise BadFile(str(folder), f"cannot be written: {exc.strerror or exc}") from exc
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def parquet_bytes(candles: Candles) -> bytes:
    """Return *candles* as one Parquet file: zstd, one row group, times delta-coded, no nulls."""
    import pyarrow as pa
    from pyarrow import parquet

    prices = ("open", "high", "low", "close", "volume")
    fields = [pa.field("open_time", pa.int64(), nullable=False)]
    fields += [pa.field(name, pa.float64(), nullable=False) for name in prices]
    arrays = [pa.array(candles.open_time), *(pa.array(getattr(candles, name)) for name in prices)]
    sink = io.BytesIO()
    parquet.write_table(
        pa.Table.from_arrays(arrays, schema=pa.schema(fields)),
        sink,
        row_group_size=max(1, len(candles)),
        compression="zstd",
        compression_level=9,
        use_dictionary=list(prices),
        column_encoding={"open_time": "DELTA_BINARY_PACKED"},
        store_schema=False,
        write_page_checksum=True,
    )
    return sink.getvalue()
