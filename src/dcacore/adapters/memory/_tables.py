"""What a memory store holds. A work changes copies, made when it first writes; a commit puts them in place.

Deals are kept without their orders, and orders without their fills, as a database keeps them: what was not stored is
missing when it is read again.
"""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any, TypeVar

import attrs

from dcacore.domain.deal import Deal
from dcacore.domain.entitlement import Subscription
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, RequestId, UserId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.money import BaseQty, exact
from dcacore.domain.orders import Order
from dcacore.ports.backtests import BacktestRun, Outcome
from dcacore.ports.billing_store import Customer, PlanPause, Told
from dcacore.ports.errors import StoreError
from dcacore.ports.identity import (
    ApiToken,
    Digest,
    Gathered,
    MailLink,
    Occasion,
    Preferences,
    QueuedMail,
    Tries,
    UserSession,
)
from dcacore.ports.records import (
    Account,
    Activity,
    BookedFill,
    BotRecord,
    EngineRecord,
    Lease,
    Lifetime,
    LiveConfirmation,
    Notification,
    Reconciliation,
    Request,
    User,
)
from dcacore.ports.signals import SignalKey

K = TypeVar("K")
V = TypeVar("V")
TradeKey = tuple[AccountId, str, str, OrderId]
DayKey = tuple[BotId, str, datetime.date]
NEVER_PLACED = frozenset({IntentState.REJECTED, IntentState.NOT_PLACED})


@attrs.frozen
class StoredDeal:
    """A deal without its orders; one that is dropped came to nothing."""

    bot_id: BotId
    deal: Deal
    is_dropped: bool = False


@attrs.frozen
class StoredLease:
    """A lease, and when it runs out."""

    lease: Lease
    expires_at: datetime.datetime


@attrs.frozen
class StoredRun:
    """A backtest, and what came of it."""

    run: BacktestRun
    outcome: Outcome | None = None


@attrs.define
class Tables:
    """All that is stored; bots without their deals, deals and orders as said above.

    `open_deals`, `deal_orders` and `order_fills` find things by what they belong to.
    """

    users: dict[UserId, User] = attrs.field(factory=dict)
    accounts: dict[AccountId, Account] = attrs.field(factory=dict)
    bots: dict[BotId, BotRecord] = attrs.field(factory=dict)
    confirmations: dict[BotId, LiveConfirmation] = attrs.field(factory=dict)
    deals: dict[DealId, StoredDeal] = attrs.field(factory=dict)
    intents: dict[OrderId, Intent] = attrs.field(factory=dict)
    fills: dict[TradeKey, BookedFill] = attrs.field(factory=dict)
    requests: dict[RequestId, Request] = attrs.field(factory=dict)
    activity: dict[int, Activity] = attrs.field(factory=dict)
    notifications: dict[int, Notification] = attrs.field(factory=dict)
    reconciliations: dict[int, Reconciliation] = attrs.field(factory=dict)
    days: dict[DayKey, Lifetime] = attrs.field(factory=dict)
    leases: dict[BotId, StoredLease] = attrs.field(factory=dict)
    engines: dict[str, EngineRecord] = attrs.field(factory=dict)
    sessions: dict[Digest, UserSession] = attrs.field(factory=dict)
    mail_links: dict[Digest, MailLink] = attrs.field(factory=dict)
    tries: dict[str, Tries] = attrs.field(factory=dict)
    outbox: dict[str, QueuedMail] = attrs.field(factory=dict)
    gathered: dict[tuple[UserId, Occasion], Gathered] = attrs.field(factory=dict)
    api_tokens: dict[Digest, ApiToken] = attrs.field(factory=dict)
    wishes: dict[UserId, Preferences] = attrs.field(factory=dict)
    signals: dict[BotId, SignalKey] = attrs.field(factory=dict)
    backtests: dict[str, StoredRun] = attrs.field(factory=dict)
    customers: dict[UserId, Customer] = attrs.field(factory=dict)
    subscriptions: dict[str, tuple[UserId, Subscription]] = attrs.field(factory=dict)
    billing_events: dict[str, Told] = attrs.field(factory=dict)
    plan_pauses: dict[BotId, PlanPause] = attrs.field(factory=dict)
    plan_choices: dict[UserId, BotId] = attrs.field(factory=dict)
    open_deals: dict[BotId, DealId] = attrs.field(factory=dict)
    deal_orders: dict[DealId, tuple[OrderId, ...]] = attrs.field(factory=dict)
    order_fills: dict[OrderId, tuple[TradeKey, ...]] = attrs.field(factory=dict)


@attrs.define
class Draft:
    """The tables as one work sees and changes them.

    Attributes:
        tables: its own; each dictionary is shared with everybody until it is first written.
        dropped: the deals that bots have dropped in it.
        loose: the orders and deals that something has been stored for; they have to exist in the end.
    """

    tables: Tables
    is_reading: bool = False
    dropped: list[DealId] = attrs.field(factory=list)
    loose: set[OrderId | DealId] = attrs.field(factory=set)
    _own: set[int] = attrs.field(factory=set)

    def writable(self, table: dict[K, V]) -> dict[K, V]:
        """Return this work's own copy of *table*, one of `tables`."""
        if self.is_reading:
            raise StoreError("this work only reads")
        if id(table) in self._own:
            return table
        copy = dict(table)
        for field in attrs.fields(Tables):
            if getattr(self.tables, field.name) is table:
                setattr(self.tables, field.name, copy)
        self._own.add(id(copy))
        return copy

    @exact
    def order_with_fills(self, order: Order) -> Order:
        """Return *order* with what has been booked of it, in the order in which it was."""
        fills = tuple([self.tables.fills[key].fill for key in self.tables.order_fills.get(order.id, ())])
        return evolve(order, fills=fills, filled=BaseQty(sum([fill.quantity for fill in fills], Decimal(0))))

    def intent_with_fills(self, order_id: OrderId) -> Intent:
        """Return the intent as it is to be read."""
        intent = self.tables.intents[order_id]
        return evolve(intent, order=self.order_with_fills(intent.order))

    def deal_with_orders(self, deal: Deal) -> Deal:
        """Return *deal* with its orders: an open one with all that exist, an ended one with those that filled."""
        stored = [self.intent_with_fills(order_id) for order_id in self.tables.deal_orders.get(deal.id, ())]
        if deal.closed_at is None:
            kept = [intent.order for intent in stored if intent.state not in NEVER_PLACED]
        else:
            kept = [intent.order for intent in stored if intent.order.fills]
        return evolve(deal, orders={order.id: order for order in kept})


def sound(thing: Any) -> None:
    """Refuse what no database would take.

    Raises:
        StoreError: a time without a zone, or a number that is not finite.
    """
    for field in attrs.fields(type(thing)):
        value = getattr(thing, field.name)
        if isinstance(value, datetime.datetime) and value.tzinfo is None:
            raise StoreError(f"{value} cannot be stored: it has no time zone")
        if isinstance(value, Decimal) and not math.isfinite(value):
            raise StoreError(f"{value} cannot be stored: it is not finite")
