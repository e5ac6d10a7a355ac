"""A simulated exchange with books of its own: several accounts on several markets, over one matching core.

Synchronous, and without a clock or chance of its own: whoever builds it says what time it is, moves the prices, and
acts as the user and as the exchange's staff through `Hand` and `Staff`. Its rules are Binance's where they matter for
safety: an order id is unique among *open* orders only, a request that arrives after its deadline is refused, every
trade has a fee and a fee asset of its own. Errors are those of `dcacore.ports.errors`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Final

from dcacore.adapters.simulated.account import Account, Listener
from dcacore.adapters.simulated.books import Books, KeptOrder, Ticket
from dcacore.adapters.simulated.floor import Floor
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId, VenueStatus
from dcacore.ports.errors import BadCredentials, TooLate
from dcacore.ports.exchange import Balance, Listing

AHEAD: Final = datetime.timedelta(seconds=1)
"""How far in the future a request's time may lie."""
KEPT_UNFILLED: Final = datetime.timedelta(days=90)
"""How long an order that ended without a fill can be asked for."""
_DAY: Final = datetime.timedelta(days=1)


class SimulatedVenue(Floor):
    """The exchange, as requests reach it: each as one account."""

    def listing(self, pair: str) -> Listing:
        """Return the rules of *pair*, and whether it trades."""
        state = self.pair(pair)
        return Listing(state.market, is_trading=not state.is_halted)

    def price(self, pair: str) -> Price | None:
        """Return the last price."""
        return self.pair(pair).price

    def prices(self) -> Mapping[str, Price]:
        """Return the last price of every pair that has one."""
        return {pair: price for pair in self.pairs if (price := self.price(pair)) is not None}

    def listings(self) -> tuple[Listing, ...]:
        """Return every pair that takes orders now."""
        return tuple([listing for pair in self.pairs if (listing := self.listing(pair)).is_trading])

    def fees(self, account: AccountId, pair: str) -> Fees:
        """Return what the account pays on *pair*."""
        self.pair(pair)
        return self._signed(account).fees

    def balances(self, account: AccountId) -> Mapping[str, Balance]:
        """Return what the account holds."""
        return self._signed(account).balances()

    def place(
        self,
        account: AccountId,
        pair: str,
        ticket: Ticket,
        *,
        sent_at: datetime.datetime,
        recv_window: datetime.timedelta,
    ) -> VenueOrder:
        """Take an order; see `Exchange.place`."""
        now = self.now()
        if now - sent_at > recv_window or sent_at >= now + AHEAD:
            raise TooLate("Timestamp for this request is outside of the recvWindow.", -1021)
        return self.take(self._signed(account), pair, ticket)

    def cancel(self, account: AccountId, pair: str, order_id: OrderId) -> None:
        """Take an open order off; see `Exchange.cancel`."""
        held, state = self._signed(account), self.pair(pair)
        order = held.by_client_id(pair, order_id)
        self.take_off(held, state, order, VenueStatus.CANCELED)

    def find(
        self,
        account: AccountId,
        pair: str,
        *,
        order_id: OrderId | None = None,
        venue_order_id: VenueOrderId | None = None,
    ) -> VenueOrder | None:
        """Return how an order stands, without its trades; None for one that is not known, or known no more."""
        self.pair(pair)
        order = self._find(self._signed(account), pair, order_id, venue_order_id)
        if order is None:
            return None
        ended_empty = order.status is not VenueStatus.OPEN and not order.executed
        return None if ended_empty and self.now() - order.changed_at > KEPT_UNFILLED else order.told()

    def trades(
        self, account: AccountId, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        """Return trades, oldest first; see `Exchange.trades`."""
        self.pair(pair)
        trades = self._signed(account).trades(pair)
        if venue_order_id is not None:
            trades = [trade for trade in trades if trade.venue_order_id == venue_order_id]
        elif after is None:
            since = self.now() - _DAY
            trades = [trade for trade in trades if trade.at >= since]
        return tuple(trade for trade in trades if after is None or int(trade.trade_id) > int(after))

    def open_orders(self, account: AccountId, pair: str) -> tuple[VenueOrder, ...]:
        """Return the orders of *pair* that rest, oldest first."""
        self.pair(pair)
        return tuple(order.told() for order in self._signed(account).open.values() if order.pair == pair)

    def listen(self, account: AccountId, listener: Listener) -> Callable[[], None]:
        """Let *listener* hear what happens to the account's orders, until the returned function is called."""
        listeners = self.account(account).listeners
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    # -------------------------------------------------------------------------------------------------- for checks

    def books(self, account: AccountId) -> Books:
        """Return all that is known of an account."""
        return self.account(account).books()

    def past_books(self, account: AccountId) -> tuple[Books, ...]:
        """Return the books that resets have closed, oldest first."""
        return tuple(self.account(account).past)

    @property
    def pairs(self) -> tuple[str, ...]:
        """The markets that are listed."""
        return tuple(self._pairs)

    @property
    def accounts(self) -> tuple[AccountId, ...]:
        """The accounts."""
        return tuple(self._accounts)

    def _signed(self, account: AccountId) -> Account:
        held = self.account(account)
        if held.is_revoked:
            raise BadCredentials("Invalid API-key, IP, or permissions for action.")
        return held

    def _find(
        self, held: Account, pair: str, order_id: OrderId | None, venue_order_id: VenueOrderId | None
    ) -> KeptOrder | None:
        if venue_order_id is not None:
            return held.by_venue_id(pair, venue_order_id)
        return None if order_id is None else held.by_client_id(pair, order_id)
