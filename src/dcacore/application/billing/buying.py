"""What a user does about the plan: buy it, come back from buying, manage, cancel and take that back, see payments."""

from __future__ import annotations

import datetime
from typing import Final

import attrs

from dcacore.application.billing.fetching import fetch
from dcacore.application.billing.lapsing import paused_for_plan
from dcacore.application.billing.means import RETURN_PATH, SUCCESS_PATH, BillingMeans
from dcacore.application.billing.tiers import NOT_SELLING, Selling, bought_by
from dcacore.application.refusals import NotFound
from dcacore.domain.entitlement import Entitlement, Standing, SubscriptionState
from dcacore.domain.errors import NotNow
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.billing import CheckoutState, Payment
from dcacore.ports.billing_store import Customer
from dcacore.ports.clock import Clock
from dcacore.ports.records import BotRecord, Tier, User
from dcacore.ports.store import Store

ASK_AT_MOST_EVERY: Final = datetime.timedelta(seconds=3)
"""How often a page that waits for a purchase lets billing be asked."""
_MAY_BUY: Final = frozenset({Standing.NONE, Standing.ENDED})
_HERE: Final = frozenset({SubscriptionState.TRIALING, SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE})
"""What can be ended from here, and taken back; the rest is done by Manage."""


@attrs.frozen(kw_only=True)
class PlanPage:
    """How it stands with a user's plan.

    Attributes:
        user: whose.
        bought: what is paid.
        bots: the user's, the oldest first.
        paused: which of them pause for the plan.
        preferred: which one is to go on with a smaller plan, as the user has said; None when nothing was.
        is_customer: whether billing knows the user.
    """

    user: User
    bought: Entitlement
    bots: tuple[BotRecord, ...]
    paused: frozenset[BotId]
    preferred: BotId | None
    is_customer: bool

    @property
    def may_buy(self) -> bool:
        """Whether the user can buy: what there is already, is managed instead."""
        return self.bought.standing in _MAY_BUY and self.user.given_tier is not Tier.PRO

    @property
    def may_end(self) -> bool:
        """Whether what is paid can be let end with its period."""
        it = self.bought.subscription
        return it is not None and it.state in _HERE and it.ends_at is None

    @property
    def may_keep(self) -> bool:
        """Whether what is going to end can be renewed after all."""
        it = self.bought.subscription
        return it is not None and it.state in _HERE and it.ends_at is not None


async def plan_of(store: Store, clock: Clock, user_id: UserId, selling: Selling = NOT_SELLING) -> PlanPage:
    """Return how it stands with the user's plan.

    Raises:
        NotFound: there is no such user.
    """
    async with store.begin(reads_only=True) as work:
        user = await work.users.get(user_id)
        if user is None:
            raise NotFound("user", user_id)
        records = await work.bots.of(user_id)
        customer = await work.customers.get(user_id)
        has_bought = bool(await work.subscriptions.of(user_id))
        return PlanPage(
            user=user,
            bought=await bought_by(work, user_id, selling, clock.now()),
            bots=tuple(sorted(records, key=lambda it: (it.created_at, it.bot.id))),
            paused=frozenset(it.bot.id for it in await paused_for_plan(work, user_id)),
            preferred=await work.plan_pauses.preferred(user_id),
            is_customer=has_bought or (customer is not None and customer.customer_id != ""),
        )


async def buy(means: BillingMeans, user_id: UserId, *, address: str = "") -> str:
    """Begin a purchase, and return the page on which it is paid.

    Billing is asked first what the user has: who pays already, here or in another window, buys nothing twice.

    Args:
        means: the ports.
        user_id: who buys.
        address: the IP address of the browser, by which taxes go; empty when it is not known.

    Raises:
        NotFound: there is no such user.
        NotNow: the user has the plan already, or was given it.
        PortError: billing could not be asked.
    """
    user = await fetch(means, user_id)
    if user is None:
        raise NotFound("user", user_id)
    plan = await plan_of(means.store, means.clock, user_id, means.selling)
    if not plan.may_buy:
        raise NotNow("you have the plan already: manage it instead of buying it twice")
    checkout = await means.billing.begin_checkout(
        user_id,
        email=user.email,
        success_url=means.base_url + SUCCESS_PATH,
        return_url=means.base_url + RETURN_PATH,
        address=address,
    )
    async with means.store.begin() as work:
        now = means.clock.now()
        known = await work.customers.get(user_id) or Customer(user_id=user_id, begun_at=now)
        await work.customers.put(attrs.evolve(known, checkout_id=checkout.id, begun_at=now))
        await work.commit()
    return checkout.url


@attrs.frozen
class Return:
    """How a purchase stands that a user has come back from.

    Attributes:
        state: how billing says that it stands; None when it is not this user's, or there is none.
        tier: what the user has now.
    """

    state: CheckoutState | None
    tier: Tier


async def come_back(means: BillingMeans, user_id: UserId, checkout_id: str) -> Return:
    """Return how a purchase stands. That somebody has come back proves nothing: what the user has is asked for.

    Raises:
        NotFound: there is no such user.
        PortError: billing could not be asked; the page asks again.
    """
    found = await means.billing.checkout(checkout_id)
    state = found.state if found is not None and found.user_id == user_id else None
    async with means.store.begin(reads_only=True) as work:
        user, customer = await work.users.get(user_id), await work.customers.get(user_id)
    if user is None:
        raise NotFound("user", user_id)
    asked_at = None if customer is None else customer.asked_at
    is_due = asked_at is None or means.clock.now() - asked_at >= ASK_AT_MOST_EVERY
    if state is not None and user.tier is not Tier.PRO and is_due:
        user = await fetch(means, user_id) or user
    return Return(state, user.tier)


async def manage(means: BillingMeans, user_id: UserId) -> str:
    """Return a page of billing's own for the user, good for minutes.

    Raises:
        Rejected: billing does not know the user.
        PortError: billing could not be asked.
    """
    return await means.billing.portal(user_id, return_url=means.base_url + RETURN_PATH)


async def set_ending(means: BillingMeans, user_id: UserId, *, ends: bool) -> None:
    """Let the user's subscription end with what is paid, or be renewed after all.

    Raises:
        NotNow: there is nothing to end, or to be renewed.
        PortError: billing could not be asked.
    """
    plan = await plan_of(means.store, means.clock, user_id, means.selling)
    subscription = plan.bought.subscription
    if subscription is None or not (plan.may_end if ends else plan.may_keep):
        raise NotNow("there is no subscription to end" if ends else "there is no subscription that is going to end")
    await means.billing.set_ending(subscription.id, ends=ends)
    await fetch(means, user_id)


async def payments(means: BillingMeans, user_id: UserId) -> tuple[Payment, ...]:
    """Return what the user was charged, newest first.

    Raises:
        PortError: billing could not be asked.
    """
    return await means.billing.payments(user_id)


async def invoice(means: BillingMeans, user_id: UserId, payment_id: str) -> str | None:
    """Return the page of an invoice of the user's; None while it is being made.

    Raises:
        NotFound: the user has no such payment.
        Rejected: there can be none; it says why.
        PortError: billing could not be asked.
    """
    if payment_id not in {it.id for it in await means.billing.payments(user_id)}:
        raise NotFound("payment", payment_id)
    return await means.billing.invoice(payment_id)
