"""`sweep`: a backtest for every combination of some parameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import attrs

from dcacore.adapters.simulated import Path
from dcacore.backtest.run import backtest
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import NO_QUOTE, ZERO, QuoteAmount
from dcacore.domain.numbers import Number
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles


@attrs.frozen(kw_only=True)
class SweepRow:
    """What one combination made.

    Attributes:
        parameters: the values that were varied.
        deals: how many deals closed.
        profit: of the closed deals, in quote.
        max_funds: the most that was ever tied up, in quote.
        return_on_max_funds: percent.
        max_drawdown: largest fall of profit so far plus unrealized, in quote.
        most_safety_orders: the most that filled in one deal.
        open_unrealized: of the deal that is still open, in quote; 0 without one.
    """

    parameters: Mapping[str, Number | bool]
    deals: int
    profit: QuoteAmount
    max_funds: QuoteAmount
    return_on_max_funds: Decimal
    max_drawdown: QuoteAmount
    most_safety_orders: int
    open_unrealized: QuoteAmount


def sweep(
    strategy: Strategy,
    market: Market,
    fees: Fees,
    candles: Candles,
    *,
    vary: Mapping[str, Sequence[Number | bool]],
    path: Path | str = Path.NEAREST,
    slippage: Number = ZERO,
    balance: Number | None = None,
) -> Iterator[SweepRow]:
    """Yield what *strategy* would have made with every combination of *vary*, the last name varying fastest.

    Every name and value is checked before the first combination is played.

    Args:
        vary: parameter names with the values to try, such as {"take_profit": ["1", "1.5", "2"]}.
        path: see `backtest`.
        slippage: see `backtest`.
        balance: see `backtest`.

    Raises:
        InvalidParameter: a name is no parameter, or a combination breaks a rule; as `backtest` raises, too.
        OffGrid: as `backtest` raises it.
    """
    known = {field.name for field in attrs.fields(Strategy)}
    for name in vary:
        if name not in known:
            raise InvalidParameter(name, None, "is not a parameter of a strategy")
    combinations = [dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]
    varied = [attrs.evolve(strategy, **combination) for combination in combinations]  # type: ignore[arg-type]  # validated

    def play() -> Iterator[SweepRow]:
        for combination, each in zip(combinations, varied, strict=True):
            report = backtest(each, market, fees, candles, path=path, slippage=slippage, balance=balance)
            figures = report.statistics
            yield SweepRow(
                parameters=combination,
                deals=len(report.deals),
                profit=report.profit,
                max_funds=figures.max_funds,
                return_on_max_funds=figures.return_on_max_funds,
                max_drawdown=figures.max_drawdown,
                most_safety_orders=figures.most_safety_orders,
                open_unrealized=report.open_deal.unrealized if report.open_deal is not None else NO_QUOTE,
            )

    return play()
