"""What a simulated venue keeps, and what it shows of it: orders and trades for ever, and what was brought and taken."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import attrs

from dcacore.domain.ids import OrderId
from dcacore.domain.money import NO_BASE, BaseQty, Price, QuoteAmount
from dcacore.domain.orders import Order, Side
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId, VenueStatus
from dcacore.ports.exchange import Balance


class TimeInForce(Enum):
    """How long a limit order may rest."""

    GTC = "GTC"  # until it is cancelled
    IOC = "IOC"  # not at all: what does not fill at once expires
    FOK = "FOK"  # not at all: it fills whole at once, or expires


@attrs.frozen(kw_only=True)
class Ticket:
    """What a request to place an order says of it.

    Attributes:
        order_id: the client's id.
        side: buy or sell.
        quantity: base.
        price: the limit; None is a market order.
        time_in_force: how long it may rest, when it has a limit.
        is_maker_only: it is refused where it would fill at once.
        quote_amount: the sum in quote that *quantity* was made from, when the client gave one.
        labels: what else the client calls it, told back as it came.
    """

    order_id: OrderId
    side: Side
    quantity: BaseQty
    price: Price | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    is_maker_only: bool = False
    quote_amount: QuoteAmount | None = None
    labels: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def of(cls, order: Order) -> Ticket:
        """Return what goes out for *order*."""
        return cls(order_id=order.id, side=order.side, quantity=order.quantity, price=order.price)


@attrs.frozen(kw_only=True)
class BookedOrder:
    """An order that the venue took, as it stands.

    Attributes:
        pair: its market.
        order: as the exchange tells it, with all its trades.
        placed_at: when it was taken.
        changed_at: when something last happened to it.
        is_by_hand: whether the user placed it, and no bot.
    """

    pair: str
    order: VenueOrder
    placed_at: datetime.datetime
    changed_at: datetime.datetime
    is_by_hand: bool


@attrs.frozen
class BookedTrade:
    """A trade of *pair*."""

    pair: str
    trade: Trade


@attrs.frozen
class Transfer:
    """What was brought into an account; below zero, what was taken out."""

    at: datetime.datetime
    asset: str
    amount: Decimal


@attrs.frozen(kw_only=True)
class Books:
    """All that a venue knows of one account, for checks.

    Attributes:
        orders: every order that was ever taken, oldest first.
        trades: every trade, oldest first.
        balances: what the account holds.
        transfers: every deposit and withdrawal, the opening ones first.
    """

    orders: tuple[BookedOrder, ...]
    trades: tuple[BookedTrade, ...]
    balances: Mapping[str, Balance]
    transfers: tuple[Transfer, ...]


@attrs.define(kw_only=True)
class KeptOrder:
    """An order in the venue's own hands.

    Attributes:
        has_rested: it was a maker: its trades are at its own limit.
        amended: how often its quantity was lowered.
        is_prevented: it has ended, or will, because it met another order of its owner.
    """

    pair: str
    ticket: Ticket
    venue_order_id: VenueOrderId
    placed_at: datetime.datetime
    changed_at: datetime.datetime
    is_by_hand: bool
    status: VenueStatus = VenueStatus.OPEN
    executed: BaseQty = NO_BASE
    has_rested: bool = False
    amended: int = 0
    is_prevented: bool = False
    trades: list[Trade] = attrs.field(factory=list)

    def told(self, trades: tuple[Trade, ...] = ()) -> VenueOrder:
        """Return how it stands, with *trades* along."""
        return VenueOrder(
            order_id=self.ticket.order_id,
            venue_order_id=self.venue_order_id,
            side=self.ticket.side,
            quantity=self.ticket.quantity,
            price=self.ticket.price,
            status=self.status,
            executed=self.executed,
            trades=trades,
        )

    def booked(self) -> BookedOrder:
        """Return it as the books show it."""
        return BookedOrder(
            pair=self.pair,
            order=self.told(tuple(self.trades)),
            placed_at=self.placed_at,
            changed_at=self.changed_at,
            is_by_hand=self.is_by_hand,
        )
