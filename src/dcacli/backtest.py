"""`dca backtest`: play a bot over candles of the past."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dcacli.params import Duration, TakesFiles, UtcTime, in_data_dir
from dcacli.wanted import Wanted

if TYPE_CHECKING:
    from dcacore.backtest.played import PlayedBacktest


@click.command(
    cls=TakesFiles,
    epilog="\b\nExample:\n"
    "  dca backtest examples/btc-calm.toml --data BTCUSDT-1m-2021-04.zip BTCUSDT-1m-2021-05.zip\n"
    "  dca backtest examples/btc-calm.toml --interval 1m --from 2021-04-01 --to 2021-05-31\n"
    "  dca backtest examples/btc-calm.toml --random-walk --seed 7 --html report.html",
)
@click.argument("bot", metavar="BOT.toml")
@click.option(
    "--data", multiple=True, metavar="FILE...", help="Candle files, of any layout that `dca data import` reads."
)
@click.option("--interval", metavar="I", help="Length of the candles, such as 1m; without --data, from the store.")
@in_data_dir
@click.option("--random-walk", is_flag=True, help="Play a year of one-minute candles made of chance.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Which chance; the same seed, the same candles.")
@click.option(
    "--from",
    "from_ms",
    type=UtcTime(is_end=False),
    metavar="D",
    help="Start here: a month, a day, or a time (UTC), ISO 8601.",
)
@click.option(
    "--to",
    "to_ms",
    type=UtcTime(is_end=True),
    metavar="D",
    help="End here: a month or a day means all of it, a time up to it.",
)
@click.option(
    "--engine", type=click.Choice(["exact", "fast"]), default="exact", show_default=True, help="What plays the bot."
)
@click.option(
    "--path",
    type=click.Choice(["nearest", "high_first", "low_first"]),
    default="nearest",
    show_default=True,
    help="Which of a candle's extremes comes first.",
)
@click.option(
    "--slippage", default="0", metavar="X", help="How far market orders move the price, as a fraction (0.001 is 0.1 %)."
)
@click.option("--balance", metavar="Q", help="Quote that the bot has. Default: without limit.")
@click.option(
    "--max-gap",
    "max_gap_ms",
    type=Duration(),
    default="1d",
    show_default=True,
    metavar="T",
    help="Refuse candles with a longer gap, such as 90m, 6h or 1d; 0 takes any.",
)
@click.option("--band", is_flag=True, help="Play all three paths: how much hangs on the order of events in candles.")
@click.option("--html", type=click.Path(path_type=Path), metavar="REPORT.html", help="Write the report as a web page.")
@click.option(
    "--csv", "csv_dir", type=click.Path(path_type=Path), metavar="DIR", help="Write deals, orders and equity as CSV."
)
@click.option(
    "--deals", type=click.IntRange(min=0), default=10, show_default=True, metavar="N", help="Print the last N deals."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def backtest(
    *,
    bot: str,
    data: tuple[str, ...],
    interval: str | None,
    data_dir: str,
    random_walk: bool,
    seed: int | None,
    from_ms: int | None,
    to_ms: int | None,
    engine: str,
    path: str,
    slippage: str,
    balance: str | None,
    max_gap_ms: int,
    band: bool,
    html: Path | None,
    csv_dir: Path | None,
    deals: int,
    as_json: bool,
) -> None:
    """Play a bot over candles of the past, exact to the last digit.

    The candles come from files (--data), out of the local store (--interval), or from chance (--random-walk).
    """
    wanted = Wanted(
        data=data,
        interval=interval,
        data_dir=data_dir,
        is_random=random_walk,
        seed=seed,
        from_ms=from_ms,
        to_ms=to_ms,
        max_gap_ms=max_gap_ms,
    )
    wanted.refuse_misuse()
    if engine == "fast":
        raise click.UsageError("the fast engine is not part of this version: leave --engine out, or say exact")
    from dcacli.progress import progress_bar
    from dcacli.tables import warn
    from dcacore.bootstrap import market_of, read_bot

    bot_file = read_bot(bot)
    market = market_of(bot_file)
    _refuse_unwritable(html, csv_dir)
    found = wanted.find(bot_file)
    from dcacore.backtest.played import play  # numpy, after what can be refused without it

    with progress_bar(f"playing {len(found.candles):,} candles") as progress:
        played = play(
            bot_file,
            market,
            found,
            path=path,
            slippage=slippage,
            balance=balance,
            is_band_wanted=band or html is not None,
            doubts=tuple(wanted.doubts(bot_file, found)),
            progress=progress,
        )
    _write(played, html, csv_dir)
    if as_json:
        click.echo(json.dumps(_as_json(played, band=band)))
    else:
        from dcacli.backtest_report import print_report

        print_report(played, deals)
    warn(played.warnings)


def _refuse_unwritable(html: Path | None, csv_dir: Path | None) -> None:
    from dcacore.bootstrap import refuse_unwritable, refuse_unwritable_folder

    if (
        html is not None
        and csv_dir is not None
        and html.suffix == ".csv"
        and html.parent.resolve() == csv_dir.resolve()
    ):
        raise click.UsageError(f"--html {html} lies among the files that --csv writes")
    if html is not None:
        refuse_unwritable(html)
    if csv_dir is not None:
        refuse_unwritable_folder(csv_dir)


def _write(played: PlayedBacktest, html: Path | None, csv_dir: Path | None) -> None:
    from dcacore import bootstrap

    files: dict[Path, bytes] = {}
    if html is not None:
        files[html] = bootstrap.html_report(played).encode()
    if csv_dir is not None:
        files |= bootstrap.csv_files(csv_dir, played)
    bootstrap.write_whole(files)


def _as_json(played: PlayedBacktest, *, band: bool) -> dict[str, object]:
    from dcacore.backtest.as_json import report_as_json
    from dcacore.domain.money import plain

    values = report_as_json(played.report)
    if band:
        profits = [report.profit for report in played.band]
        values["band"] = {
            "min_profit": plain(min(profits)),
            "max_profit": plain(max(profits)),
            "paths": {
                report.path.value: {
                    "deals": len(report.deals),
                    "profit": plain(report.profit),
                    "open_unrealized": plain(report.open_deal.unrealized) if report.open_deal is not None else "0",
                }
                for report in played.band
            },
        }
    return values
