"""What the store does to its folder, and the bytes of a stored month."""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dcacore.ports.errors import BadFile

if TYPE_CHECKING:
    from dcacore.ports.candles import Candles


class Disk:
    """The changes that a store makes to its folder, one at a time; each may be the last before a crash."""

    def write(self, path: Path, data: bytes) -> None:
        """Write *data* to *path* and wait until it is on the disk."""
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, path: Path, place: Path) -> None:
        """Put *path* in the place of *place*."""
        path.replace(place)

    def remove(self, path: Path) -> None:
        """Remove *path* if it is there."""
        path.unlink(missing_ok=True)

    def sync(self, folder: Path) -> None:
        """Wait until the names in *folder* are on the disk."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Yield once, and turn what the disk refuses in the block into an error that names *path*.

    Raises:
        BadFile: the disk refused it.
    """
    try:
        yield
    except OSError as exc:
        raise BadFile(str(path), f"cannot be written: {exc.strerror or exc}") from exc


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Yield once no other process is inside `alone` with the same *folder*, which is made if need be.

    The lock ends with the process, however that ends.

    Raises:
        BadFile: the disk refused it.
    """
    with written(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
