"""Downloading candles: the archive and the exchange's REST interface over the network, into the local store."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from dcacore.adapters.candles import ParquetCandleStore
from dcacore.adapters.candles.online import BinanceArchive, BinanceKlines, Patience, open_web
from dcacore.adapters.system import SystemClock
from dcacore.application import downloads
from dcacore.application.download_plan import Wanted
from dcacore.application.downloads import Downloaded
from dcacore.ports.clock import Clock

__all__ = ["Downloaded", "Wanted", "download_candles"]

_ONE_BY_ONE: Final = 1


async def download_candles(
    wanted: Wanted,
    folder: str | os.PathLike[str],
    *,
    archive_url: str,
    klines_url: str,
    replace: bool = False,
    progress: Callable[[float], None] = lambda _: None,
    clock: Clock | None = None,
) -> Downloaded:
    """Bring the candles of *wanted* into the store below *folder* and return what was done.

    Args:
        wanted: which candles.
        folder: it need not exist yet.
        archive_url: root of the archive of files, as Binance has one.
        klines_url: root of a REST interface that speaks as Binance's, for what the archive does not have.
        replace: load again what is there, and let it win where the store has other values.
        progress: is told the share of the range that is done.
        clock: what time it is; this machine's unless given.

    Raises:
        DcaError: as `dcacore.application.downloads.download` says.
    """
    clock = clock or SystemClock()
    now_ms = int(clock.now().timestamp() * 1000)
    async with AsyncExitStack() as stack:
        archive = await stack.enter_async_context(open_web(archive_url, clock))
        klines = await stack.enter_async_context(open_web(klines_url, clock, Patience(at_once=_ONE_BY_ONE)))
        return await downloads.download(
            wanted,
            store=ParquetCandleStore(folder),
            archive=BinanceArchive(archive),
            exchange=BinanceKlines(klines, clock),
            now_ms=now_ms,
            replace=replace,
            progress=progress,
        )
