"""What happened to a deal in one decision, in sentences for people."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from dcacore.domain.books import Result
from dcacore.domain.commands import Place
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.engine import Decision
from dcacore.domain.events import CoinsMissing, EditDealRequested, Event, Refusal, Refused, Reported, RulesRead
from dcacore.domain.ladder import trailing_exit_price
from dcacore.domain.money import BaseQty, plain
from dcacore.domain.notes import Kind, Note, note
from dcacore.domain.orders import Order, OrderState, Role, Side
from dcacore.domain.watch import held_rung
from dcacore.domain.words import (
    EXIT_WORDS,
    average,
    changes_between,
    describe,
    describe_in,
    in_base,
    in_quote,
    lasting,
)

_FILLED: Final = {
    Role.BASE: Kind.BASE_ORDER_FILLED,
    Role.SAFETY: Kind.SAFETY_ORDER_FILLED,
    Role.EXTRA: Kind.EXTRA_BUY,
}

_EXITS: Final = {
    Exit.STOP_LOSS: Kind.STOP_LOSS_HIT,
    Exit.TRAILING_TAKE_PROFIT: Kind.TRAIL_HIT,
    Exit.CLOSE: Kind.DEAL_CLOSING,
    Exit.CANCEL: Kind.DEAL_CLOSING,
    Exit.SOLD_BY_HAND: Kind.DEAL_CLOSING,
}

_NOT_PLACED: Final = {Refusal.NOT_PLACED: "was not placed", Refusal.HELD: "is held back"}


def tell_opening(deal: Deal) -> Note:
    """Return the note of a deal that has just been opened."""
    order, market = deal.base_order, deal.market
    quantity = in_base(market, order.quantity) if order is not None else "nothing"
    text = f"deal {deal.number} opens: buys {quantity} at market, where the price is {plain(deal.opened_price)}"
    return note(Kind.DEAL_OPENED, text, deal_id=deal.id)


def tell_deal(old: Deal, event: Event, decision: Decision) -> Iterator[Note]:
    """Yield what happened to the deal that was *old* before *event*."""
    new = decision.bot.deal
    if new is None or new.id != old.id:
        new = decision.ended
    if isinstance(event, Reported):
        yield from _refusals(old, event)
    if new is None:
        text = f"deal {old.number} was not opened: its base order bought nothing"
        yield note(Kind.DEAL_NOT_OPENED, text, deal_id=old.id)
        return
    yield from _edits(old, event, new)
    if isinstance(event, CoinsMissing) and new.books.gone > old.books.gone:
        yield _missing(new, BaseQty(new.books.gone - old.books.gone))
    yield from _orders(old, new)
    if new.closed_at is None:
        yield from _aims(old, event, new)
    yield from _placed(new, decision)
    if new.rungs and not old.rungs and new.closed_at is None and (why := held_rung(decision.bot, new)) is not None:
        yield note(Kind.ORDER_HELD, f"safety orders are held back from here on: {why}", deal_id=new.id)
    yield from _exit(old, new, decision)
    if new.closed_at is not None and new.result is not None:
        yield _ending(new, new.result, new.closed_at)


def _refusals(deal: Deal, event: Reported) -> Iterator[Note]:
    for report in event.reports:
        order = deal.orders.get(report.order_id)
        if order is not None and isinstance(report, Refused) and report.refusal is not Refusal.NOT_TRIED:
            kind = Kind.ORDER_HELD if report.refusal is Refusal.HELD else Kind.ORDER_REFUSED
            text = f"{describe_in(deal, order)} {_NOT_PLACED.get(report.refusal, 'was refused')}: {report.reason}"
            yield note(kind, text, deal_id=deal.id, order_id=order.id)


def _missing(deal: Deal, quantity: BaseQty) -> Note:
    missing = in_base(deal.market, quantity)
    text = f"{missing} that the deal held are not in the account any more: it sells what is there, and bears their cost"
    return note(Kind.COINS_MISSING, text, deal_id=deal.id)


def _edits(old: Deal, event: Event, new: Deal) -> Iterator[Note]:
    if isinstance(event, EditDealRequested) and (changes := changes_between(old.strategy, new.strategy)):
        yield note(Kind.DEAL_EDITED, f"deal {new.number} changed by its user: {changes}", deal_id=new.id)


# ------------------------------------------------------------------------------------------------------------ orders


def _orders(old: Deal, new: Deal) -> Iterator[Note]:
    for order in new.orders.values():
        before = old.orders.get(order.id)
        if before is not order:
            yield from _order(new, before, order)


def _order(deal: Deal, before: Order | None, order: Order) -> Iterator[Note]:
    name = describe_in(deal, order)
    if before is None and order.state is not OrderState.PLANNED:
        text = f"{name} was found on the exchange and taken over: {order.id}"
        yield note(Kind.ORDER_ADOPTED, text, deal_id=deal.id, order_id=order.id)
    if order.filled > (before.filled if before is not None else 0):
        yield _fill(deal, order, name)
    elif before is not None and before.is_live and not order.is_live and order.filled and order.side is Side.BUY:
        yield _fill(deal, order, name)  # its end has been told after its fills
    elif before is not None and _ended_for_nothing(before, order):
        text = f"{name} ended without a fill: {order.state.value}"
        yield note(Kind.ORDER_ENDED, text, deal_id=deal.id, order_id=order.id)
    if order.state is OrderState.UNKNOWN and (before is None or before.state is not OrderState.UNKNOWN):
        text = f"waiting for the exchange to confirm order {order.id} ({name})"
        yield note(Kind.ORDER_LOST, text, deal_id=deal.id, order_id=order.id)


def _ended_for_nothing(before: Order, order: Order) -> bool:
    return before.is_live and not order.is_live and not order.filled and not order.is_cancelling


def _fill(deal: Deal, order: Order, name: str) -> Note:
    market, books = deal.market, deal.books
    price, paid = average(order.notional, order.filled), in_quote(market, order.notional)
    bought = f"; average now {plain(books.average.rounded())}" if order.side is Side.BUY else ""
    share = "" if not order.remaining else f" in part, {plain(order.filled)} of {in_base(market, order.quantity)},"
    is_over = not order.is_live
    kind = _FILLED.get(order.role, Kind.SOLD) if is_over else Kind.PARTIAL_FILL
    text = f"{name} filled{share} at {price} for {paid}{bought}"
    return note(kind, text, deal_id=deal.id, order_id=order.id)


# ----------------------------------------------------------------------------------------------------------- targets


def _aims(old: Deal, event: Event, new: Deal) -> Iterator[Note]:
    because = _cause(old, event, new)
    target, stop = new.take_profit_price, new.stop_loss_price
    if target is not None and target != old.take_profit_price:
        before = f"moved from {plain(old.take_profit_price)}" if old.take_profit_price is not None else "set"
        yield note(Kind.TARGET_MOVED, f"target {before} to {plain(target)}{because}", deal_id=new.id)
    if stop is not None and stop != old.stop_loss_price:
        before = f"moved from {plain(old.stop_loss_price)}" if old.stop_loss_price is not None else "set"
        yield note(Kind.STOP_MOVED, f"stop loss {before} to {plain(stop)}{because}", deal_id=new.id)
    elif stop is None and old.strategy.stop_loss and not new.strategy.stop_loss:
        yield note(Kind.STOP_MOVED, "stop loss taken off", deal_id=new.id)
    if new.peak is not None and old.peak is None:
        sells_at = plain(trailing_exit_price(new.strategy, new.market, new.peak))
        text = f"trail armed at {plain(new.peak)}: sells when the price falls to {sells_at}, or from a new high"
        yield note(Kind.TRAIL_ARMED, text, deal_id=new.id)


def _cause(old: Deal, event: Event, new: Deal) -> str:
    if isinstance(event, EditDealRequested):
        return " because the deal was changed"
    if isinstance(event, RulesRead):
        return " because the market's rules changed"
    bought = [
        describe(order)
        for order in new.orders.values()
        if order.side is Side.BUY and order.filled and old.orders.get(order.id) is not order
    ]
    return f" because {' and '.join(bought)} filled" if bought else ""


def _placed(deal: Deal, decision: Decision) -> Iterator[Note]:
    for command in decision.commands:
        if not isinstance(command, Place) or command.order.id not in deal.orders:
            continue
        order, quantity = command.order, in_base(deal.market, command.order.quantity)
        if order.role is Role.TAKE_PROFIT and order.price is not None:
            text = f"take profit placed: sells {quantity} at {plain(order.price)}"
            yield note(Kind.TAKE_PROFIT_PLACED, text, deal_id=deal.id, order_id=order.id)
        elif order.role is Role.EXTRA:
            text = f"extra buy of {quantity} at market, as its user asked"
            yield note(Kind.EXTRA_BUY_PLACED, text, deal_id=deal.id, order_id=order.id)


# ------------------------------------------------------------------------------------------------------------ endings


def _exit(old: Deal, new: Deal, decision: Decision) -> Iterator[Note]:
    if new.exit is old.exit:
        return
    if new.exit is None:
        text = "coins came in after the sale: the deal goes on with a new target"
        yield note(Kind.DEAL_GOES_ON, text, deal_id=new.id)
        return
    kind = _EXITS.get(new.exit)
    if kind is not None and (old.exit is None or new.closed_at is None):
        yield note(kind, _WHY[new.exit].format(**_figures(new, decision)), deal_id=new.id)


_WHY: Final = {
    Exit.STOP_LOSS: "stop loss at {stop} reached, the price is {price}: what the deal holds is sold at market",
    Exit.TRAILING_TAKE_PROFIT: "the price has fallen from {peak} to {price}: what the deal holds is sold at market",
    Exit.CLOSE: "deal {number} is closed for its user: what it holds is sold at market",
    Exit.CANCEL: "deal {number} is canceled for its user: its orders are taken off, its coins stay in the account",
    Exit.SOLD_BY_HAND: "deal {number} is closed: its user has sold its coins by hand at {sold_at}, its orders come off",
}


def _figures(deal: Deal, decision: Decision) -> dict[str, str]:
    figures = {
        "stop": deal.stop_loss_price,
        "peak": deal.peak,
        "price": decision.bot.price,
        "sold_at": deal.sold_at,
    }
    known = {name: "an unknown price" if value is None else plain(value) for name, value in figures.items()}
    return {**known, "number": str(deal.number)}


def _ending(deal: Deal, result: Result, closed_at: datetime.datetime) -> Note:
    market, after = deal.market, lasting(closed_at - deal.opened_at)
    profit = f"profit {in_quote(market, result.profit)}"
    if deal.exit is Exit.CANCEL:
        kept = f"{in_base(market, result.kept.quantity)}, which cost {in_quote(market, result.kept.cost)},"
        text = f"deal {deal.number} canceled after {after}: {kept} stay in the account; {profit}"
        return note(Kind.DEAL_CANCELLED, text, deal_id=deal.id)
    by = "" if deal.exit is None else f" by {EXIT_WORDS[deal.exit]}"
    if deal.sold_at is not None:
        by += f" at {plain(deal.sold_at)} for {in_quote(market, deal.books.gone_for)}"
    oversold = f"; {in_base(market, deal.books.gone)} are lost" if deal.exit is Exit.RESET else ""
    if deal.exit is Exit.SOLD_BY_HAND and result.kept.quantity > 0:
        oversold = f"; {in_base(market, Decimal(result.kept.quantity))} bought meanwhile stay in the account"
    if result.kept.quantity < 0:
        oversold = f"; {in_base(market, Decimal(-result.kept.quantity))} more were sold than it held"
    return note(Kind.DEAL_CLOSED, f"deal {deal.number} closed{by} after {after}: {profit}{oversold}", deal_id=deal.id)
