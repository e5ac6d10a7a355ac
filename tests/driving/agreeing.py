"""What a backtest and a live engine must agree on, and bots that make them do everything a bot can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.backtest.run import backtest
from dcacore.domain.books import Books
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Quotient, exact
from dcacore.domain.strategy import Strategy
from dcacore.local_exchange.driving.points import Series
from dcacore.ports.candles import Candles
from tests.driving.stage import RICH, SteppedStage
from tests.strategies import USUAL_FEES

BTC: Final = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)
CALM: Final[Mapping[str, Any]] = {
    "pair": "BTCUSDT",
    "base_order_size": "100",
    "safety_order_size": "150",
    "max_safety_orders": 5,
    "safety_order_volume_scale": "1.4",
    "price_deviation": "0.4",
    "safety_order_step_scale": "1.2",
    "take_profit": "0.8",
}
BOTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "safety orders": {},
    "two active, rounded up": {"active_safety_orders": 2, "quantity_rounding": "up", "max_safety_orders": 8},
    "trailing": {"trailing_deviation": "0.2"},
    "trailing far": {"trailing_deviation": "1", "take_profit": "0.4"},
    "stop loss": {"stop_loss": "2"},
    "stop loss at a safety order": {"stop_loss": "0.88"},
    "stop loss among safety orders": {"stop_loss": "1.1", "stop_loss_basis": "average"},
    "trailing, stop loss": {"trailing_deviation": "0.15", "stop_loss": "1.5", "take_profit_type": "base"},
    "cooldown": {"cooldown": "600", "stop_loss": "1"},
    "odd cooldown": {"cooldown": "90", "trailing_deviation": "0.1"},
    "no safety orders": {"max_safety_orders": 0, "take_profit": "0.3", "stop_loss": "0.3"},
}


TELLING: Final = frozenset(
    {
        "safety orders",
        "two active, rounded up",
        "trailing",
        "trailing far",
        "stop loss among safety orders",
        "odd cooldown",
        "trailing, stop loss",
    }
)
"""Those of them that do all of it with the fewest orders."""


@attrs.frozen(kw_only=True)
class Outcome:
    """A deal, in the figures that both tell."""

    opened_ms: int
    closed_ms: int
    base_price: Decimal
    safety_orders: int
    spent: Decimal
    sold: Decimal
    exit_price: Decimal
    profit: Decimal
    reason: str


def played(
    strategy: Strategy,
    candles: Candles,
    market: Market = BTC,
    fees: Fees = USUAL_FEES,
    balance: Decimal | None = None,
) -> list[Outcome]:
    """Return the deals of a backtest."""
    report = backtest(strategy, market, fees, candles, balance=balance)
    return [
        Outcome(
            opened_ms=deal.opened_ms,
            closed_ms=deal.closed_ms,
            base_price=deal.base_price,
            safety_orders=deal.safety_orders,
            spent=deal.spent,
            sold=deal.sold,
            exit_price=deal.exit_price,
            profit=deal.profit,
            reason=deal.reason.value,
        )
        for deal in report.deals
    ]


def stepped(
    strategy: Strategy,
    candles: Candles,
    market: Market = BTC,
    fees: Fees = USUAL_FEES,
    *,
    balance: Decimal = RICH,
    seed: str = "0",
    every_point: bool = False,
) -> list[Outcome]:
    """Return the deals of a live engine on an exchange that steps through the same candles.

    With *every_point* it stops at every point of a candle, also where there is nothing to react to.
    """
    stage = SteppedStage(Series(market, candles), fees, seed=seed, balance=balance)
    try:
        stage.add_bot(strategy)
        stage.play(every_point=every_point)
        assert not stage.failed
        return outcomes(stage.ended())
    finally:
        stage.close()


def outcomes(deals: Iterable[Deal]) -> list[Outcome]:
    """Return what a live engine's deals have come to, but for those whose base order was never bought."""
    return [outcome(deal) for deal in deals if deal.exit is not Exit.CANCEL]


@exact
def outcome(deal: Deal) -> Outcome:
    """Return what a live engine's deal has come to."""
    books: Books = deal.books
    base_order, result = deal.base_order, deal.result
    assert base_order is not None
    assert result is not None
    assert deal.exit is not None
    assert deal.closed_at is not None
    tick = deal.market.tick_size
    return Outcome(
        opened_ms=int(deal.opened_at.timestamp() * 1000),
        closed_ms=int(deal.closed_at.timestamp() * 1000),
        base_price=Quotient(base_order.notional, base_order.filled).price(tick),
        safety_orders=deal.filled_safety_orders,
        spent=books.cost,
        sold=books.sold,
        exit_price=Quotient(books.proceeds, books.sold).price(tick),
        profit=result.profit,
        reason=deal.exit.value,
    )
