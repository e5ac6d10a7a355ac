"""The candles that a backtest lacks: what is missing, and where it is fetched from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

from dcacore.adapters.candles import ParquetCandleStore
from dcacore.adapters.candles.online import BinanceArchive, BinanceKlines, Patience, open_web
from dcacore.application import downloads
from dcacore.application.download_plan import Range, Wanted
from dcacore.bootstrap.app import App
from dcacore.bootstrap.charting import has_stored, rest_of
from dcacore.domain.errors import DcaError
from dcacore.ports.candle_archive import ArchiveFile, CandleArchive, Piece
from dcacore.ports.candle_store import CandleStore
from dcacore.ports.candles import gaps
from dcacore.ports.errors import NoCandles, Unavailable
from dcacore.ports.intervals import DAY_MS, interval_ms
from dcacore.ports.records import Environment
from dcacore.ports.times import utc_text

_HARDLY: Final = 200
"""What is shorter than such a part of the time that is wanted is not worth a warning."""
ARCHIVE_FROM_MS: Final = 10 * DAY_MS
"""The exchange itself is asked for what is shorter: no file of the archive is needed for that."""
_PATIENCE: Final = Patience(at_once=2, tries=2, connect_s=5, silence_s=15, whole_s=120, longest_pause_s=60)
_ONE_BY_ONE: Final = Patience(at_once=1, tries=3, connect_s=5, silence_s=15, whole_s=60, longest_pause_s=60)


class Missing(DcaError):
    """Candles that a backtest needs are not there, and cannot be fetched."""


class NoArchive(CandleArchive):
    """Has nothing."""

    async def fetch(self, piece: Piece, known: object = ()) -> ArchiveFile | None:  # noqa: ARG002  # as the port says
        """Return None."""
        return None


def folder_of(app: App, environment: Environment | None) -> str:
    """Return the folder of the store in which candles of that market are: Binance's own are in the data folder."""
    if environment is None or environment is Environment.LIVE:
        return app.settings.data_dir
    return str(Path(app.settings.data_dir) / "exchanges" / environment.value)


def missing(store: CandleStore, wanted: Wanted, max_gap_ms: int) -> tuple[Range, ...]:
    """Return what the store lacks of *wanted*: before its first candle, behind its last, and gaps that are too long."""
    step = interval_ms(wanted.interval)
    try:
        found = store.load(wanted.pair, wanted.interval, wanted.from_ms, wanted.to_ms)
    except NoCandles:
        return ((wanted.from_ms, wanted.to_ms),)
    first, behind = int(found.open_time[0]), int(found.open_time[-1]) + step
    parts = [(wanted.from_ms, first)] if first - wanted.from_ms >= step else []
    parts += [(gap.after + step, gap.resumes) for gap in gaps(found) if gap.missing * step > max_gap_ms]
    if wanted.to_ms - behind >= step:
        parts.append((behind, wanted.to_ms))
    return tuple(parts)


def take_over(app: App, environment: Environment, wanted: Wanted) -> None:
    """Copy what the local store has of *wanted*, where its candles are known to be those of this exchange.

    They stay apart all the same: what an exchange for trying out answers must never get among Binance's own.

    Raises:
        DcaError: a store cannot be read or written.
    """
    if environment is Environment.LIVE or not has_stored(app, environment):
        return
    own = ParquetCandleStore(folder_of(app, environment))
    for begin, end in missing(own, wanted, 0):
        with contextlib.suppress(NoCandles):
            found = ParquetCandleStore(app.settings.data_dir).load(wanted.pair, wanted.interval, begin, end)
            own.save(wanted.pair, found, replace=True)


def lacking(store: CandleStore, wanted: Wanted, max_gap_ms: int) -> str:
    """Return a sentence about what the exchange does not have of *wanted* either; empty where it is hardly anything."""
    length = wanted.to_ms - wanted.from_ms
    parts = [it for it in missing(store, wanted, max_gap_ms) if (it[1] - it[0]) * _HARDLY > length]
    spans = ", ".join(f"from {utc_text(begin)} to {utc_text(end)}" for begin, end in parts)
    return (
        f"there are no {wanted.interval} candles of {wanted.pair} {spans} (UTC): that time is not played"
        if parts
        else ""
    )


async def fetch(
    app: App,
    environment: Environment,
    wanted: Wanted,
    parts: tuple[Range, ...],
    progress: Callable[[float], None],
) -> str:
    """Bring what is *missing* into the store, and return what to know when not all of it could be had.

    Raises:
        DcaError: the pair is not traded there, or the store cannot be written.
    """
    folder = folder_of(app, environment)
    length = sum(end - begin for begin, end in parts)
    done = 0
    for begin, end in parts:
        before, share = done / length, (end - begin) / length

        def tell(it: float, before: float = before, share: float = share) -> None:
            progress(before + it * share)

        part = Wanted(pair=wanted.pair, interval=wanted.interval, from_ms=begin, to_ms=end)
        try:
            await _fetch(app, environment, part, folder, tell)
        except NoCandles:
            pass  # before a pair was listed, or while the exchange stood still: there never were any
        except Unavailable as error:
            return not_to_be_had(environment, part, str(error))
        done += end - begin
    return ""


def not_to_be_had(environment: Environment, part: Wanted, why: str) -> str:
    """Return a sentence that names what is missing, why, and what to do."""
    span = f"{part.interval} candles of {part.pair} from {utc_text(part.from_ms)} to {utc_text(part.to_ms)} (UTC)"
    help_ = ""
    if environment is Environment.LIVE:
        days = f"--from {utc_text(part.from_ms)[:10]} --to {utc_text(part.to_ms - 1)[:10]}"
        help_ = f"; once the network is there, `dca data download {part.pair} {part.interval} {days}` brings them"
    return f"{span} are not stored here and cannot be fetched now: {why}{help_}"


async def _fetch(
    app: App, environment: Environment, part: Wanted, folder: str, progress: Callable[[float], None]
) -> None:
    is_live = environment is Environment.LIVE
    where = app.settings.binance_klines_url if is_live else await rest_of(app, environment)
    if not where:
        raise Unavailable("no exchange is running that could be asked")
    async with AsyncExitStack() as stack:
        download = partial(
            downloads.download,
            part,
            store=ParquetCandleStore(folder),
            exchange=BinanceKlines(await stack.enter_async_context(open_web(where, app.clock, _ONE_BY_ONE)), app.clock),
            now_ms=int(app.clock.now().timestamp() * 1000),
            replace=not is_live,  # an exchange for trying out may have begun anew
            progress=progress,
        )
        if is_live and part.to_ms - part.from_ms > ARCHIVE_FROM_MS:
            web = await stack.enter_async_context(open_web(app.settings.binance_archive_url, app.clock, _PATIENCE))
            try:
                await download(archive=BinanceArchive(web))
            except Unavailable:
                pass  # the exchange has the same candles
            else:
                return
        await download(archive=NoArchive())
