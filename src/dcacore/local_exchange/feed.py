"""What an account is told of itself: reports on its orders, its balances, what came in and went out.

Events are made when something happens and handed out when all of it is done, so that whoever then asks by REST sees
at least what the events say (user-data-stream.md).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import attrs

from dcacore.adapters.simulated.account import Account
from dcacore.adapters.simulated.books import KeptOrder
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.ids import AccountId
from dcacore.domain.orders import Side
from dcacore.domain.venue import Trade
from dcacore.local_exchange.clock import ServerClock, to_ms
from dcacore.local_exchange.errors import ApiError
from dcacore.local_exchange.formats import amount
from dcacore.local_exchange.limits import Limits
from dcacore.local_exchange.market.tape import PublicTrade, Tape
from dcacore.local_exchange.shapes.reports import execution_report, position, what_happened
from dcacore.ports.exchange import AccountEvent, OrderChanged

Event = dict[str, Any]
Later = Callable[[Callable[[], None]], object]
Hearer = Callable[[str, list[Event]], None]


@attrs.define
class _Waiting:
    """What has happened to an account and has not been told."""

    events: list[Event] = attrs.field(factory=list)
    assets: dict[str, None] = attrs.field(factory=dict)


class Feed:
    """The events of all accounts.

    Attributes:
        executions: how many reports there have been.
        hearers: who hears them, with the account's key.
        keep: writes what has happened to disk, before anybody is told; nothing unless it is set.
        later: calls something when what is going on now is done; at once unless there is an event loop.
    """

    def __init__(self, venue: SimulatedVenue, tape: Tape, clock: ServerClock, limits: Limits) -> None:
        self._venue, self._tape, self._clock, self._limits = venue, tape, clock, limits
        self.executions = 0
        self.hearers: list[Hearer] = []
        self.keep: Callable[[], None] | None = None
        self.later: Later | None = None
        self._waiting: dict[str, _Waiting] = {}
        self._known: set[str] = set()
        self._cancel_id: str | None = None

    def attach(self, account: Account) -> None:
        """Listen to an account."""
        self._known.update(account.open)
        account.listeners.append(lambda event: self._heard(account, event))

    def forget(self) -> None:
        """Begin anew: what is untold is never told, and an order that bears the number of a forgotten one is new."""
        self._waiting.clear()
        self._known.clear()

    @contextlib.contextmanager
    def cancelling(self, cancel_id: str) -> Iterator[None]:
        """Let reports of what is taken off meanwhile bear *cancel_id*."""
        self._cancel_id = cancel_id
        try:
            yield
        finally:
            self._cancel_id = None

    def transferred(self, account: Account, asset: str, change: Decimal) -> None:
        """Tell that *change* of an asset came in, or went out when it is below zero."""
        now = self._clock.ms()
        waiting = self._touch(account.name)
        waiting.events.append({"e": "balanceUpdate", "E": now, "a": asset, "d": amount(change), "T": now})
        waiting.assets[asset] = None

    def settle(self) -> None:
        """Hand out all that has not been told; nothing while it cannot be kept."""
        try:
            if self.keep is not None:
                self.keep()
        except ApiError:
            return
        while self._waiting:
            key, waiting = self._waiting.popitem()
            account = self._venue.account(AccountId(key))
            if waiting.assets:
                waiting.events.append(position(account, list(waiting.assets), self._clock.ms()))
            for hearer in self.hearers:
                hearer(key, waiting.events)

    def _touch(self, key: str) -> _Waiting:
        if not self._waiting and self.later is not None:
            self.later(self.settle)
        return self._waiting.setdefault(key, _Waiting())

    def _heard(self, account: Account, event: AccountEvent) -> None:
        if not isinstance(event, OrderChanged):
            return
        order = account.by_venue_id(event.pair, event.order.venue_order_id)
        if order is None:
            return
        waiting, market = self._touch(account.name), self._venue.pair(event.pair).market
        trade = event.order.trades[0] if event.order.trades else None
        happened = what_happened(order, trade, is_known=order.venue_order_id in self._known)
        self._known.add(order.venue_order_id)
        if order.venue_order_id not in account.open:
            self._known.discard(order.venue_order_id)
        self.executions += 1
        waiting.events.append(
            execution_report(
                order, trade, happened, execution=self.executions, now=self._clock.ms(), cancel_id=self._cancel_id
            )
        )
        waiting.assets |= dict.fromkeys((market.base_asset, market.quote_asset))
        if trade is None:
            self._tape.touched(event.pair)
        else:
            self._traded(account, order, trade)
            waiting.assets[trade.fee_asset] = None

    def _traded(self, account: Account, order: KeptOrder, trade: Trade) -> None:
        if order.executed == trade.quantity:  # its first one
            self._limits.filled(account.name, self._clock.ms())
        is_buyer_maker = (order.ticket.side is Side.BUY) == order.has_rested
        public = PublicTrade(int(trade.trade_id), to_ms(trade.at), trade.price, trade.quantity, is_buyer_maker)
        self._tape.traded(order.pair, public)
