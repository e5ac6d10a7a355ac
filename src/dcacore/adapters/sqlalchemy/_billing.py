"""Who buys, what of it is known, and what billing has told."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import Final

import attrs
from sqlalchemy import BindParameter, bindparam, delete, func, or_, select, update

from dcacore.adapters.sqlalchemy._billing_rows import (
    BillingEventRow,
    CustomerRow,
    PlanChoiceRow,
    PlanPauseRow,
    SubscriptionRow,
)
from dcacore.adapters.sqlalchemy._errors import making_sense_of
from dcacore.adapters.sqlalchemy._rows import BotRow
from dcacore.adapters.sqlalchemy._session import Session, insert_into
from dcacore.adapters.sqlalchemy._texts import subscription_of, subscription_to_text
from dcacore.domain.entitlement import Subscription, SubscriptionState
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.billing import BillingEvent
from dcacore.ports.billing_store import BillingInbox, Customer, Customers, PlanPause, PlanPauses, Subscriptions, Told

_CUSTOMERS: Final = CustomerRow.__table__
_SUBSCRIPTIONS: Final = SubscriptionRow.__table__
_EVENTS: Final = BillingEventRow.__table__
_PAUSES: Final = PlanPauseRow.__table__
_CHOICES: Final = PlanChoiceRow.__table__
_BOTS: Final = BotRow.__table__
_THIS: Final[BindParameter[str]] = bindparam("this")
_CUSTOMER: Final = select(_CUSTOMERS).where(_CUSTOMERS.c.user_id == _THIS)
_CUSTOMER_CALLED: Final = select(_CUSTOMERS).where(_CUSTOMERS.c.customer_id == _THIS)
_OF_USER: Final = select(_SUBSCRIPTIONS).where(_SUBSCRIPTIONS.c.user_id == _THIS).order_by(_SUBSCRIPTIONS.c.id)
_EVENT: Final = update(_EVENTS).where(_EVENTS.c.id == _THIS)
_PAUSED: Final = select(_PAUSES).join(_BOTS, _BOTS.c.id == _PAUSES.c.bot_id).where(_BOTS.c.user_id == _THIS)
_CHOICE: Final = select(_CHOICES).where(_CHOICES.c.user_id == _THIS)
_NOBODYS: Final = "there is no such user, or billing calls another one so"
_NO_BOT: Final = "there is no such bot"


@attrs.frozen
class SqlCustomers(Customers):
    """Who buys."""

    session: Session

    async def get(self, user_id: UserId) -> Customer | None:
        found = await self.session.read(CustomerRow, _CUSTOMER, {"this": user_id})
        return _customer_of(found[0]) if found else None

    async def by_customer_id(self, customer_id: str) -> Customer | None:
        found = await self.session.read(CustomerRow, _CUSTOMER_CALLED, {"this": customer_id})
        return _customer_of(found[0]) if found else None

    async def put(self, customer: Customer) -> None:
        values = {**attrs.asdict(customer), "customer_id": customer.customer_id or None}
        statement = insert_into(_CUSTOMERS, self.session.dialect).values(values)
        again = {name: statement.excluded[name] for name in values if name != "user_id"}
        upsert = statement.on_conflict_do_update(index_elements=[_CUSTOMERS.c.user_id], set_=again)
        await self.session.write(upsert, conflict=_NOBODYS)

    async def asked_before(
        self, at: datetime.datetime, *, now: datetime.datetime, limit: int = 100
    ) -> tuple[Customer, ...]:
        asked = _CUSTOMERS.c.asked_at
        due = select(_CUSTOMERS).where(or_(asked.is_(None), asked < at, asked > now))
        first = due.order_by(asked.is_not(None), asked, _CUSTOMERS.c.user_id).limit(limit)
        return tuple([_customer_of(row) for row in await self.session.read(CustomerRow, first)])


@attrs.frozen
class SqlSubscriptions(Subscriptions):
    """What users pay for."""

    session: Session

    async def of(self, user_id: UserId) -> tuple[Subscription, ...]:
        rows = await self.session.read(SubscriptionRow, _OF_USER, {"this": user_id})
        return tuple(sorted(map(_subscription_of, rows), key=lambda it: it.id))

    async def put(self, user_id: UserId, subscription: Subscription) -> bool:
        values = {**attrs.asdict(subscription), "state": subscription.state.value, "user_id": user_id}
        statement = insert_into(_SUBSCRIPTIONS, self.session.dialect).values(values)
        again = {name: statement.excluded[name] for name in values if name not in {"id", "user_id"}}
        is_news = _SUBSCRIPTIONS.c.changed_at <= statement.excluded.changed_at
        upsert = statement.on_conflict_do_update(
            index_elements=[_SUBSCRIPTIONS.c.id],
            set_=again,
            where=is_news & (_SUBSCRIPTIONS.c.user_id == statement.excluded.user_id),
        )
        return bool(await self.session.write(upsert, conflict=_NOBODYS))

    async def remove_others(self, user_id: UserId, ids: Collection[str], changed_before: datetime.datetime) -> int:
        theirs = _SUBSCRIPTIONS.c.user_id == user_id, _SUBSCRIPTIONS.c.changed_at < changed_before
        others = *theirs, _SUBSCRIPTIONS.c.id.not_in(list(ids))
        return await self.session.write(delete(_SUBSCRIPTIONS).where(*others))

    async def falling_due(self, at: datetime.datetime) -> tuple[UserId, ...]:
        since = func.coalesce(_SUBSCRIPTIONS.c.past_due_at, _SUBSCRIPTIONS.c.changed_at)
        is_due = _SUBSCRIPTIONS.c.state == SubscriptionState.PAST_DUE.value, since <= at
        statement = select(_SUBSCRIPTIONS.c.user_id).where(*is_due).distinct().order_by(_SUBSCRIPTIONS.c.user_id)
        return tuple([UserId(row.user_id) for row in await self.session.read_any(statement)])


@attrs.frozen
class SqlBillingInbox(BillingInbox):
    """What billing has told."""

    session: Session

    async def add(self, event: BillingEvent, body: bytes, at: datetime.datetime) -> bool:
        values = {
            "id": event.id,
            "type": event.type,
            "told_at": event.told_at,
            "user_id": event.user_id,
            "customer_id": event.customer_id,
            "subscription": None if event.subscription is None else subscription_to_text(event.subscription),
            "body": body.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}"),
            "came_at": at,
            "tries": 0,
            "next_at": at,
            "settled_at": None,
            "outcome": "",
        }
        statement = insert_into(_EVENTS, self.session.dialect).values(values)
        return bool(await self.session.write(statement.on_conflict_do_nothing(index_elements=[_EVENTS.c.id])))

    async def due(self, at: datetime.datetime, *, limit: int = 20) -> tuple[Told, ...]:
        statement = select(_EVENTS).where(_EVENTS.c.next_at <= at)
        first = statement.order_by(_EVENTS.c.next_at, _EVENTS.c.came_at, _EVENTS.c.id).limit(limit)
        return tuple([_told_of(row) for row in await self.session.read(BillingEventRow, first)])

    async def settle(self, event_id: str, at: datetime.datetime, outcome: str) -> None:
        await self.session.write(_EVENT, {"this": event_id, "next_at": None, "settled_at": at, "outcome": outcome})

    async def put_off(self, event_id: str, until: datetime.datetime) -> None:
        waits = _EVENT.where(_EVENTS.c.next_at.is_not(None)).values(tries=_EVENTS.c.tries + 1, next_at=until)
        await self.session.write(waits, {"this": event_id})

    async def forget_older(self, came_before: datetime.datetime) -> int:
        old = _EVENTS.c.next_at.is_(None), _EVENTS.c.came_at < came_before
        return await self.session.write(delete(_EVENTS).where(*old))


@attrs.frozen
class SqlPlanPauses(PlanPauses):
    """The bots that pause for the plan."""

    session: Session

    async def put(self, pauses: Mapping[BotId, PlanPause]) -> None:
        for bot_id, pause in pauses.items():
            values = {"bot_id": bot_id, **attrs.asdict(pause)}
            statement = insert_into(_PAUSES, self.session.dialect).values(values)
            once = statement.on_conflict_do_nothing(index_elements=[_PAUSES.c.bot_id])
            await self.session.write(once, conflict=_NO_BOT)

    async def of(self, user_id: UserId) -> Mapping[BotId, PlanPause]:
        rows = await self.session.read(PlanPauseRow, _PAUSED, {"this": user_id})
        return {BotId(row.bot_id): PlanPause(since=row.since, user_paused=row.user_paused) for row in rows}

    async def forget(self, bot_ids: Collection[BotId]) -> None:
        await self.session.write(delete(_PAUSES).where(_PAUSES.c.bot_id.in_(list(bot_ids))))

    async def prefer(self, user_id: UserId, bot_id: BotId) -> None:
        statement = insert_into(_CHOICES, self.session.dialect).values({"user_id": user_id, "bot_id": bot_id})
        again = {"bot_id": statement.excluded["bot_id"]}
        upsert = statement.on_conflict_do_update(index_elements=[_CHOICES.c.user_id], set_=again)
        await self.session.write(upsert, conflict="there is no such user or bot")

    async def preferred(self, user_id: UserId) -> BotId | None:
        found = await self.session.read(PlanChoiceRow, _CHOICE, {"this": user_id})
        return BotId(found[0].bot_id) if found else None


def _customer_of(row: CustomerRow) -> Customer:
    return Customer(
        user_id=UserId(row.user_id),
        customer_id=row.customer_id or "",
        checkout_id=row.checkout_id,
        begun_at=row.begun_at,
        asked_at=row.asked_at,
        warned=row.warned,
    )


def _subscription_of(row: SubscriptionRow) -> Subscription:
    with making_sense_of("one of the subscriptions"):
        columns = {field.name: getattr(row, field.name) for field in attrs.fields(Subscription)}
        return Subscription(**{**columns, "state": SubscriptionState(row.state)})


def _told_of(row: BillingEventRow) -> Told:
    with making_sense_of("something that billing has told"):
        event = BillingEvent(
            id=row.id,
            type=row.type,
            told_at=row.told_at,
            user_id=None if row.user_id is None else UserId(row.user_id),
            customer_id=row.customer_id,
            subscription=None if row.subscription is None else subscription_of(row.subscription),
        )
        return Told(event=event, came_at=row.came_at, tries=row.tries, next_at=row.next_at)
