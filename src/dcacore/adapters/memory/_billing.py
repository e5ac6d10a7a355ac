"""Who buys, what of it is known, and what billing has told."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping

import attrs

from dcacore.adapters.memory._tables import Draft, sound
from dcacore.domain.entitlement import Subscription, SubscriptionState
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.billing import BillingEvent
from dcacore.ports.billing_store import BillingInbox, Customer, Customers, PlanPause, PlanPauses, Subscriptions, Told
from dcacore.ports.errors import Conflict


@attrs.frozen
class MemoryCustomers(Customers):
    """Who buys."""

    draft: Draft

    async def get(self, user_id: UserId) -> Customer | None:
        return self.draft.tables.customers.get(user_id)

    async def by_customer_id(self, customer_id: str) -> Customer | None:
        all_ = self.draft.tables.customers.values()
        return next((it for it in all_ if it.customer_id == customer_id != ""), None)

    async def put(self, customer: Customer) -> None:
        tables = self.draft.tables
        sound(customer)
        other = await self.by_customer_id(customer.customer_id)
        if customer.user_id not in tables.users or (other is not None and other.user_id != customer.user_id):
            raise Conflict("there is no such user, or billing calls another one so")
        self.draft.writable(tables.customers)[customer.user_id] = customer

    async def asked_before(
        self, at: datetime.datetime, *, now: datetime.datetime, limit: int = 100
    ) -> tuple[Customer, ...]:
        never = datetime.datetime.min.replace(tzinfo=datetime.UTC)
        all_ = self.draft.tables.customers.values()
        due = [it for it in all_ if it.asked_at is None or it.asked_at < at or it.asked_at > now]
        return tuple(sorted(due, key=lambda it: (it.asked_at or never, it.user_id))[:limit])


@attrs.frozen
class MemorySubscriptions(Subscriptions):
    """What users pay for."""

    draft: Draft

    async def of(self, user_id: UserId) -> tuple[Subscription, ...]:
        mine = [it for owner, it in self.draft.tables.subscriptions.values() if owner == user_id]
        return tuple(sorted(mine, key=lambda it: it.id))

    async def put(self, user_id: UserId, subscription: Subscription) -> bool:
        tables = self.draft.tables
        sound(subscription)
        if user_id not in tables.users:
            raise Conflict("there is no such user")
        known = tables.subscriptions.get(subscription.id)
        if known is not None and (known[0] != user_id or known[1].changed_at > subscription.changed_at):
            return False
        self.draft.writable(tables.subscriptions)[subscription.id] = (user_id, subscription)
        return True

    async def remove_others(self, user_id: UserId, ids: Collection[str], changed_before: datetime.datetime) -> int:
        mine = await self.of(user_id)
        others = [it.id for it in mine if it.id not in ids and it.changed_at < changed_before]
        for subscription_id in others:
            del self.draft.writable(self.draft.tables.subscriptions)[subscription_id]
        return len(others)

    async def falling_due(self, at: datetime.datetime) -> tuple[UserId, ...]:
        due = {
            owner
            for owner, it in self.draft.tables.subscriptions.values()
            if it.state is SubscriptionState.PAST_DUE and (it.past_due_at or it.changed_at) <= at
        }
        return tuple(sorted(due))


@attrs.frozen
class MemoryBillingInbox(BillingInbox):
    """What billing has told."""

    draft: Draft

    async def add(self, event: BillingEvent, body: bytes, at: datetime.datetime) -> bool:  # noqa: ARG002  # of no use here
        tables, told = self.draft.tables, Told(event=event, came_at=at, next_at=at)
        sound(told)
        if event.id in tables.billing_events:
            return False
        self.draft.writable(tables.billing_events)[event.id] = told
        return True

    async def due(self, at: datetime.datetime, *, limit: int = 20) -> tuple[Told, ...]:
        waiting = [(it.next_at, it) for it in self.draft.tables.billing_events.values() if it.next_at is not None]
        due = [(next_at, it.came_at, it.event.id, it) for next_at, it in waiting if next_at <= at]
        return tuple([it for *_, it in sorted(due, key=lambda found: found[:3])[:limit]])

    async def settle(self, event_id: str, at: datetime.datetime, outcome: str) -> None:  # noqa: ARG002  # nobody reads it
        found = self.draft.tables.billing_events.get(event_id)
        if found is not None:
            self._put(attrs.evolve(found, next_at=None))

    async def put_off(self, event_id: str, until: datetime.datetime) -> None:
        found = self.draft.tables.billing_events.get(event_id)
        if found is not None and found.next_at is not None:
            self._put(attrs.evolve(found, next_at=until, tries=found.tries + 1))

    def _put(self, told: Told) -> None:
        self.draft.writable(self.draft.tables.billing_events)[told.event.id] = told

    async def forget_older(self, came_before: datetime.datetime) -> int:
        tables = self.draft.tables
        old = [key for key, it in tables.billing_events.items() if it.next_at is None and it.came_at < came_before]
        for key in old:
            del self.draft.writable(self.draft.tables.billing_events)[key]
        return len(old)


@attrs.frozen
class MemoryPlanPauses(PlanPauses):
    """The bots that pause for the plan."""

    draft: Draft

    async def put(self, pauses: Mapping[BotId, PlanPause]) -> None:
        tables = self.draft.tables
        if any(bot_id not in tables.bots for bot_id in pauses):
            raise Conflict("there is no such bot")
        for bot_id, pause in pauses.items():
            self.draft.writable(self.draft.tables.plan_pauses).setdefault(bot_id, pause)

    async def of(self, user_id: UserId) -> Mapping[BotId, PlanPause]:
        tables = self.draft.tables
        return {it: pause for it, pause in tables.plan_pauses.items() if tables.bots[it].user_id == user_id}

    async def forget(self, bot_ids: Collection[BotId]) -> None:
        for bot_id in bot_ids:
            self.draft.writable(self.draft.tables.plan_pauses).pop(bot_id, None)

    async def prefer(self, user_id: UserId, bot_id: BotId) -> None:
        tables = self.draft.tables
        if user_id not in tables.users or bot_id not in tables.bots:
            raise Conflict("there is no such user or bot")
        self.draft.writable(tables.plan_choices)[user_id] = bot_id

    async def preferred(self, user_id: UserId) -> BotId | None:
        return self.draft.tables.plan_choices.get(user_id)
