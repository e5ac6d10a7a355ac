"""Downloading candles into the local store: from the archive, and from the exchange what the archive does not have."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from dcacore.application.download_plan import Wanted
from dcacore.application.download_run import Run
from dcacore.ports.candle_archive import CandleArchive, ExchangeCandles
from dcacore.ports.candle_store import CandleStore, Saved
from dcacore.ports.candles import Candles
from dcacore.ports.errors import NoCandles, UnknownPair
from dcacore.ports.times import utc_text


@attrs.frozen(kw_only=True)
class Downloaded:
    """What a download did.

    Attributes:
        wanted: what was asked for, up to the present.
        candles: what the store now has of it.
        saved: how many of the candles that came in were new, replaced or there already.
        loaded: names of the files of the archive that were loaded.
        known: names of those that had been loaded before and were not again.
        replaced: names of those that the archive has replaced since they were loaded before.
        from_exchange: number of candles that the exchange answered.
        is_listed: false when the exchange was asked and does not list the pair any more.
    """

    wanted: Wanted
    candles: Candles
    saved: Saved
    loaded: tuple[str, ...]
    known: tuple[str, ...]
    replaced: tuple[str, ...]
    from_exchange: int
    is_listed: bool


async def download(
    wanted: Wanted,
    *,
    store: CandleStore,
    archive: CandleArchive,
    exchange: ExchangeCandles,
    now_ms: int,
    replace: bool = False,
    progress: Callable[[float], None] = lambda _: None,
) -> Downloaded:
    """Bring the candles of *wanted* into *store* and return what was done.

    Each month is saved as soon as it is complete, oldest first, whole or not at all. What is there with the checksum
    that the archive publishes is not loaded again, so that a download that was interrupted goes on where it stopped.

    Args:
        wanted: which candles.
        store: where they go.
        archive: is asked first.
        exchange: is asked for what the archive does not have.
        now_ms: the present, Unix milliseconds.
        replace: load again what is there, and let it win where the store has other values.
        progress: is told the share of the range that is done.

    Raises:
        InvalidParameter: the pair or interval is none, the range is empty or lies in the future.
        NoCandles: neither has any candle of the range; UnknownPair: and the exchange does not list the pair.
        CandleConflict: the store has other values, and *replace* is false; earlier months were saved.
        Unavailable: archive or exchange do not answer as they should; earlier months were saved.
        BadFile: a file of the archive cannot be used; BadCandles, one of its rows. Earlier months were saved.
    """
    wanted = wanted.until(now_ms)
    run = Run(wanted=wanted, store=store, now_ms=now_ms, replace=replace, progress=progress)
    await run.load_from(archive)
    await run.ask(exchange)
    if not run.covered and not run.is_listed:
        raise UnknownPair(wanted.pair)
    if not run.covered:
        raise NoCandles(
            f"there are no {wanted.interval} candles of {wanted.pair} from {utc_text(wanted.from_ms)} to "
            f"{utc_text(wanted.to_ms)}, neither in the archive nor at the exchange"
        )
    return Downloaded(
        wanted=wanted,
        candles=store.load(wanted.pair, wanted.interval, wanted.from_ms, wanted.to_ms),
        saved=run.saved,
        loaded=tuple(run.loaded),
        known=tuple(run.known),
        replaced=run.replaced,
        from_exchange=run.from_exchange,
        is_listed=run.is_listed,
    )
