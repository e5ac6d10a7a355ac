"""The public archive of Binance: a zip for each month or day, with its checksum beside it.

github.com/binance/binance-public-data describes it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Collection
from typing import Final

import attrs

from dcacore.adapters.candles._bytes import TooMuch, unpack
from dcacore.adapters.candles._read import candles_of
from dcacore.adapters.candles.online._web import Web
from dcacore.ports.candle_archive import ArchiveFile, CandleArchive, Piece
from dcacore.ports.candles import Candles
from dcacore.ports.errors import BadFile, Unavailable
from dcacore.ports.intervals import DAY_MS, interval_ms

_CHECKSUM: Final = re.compile(r"([0-9a-fA-F]{64}) [ *](\S+)\s*")  # as sha256sum writes it
_CHECKSUM_BYTES: Final = 4_096
_ROW_BYTES: Final = 320  # the longest of twelve fields have about 220
_OTHER_BYTES: Final = 4_096
_LOOKS: Final = 3
_OPENED_MS: Final = 1_498_867_200_000  # 2017-07-01: Binance opened in that month, and has no older file
_FOUND: Final = 200
_MISSING: Final = 404


class BinanceArchive(CandleArchive):
    """The spot klines of the archive."""

    def __init__(self, web: Web) -> None:
        """Read the archive whose root *web* is."""
        self._web = web
        self._unpacking = asyncio.Lock()  # a month of seconds takes half a GiB for a moment: one at a time

    async def fetch(self, piece: Piece, known: Collection[str] = ()) -> ArchiveFile | None:
        if piece.ends <= _OPENED_MS:
            return None
        path = _path(piece)
        for _ in range(_LOOKS):
            sha256 = await self._checksum(piece, path)
            if sha256 is None:
                return None
            if sha256 in known:
                return ArchiveFile(sha256=sha256, candles=None)
            data = await self._bytes(path, _most_bytes(piece))
            if data is None:
                return None
            if hashlib.sha256(data).hexdigest() == sha256:
                async with self._unpacking:
                    return ArchiveFile(sha256=sha256, candles=await asyncio.to_thread(_candles, piece, data))
        raise BadFile(piece.name, "was loaded with another checksum than the archive gives for it; try again later")

    async def _checksum(self, piece: Piece, path: str) -> str | None:
        data = await self._bytes(f"{path}.CHECKSUM", _CHECKSUM_BYTES)
        if data is None:
            return None
        found = _CHECKSUM.fullmatch(data.decode("ascii", errors="replace"))
        if found is None or found[2] != piece.name:
            raise Unavailable(f"{self._web.where(path)}.CHECKSUM holds something else than that file's checksum")
        return found[1].lower()

    async def _bytes(self, path: str, most: int) -> bytes | None:
        answer = await self._web.get(path, most=most)
        if answer.status == _MISSING:
            return None
        if answer.status != _FOUND:
            raise Unavailable(f"{self._web.where(path)} refuses to answer (HTTP {answer.status})")
        return answer.body


def _path(piece: Piece) -> str:
    kind = "monthly" if piece.is_month else "daily"
    return f"data/spot/{kind}/klines/{piece.pair}/{piece.interval}/{piece.name}"


def _most_bytes(piece: Piece) -> int:
    """What a file of *piece* can hold, unpacked: so that one made to burst is noticed before it fills the memory."""
    return (piece.ends - piece.begins) // interval_ms(piece.interval) * _ROW_BYTES + _OTHER_BYTES


def _candles(piece: Piece, data: bytes) -> Candles:
    try:
        content = unpack(piece.name, data, _most_bytes(piece))
    except TooMuch as exc:
        raise BadFile(piece.name, "unpacks to more than candles of that time can fill") from exc
    expected = piece.name.removesuffix("zip") + "csv"
    if content.member != expected:
        raise BadFile(piece.name, f"holds {content.member[:80]!r} instead of {expected}")
    candles = candles_of(content, piece.interval)
    # A candle of several days may begin in the month before, and end in the one after.
    slack = candles.interval_ms if candles.interval_ms > DAY_MS else 0
    if not piece.begins - slack <= candles.open_time[0] <= candles.open_time[-1] < piece.ends:
        raise BadFile(piece.name, f"holds candles of another time than {piece.period}")
    return attrs.evolve(candles, source=piece.name)
