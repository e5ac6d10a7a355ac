"""Files packed into one while it is on its way: no more of it is in memory than the reader has yet to take."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Final

from dcacore.application.own_data import DataFile

_ENOUGH: Final = 32_768
"""So many bytes are sent at a time."""


class _Outlet(io.RawIOBase):
    """Takes what is packed until it is fetched; it cannot be wound back, which makes the packer do without."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = bytearray()

    def writable(self) -> bool:
        """Say that it is."""
        return True

    def write(self, data: object, /) -> int:
        """Take *data*."""
        piece = bytes(memoryview(data))  # type: ignore[arg-type]  # whatever the packer writes
        self.waiting += piece
        return len(piece)

    def fetch(self) -> bytes:
        """Return what has been taken since the last time."""
        taken = bytes(self.waiting)
        self.waiting.clear()
        return taken


async def zipped(files: AsyncIterator[DataFile], at: datetime.datetime) -> AsyncIterator[bytes]:
    """Yield the bytes of a ZIP file with *files* in it, as they come.

    Args:
        files: what is packed, in order.
        at: the time that each of them bears.
    """
    outlet = _Outlet()
    stamp = at.timetuple()[:6]
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        async for file in files:
            about = zipfile.ZipInfo(file.name, (stamp[0], stamp[1], stamp[2], stamp[3], stamp[4], stamp[5]))
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o600 << 16
            with archive.open(about, "w", force_zip64=True) as packed:  # how long it will be is not known
                async for piece in file.pieces:
                    packed.write(piece.encode("utf-8", "backslashreplace"))
                    if len(outlet.waiting) >= _ENOUGH:
                        yield outlet.fetch()
    yield outlet.fetch()
