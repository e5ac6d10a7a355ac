"""Working what the exchange reports into a deal: order states, fills, books."""

from __future__ import annotations

import datetime
from typing import Final, assert_never

import attrs

from dcacore.domain.books import Books
from dcacore.domain.bot import TroubleKind
from dcacore.domain.deal import Deal
from dcacore.domain.events import Accepted, Canceled, Expired, Filled, Lost, Refusal, Refused, Report
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import OrderId
from dcacore.domain.ladder import Rung
from dcacore.domain.orders import Order, OrderState, OrderStep, Role, Side
from dcacore.domain.turn import Turn

QUIET: Final = datetime.timedelta(seconds=5)
"""How long after a safety order's last partial fill the target follows it."""


@attrs.define
class _Draft:
    """What reports change of a deal, collected so that the deal is made anew once for all of them."""

    orders: dict[OrderId, Order]
    books: Books
    rungs: tuple[Rung, ...]
    waiting: tuple[Rung, ...]
    has_bought: bool = False
    has_finished: bool = False


def learn(turn: Turn, deal: Deal, reports: tuple[Report, ...]) -> Deal:
    """Return the deal with *reports* worked in; those about orders it does not have change nothing."""
    draft = _Draft(dict(deal.orders), deal.books, deal.rungs, deal.waiting)
    for report in reports:
        order = draft.orders.get(report.order_id)
        if order is not None:
            _learn_one(turn, draft, order, report)
    deal = evolve(deal, orders=draft.orders, books=draft.books, waiting=draft.waiting)
    return _after_buys(turn, deal, has_finished=draft.has_finished) if draft.has_bought else deal


def _learn_one(turn: Turn, draft: _Draft, order: Order, report: Report) -> None:
    match report:
        case Accepted():
            draft.orders[order.id] = order.learned(OrderStep.ACCEPTED)
        case Lost():
            draft.orders[order.id] = order.learned(OrderStep.LOST)
        case Filled():
            _fill(draft, order, report)
        case Canceled() | Expired():
            _end_order(turn, draft, order, report)
        case Refused():
            _refuse(turn, draft, order, report)
        case _:
            assert_never(report)


def _fill(draft: _Draft, order: Order, report: Filled) -> None:
    if order.has(report.fill.trade_id):
        return
    order = draft.orders[order.id] = order.with_fill(report.fill)
    draft.books = draft.books.with_fill(order.side, report.fill)
    _note_buy(draft, order)


def _note_buy(draft: _Draft, order: Order) -> None:
    if order.side is Side.BUY and order.filled:
        draft.has_bought = True
        draft.has_finished = draft.has_finished or not order.is_live


def _after_buys(turn: Turn, deal: Deal, *, has_finished: bool) -> Deal:
    """A buy disarms the trail; the target follows when an order is over, or after a while without a fill."""
    if not has_finished:
        return evolve(deal, peak=None, stop_loss_price=None, retarget_at=turn.at + QUIET)
    turn.stop_waiting()
    return evolve(deal, peak=None, stop_loss_price=None, retarget_at=None, take_profit_price=None)


def _end_order(turn: Turn, draft: _Draft, order: Order, report: Canceled | Expired) -> None:
    step = OrderStep.CANCELED if isinstance(report, Canceled) else OrderStep.EXPIRED
    ended = draft.orders[order.id] = order.ended(step, report.executed)
    if order.executed is not None or order.state is OrderState.FILLED:
        return  # told again
    is_market = order.price is None
    if not order.is_cancelling and not (is_market and (order.side is Side.BUY or report.executed)):
        turn.note_trouble(
            TroubleKind.NEEDS_ATTENTION, f"{describe(order)} ended on the exchange without this bot's doing"
        )
    if not ended.is_live:
        _note_buy(draft, ended)


def _refuse(turn: Turn, draft: _Draft, order: Order, report: Refused) -> None:
    order.learned(OrderStep.REFUSED)
    match report.refusal:
        case _ if order.is_cancelling:
            pass  # it was to be taken off anyway
        case Refusal.BALANCE if order.side is Side.BUY:
            turn.note_trouble(TroubleKind.WAITING_FOR_BALANCE, f"{describe(order)}: {report.reason}")
        case Refusal.BALANCE:
            turn.note_trouble(TroubleKind.NEEDS_ATTENTION, f"{describe(order)}: {report.reason}")
        case Refusal.RULE:
            turn.note_trouble(TroubleKind.ERROR, f"{describe(order)}: {report.reason}")
        case Refusal.NOT_TRIED | Refusal.NOT_PLACED:
            pass
        case _:
            assert_never(report.refusal)
    del draft.orders[order.id]  # it never came to exist: its rung may be placed again
    if order.rung:
        again = (*draft.waiting, draft.rungs[order.rung - 1])
        draft.waiting = tuple(sorted(again, key=lambda rung: rung.number))


def describe(order: Order) -> str:
    """Return the words a user reads for *order*."""
    return f"safety order {order.rung}" if order.role is Role.SAFETY else f"{order.role.value.replace('_', ' ')} order"
