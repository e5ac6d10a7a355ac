"""A backtest as its user sees it: the run, the other two paths when asked for, the ladder, and what to doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

import attrs

from dcacore.adapters.simulated import Path
from dcacore.application.markets import named_after
from dcacore.application.playable import Playable
from dcacore.backtest.report import BacktestReport
from dcacore.backtest.run import Terms, backtest
from dcacore.domain.market import Market
from dcacore.domain.money import plain
from dcacore.domain.numbers import Number
from dcacore.domain.preview import LadderPreview, ladder
from dcacore.ports.bot_file import BotFile
from dcacore.ports.candles import Candles, Gap


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
    market: Market,
    found: Playable,
    *,
    path: str = "nearest",
    slippage: Number = Decimal(0),
    balance: Number | None = None,
    is_band_wanted: bool = False,
    doubts: Iterable[str] = (),
    progress: Callable[[float], None] = lambda _: None,
) -> PlayedBacktest:
    """Play *bot* over the candles of *found*, and gather what a report of it tells.

    Args:
        bot: the bot.
        market: the rules of its market.
        found: what is played.
        path: in which order a candle's extremes are met: nearest, high_first or low_first.
        slippage: how far a market order's price moves against it, as a fraction.
        balance: quote that the bot has; None is without limit.
        is_band_wanted: whether the other two paths are played as well.
        doubts: what is known already that a user should know before believing the report.
        progress: is told from time to time which share is done, from 0 to 1.

    Raises:
        BadFile: the market does not take the bot's orders at the first price.
        InvalidParameter: a term is out of range.
        OffGrid: a price is not a multiple of the market's tick size.
    """
    terms = Terms(path=path, slippage=slippage, balance=balance)
    paths = [terms.path, *(other for other in Path if is_band_wanted and other is not terms.path)]
    reports: dict[Path, BacktestReport] = {}

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
        preview = ladder(bot.strategy, Decimal(repr(float(found.candles.open[0]))), market, bot.fees)
    return PlayedBacktest(
        bot=bot,
        market=market,
        candles=found.candles,
        gaps=found.gaps,
        slippage=terms.slippage,
        balance=terms.balance,
        report=reports[terms.path],
        band=tuple(reports[way] for way in Path) if is_band_wanted else (),
        preview=preview,
        warnings=(*doubts, *preview.warnings, *_too_little(terms.balance, preview, market)),
    )


def _too_little(balance: Decimal | None, preview: LadderPreview, market: Market) -> Iterator[str]:
    needed = preview.rows[-1].total_spent
    if balance is not None and balance < needed:
        yield (
            f"the balance of {plain(balance)} {market.quote_asset} does not pay for the whole ladder, which can tie up "
            f"{plain(needed)} {market.quote_asset} at the first price"
        )
