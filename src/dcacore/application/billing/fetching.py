"""The truth about what a user pays for is what billing answers when it is asked; here it is fetched and stored."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Final

import attrs

from dcacore.application.billing.means import BillingMeans
from dcacore.application.billing.tiers import bring_up_to_date
from dcacore.domain.entitlement import Subscription
from dcacore.domain.ids import UserId
from dcacore.ports.billing_store import Customer
from dcacore.ports.records import User
from dcacore.ports.store import Work

SETTLES: Final = datetime.timedelta(minutes=10)
"""What billing does not list is forgotten when it last changed so long ago: clocks differ, and answers overtake."""


async def fetch(means: BillingMeans, user_id: UserId, *, customer_id: str = "") -> User | None:
    """Ask billing what the user has, store it, and give the tier that follows; None when there is no such user.

    Args:
        means: the ports.
        user_id: of whom.
        customer_id: what billing has just been heard to call the user; empty when that is not known.

    Raises:
        PortError: billing could not be asked or does not answer as it should, or the database cannot be used: what
            was known before is still there.
    """
    asked_at = means.clock.now()
    found = await means.billing.subscriptions(user_id)
    async with means.store.begin() as work:
        if await work.users.hold(user_id) is None:
            return None
        for subscription in found:
            await work.subscriptions.put(user_id, subscription)
        await work.subscriptions.remove_others(user_id, [it.id for it in found], asked_at - SETTLES)
        await _note(work, user_id, asked_at, customer_id, was_asked=True)
        user = await bring_up_to_date(work, means.clock, means.ids, user_id, means.selling)
        await work.commit()
    return user


async def believe(means: BillingMeans, user_id: UserId, told: Iterable[Subscription]) -> User | None:
    """Store what was told of subscriptions, as far as it is newer than what is known, while billing cannot be asked."""
    async with means.store.begin() as work:
        if await work.users.hold(user_id) is None:
            return None
        for subscription in told:
            await work.subscriptions.put(user_id, subscription)
        await _note(work, user_id, means.clock.now())
        user = await bring_up_to_date(work, means.clock, means.ids, user_id, means.selling)
        await work.commit()
    return user


async def _note(
    work: Work, user_id: UserId, at: datetime.datetime, customer_id: str = "", *, was_asked: bool = False
) -> None:
    """Note that the user is a customer; a name by which billing calls somebody else is not taken."""
    customer = await work.customers.get(user_id) or Customer(user_id=user_id, begun_at=at)
    if customer_id and await work.customers.by_customer_id(customer_id) is None:
        customer = attrs.evolve(customer, customer_id=customer_id)
    await work.customers.put(attrs.evolve(customer, asked_at=at) if was_asked else customer)
