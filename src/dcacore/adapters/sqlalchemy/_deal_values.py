"""Deals, to and from rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from dcacore.adapters.sqlalchemy._rows import DealRow
from dcacore.adapters.sqlalchemy._texts import fees_of, market_of, numbers_of, numbers_to_text, strategy_of, to_text
from dcacore.domain.books import Books, Carried, Result
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import BotId, DealId, OrderId
from dcacore.domain.ladder import build_ladder, reference_price
from dcacore.domain.money import BaseQty, Price, QuoteAmount, exact
from dcacore.domain.orders import Order

Values = dict[str, object]

_NO_RESULT: Final[Values] = dict.fromkeys(
    ("profit", "cost_of_sold", "handed_on_quantity", "handed_on_cost", "kept_quantity", "kept_cost")
)


def deal_values(bot_id: BotId, deal: Deal) -> Values:
    """Return the columns of *deal*."""
    books, result = deal.books, deal.result
    return {
        "id": deal.id,
        "bot_id": bot_id,
        "is_open": deal.closed_at is None,
        "number": deal.number,
        "strategy": to_text(deal.strategy),
        "market": to_text(deal.market),
        "fees": to_text(deal.fees),
        "opened_at": deal.opened_at,
        "opened_price": deal.opened_price,
        "attempts": deal.attempts,
        "takers_at": deal.takers_at,
        "carried_quantity": books.carried.quantity,
        "carried_cost": books.carried.cost,
        "bought": books.bought,
        "gross": books.gross,
        "base_fees": books.base_fees,
        "buy_fees": books.buy_fees,
        "sold": books.sold,
        "proceeds": books.proceeds,
        "sell_fees": books.sell_fees,
        "gone": books.gone,
        "gone_for": books.gone_for,
        "has_ladder": deal.reference is not None,
        "waiting": numbers_to_text(tuple([rung.number for rung in deal.waiting])),
        "take_profit_price": deal.take_profit_price,
        "stop_loss_price": deal.stop_loss_price,
        "retarget_at": deal.retarget_at,
        "peak": deal.peak,
        "has_moved": deal.has_moved,
        "exit": None if deal.exit is None else deal.exit.value,
        "sold_at": deal.sold_at,
        "closed_at": deal.closed_at,
        **(_NO_RESULT if result is None else _result_values(result)),
    }


def _result_values(result: Result) -> Values:
    return {
        "profit": result.profit,
        "cost_of_sold": result.cost_of_sold,
        "handed_on_quantity": result.carried.quantity,
        "handed_on_cost": result.carried.cost,
        "kept_quantity": result.kept.quantity,
        "kept_cost": result.kept.cost,
    }


@exact
def deal_of(row: DealRow, orders: Mapping[OrderId, Order]) -> Deal:
    """Return the deal in *row* with its *orders*, the ladder hung up again from what the base order filled at."""
    deal = Deal(
        id=DealId(row.id),
        number=row.number,
        strategy=strategy_of(row.strategy),
        market=market_of(row.market),
        fees=fees_of(row.fees),
        opened_at=row.opened_at,
        opened_price=Price(row.opened_price),
        orders=orders,
        attempts=row.attempts,
        takers_at=row.takers_at,
        books=_books_of(row),
        take_profit_price=cast("Price | None", row.take_profit_price),
        stop_loss_price=cast("Price | None", row.stop_loss_price),
        retarget_at=row.retarget_at,
        peak=cast("Price | None", row.peak),
        has_moved=row.has_moved,
        exit=None if row.exit is None else Exit(row.exit),
        sold_at=cast("Price | None", row.sold_at),
        closed_at=row.closed_at,
        result=_result_of(row),
    )
    base_order = deal.base_order
    if not row.has_ladder or base_order is None:
        return deal
    reference = reference_price(deal.strategy, base_order)
    rungs = build_ladder(deal.strategy, deal.market, reference).rungs
    waiting = tuple([rungs[number - 1] for number in numbers_of(row.waiting)])
    return evolve(deal, reference=reference, rungs=rungs, waiting=waiting)


def _books_of(row: DealRow) -> Books:
    return Books(
        carried=Carried(quantity=BaseQty(row.carried_quantity), cost=QuoteAmount(row.carried_cost)),
        bought=BaseQty(row.bought),
        gross=QuoteAmount(row.gross),
        base_fees=BaseQty(row.base_fees),
        buy_fees=QuoteAmount(row.buy_fees),
        sold=BaseQty(row.sold),
        proceeds=QuoteAmount(row.proceeds),
        sell_fees=QuoteAmount(row.sell_fees),
        gone=BaseQty(row.gone),
        gone_for=QuoteAmount(row.gone_for),
    )


def _result_of(row: DealRow) -> Result | None:
    if row.profit is None:
        return None
    return Result(
        profit=QuoteAmount(row.profit),
        cost_of_sold=cast("QuoteAmount", row.cost_of_sold),
        carried=_carried(row.handed_on_quantity, row.handed_on_cost),
        kept=_carried(row.kept_quantity, row.kept_cost),
    )


def _carried(quantity: object, cost: object) -> Carried:
    return Carried(quantity=cast("BaseQty", quantity), cost=cast("QuoteAmount", cost))
