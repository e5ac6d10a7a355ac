"""The database as use cases and engine see it: transactions, and in them one collection a kind of record.

A `Work` is one transaction: what is done in it is stored when `commit` has returned, whole, and not at all otherwise.
Nothing waits for the network inside one. Every method of a work, and `Store.begin`, may raise `StoreUnavailable`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, RequestId, UserId
from dcacore.domain.intents import Intent
from dcacore.ports.backtests import BacktestRuns
from dcacore.ports.billing_store import BillingInbox, Customers, PlanPauses, Subscriptions
from dcacore.ports.census import Census
from dcacore.ports.health import Health
from dcacore.ports.identity_store import ApiTokens, GatheredNews, MailLinks, Outbox, Sessions, Throttle, Wishes
from dcacore.ports.readings import DayProfit, DealPage, DealQuery, LineFilter, Offset, Pulse
from dcacore.ports.records import (
    Account,
    Activity,
    BookedFill,
    BotRecord,
    DayTotal,
    DealRecord,
    EngineRecord,
    Environment,
    Lease,
    Lifetime,
    LiveConfirmation,
    Notification,
    Reconciliation,
    Request,
    User,
)
from dcacore.ports.results import ClosedDeal
from dcacore.ports.signals import Signals


class Users(Protocol):
    """The users."""

    async def add(self, user: User) -> None:
        """Store a new user.

        Raises:
            Conflict: the address is taken.
        """

    async def save(self, user: User) -> None:
        """Store what has changed of a user.

        Raises:
            Conflict: the address is taken.
        """

    async def get(self, user_id: UserId) -> User | None:
        """Return the user; None when there is none."""

    async def hold(self, user_id: UserId) -> User | None:
        """Return the user, as `get`; another work that holds the same one waits until this work has ended.

        What counts before it adds (how many bots a user has) holds the user first, or two could count alike.
        """

    async def by_email(self, email: str) -> User | None:
        """Return the user with this address, upper and lower case alike; None when there is none."""

    async def all(self) -> tuple[User, ...]:
        """Return all users, oldest first."""

    async def hold_administrators(self) -> tuple[User, ...]:
        """Return the administrators, by id, each held as by `hold`; hold them before any other user."""

    async def remove(self, user_id: UserId) -> None:
        """Forget a user with all that is the user's, but for bots and accounts; those are removed before.

        Raises:
            Conflict: bots or accounts belong to the user.
        """


class Accounts(Protocol):
    """The exchange accounts."""

    async def add(self, account: Account) -> None:
        """Store a new account.

        Raises:
            Conflict: the owner has one of that name.
        """

    async def save(self, account: Account) -> None:
        """Store what has changed of an account."""

    async def get(self, account_id: AccountId) -> Account | None:
        """Return the account; None when there is none."""

    async def hold(self, account_id: AccountId) -> Account | None:
        """Return the account as `get` does, and let nobody else hold or change it before this work has ended."""

    async def of(self, user_id: UserId) -> tuple[Account, ...]:
        """Return a user's accounts, by name."""

    async def all(self) -> tuple[Account, ...]:
        """Return every account; for the rotation of keys."""

    async def keyed(self) -> Mapping[AccountId, datetime.datetime | None]:
        """Return since when each account has its key; None for one that never had another."""

    async def remove(self, account_id: AccountId) -> None:
        """Forget an account.

        Raises:
            Conflict: bots belong to it.
        """


class Bots(Protocol):
    """The bots, each with its open deal and that deal's orders and fills."""

    async def add(self, record: BotRecord) -> None:
        """Store a new bot.

        Raises:
            Conflict: the owner has one of that name.
        """

    async def get(self, bot_id: BotId) -> BotRecord | None:
        """Return the bot; None when there is none."""

    async def of(self, user_id: UserId) -> tuple[BotRecord, ...]:
        """Return a user's bots, oldest first."""

    async def load(self, bot_ids: Iterable[BotId]) -> tuple[BotRecord, ...]:
        """Return these bots, those that exist, in a few queries however many they are."""

    async def to_run(self) -> tuple[BotId, ...]:
        """Return the bots that an engine must act for: not stopped, or with a request that waits; oldest first."""

    async def save(self, bot: Bot) -> None:
        """Store a bot's state and its open deal, whose orders and fills are stored by `Intents` and `Fills`.

        Raises:
            Conflict: the bot has another open deal.
        """

    async def rename(self, bot_id: BotId, name: str) -> None:
        """Give a bot another name.

        Raises:
            Conflict: the owner has one of that name.
        """

    async def confirm_live(self, confirmation: LiveConfirmation) -> None:
        """Store that a bot may spend real money, in the place of what was confirmed before.

        Raises:
            Conflict: there is no such bot, or no such user.
        """

    async def live_confirmation(self, bot_id: BotId) -> LiveConfirmation | None:
        """Return the word that the bot may spend real money; None when nobody has given it."""

    async def remove(self, bot_id: BotId) -> None:
        """Forget a bot with all its history. The caller has seen that nothing of it is open."""


class Deals(Protocol):
    """The deals."""

    async def end(self, bot_id: BotId, deal: Deal) -> None:
        """Store how a deal ended, and add it to the bot's lifetime and to the day's totals; a second time does nothing.

        A deal that was cancelled counts in neither.
        """

    async def get(self, deal_id: DealId) -> DealRecord | None:
        """Return the deal with all its orders and fills; None when there is none."""

    async def of(self, bot_ids: Iterable[BotId], *, limit: int = 100, skip: int = 0) -> tuple[DealRecord, ...]:
        """Return the newest deals of these bots, open ones first, then by the time they closed.

        Args:
            limit: how many at most.
            skip: leave out so many first; for pages.
        """

    async def page(self, query: DealQuery) -> DealPage:
        """Return the deals that fit, as many as are asked for, and how many there are."""

    async def ended(
        self,
        bot_id: BotId,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        after: DealRecord | None = None,
        limit: int = 100,
    ) -> tuple[DealRecord, ...]:
        """Return deals of a bot that have closed or been cancelled, oldest end first; for reading all, bit by bit.

        Args:
            bot_id: which bot.
            since: leave out what ended before.
            until: leave out what ended then or later.
            after: go on behind this one.
            limit: how many at most.
        """

    async def totals(
        self,
        bot_ids: Iterable[BotId],
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Mapping[BotId, Lifetime]:
        """Return what the deals came to that closed from *since* on and before *until*; bots without any are left out.

        None is without limit. Deals that were cancelled do not count.
        """

    async def first_closed(self, bot_ids: Iterable[BotId], since: datetime.datetime) -> Mapping[BotId, ClosedDeal]:
        """Return of each of these bots the deal that closed first from *since* on, those that were cancelled aside.

        A bot has one deal at a time, so no other one of those that closed later was open before *since*.
        """

    async def by_day(
        self, bot_ids: Iterable[BotId], offsets: Sequence[Offset], *, first: datetime.date, last: datetime.date
    ) -> tuple[DayProfit, ...]:
        """Return what the deals of these bots brought by the day on which they closed, by day and bot.

        Args:
            bot_ids: which bots.
            offsets: how far the clocks that say which day it is are ahead of UTC, oldest first, at least one.
            first: the first day, by those clocks.
            last: the last day, which still counts. Days without a closed deal are left out.
        """


class Intents(Protocol):
    """The orders, from decision to end."""

    async def save(self, intents: Sequence[Intent]) -> None:
        """Store new intents, and what has changed of known ones; fills are stored by `Fills`."""

    async def mark(self, intent: Intent) -> None:
        """Store that a planned order is being sent; the last word before the wire, said once for each order.

        Raises:
            Conflict: what is stored of it is not planned any more: somebody has sent it, or taken it back.
        """

    async def get(self, order_id: OrderId) -> Intent | None:
        """Return the intent with its fills; None when there is none."""

    async def unsettled(self, bot_ids: Iterable[BotId]) -> tuple[Intent, ...]:
        """Return the intents of these bots that have not ended, with their fills, oldest first."""

    async def of_deal(self, deal_id: DealId) -> tuple[Intent, ...]:
        """Return all intents of a deal with their fills, refused ones too, oldest first."""


class Fills(Protocol):
    """The fills: the ledger."""

    async def add(self, fills: Sequence[BookedFill]) -> None:
        """Store fills; one whose account, pair, trade id and order is there already is left as it is."""

    async def newest(self, account_id: AccountId, pair: str, *, before: datetime.datetime | None = None) -> str | None:
        """Return the highest trade id booked on an account's pair (ids are compared as numbers); None without one.

        Args:
            account_id: the account.
            pair: the market.
            before: leave out trades from this time on.
        """


class Requests(Protocol):
    """What users have asked of bots."""

    async def add(self, request: Request) -> None:
        """Store a request.

        Raises:
            Conflict: there is no such bot.
        """

    async def get(self, request_id: RequestId) -> Request | None:
        """Return the request; None when there is none."""

    async def waiting(self) -> tuple[Request, ...]:
        """Return the requests that have not been dealt with, of all bots, in the order in which they were asked."""

    async def settle(self, request_id: RequestId, at: datetime.datetime, refusal: str = "") -> None:
        """Note that a request has been dealt with, or why not; a second time changes nothing."""


class Feed(Protocol):
    """What people read: activity, notifications, reconciliations, totals."""

    async def add_activity(self, lines: Sequence[Activity]) -> None:
        """Store lines of activity."""

    async def activity(
        self, user_id: UserId, *, bot_id: BotId | None = None, limit: int = 100, before: int | None = None
    ) -> tuple[Activity, ...]:
        """Return a user's newest lines, or those of one of the bots, newest first; *before*: only lower numbers."""

    async def lines(
        self, user_id: UserId, wanted: LineFilter, *, limit: int = 100, before: int | None = None
    ) -> tuple[Activity, ...]:
        """Return a user's newest lines that are wanted, newest first; *before*: only lower numbers."""

    async def add_notifications(self, notifications: Sequence[Notification]) -> None:
        """Store notifications."""

    async def notifications(
        self, user_id: UserId, *, limit: int = 100, before: int | None = None
    ) -> tuple[Notification, ...]:
        """Return a user's newest notifications, newest first; *before*: only lower numbers."""

    async def mark_read(self, user_id: UserId, at: datetime.datetime, *, number: int | None = None) -> None:
        """Note that the user has seen all notifications so far, or that one; another user's stay as they are."""

    async def pulse(self, user_id: UserId) -> Pulse:
        """Return by what can be seen that there is something new for the user."""

    async def add_reconciliation(self, found: Reconciliation) -> None:
        """Store what a comparison found."""

    async def reconciliations(self, account_id: AccountId, *, limit: int = 20) -> tuple[Reconciliation, ...]:
        """Return the newest comparisons of an account, newest first."""

    async def totals(self, bot_ids: Iterable[BotId]) -> tuple[DayTotal, ...]:
        """Return the totals of these bots by quote asset and day, oldest first."""


class Leases(Protocol):
    """Who acts for which bot, and which engines there are. All times are the database's own clock."""

    async def take(self, bot_ids: Sequence[BotId], owner: str, ttl: datetime.timedelta) -> tuple[Lease, ...]:
        """Take those of the bots whose lease is free or has run out, and return the leases, each with a new token."""

    async def renew(self, leases: Sequence[Lease], ttl: datetime.timedelta) -> tuple[Lease, ...]:
        """Prolong the leases that are still this owner's, and return those."""

    async def release(self, leases: Sequence[Lease]) -> None:
        """Give leases back; those that are not this owner's any more are left alone."""

    async def held(self) -> tuple[Lease, ...]:
        """Return the leases that have not run out."""

    async def report(self, name: str, bots: int) -> None:
        """Note that the engine *name* lives and acts for so many bots."""

    async def report_health(self, name: str, health: Mapping[Environment, Health]) -> None:
        """Note how the ways from the engine *name* to the exchanges are; of one that has not reported, nothing is."""

    async def engines(self, within: datetime.timedelta) -> tuple[EngineRecord, ...]:
        """Return the engines that have reported themselves within the time, by name."""

    async def forget(self, name: str) -> None:
        """Note that the engine *name* has ended."""


class Work(Protocol):
    """One transaction."""

    @property
    def users(self) -> Users: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def bots(self) -> Bots: ...
    @property
    def deals(self) -> Deals: ...
    @property
    def intents(self) -> Intents: ...
    @property
    def fills(self) -> Fills: ...
    @property
    def requests(self) -> Requests: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def mail_links(self) -> MailLinks: ...
    @property
    def throttle(self) -> Throttle: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def gathered(self) -> GatheredNews: ...
    @property
    def api_tokens(self) -> ApiTokens: ...
    @property
    def wishes(self) -> Wishes: ...
    @property
    def signals(self) -> Signals: ...
    @property
    def census(self) -> Census: ...
    @property
    def backtests(self) -> BacktestRuns: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def billing_inbox(self) -> BillingInbox: ...
    @property
    def plan_pauses(self) -> PlanPauses: ...

    async def commit(self) -> None:
        """Store everything, synced to disk; a work that ends without it leaves no trace.

        Raises:
            StoreUnavailable: it is not known to be stored: read again before going on.
        """


class Store(Protocol):
    """A database."""

    def begin(self, lease: Lease | None = None, *, reads_only: bool = False) -> AbstractAsyncContextManager[Work]:
        """Begin a transaction; with *lease*, one that another owner's newer token makes impossible.

        Args:
            lease: the right to act for the bot that is written of.
            reads_only: nothing will be written; where only one can write at a time, such a work holds nobody up.

        Raises:
            LeaseLost: another engine has taken the bot since.
        """

    async def check(self) -> None:
        """See that the database can be used.

        Raises:
            SchemaMismatch: its schema is older or newer than this program, with what to do.
            StoreUnavailable: it cannot be reached.
        """

    async def epoch(self) -> str:
        """Return the database's own six characters (a-z, 2-7), drawn once; they are part of every client order id."""

    async def close(self) -> None:
        """Let go of the database."""
