"""Martingale arithmetic: where the safety orders lie, and the prices at which a deal is sold."""

from __future__ import annotations

from decimal import Decimal

import attrs

from dcacore.domain.books import Books
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import HUNDRED, BaseQty, Price, QuoteAmount, Quotient, exact, floor_to, whole
from dcacore.domain.orders import Order
from dcacore.domain.strategy import (
    LadderReference,
    Leg,
    QuantityRounding,
    StopLossBasis,
    Strategy,
    TakeProfitType,
    legs,
)


@attrs.frozen
class Rung:
    """A safety order with its place on the price grid.

    Attributes:
        number: which safety order it is, from 1; legs that cannot be placed are not counted.
        leg: its distance and size before rounding.
        price: quote per base, on the tick grid.
        quantity: base, on the step grid.
    """

    number: int
    leg: Leg
    price: Price
    quantity: BaseQty


@attrs.frozen
class LeftOut:
    """A safety order that is too small for the market, or has no price: it is never placed.

    Attributes:
        position: its place among all legs, from 1.
        leg: its distance and size.
        price: its price on the tick grid, maybe 0.
        quantity: its quantity on the step grid, maybe 0.
    """

    position: int
    leg: Leg
    price: Price
    quantity: BaseQty


@attrs.frozen
class Ladder:
    """All safety orders of a deal: those that are placed, nearest first, and those that are left out."""

    rungs: tuple[Rung, ...]
    left_out: tuple[LeftOut, ...] = ()


def buy_quantity(strategy: Strategy, market: Market, size: Decimal, price: Price) -> BaseQty:
    """Return how much base *size* quote buys at *price*, on the step grid; 0 where the price is 0."""
    if not price:
        return BaseQty(Decimal(0))
    quotient = Quotient(size, price)
    if strategy.quantity_rounding is QuantityRounding.UP:
        return BaseQty(quotient.ceil(market.step_size))
    return BaseQty(quotient.floor(market.step_size))


@exact
def build_ladder(strategy: Strategy, market: Market, reference: Quotient) -> Ladder:
    """Return the safety orders below *reference*.

    price_i = floor_tick(reference * (1 - deviation_i / 100)), quantity_i = size_i / price_i on the step grid.
    A leg whose price or quantity rounds to zero or that is below the market's minimum is left out, and the next
    one takes its place.
    """
    rungs: list[Rung] = []
    left_out: list[LeftOut] = []
    for position, leg in enumerate(legs(strategy), start=1):
        price = Price(reference.percent(HUNDRED - leg.deviation).floor(market.tick_size))
        quantity = buy_quantity(strategy, market, leg.size, price)
        if market.allows(price, quantity):
            rungs.append(Rung(len(rungs) + 1, leg, price, quantity))
        else:
            left_out.append(LeftOut(position, leg, price, quantity))
    return Ladder(tuple(rungs), tuple(left_out))


def reference_price(strategy: Strategy, base_order: Order) -> Quotient:
    """Return what the ladder hangs from, once the base order has filled: its average price, or its cost per unit."""
    if strategy.ladder_reference is LadderReference.COST:
        return Quotient(
            base_order.notional + base_order.quote_fee,
            base_order.filled - base_order.base_fee,
        )
    return Quotient(base_order.notional, base_order.filled)


@exact
def take_profit_price(strategy: Strategy, fees: Fees, market: Market, books: Books, base_order: Order) -> Price:
    """Return the lowest price on the tick grid that brings the target.

    Net: (spent + target) / (net * (1 - fee)); gross: (gross + target) / bought, the target being take_profit
    percent of all that was spent or of what the base order spent. A target that is trailed is sold by a taker. Ask only
    while something is held.
    """
    if strategy.take_profit_net:
        rate = fees.fee_taker if strategy.trailing_deviation else fees.fee_maker
        outlay, held = books.spent, books.net * (1 - rate)
        base_cost = QuoteAmount(base_order.notional + base_order.quote_fee)
    else:
        outlay, held, base_cost = books.gross, books.bought, base_order.notional
    cost = outlay if strategy.take_profit_type is TakeProfitType.TOTAL else base_cost
    wanted = outlay * HUNDRED + strategy.take_profit * cost
    target = Quotient(wanted, held * HUNDRED).ceil(market.tick_size)
    return Price(max(target, market.tick_size))  # earlier sells may have paid for the rest


@exact
def break_even_price(strategy: Strategy, fees: Fees, market: Market, books: Books) -> Price:
    """Return the lowest price on the tick grid at which selling all brings back what was spent, after all fees.

    The sale pays what a sale at the target would. Ask only while something is held.
    """
    rate = fees.fee_taker if strategy.trailing_deviation else fees.fee_maker
    return Price(max(Quotient(books.spent, books.net * (1 - rate)).ceil(market.tick_size), market.tick_size))


@exact
def stop_loss_price(strategy: Strategy, market: Market, books: Books, reference: Quotient) -> Price | None:
    """Return the price on the tick grid at which the deal is sold at a loss; None when there is no stop loss."""
    if not strategy.stop_loss:
        return None
    basis = reference if strategy.stop_loss_basis is StopLossBasis.BASE else books.average
    return Price(basis.percent(HUNDRED - strategy.stop_loss).floor(market.tick_size))


def trailing_exit_price(strategy: Strategy, market: Market, peak: Price) -> Price:
    """Return the price on the tick grid at which a trail that has seen *peak* is sold."""
    return Price(whole(peak).percent(HUNDRED - strategy.trailing_deviation).floor(market.tick_size))


def sellable(market: Market, net: BaseQty) -> BaseQty:
    """Return what of *net* can be sold, on the step grid; 0 where nothing is held."""
    return BaseQty(floor_to(net, market.step_size)) if net > 0 else BaseQty(Decimal(0))
