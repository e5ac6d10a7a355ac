"""Working what the exchange reports into a deal: order states, fills, books."""

from __future__ import annotations

import datetime
from typing import Final, assert_never

from dcacore.domain.bot import TroubleKind
from dcacore.domain.deal import Deal
from dcacore.domain.events import Accepted, Canceled, Expired, Filled, Lost, Refusal, Refused, Report
from dcacore.domain.evolving import evolve
from dcacore.domain.orders import Order, OrderState, OrderStep, Role, Side
from dcacore.domain.turn import Turn, drop

QUIET: Final = datetime.timedelta(seconds=5)
"""How long after a safety order's last partial fill the target follows it."""


def learn(turn: Turn, deal: Deal, reports: tuple[Report, ...]) -> Deal:
    """Return the deal with *reports* worked in; those about orders it does not have change nothing."""
    for report in reports:
        order = deal.orders.get(report.order_id)
        if order is None:
            continue
        match report:
            case Accepted():
                deal = _with(deal, order.learned(OrderStep.ACCEPTED))
            case Lost():
                deal = _with(deal, order.learned(OrderStep.LOST))
            case Filled():
                deal = _fill(turn, deal, order, report)
            case Canceled() | Expired():
                deal = _end(turn, deal, order, report)
            case Refused():
                deal = _refuse(turn, deal, order, report)
            case _:
                assert_never(report)
    return deal


def _with(deal: Deal, order: Order) -> Deal:
    return evolve(deal, orders={**deal.orders, order.id: order})


def _fill(turn: Turn, deal: Deal, order: Order, report: Filled) -> Deal:
    if order.has(report.fill.trade_id):
        return deal
    order = order.with_fill(report.fill)
    deal = evolve(
        deal,
        orders={**deal.orders, order.id: order},
        books=deal.books.with_fill(order.side, report.fill),
    )
    return _after_buy(turn, deal, order) if order.side is Side.BUY else deal


def _after_buy(turn: Turn, deal: Deal, order: Order) -> Deal:
    """A buy disarms the trail; the target follows when the order is over, or after a while without a fill."""
    turn.stop_waiting()
    if order.is_live:
        return evolve(deal, peak=None, stop_loss_price=None, retarget_at=turn.at + QUIET)
    return evolve(deal, peak=None, stop_loss_price=None, retarget_at=None, take_profit_price=None)


def _end(turn: Turn, deal: Deal, order: Order, report: Canceled | Expired) -> Deal:
    was_over = order.state in (OrderState.CANCELED, OrderState.EXPIRED, OrderState.FILLED)
    step = OrderStep.CANCELED if isinstance(report, Canceled) else OrderStep.EXPIRED
    ended = evolve(order.learned(step), executed=report.executed)
    deal = _with(deal, ended)
    if was_over:
        return deal
    if not order.is_cancelling and (order.price is not None or (order.side is Side.SELL and not report.executed)):
        turn.trouble(TroubleKind.NEEDS_ATTENTION, f"{describe(order)} ended on the exchange without this bot's doing")
    if order.side is Side.BUY and order.filled and not ended.is_live:
        return _after_buy(turn, deal, ended)
    return deal


def _refuse(turn: Turn, deal: Deal, order: Order, report: Refused) -> Deal:
    order.learned(OrderStep.REFUSED)
    match report.refusal:
        case Refusal.BALANCE if order.side is Side.BUY:
            turn.trouble(TroubleKind.WAITING_FOR_BALANCE, f"{describe(order)}: {report.reason}")
        case Refusal.BALANCE:
            turn.trouble(TroubleKind.NEEDS_ATTENTION, f"{describe(order)}: {report.reason}")
        case Refusal.RULE:
            turn.trouble(TroubleKind.ERROR, f"{describe(order)}: {report.reason}")
        case Refusal.NOT_TRIED | Refusal.NOT_PLACED:
            pass
        case _:
            assert_never(report.refusal)
    return drop(deal, order.id)


def describe(order: Order) -> str:
    """Return the words a user reads for *order*."""
    return f"safety order {order.rung}" if order.role is Role.SAFETY else f"{order.role.value.replace('_', ' ')} order"
