"""The composition root: the place that names concrete adapters.

What takes long to import is imported when it is used, so that `dca ladder` does not wait for numpy and pyarrow.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dcacore._lazy import lazy
from dcacore.adapters.bot_file import bot_of_tables, bot_of_text, read_bot
from dcacore.adapters.output import csv_bytes, refuse_unwritable, refuse_unwritable_folder, write_whole

if TYPE_CHECKING:
    from dcacore.adapters.candles import read_candle_files, read_candles
    from dcacore.backtest.played import PlayedBacktest
    from dcacore.domain.market import Market
    from dcacore.domain.numbers import Number
    from dcacore.domain.preview import LadderPreview
    from dcacore.ports.bot_file import BotFile
    from dcacore.ports.candle_store import CandleStore
    from dcacore.ports.candles import Candles

__all__ = [
    "bot_of_tables",
    "bot_of_text",
    "candle_store",
    "csv_bytes",
    "csv_files",
    "html_report",
    "known_market",
    "market_of",
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
    __getattr__, _ = lazy(__name__, _LATE)


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


def known_market(pair: str) -> Market | None:
    """Return the market of *pair* as the program knows it; None for a pair that it does not know."""
    from dcacore.adapters.known_markets import known_markets
    from dcacore.domain.market import Market

    rules = known_markets().get(pair)
    return None if rules is None else Market(pair=pair, **rules)


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
