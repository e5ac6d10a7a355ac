"""`dca data`: bring candles into the local store, list what is there, check it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from dcacli.candle_words import changes_text, count, gap_json, gaps_json, gaps_text
from dcacli.data_download import download
from dcacli.errors import REFUSED
from dcacli.params import in_data_dir

if TYPE_CHECKING:
    from dcacore.application.candles import Imported
    from dcacore.ports.candle_store import CandleStore, Checked, Stored

_MOST_GAPS: Final = 10

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group(epilog="\b\nExample:\n  dca data import BTCUSDT-1m-2021-04.zip\n  dca data list")
def data() -> None:
    """The local candle store."""


data.add_command(download)


@data.command(
    "import",
    epilog="\b\nExample:\n  dca data import BTCUSDT-1m-2021-04.zip BTCUSDT-1m-2021-05.zip\n"
    "  dca data import btc.csv.gz --pair BTCUSDT --interval 1m",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--pair", metavar="PAIR", help="Trading pair, such as BTCUSDT. Default: from the file's name.")
@click.option("--interval", metavar="INTERVAL", help="Such as 1m, checked against the rows. Default: from the file.")
@click.option("--replace", is_flag=True, help="Overwrite stored candles that have other values.")
@in_data_dir
@_as_json
def import_(
    *,
    files: tuple[str, ...],
    pair: str | None,
    interval: str | None,
    replace: bool,
    data_dir: str,
    as_json: bool,
) -> None:
    """Import candle files of one pair and interval.

    Reads archives of Binance, and files of ccxt, freqtrade, CryptoDataDownload, TradingView, CoinAPI, Bitfinex, Kaiko,
    cryptoarchive and LEAN; plain, zipped or gzipped. Importing the same candles again changes nothing.
    """
    from dcacore.application.candles import import_candles, named
    from dcacore.bootstrap import read_candle_files

    names = named(files)
    pair = pair or names.pair
    if pair is None:
        raise click.UsageError("the file names do not say the pair as in BTCUSDT-1m-2021-04.zip: give it with --pair")
    done = import_candles(
        _store(data_dir),
        read_candle_files,
        files,
        pair=pair,
        interval=interval or names.interval,
        now_ms=time.time_ns() // 1_000_000,
        replace=replace,
    )
    click.echo(json.dumps(_imported_json(done)) if as_json else _imported_text(done))


@data.command("list", epilog="\b\nExample:\n  dca data list --data-dir ./data")
@in_data_dir
@_as_json
def list_(*, data_dir: str, as_json: bool) -> None:
    """List what the candle store holds."""
    stored = _store(data_dir).list()
    if as_json:
        click.echo(json.dumps({"candles": [_stored_json(entry) for entry in stored]}))
    elif not stored:
        click.echo(f"There are no candles in {data_dir}. `dca data download --help` shows how to bring some in.")
    else:
        _print_stored(stored)


@data.command("check", epilog="\b\nExample:\n  dca data check BTCUSDT")
@click.argument("pair")
@in_data_dir
@_as_json
def check(*, pair: str, data_dir: str, as_json: bool) -> None:
    """Read every stored candle of PAIR again: report damage, and gaps in the market."""
    checked = _store(data_dir).check(pair)
    if as_json:
        click.echo(json.dumps({"pair": pair, "intervals": [_checked_json(entry) for entry in checked]}))
    else:
        for entry in checked:
            click.echo(_checked_text(entry))
    problems = sum(len(entry.problems) for entry in checked)
    if problems:
        click.echo(f"dca: {pair}: {count(problems, 'problem')} found", err=True)
        raise SystemExit(REFUSED)


def _store(folder: str) -> CandleStore:
    from dcacore.bootstrap import candle_store

    return candle_store(folder)


def _imported_text(done: Imported) -> str:
    from dcacore.ports.candles import gaps
    from dcacore.ports.times import utc_text

    times = done.candles.open_time
    return (
        f"{done.pair} {done.interval}: {count(len(times), 'candle')} from {utc_text(int(times[0]))} "
        f"to {utc_text(int(times[-1]))}: {changes_text(done.saved)}\n{gaps_text(gaps(done.candles))}"
    )


def _imported_json(done: Imported) -> dict[str, object]:
    from dcacore.ports.candles import gaps

    return {
        "pair": done.pair,
        "interval": done.interval,
        "candles": len(done.candles),
        "from_ms": int(done.candles.open_time[0]),
        "to_ms": int(done.candles.open_time[-1]),
        "added": done.saved.added,
        "replaced": done.saved.replaced,
        "unchanged": done.saved.unchanged,
        **gaps_json(gaps(done.candles)),
    }


def _stored_json(entry: Stored) -> dict[str, object]:
    return {
        "pair": entry.pair,
        "interval": entry.interval,
        "candles": entry.rows,
        "from_ms": entry.first,
        "to_ms": entry.last,
        "problem": entry.problem or None,
    }


def _print_stored(stored: Sequence[Stored]) -> None:
    from dcacore.ports.times import utc_text

    lines = [("pair", "interval", "candles", "first (UTC)", "last (UTC)")]
    for entry in stored:
        if entry.problem:
            lines.append((entry.pair, entry.interval, "?", entry.problem, ""))
        else:
            lines.append((entry.pair, entry.interval, f"{entry.rows:,}", utc_text(entry.first), utc_text(entry.last)))
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for pair, interval, rows, first, last in lines:
        row = f"{pair:<{widths[0]}}  {interval:<{widths[1]}}  {rows:>{widths[2]}}  {first:<16}  {last}"
        click.echo(row.rstrip())


def _checked_text(entry: Checked) -> str:
    from dcacore.ports.times import utc_text

    head = f"{entry.pair} {entry.interval}: {count(entry.rows, 'candle')}, {gaps_text(entry.gaps)}"
    longest = sorted(entry.gaps, key=lambda gap: (-gap.missing, gap.after))[:_MOST_GAPS]
    lines = [f"  {gap.missing:,} missing after {utc_text(gap.after)}, next {utc_text(gap.resumes)}" for gap in longest]
    if len(entry.gaps) > len(longest):
        lines.append(f"  and {len(entry.gaps) - len(longest):,} shorter gaps; --json lists them all")
    return "\n".join([head, *lines, *(f"  problem: {problem}" for problem in entry.problems)])


def _checked_json(entry: Checked) -> dict[str, object]:
    return {
        "interval": entry.interval,
        "candles": entry.rows,
        "problems": list(entry.problems),
        **gaps_json(entry.gaps),
        "gap_list": [gap_json(gap) for gap in entry.gaps],
    }
