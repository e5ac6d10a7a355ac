"""`dca data download`: bring candles of a pair from the exchange's public archive into the local store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import click

from dcacli.candle_words import changes_text, count, gaps_json, gaps_text
from dcacli.errors import REFUSED, complain
from dcacli.params import UtcTime, WebAddress, in_data_dir
from dcacli.progress import progress_bar

if TYPE_CHECKING:
    from dcacore.bootstrap.downloads import Downloaded

_FAR_FUTURE_MS: Final = 253_402_300_799_999
_TOLD: Final = 2  # the present moves on, and clocks differ: one candle at an end is everyday


@click.command(
    epilog="\b\nExample:\n  dca data download BTCUSDT --interval 1m --from 2021-01 --to 2021-12\n"
    "  dca data download BTCUSDT --interval 1h --from 2021-04-10",
)
@click.argument("pair")
@click.option("--interval", required=True, metavar="I", help="Length of the candles, such as 1m, 15m, 1h or 1d.")
@click.option(
    "--from",
    "from_ms",
    required=True,
    type=UtcTime(is_end=False),
    metavar="D",
    help="Start here: a month, a day, or a time (UTC), ISO 8601.",
)
@click.option(
    "--to",
    "to_ms",
    type=UtcTime(is_end=True),
    default=_FAR_FUTURE_MS,
    metavar="D",
    help="End here: a month or a day means all of it. Default: now.",
)
@click.option("--replace", is_flag=True, help="Load again what is there, and overwrite candles that have other values.")
@click.option(
    "--archive-url",
    type=WebAddress(),
    envvar="BINANCE_ARCHIVE_URL",
    default="https://data.binance.vision",
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="Where the archive is.",
)
@click.option(
    "--klines-url",
    type=WebAddress(),
    envvar="BINANCE_KLINES_URL",
    default="https://data-api.binance.vision",
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="Where newer candles are asked for, at /api/v3/klines.",
)
@in_data_dir
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def download(
    *,
    pair: str,
    interval: str,
    from_ms: int,
    to_ms: int,
    replace: bool,
    archive_url: str,
    klines_url: str,
    data_dir: str,
    as_json: bool,
) -> None:
    """Download candles of the spot market PAIR.

    Whole months and days come from the public archive of Binance, each file checked against its published checksum, and
    what the archive does not have yet from the exchange itself. What is there is not loaded again: a download that was
    interrupted goes on when it is repeated.
    """
    import asyncio

    from dcacore.bootstrap.downloads import Wanted, download_candles
    from dcacore.ports.errors import Unavailable

    wanted = Wanted(pair=pair, interval=interval, from_ms=from_ms, to_ms=to_ms)
    try:
        with progress_bar(f"downloading {pair} {interval}") as progress:
            done = asyncio.run(
                download_candles(
                    wanted,
                    data_dir,
                    archive_url=archive_url,
                    klines_url=klines_url,
                    replace=replace,
                    progress=progress,
                )
            )
    except Unavailable as exc:
        complain(f"{exc}; what came before is stored, and the same command goes on from there")
        raise SystemExit(REFUSED) from None
    click.echo(json.dumps(_as_json(done)) if as_json else "\n".join(_lines(done)))


def _as_json(done: Downloaded) -> dict[str, object]:
    from dcacore.ports.candles import gaps

    return {
        "pair": done.wanted.pair,
        "interval": done.wanted.interval,
        "candles": len(done.candles),
        "from_ms": int(done.candles.open_time[0]),
        "to_ms": int(done.candles.open_time[-1]),
        "added": done.saved.added,
        "replaced": done.saved.replaced,
        "unchanged": done.saved.unchanged,
        "files_loaded": list(done.loaded),
        "files_known": list(done.known),
        "files_replaced": list(done.replaced),
        "from_exchange": done.from_exchange,
        "is_listed": done.is_listed,
        **gaps_json(gaps(done.candles)),
    }


def _lines(done: Downloaded) -> Iterator[str]:
    from dcacore.ports.candles import gaps
    from dcacore.ports.times import utc_text

    yield from _edges(done, utc_text)
    for name in done.replaced:
        yield f"{name} was replaced in the archive since it was loaded, and was loaded again"
    files = f"{count(len(done.loaded), 'file')} of the archive loaded, {len(done.known):,} there already"
    yield f"{files}; {count(done.from_exchange, 'candle')} from the exchange"
    times = done.candles.open_time
    yield (
        f"{done.wanted.pair} {done.wanted.interval}: {count(len(times), 'candle')} from {utc_text(int(times[0]))} to "
        f"{utc_text(int(times[-1]))}: {changes_text(done.saved)}; {gaps_text(gaps(done.candles))}"
    )


def _edges(done: Downloaded, utc_text: Callable[[int], str]) -> Iterator[str]:
    """Yield what is missing before the first candle and after the last: the pair was not there yet, or no longer."""
    first, last, step = int(done.candles.open_time[0]), int(done.candles.open_time[-1]), done.candles.interval_ms
    if (first - done.wanted.from_ms) // step >= _TOLD:
        yield f"no candles before {utc_text(first)}: the pair was not listed yet, as it seems"
    if (done.wanted.to_ms - last - step) // step >= _TOLD:
        reason = "the market stood still, or the pair was taken off" if done.is_listed else "the pair is not listed now"
        yield f"no candles after {utc_text(last)}: {reason}"
