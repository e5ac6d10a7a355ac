"""What an exchange says of orders and trades, in its own terms."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import Enum
from typing import NewType

import attrs

from dcacore.domain.ids import OrderId, TradeId
from dcacore.domain.market import Market
from dcacore.domain.money import NO_BASE, NO_QUOTE, BaseQty, Price, QuoteAmount, exact
from dcacore.domain.orders import Fill, Side

VenueOrderId = NewType("VenueOrderId", str)
"""Names an order to the exchange; known once it has accepted the order."""


class VenueStatus(Enum):
    """How the exchange says an order stands."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"  # ended by the exchange: a market order without enough to trade with, a crossing of own orders
    REJECTED = "rejected"  # taken in and then refused: it has not filled and never will
    OTHER = "other"  # a status that this program does not know: never taken for an end


@attrs.frozen(kw_only=True)
class Trade:
    """One trade of an order, as the exchange booked it.

    Attributes:
        trade_id: unique within the pair; ids grow.
        venue_order_id: the order's.
        order_id: our id of the order, where the source tells it.
        at: when.
        side: buy or sell.
        price: quote per base.
        quantity: base.
        fee: what was taken, in *fee_asset*.
        fee_asset: the asset of it.
        fee_rate: what one unit of a third *fee_asset* was worth in quote then; None when it is base or quote.
    """

    trade_id: TradeId
    venue_order_id: VenueOrderId
    order_id: OrderId | None = None
    at: datetime.datetime
    side: Side
    price: Price
    quantity: BaseQty
    fee: Decimal
    fee_asset: str
    fee_rate: Decimal | None = None

    @exact
    def fill(self, market: Market) -> Fill:
        """Return the trade as a deal books it: the fee in base, or in quote, or what it was worth in quote."""
        base_fee, quote_fee = NO_BASE, NO_QUOTE
        if self.fee_asset == market.base_asset and self.side is Side.BUY:
            base_fee = BaseQty(self.fee)
        elif self.fee_asset == market.quote_asset:
            quote_fee = QuoteAmount(self.fee)
        else:
            rate = self.price if self.fee_asset == market.base_asset else self.fee_rate or Decimal(0)
            quote_fee = QuoteAmount(self.fee * rate)
        return Fill(
            trade_id=self.trade_id,
            at=self.at,
            price=self.price,
            quantity=self.quantity,
            base_fee=base_fee,
            quote_fee=quote_fee,
        )


@attrs.frozen(kw_only=True)
class VenueOrder:
    """An order as the exchange has it.

    Attributes:
        order_id: the id it was placed under: ours, or whatever the user's own order bears.
        venue_order_id: the exchange's.
        side: buy or sell.
        quantity: base, as ordered.
        price: the limit; None is a market order.
        status: how it stands.
        executed: base that has filled.
        trades: those that came along; not necessarily all.
    """

    order_id: OrderId
    venue_order_id: VenueOrderId
    side: Side
    quantity: BaseQty
    price: Price | None = None
    status: VenueStatus
    executed: BaseQty = NO_BASE
    trades: tuple[Trade, ...] = ()
