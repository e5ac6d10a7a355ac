"""The composition root: the place that names concrete adapters.

What takes long to import is imported when it is used, so that `dca ladder` does not wait for numpy and pyarrow.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from dcacore.adapters.bot_file import read_bot
from dcacore.adapters.output import csv_bytes, refuse_unwritable, refuse_unwritable_folder, write_whole
from dcacore.domain.money import plain
from dcacore.domain.numbers import Number

if TYPE_CHECKING:
    from dcacore.adapters.candles import read_candle_files, read_candles
    from dcacore.application.playable import Playable
    from dcacore.backtest.report import BacktestReport
    from dcacore.domain.market import Market
    from dcacore.domain.preview import LadderPreview
    from dcacore.ports.bot_file import BotFile
    from dcacore.ports.candle_store import CandleStore
    from dcacore.ports.candles import Candles, Gap

__all__ = [
    "PlayedBacktest",
    "candle_store",
    "csv_files",
    "html_report",
    "market_of",
    "play",
    "preview_of",
    "random_walk",
    "read_bot",
    "read_candle_files",
    "read_candles",
    "refuse_unwritable",
    "refuse_unwritable_folder",
    "write_whole",
]

_LATE: Final = {"read_candle_files": "dcacore.adapters.candles", "read_candles": "dcacore.adapters.candles"}


if not TYPE_CHECKING:  # type checkers see the imports above, and no other name

    def __getattr__(name: str) -> object:
        if name in _LATE:
            return getattr(import_module(_LATE[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def candle_store(folder: str | os.PathLike[str]) -> CandleStore:
    """Return the local candle store below *folder*, which need not exist yet."""
    from dcacore.adapters.candles import ParquetCandleStore

    return ParquetCandleStore(folder)


def market_of(bot: BotFile) -> Market:
    """Return the market of *bot*: key by key what its file says, else what is known of the pair.

    Raises:
        BadFile: a rule is neither in the file nor known, or it is out of range.
    """
    from dcacore.adapters.known_markets import known_markets
    from dcacore.application import markets

    return markets.market_of(bot, known_markets())


def preview_of(bot: BotFile, market: Market, price: Number) -> LadderPreview:
    """Return the ladder of *bot* whose base order fills at *price*.

    Raises:
        BadFile: the market does not take the bot's orders at that price.
        InvalidParameter: the price is not a multiple of the tick size.
    """
    from dcacore.application.markets import named_after
    from dcacore.domain.preview import ladder

    with named_after(bot):
        return ladder(bot.strategy, price, market, bot.fees)


def random_walk(market: Market, seed: int) -> Candles:
    """Return a year of one-minute candles made of chance; the same *seed* makes the same candles."""
    import numpy as np

    from dcacore.adapters import random_walk

    return random_walk.random_walk(market, np.random.default_rng(seed))


@attrs.frozen(kw_only=True)
class PlayedBacktest:
    """A backtest, and all that a report of it tells.

    Attributes:
        bot: what was played.
        market: the rules of its market.
        candles: what it was played over.
        gaps: the gaps between them.
        slippage: how far a market order's price moved against it, as a fraction.
        balance: quote that the bot had; None is without limit.
        report: what came of it.
        band: the reports of all three paths, when they were asked for: how much the answer hangs on the order of
            events inside candles.
        preview: the ladder from the first open on.
        warnings: what a user should know before believing it.
    """

    bot: BotFile
    market: Market
    candles: Candles
    gaps: tuple[Gap, ...]
    slippage: Decimal
    balance: Decimal | None
    report: BacktestReport
    band: tuple[BacktestReport, ...]
    preview: LadderPreview
    warnings: tuple[str, ...]


def play(
    bot: BotFile,
    found: Playable,
    *,
    path: str = "nearest",
    slippage: Number = Decimal(0),
    balance: Number | None = None,
    is_band_wanted: bool = False,
    progress: Callable[[float], None] = lambda _: None,
) -> PlayedBacktest:
    """Play *bot* over the candles of *found*.

    It stands here because a use case may not know the backtest, which is built on top of the use cases.

    Args:
        bot: the bot.
        found: what is played.
        path: in which order a candle's extremes are met: nearest, high_first or low_first.
        slippage: how far a market order's price moves against it, as a fraction.
        balance: quote that the bot has; None is without limit.
        is_band_wanted: whether the other two paths are played as well.
        progress: is told from time to time which share is done, from 0 to 1.

    Raises:
        BadFile: the bot's market is not known, or does not take its orders at the first price.
        InvalidParameter: a term is out of range.
        OffGrid: a price is not a multiple of the market's tick size.
    """
    from dcacore.application.markets import named_after
    from dcacore.backtest.player import Path as CandlePath
    from dcacore.backtest.run import Terms, backtest

    market = market_of(bot)
    terms = Terms(path=path, slippage=slippage, balance=balance)
    paths = [terms.path, *(other for other in CandlePath if is_band_wanted and other is not terms.path)]
    reports: dict[CandlePath, BacktestReport] = {}

    def tell(done: int) -> None:
        progress((len(reports) + done / len(found.candles)) / len(paths))

    with named_after(bot):
        for way in paths:
            reports[way] = backtest(
                bot.strategy,
                market,
                bot.fees,
                found.candles,
                path=way,
                slippage=terms.slippage,
                balance=terms.balance,
                progress=tell,
            )
    preview = preview_of(bot, market, Decimal(repr(float(found.candles.open[0]))))
    return PlayedBacktest(
        bot=bot,
        market=market,
        candles=found.candles,
        gaps=found.gaps,
        slippage=terms.slippage,
        balance=terms.balance,
        report=reports[terms.path],
        band=tuple(reports[way] for way in CandlePath) if is_band_wanted else (),
        preview=preview,
        warnings=(*preview.warnings, *_too_little(terms.balance, preview, market)),
    )


def _too_little(balance: Decimal | None, preview: LadderPreview, market: Market) -> Iterator[str]:
    needed = preview.rows[-1].total_spent
    if balance is not None and balance < needed:
        yield (
            f"the balance of {plain(balance)} {market.quote_asset} does not pay for the whole ladder, which can tie up "
            f"{plain(needed)} {market.quote_asset} at the first price"
        )


def csv_files(folder: Path, played: PlayedBacktest) -> dict[Path, bytes]:
    """Return what the CSV files of *played* hold, by their place in *folder*: deals, orders and equity."""
    from dcacore.application import exports

    report = played.report
    deals = [closed.deal for closed in report.deals]
    if report.open_deal is not None:
        deals.append(report.open_deal.deal)
    return {
        folder / "deals.csv": csv_bytes(exports.DEAL_COLUMNS, exports.deal_rows(deals)),
        folder / "orders.csv": csv_bytes(exports.ORDER_COLUMNS, exports.order_rows(deals)),
        folder / "equity.csv": csv_bytes(exports.EQUITY_COLUMNS, exports.equity_rows(report.marks, played.candles)),
    }


def html_report(played: PlayedBacktest) -> str:
    """Return *played* as one web page that needs nothing else."""
    from dcacore.backtest.html import render_html

    return render_html(
        played.report,
        played.candles,
        name=played.bot.name,
        strategy=played.bot.strategy,
        market=played.market,
        fees=played.bot.fees,
        warnings=played.warnings,
        band={report.path.value: report.profit for report in played.band} or None,
        gaps=len(played.gaps),
        slippage=played.slippage,
        balance=played.balance,
    )
