"""What a bot would do from a price on: its ladder row by row, and what about it deserves a warning."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import attrs

from dcacore.domain.books import Books
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import OrderId, TradeId
from dcacore.domain.ladder import (
    Ladder,
    LeftOut,
    break_even_price,
    build_ladder,
    buy_quantity,
    reference_price,
    sellable,
    stop_loss_price,
    take_profit_price,
)
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import HUNDRED, BaseQty, Price, QuoteAmount, Quotient, exact, plain
from dcacore.domain.numbers import Number, above, as_number, rule
from dcacore.domain.orders import Fill, Order, Role, Side
from dcacore.domain.strategy import Leg, Strategy, legs

_NOW: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@attrs.frozen(kw_only=True)
class LadderRow:
    """One order of a ladder, and how the deal stands after it has filled.

    Attributes:
        order: base, or safety with its number.
        deviation: percent below the reference price.
        price: quote per base; the base order's is the current price.
        size: quote, before rounding.
        quantity: base, on the step grid.
        total_spent: quote spent so far, fees in quote included.
        total_quantity: base bought so far, fees not taken off.
        average_price: of the buys so far, half-even at 8 decimals.
        take_profit_price: the target after this order.
        break_even_price: the lowest price at which a sale after this order brings back what was spent, fees paid.
        required_change: percent from this order's price up to the target, half-even at 8 decimals.
        stop_loss_price: the stop loss after this order; None without one.
    """

    order: str
    deviation: Decimal
    price: Price
    size: Decimal
    quantity: BaseQty
    total_spent: QuoteAmount
    total_quantity: BaseQty
    average_price: Decimal
    take_profit_price: Price
    break_even_price: Price
    required_change: Decimal
    stop_loss_price: Price | None = None

    @property
    @exact
    def cost(self) -> QuoteAmount:
        """What this order pays for its coins, in quote."""
        return QuoteAmount(self.price * self.quantity)


@attrs.frozen(kw_only=True)
class LadderPreview:
    """The whole ladder from one price on.

    Attributes:
        reference_price: what deviations are measured from; half-even at 8 decimals unless it lies on the tick grid.
        rows: the base order and every safety order that would be placed.
        warnings: what a user should know before starting such a bot.
    """

    reference_price: Decimal
    rows: tuple[LadderRow, ...]
    warnings: tuple[str, ...]


@attrs.frozen
class _Price:
    price: Decimal = attrs.field(converter=as_number, validator=rule(above(0)))


@exact
def check_placeable(strategy: Strategy, market: Market, price: Price) -> None:
    """Refuse a bot whose orders *market* does not take at *price*.

    Raises:
        InvalidParameter: the base order, or the size of the first safety order, is below the market's minimum.
    """
    if strategy.pair != market.pair:
        raise InvalidParameter("pair", strategy.pair, f"must be the market's, {market.pair}")
    quantity = buy_quantity(strategy, market, strategy.base_order_size, price)
    if not market.allows(price, quantity):
        raise InvalidParameter(
            "base_order_size",
            plain(strategy.base_order_size),
            f"buys {plain(quantity)} {market.base_asset} at {plain(price)}, worth {plain(price * quantity)}; "
            + _least(market),
        )
    if strategy.max_safety_orders:
        _check_safety_order(strategy, market, legs(strategy)[0], price)


def _check_safety_order(strategy: Strategy, market: Market, leg: Leg, price: Price) -> None:
    """The size itself is refused when it is too small; what only rounding makes too small is left out of the ladder."""
    first = Quotient(price, Decimal(1)).percent(HUNDRED - leg.deviation)
    buys_too_little = leg.size * first.denominator < market.min_quantity * first.numerator
    if leg.size < market.min_notional or buys_too_little:
        raise InvalidParameter(
            "safety_order_size", plain(strategy.safety_order_size), f"is too small for {market.pair}; {_least(market)}"
        )


def _least(market: Market) -> str:
    least = f"the market's least is {plain(market.min_quantity)} {market.base_asset}"
    return f"{least} and {plain(market.min_notional)} {market.quote_asset} an order"


@exact
def ladder(strategy: Strategy, price: Number, market: Market, fees: Fees | None = None) -> LadderPreview:
    """Return the ladder of a deal whose base order fills at *price*, with what follows from each further order.

    Raises:
        InvalidParameter: the price is not a multiple of the tick size, or the market would not take the orders.
    """
    fees = Fees() if fees is None else fees
    current = Price(_Price(price).price)
    if current % market.tick_size:
        raise InvalidParameter("price", plain(current), f"must be a multiple of tick_size {plain(market.tick_size)}")
    check_placeable(strategy, market, current)
    quantity = buy_quantity(strategy, market, strategy.base_order_size, current)
    base_order = _filled(Role.BASE, current, quantity, fees, fees.fee_taker)
    reference = reference_price(strategy, base_order)
    built = build_ladder(strategy, market, reference)
    rows = tuple(_rows(strategy, market, fees, base_order, built))
    return LadderPreview(
        reference_price=reference.price(market.tick_size),
        rows=rows,
        warnings=tuple(_warnings(market, fees, built.left_out, rows)),
    )


def _filled(role: Role, price: Price, quantity: BaseQty, fees: Fees, rate: Decimal) -> Order:
    base_fee, quote_fee = fees.of_buy(price, quantity, rate)
    fill = Fill(trade_id=TradeId(""), at=_NOW, price=price, quantity=quantity, base_fee=base_fee, quote_fee=quote_fee)
    return Order(id=OrderId(""), side=Side.BUY, role=role, quantity=quantity).with_fill(fill)


def _rows(strategy: Strategy, market: Market, fees: Fees, base_order: Order, built: Ladder) -> Iterator[LadderRow]:
    reference = reference_price(strategy, base_order)
    bought = [("base", Leg(Decimal(0), strategy.base_order_size), base_order)]
    for rung in built.rungs:
        order = _filled(Role.SAFETY, rung.price, rung.quantity, fees, fees.fee_maker)
        bought.append((f"safety {rung.number}", rung.leg, order))
    books = Books()
    for name, leg, order in bought:
        fill = order.fills[0]
        books = books.with_fill(Side.BUY, fill)
        target = take_profit_price(strategy, fees, market, books, base_order)
        yield LadderRow(
            order=name,
            deviation=leg.deviation,
            price=fill.price,
            size=leg.size,
            quantity=fill.quantity,
            total_spent=books.spent,
            total_quantity=books.bought,
            average_price=books.average.rounded(),
            take_profit_price=target,
            break_even_price=break_even_price(strategy, fees, market, books),
            required_change=Quotient((target - fill.price) * HUNDRED, fill.price).rounded(),
            stop_loss_price=stop_loss_price(strategy, market, books, reference),
        )


def _warnings(market: Market, fees: Fees, left_out: tuple[LeftOut, ...], rows: tuple[LadderRow, ...]) -> Iterator[str]:
    for gone in left_out:
        yield (
            f"safety order {gone.position} of the ladder ({plain(gone.leg.deviation)} % below) is left out: "
            f"{plain(gone.quantity)} {market.base_asset} at {plain(gone.price)} is too small for {market.pair}"
        )
    for row, following in itertools.pairwise(rows):
        stop = row.stop_loss_price
        if stop is not None and stop > following.price:
            yield (
                f"the stop loss at {plain(stop)} lies above {following.order.replace(' ', ' order ')} at "
                f"{plain(following.price)}: it sells before that order can fill"
            )
            break
    first = rows[0]
    held = BaseQty(first.quantity - fees.of_buy(first.price, first.quantity, fees.fee_taker)[0])
    if not market.allows(first.take_profit_price, sellable(market, held)):
        yield (
            f"after the base order alone {plain(held)} {market.base_asset} are held, too little to be sold: "
            "no take profit rests before a safety order fills"
        )
    gain = first.take_profit_price * held - fees.of_sell(first.take_profit_price, held, fees.fee_maker)
    if gain <= first.total_spent:
        yield (
            f"the target of {plain(first.take_profit_price)} does not pay for the fees of buying and selling: "
            "a deal that reaches it makes a loss"
        )
