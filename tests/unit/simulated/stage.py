"""A simulated venue to begin with: one market at 100, one account of 1000, and a clock that both go by."""

from __future__ import annotations

import datetime
from decimal import Decimal

import attrs

from dcacore.adapters.simulated.books import Ticket
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Side
from dcacore.domain.venue import VenueOrder
from tests.strategies import MARKET
from tests.unit.simulated.clock import ManualClock

ME, OTHER = AccountId("me"), AccountId("other")
PAIR = MARKET.pair
WINDOW = datetime.timedelta(seconds=5)


@attrs.define
class Stage:
    """A venue with one market at 100, an account of 1000, and the clock that both go by."""

    clock: ManualClock
    venue: SimulatedVenue

    def buy(self, quantity: str, price: str | None = None, name: str = "it", account: AccountId = ME) -> VenueOrder:
        return self.order(Side.BUY, quantity, price, name, account)

    def sell(self, quantity: str, price: str | None = None, name: str = "it", account: AccountId = ME) -> VenueOrder:
        return self.order(Side.SELL, quantity, price, name, account)

    def order(self, side: Side, quantity: str, price: str | None, name: str, account: AccountId) -> VenueOrder:
        limit = None if price is None else Price(Decimal(price))
        ticket = Ticket(order_id=OrderId(name), side=side, quantity=BaseQty(Decimal(quantity)), price=limit)
        return self.venue.place(account, PAIR, ticket, sent_at=self.venue.now(), recv_window=WINDOW)

    def found(self, name: str = "it") -> VenueOrder | None:
        return self.venue.find(ME, PAIR, order_id=OrderId(name))

    def free(self, asset: str, account: AccountId = ME) -> Decimal:
        return self.venue.balances(account)[asset].free


def staged(*, pays_with: str | None = None, market: Market = MARKET, **holdings: str) -> Stage:
    clock = ManualClock()
    venue = SimulatedVenue(clock.now)
    venue.list_pair(market, Price(Decimal(100)))
    held = {"XYZ": Decimal(1000), **{asset: Decimal(amount) for asset, amount in holdings.items()}}
    venue.open_account(ME, held, Fees(), pays_with=pays_with)
    return Stage(clock, venue)
