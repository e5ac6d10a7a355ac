"""Working what the exchange reports into a deal: order states, fills, books."""

from __future__ import annotations

import datetime
from typing import Final, assert_never

import attrs

from dcacore.domain.books import Books
from dcacore.domain.bot import Cure, Phase, Step, TroubleKind
from dcacore.domain.deal import AT_MARKET, Deal
from dcacore.domain.events import Accepted, Adopted, Canceled, Expired, Filled, Lost, Refusal, Refused, Report
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import OrderId, attempt_in
from dcacore.domain.ladder import Rung
from dcacore.domain.money import NO_BASE
from dcacore.domain.orders import Order, OrderState, OrderStep, Role, Side
from dcacore.domain.turn import Turn, cancel
from dcacore.domain.words import describe

QUIET: Final = datetime.timedelta(seconds=5)
"""How long after a safety order's last partial fill the target follows it."""

HALTED: Final = "it goes on by itself when the exchange trades again"
COINS_ARE_GONE: Final = (
    "the account holds less than the deal bought: were coins sold or withdrawn? "
    "Buy them back and retry, close the deal as sold at the price you got, or cancel it"
)


@attrs.define
class _Draft:
    """What reports change of a deal, collected so that the deal is made anew once for all of them."""

    orders: dict[OrderId, Order]
    books: Books
    rungs: tuple[Rung, ...]
    waiting: tuple[Rung, ...]
    is_managed: bool
    has_bought: bool = False
    has_finished: bool = False


def learn(turn: Turn, deal: Deal, reports: tuple[Report, ...]) -> Deal:
    """Return the deal with *reports* worked in; those about orders it does not have change nothing."""
    draft = _Draft(dict(deal.orders), deal.books, deal.rungs, deal.waiting, deal.exit is None)
    adopted: list[Order] = []
    attempts = deal.attempts
    for report in reports:
        order = draft.orders.get(report.order_id)
        if order is not None:
            _learn_one(turn, draft, order, report)
        elif isinstance(report, Adopted) and (attempt := attempt_in(deal.id, report.order_id)) is not None:
            attempts = max(attempts, attempt)  # no id is used twice
            adopted.append(_adopt(draft, report.order))
    deal = evolve(deal, orders=draft.orders, books=draft.books, waiting=draft.waiting, attempts=attempts)
    if adopted:
        deal = _after_adoption(turn, deal, adopted)
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
        case Adopted():
            pass  # it is known already
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
    if order.is_cancelling:
        turn.has_freed = turn.has_freed or order.side is Side.SELL
        if draft.is_managed and not report.executed:
            _put_back(draft, order)
    elif order.price is not None or (order.side is Side.SELL and not report.executed):
        turn.note_trouble(
            TroubleKind.NEEDS_ATTENTION, f"{describe(order)} ended on the exchange without this bot's doing"
        )
    if not ended.is_live:
        _note_buy(draft, ended)


def _refuse(turn: Turn, draft: _Draft, order: Order, report: Refused) -> None:
    order.learned(OrderStep.REFUSED)
    if not order.is_cancelling:  # else it was to be taken off anyway
        _note_refusal(turn, order, report)
    del draft.orders[order.id]  # it never came to exist: its rung may be placed again
    _put_back(draft, order)


def _note_refusal(turn: Turn, order: Order, report: Refused) -> None:
    reason = f"{describe(order)}: {report.reason}"
    match report.refusal:
        case Refusal.HALTED:
            turn.note_trouble(TroubleKind.NEEDS_ATTENTION, f"{reason}; {HALTED}", Cure.TRADING)
        case _ if order.role is Role.EXTRA:
            pass  # what the user asked for by hand is not tried again, and keeps nothing else from going on
        case Refusal.BALANCE if order.side is Side.BUY:
            turn.note_trouble(TroubleKind.WAITING_FOR_BALANCE, reason, Cure.BALANCE)
        case Refusal.BALANCE:
            turn.note_trouble(TroubleKind.NEEDS_ATTENTION, f"{reason}; {COINS_ARE_GONE}", Cure.COINS)
        case Refusal.HELD if order.role in {Role.SAFETY, Role.TAKE_PROFIT} and order.price is not None:
            turn.hold_back(order.side, report.reason)
        case Refusal.RULE | Refusal.HELD:
            turn.note_trouble(TroubleKind.ERROR, reason)
        case Refusal.NOT_TRIED | Refusal.NOT_PLACED:
            pass
        case _:
            assert_never(report.refusal)


def _put_back(draft: _Draft, order: Order) -> None:
    """Let the rung of an order of which nothing has come wait for another, if the ladder still has it."""
    if 0 < order.rung <= len(draft.rungs):
        again = {rung.number: rung for rung in (*draft.waiting, draft.rungs[order.rung - 1])}
        draft.waiting = tuple(again[number] for number in sorted(again))


def _adopt(draft: _Draft, order: Order) -> Order:
    known = draft.orders[order.id] = evolve(
        order, state=OrderState.OPEN, fills=(), filled=NO_BASE, executed=None, is_cancelling=False
    )
    draft.waiting = tuple(rung for rung in draft.waiting if rung.number != order.rung)
    return known


def _after_adoption(turn: Turn, deal: Deal, adopted: list[Order]) -> Deal:
    """An exit that had begun goes on; what would rest beside a trail comes off."""
    known = [deal.orders[order.id] for order in adopted if order.id in deal.orders]  # with what was told of them since
    sells = [order for order in known if order.side is Side.SELL]
    exits = [
        reason for order in sells if order.price is None for reason in AT_MARKET if AT_MARKET[reason] is order.role
    ]
    if exits and deal.exit is None:
        deal = evolve(deal, exit=exits[0])
        if turn.bot.phase is not Phase.STARTING:
            turn.step(Step.EXIT)
    elif deal.strategy.trailing_deviation:
        deal = cancel(turn, deal, tuple(order for order in sells if order.is_live))
    return deal
