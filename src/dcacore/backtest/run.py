"""`backtest`: candles in, report out."""

from __future__ import annotations

from decimal import Decimal

import attrs

from dcacore.adapters.simulated import UNLIMITED, MatchingCore, Path, Wallet
from dcacore.adapters.simulated.candle_ticks import TickCandles, to_ticks
from dcacore.backtest.player import EPOCH, Player, Progress, to_ms
from dcacore.backtest.report import BacktestReport, ClosedDeal, OpenDeal
from dcacore.backtest.statistics import statistics
from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import BotId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import NO_QUOTE, ZERO, BaseQty, Price, QuoteAmount, Quotient, exact
from dcacore.domain.numbers import Number, as_member, as_number, at_least, below, one_of, rule
from dcacore.domain.preview import check_placeable
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles


def _path(value: Path | str) -> Path:
    return as_member(Path, value)


@attrs.frozen(kw_only=True)
class Terms:
    """Under which terms a backtest plays.

    Attributes:
        path: in which order a candle's extremes are met.
        slippage: how far a market order's price moves against it, as a fraction.
        balance: quote that the bot has; None is without limit.
    """

    path: Path = attrs.field(default=Path.NEAREST, converter=_path, validator=one_of(Path))
    slippage: Decimal = attrs.field(default=ZERO, converter=as_number, validator=rule(at_least(0), below(1)))
    balance: Decimal | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(as_number),
        validator=rule(at_least(0)),
    )


def _silent(_: int) -> None:
    """Tell nobody how far it is."""


@exact
def backtest(
    strategy: Strategy,
    market: Market,
    fees: Fees,
    candles: Candles,
    *,
    path: Path | str = Path.NEAREST,
    slippage: Number = ZERO,
    balance: Number | None = None,
    progress: Progress = _silent,
) -> BacktestReport:
    """Return what a bot would have done over *candles*, exact to the last digit.

    Args:
        path: in which order a candle's extremes are met: nearest, high_first or low_first.
        slippage: how far a market order's price moves against it, as a fraction (0.001 is 0.1 %).
        balance: quote that the bot has; without one, funds are unlimited and the report tells the most tied up.
        progress: is told from time to time how many candles are done.

    Raises:
        InvalidParameter: the market does not take the bot's orders at the first price, or a term is out of range.
        OffGrid: a price is not a multiple of the market's tick size.
    """
    if not len(candles):
        raise InvalidParameter("candles", candles.source, "must hold at least one candle")
    if strategy.pair != market.pair:
        raise InvalidParameter("pair", strategy.pair, f"must be the market's, {market.pair}")
    terms = Terms(path=path, slippage=slippage, balance=balance)
    ticks = to_ticks(candles, market)
    first = Price(int(ticks.open[0]) * market.tick_size)
    check_placeable(strategy, market, first)
    player = Player(
        bot=Bot(id=BotId("backtest"), strategy=strategy, market=market, fees=fees),
        candles=ticks,
        core=MatchingCore(
            market=market,
            fees=fees,
            wallet=Wallet.holding({market.quote_asset: UNLIMITED if terms.balance is None else terms.balance}),
            slippage=terms.slippage,
            at=EPOCH,
        ),
        path=terms.path,
    )
    player.play(progress)
    return _report(player, ticks, market, fees)


def _report(player: Player, ticks: TickCandles, market: Market, fees: Fees) -> BacktestReport:
    deals = tuple(_closed(deal) for deal in player.deals)
    last = Price(int(ticks.close[-1]) * market.tick_size)
    open_deal = _open(player.bot.deal, last) if player.bot.deal is not None else None
    books = [deal.books for deal in player.deals] + ([player.bot.deal.books] if player.bot.deal is not None else [])
    return BacktestReport(
        pair=market.pair,
        engine="exact",
        path=player.path,
        candles=len(ticks),
        from_ms=int(ticks.open_time[0]),
        to_ms=int(ticks.open_time[-1]),
        deals=deals,
        open_deal=open_deal,
        profit=player.bot.profit,
        carried=player.bot.carried,
        fees_quote=QuoteAmount(sum((book.buy_fees + book.sell_fees for book in books), ZERO)),
        fees_base=BaseQty(sum((book.base_fees for book in books), ZERO)),
        statistics=statistics(
            deals,
            open_deal,
            max_funds=player.max_funds,
            marks=player.marks,
            candles=ticks,
            market=market,
            fees=fees,
        ),
        marks=tuple(player.marks),
    )


def _base_price(deal: Deal) -> Decimal:
    base_order = deal.base_order
    return (
        Quotient(base_order.notional, base_order.filled).price(deal.market.tick_size)
        if base_order is not None
        else ZERO
    )


def _closed(deal: Deal) -> ClosedDeal:
    books, result = deal.books, deal.result
    return ClosedDeal(
        opened_ms=to_ms(deal.opened_at),
        closed_ms=to_ms(deal.closed_at or deal.opened_at),
        base_price=_base_price(deal),
        safety_orders=deal.filled_safety_orders,
        spent=books.cost,
        sold=books.sold,
        exit_price=Quotient(books.proceeds, books.sold).price(deal.market.tick_size) if books.sold else ZERO,
        profit=result.profit if result is not None else NO_QUOTE,
        reason=deal.exit or Exit.CLOSE,
        deal=deal,
    )


def _open(deal: Deal, last_close: Price) -> OpenDeal:
    books = deal.books
    return OpenDeal(
        opened_ms=to_ms(deal.opened_at),
        base_price=_base_price(deal),
        safety_orders=deal.filled_safety_orders,
        spent=books.spent,
        net=books.net,
        take_profit_price=deal.take_profit_price or Price(ZERO),
        unrealized=QuoteAmount(books.net * last_close - books.spent),
        deal=deal,
    )
