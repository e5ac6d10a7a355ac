"""What a market allows, and what trading on it costs."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import attrs

from dcacore.domain.money import NO_BASE, NO_QUOTE, BaseQty, Price, QuoteAmount, Quotient, down8
from dcacore.domain.numbers import above, as_member, as_number, at_least, below, named, one_of, rule


@attrs.frozen(kw_only=True)
class Market:
    """The rules of one trading pair. Every number may be given as `Decimal`, `int` or text.

    Attributes:
        pair: the exchange's symbol, such as BTCUSDT.
        base_asset: what is bought and sold.
        quote_asset: what is paid with.
        tick_size: prices are multiples of it.
        step_size: order quantities are multiples of it.
        min_notional: least price x quantity of an order, in quote.
        min_quantity: least quantity of an order, in base; the step size unless given.

    Raises:
        InvalidParameter: a number is out of range, or no number.
    """

    pair: str = attrs.field(validator=named)
    base_asset: str = attrs.field(validator=named)
    quote_asset: str = attrs.field(validator=named)
    tick_size: Decimal = attrs.field(converter=as_number, validator=rule(above(0)))
    step_size: Decimal = attrs.field(converter=as_number, validator=rule(above(0)))
    min_notional: Decimal = attrs.field(default=Decimal(0), converter=as_number, validator=rule(at_least(0)))
    min_quantity: Decimal = attrs.field(converter=as_number, validator=rule(at_least(0)))

    @min_quantity.default
    def _one_step(self) -> Decimal:
        return self.step_size

    def allows(self, price: Decimal, quantity: Decimal) -> bool:
        """Say whether an order of *quantity* at *price* is large enough to be placed."""
        return quantity > 0 and quantity >= self.min_quantity and price * quantity >= self.min_notional

    def least_price(self, quantity: Decimal) -> Price | None:
        """Return the lowest price on the tick grid at which an order of *quantity* may be placed; None at no price."""
        if quantity <= 0 or quantity < self.min_quantity:
            return None
        return Price(max(self.tick_size, Quotient(self.min_notional, quantity).ceil(self.tick_size)))


class FeeAsset(Enum):
    """In which asset an account pays its fees: `received` (what the fill brings in) or always the `quote` asset."""

    RECEIVED = "received"
    QUOTE = "quote"


def _fee_asset(value: FeeAsset | str) -> FeeAsset:
    return as_member(FeeAsset, value)


@attrs.frozen(kw_only=True)
class Fees:
    """What an account pays for a fill, as fractions of it (0.001 is 0.1 %).

    Raises:
        InvalidParameter: a fee is no number, below 0, or 1 and more; the asset is neither of the two.
    """

    fee_maker: Decimal = attrs.field(
        default=Decimal("0.001"), converter=as_number, validator=rule(at_least(0), below(1))
    )
    fee_taker: Decimal = attrs.field(
        default=Decimal("0.001"), converter=as_number, validator=rule(at_least(0), below(1))
    )
    fee_asset: FeeAsset = attrs.field(default=FeeAsset.RECEIVED, converter=_fee_asset, validator=one_of(FeeAsset))

    def of_buy(self, price: Price, quantity: BaseQty, rate: Decimal) -> tuple[BaseQty, QuoteAmount]:
        """Return what a buy pays at *rate*: the fee in base and the fee in quote, one of them 0."""
        if self.fee_asset is FeeAsset.RECEIVED:
            return BaseQty(down8(quantity * rate)), NO_QUOTE
        return NO_BASE, QuoteAmount(down8(price * quantity * rate))

    def of_sell(self, price: Price, quantity: BaseQty, rate: Decimal) -> QuoteAmount:
        """Return what a sell pays at *rate*, in quote."""
        return QuoteAmount(down8(price * quantity * rate))
