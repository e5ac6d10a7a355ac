"""Who else acts on a simulated venue: the user by hand, and the exchange's own staff."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from dcacore.adapters.simulated.books import KeptOrder, Ticket
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.market import Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Side
from dcacore.domain.venue import VenueOrder, VenueOrderId, VenueStatus
from dcacore.ports.errors import NotAccepted


@attrs.define
class Hand:
    """The owner of *account*, at the exchange's own site: no key is needed there."""

    venue: SimulatedVenue
    account: AccountId

    def buy(self, pair: str, quantity: BaseQty, price: Price | None = None) -> VenueOrder:
        """Buy, at market unless there is a *price*."""
        return self._place(pair, Side.BUY, quantity, price)

    def sell(self, pair: str, quantity: BaseQty, price: Price | None = None) -> VenueOrder:
        """Sell, at market unless there is a *price*."""
        return self._place(pair, Side.SELL, quantity, price)

    def cancel(self, pair: str, venue_order_id: VenueOrderId) -> None:
        """Take an open order off, a bot's or one's own."""
        held = self.venue.account(self.account)
        order = held.by_venue_id(pair, venue_order_id)
        self.venue.take_off(held, self.venue.pair(pair), order, VenueStatus.CANCELED)

    def deposit(self, asset: str, amount: Decimal) -> None:
        """Bring *amount* in."""
        self.venue.account(self.account).transfer(asset, amount, self.venue.now())

    def withdraw(self, asset: str, amount: Decimal) -> None:
        """Take *amount* out."""
        self.venue.account(self.account).transfer(asset, -amount, self.venue.now())

    def _place(self, pair: str, side: Side, quantity: BaseQty, price: Price | None) -> VenueOrder:
        order_id = OrderId(f"web_{self.venue.orders_taken + 1}")
        ticket = Ticket(order_id=order_id, side=side, quantity=quantity, price=price)
        return self.venue.take(self.venue.account(self.account), pair, ticket, is_by_hand=True)


@attrs.define
class Staff:
    """Those who run the exchange."""

    venue: SimulatedVenue

    def change_rules(self, market: Market, *, most_open: int | None = None) -> None:
        """Give a listed pair other rules; what rests stays as it is."""
        most = self.venue.pair(market.pair).most_open if most_open is None else most_open
        self.venue.list_pair(market, most_open=most)

    def halt(self, pair: str) -> None:
        """Let the pair take no order and fill none."""
        self.venue.resume(pair, is_halted=True)

    def resume(self, pair: str) -> None:
        """Let the pair trade again; what its price has reached meanwhile fills."""
        self.venue.resume(pair, is_halted=False)

    def delist(self, pair: str) -> None:
        """Expire all orders of the pair, and know it no more."""
        for account in self.venue.accounts:
            for order in self._open(account, pair):
                self.expire(account, pair, order.venue_order_id)
        self.venue.unlist(pair)

    def expire(
        self, account: AccountId, pair: str, venue_order_id: VenueOrderId, *, is_prevented: bool = False
    ) -> None:
        """End an open order as the exchange does, for instance because it has met another one of its owner's."""
        held = self.venue.account(account)
        order = held.by_venue_id(pair, venue_order_id)
        if order is not None:
            order.is_prevented = is_prevented
        self.venue.take_off(held, self.venue.pair(pair), order, VenueStatus.EXPIRED)

    def fill_in_part(self, account: AccountId, pair: str, venue_order_id: VenueOrderId, quantity: BaseQty) -> None:
        """Fill *quantity*, at most what is left, of an open order at its own price, wherever the market stands."""
        held = self.venue.account(account)
        order = held.open.get(venue_order_id)
        if order is None or order.pair != pair:
            raise NotAccepted("Unknown order sent.", -2011)
        self.venue.fill_in_part(held, order, quantity)

    def thin_out(self, pair: str, share: Decimal, *, is_prevented: bool = False) -> None:
        """Let the next market order find only *share* of what it wants, 0 to 1; the rest of it expires.

        Where that *is_prevented*, it expires because it has met an order of the same account.
        """
        state = self.venue.pair(pair)
        state.found, state.prevents = share, is_prevented

    def revoke(self, account: AccountId) -> None:
        """Accept the account's key no more."""
        self.venue.account(account).is_revoked = True

    def restore(self, account: AccountId) -> None:
        """Accept the account's key again."""
        self.venue.account(account).is_revoked = False

    def disable(self, account: AccountId, *, is_disabled: bool = True) -> None:
        """Forbid the account to trade, or allow it again."""
        self.venue.account(account).is_disabled = is_disabled

    def reset(self, holdings: Mapping[AccountId, Mapping[str, Decimal]]) -> None:
        """Empty the exchange as a testnet is: orders and trades vanish without a word, accounts hold *holdings*.

        The numbers of orders and trades begin anew.
        """
        self.venue.orders_taken = 0
        for pair in self.venue.pairs:
            self.venue.pair(pair).trades = 0
        for account in self.venue.accounts:
            self.venue.account(account).reset(holdings.get(account, {}), self.venue.now())

    def _open(self, account: AccountId, pair: str) -> tuple[KeptOrder, ...]:
        return tuple(order for order in self.venue.account(account).open.values() if order.pair == pair)
