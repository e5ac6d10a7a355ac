"""The collections of a `Work` that billing needs: customers, subscriptions, what has been told, bots that pause."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import Protocol

import attrs

from dcacore.domain.entitlement import Subscription
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.billing import BillingEvent


@attrs.frozen(kw_only=True)
class Customer:
    """A user who buys, or has begun to.

    Attributes:
        user_id: who.
        customer_id: what billing calls the user; empty until it has said so.
        checkout_id: the purchase begun last.
        begun_at: when that was.
        asked_at: when billing was last asked what the user has; None until then.
        warned: names what the user was last warned of, so that it is done once; empty until then.
    """

    user_id: UserId
    customer_id: str = ""
    checkout_id: str = ""
    begun_at: datetime.datetime
    asked_at: datetime.datetime | None = None
    warned: str = ""


class Customers(Protocol):
    """Who buys."""

    async def get(self, user_id: UserId) -> Customer | None:
        """Return the user as a customer; None when the user never was one."""

    async def by_customer_id(self, customer_id: str) -> Customer | None:
        """Return whom billing calls so; None when that is nobody here."""

    async def put(self, customer: Customer) -> None:
        """Store a customer in the place of what was known.

        Raises:
            Conflict: there is no such user, or billing calls another one so.
        """

    async def asked_before(
        self, at: datetime.datetime, *, now: datetime.datetime, limit: int = 100
    ) -> tuple[Customer, ...]:
        """Return customers about whom billing was last asked before *at*, or never: the longest ago first.

        One of whom it is noted that it was after *now* is among them, too: the clock was wrong then.
        """


class Subscriptions(Protocol):
    """What users pay for."""

    async def of(self, user_id: UserId) -> tuple[Subscription, ...]:
        """Return a user's subscriptions, by id."""

    async def put(self, user_id: UserId, subscription: Subscription) -> bool:
        """Store a subscription, unless a newer state of it is known or it is another user's; say whether it was stored.

        Raises:
            Conflict: there is no such user.
        """

    async def remove_others(self, user_id: UserId, ids: Collection[str], changed_before: datetime.datetime) -> int:
        """Forget the user's subscriptions but for these, and but for what has changed since; return how many."""

    async def falling_due(self, at: datetime.datetime) -> tuple[UserId, ...]:
        """Return the users who have a subscription that is past due, whose charge failed by *at*."""


@attrs.frozen(kw_only=True)
class Told:
    """An event as it lies in the inbox.

    Attributes:
        event: what was told.
        came_at: when it came first.
        tries: how often it was dealt with in vain.
        next_at: when it is to be dealt with; None when that is done.
    """

    event: BillingEvent
    came_at: datetime.datetime
    tries: int = 0
    next_at: datetime.datetime | None


class BillingInbox(Protocol):
    """What billing has told: stored when it comes, dealt with afterwards."""

    async def add(self, event: BillingEvent, body: bytes, at: datetime.datetime) -> bool:
        """Store an event with what it came as, due at once; say whether it is one that was not known by its id."""

    async def due(self, at: datetime.datetime, *, limit: int = 20) -> tuple[Told, ...]:
        """Return events that are to be dealt with by now, oldest first."""

    async def settle(self, event_id: str, at: datetime.datetime, outcome: str) -> None:
        """Note that an event has been dealt with, and what came of it."""

    async def put_off(self, event_id: str, until: datetime.datetime) -> None:
        """Note that an event was dealt with in vain, and is to be dealt with again."""

    async def forget_older(self, came_before: datetime.datetime) -> int:
        """Forget what was dealt with and came before this time; return how much."""


@attrs.frozen(kw_only=True)
class PlanPause:
    """That a bot pauses because the plan does not carry it.

    Attributes:
        since: since when.
        user_paused: whether its user had paused it before: then a larger plan does not start it.
    """

    since: datetime.datetime
    user_paused: bool = False


class PlanPauses(Protocol):
    """The bots that pause because the plan does not carry them any more, and which one its user wants to go on."""

    async def put(self, pauses: Mapping[BotId, PlanPause]) -> None:
        """Note that bots pause for the plan; of those that did before stays what is noted.

        Raises:
            Conflict: there is no such bot.
        """

    async def of(self, user_id: UserId) -> Mapping[BotId, PlanPause]:
        """Return which bots of a user pause for the plan, and how."""

    async def forget(self, bot_ids: Collection[BotId]) -> None:
        """Note that bots pause for the plan no more."""

    async def prefer(self, user_id: UserId, bot_id: BotId) -> None:
        """Note which bot its user wants to go on with a smaller plan.

        Raises:
            Conflict: there is no such user or bot.
        """

    async def preferred(self, user_id: UserId) -> BotId | None:
        """Return which bot its user wants to go on with a smaller plan; None when nothing was said, or it is gone."""
