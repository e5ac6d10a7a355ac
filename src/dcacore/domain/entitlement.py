"""What a user's subscriptions entitle to: a pure function of them, the time and the terms.

The rule, in one table: an `active` or `trialing` subscription of the product gives PRO; a `past_due` one does for the
grace period, which begins when the charge failed; every other state gives nothing. That a subscription will end, has
been refunded or was renewed late changes only what is said about it: what counts is the state that billing reports.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from enum import Enum
from typing import Final

import attrs

from dcacore.domain.errors import InvalidParameter

LONGEST_GRACE: Final = datetime.timedelta(days=21)
"""After so long the last charge has been tried, and the subscription has ended anyway."""


class SubscriptionState(Enum):
    """How a subscription stands, in the words of billing."""

    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELED = "canceled"
    UNPAID = "unpaid"
    PAUSED = "paused"
    OTHER = "other"  # what nobody here has heard of yet: it gives nothing, and breaks nothing


@attrs.frozen(kw_only=True)
class Subscription:
    """What somebody pays for, as billing last told it.

    Attributes:
        id: names it.
        product_id: what is paid for.
        state: how it stands.
        changed_at: when it last changed, by billing's clock; what is older never replaces what is newer.
        period_end: until when is paid; it moves before the charge of a renewal has succeeded.
        past_due_at: when a charge failed; None unless it is past due.
        ends_at: when it is going to end; None while it is to be renewed.
        ended_at: when it ended; None while it has not.
        trial_end: when the first charge is due, of one that is tried out.
        resumes_at: when a paused one goes on; None where nobody has said.
        amount: what a period costs, in hundredths of the currency, without taxes.
        currency: of the amount, such as usd.
    """

    id: str
    product_id: str
    state: SubscriptionState
    changed_at: datetime.datetime
    period_end: datetime.datetime | None = None
    past_due_at: datetime.datetime | None = None
    ends_at: datetime.datetime | None = None
    ended_at: datetime.datetime | None = None
    trial_end: datetime.datetime | None = None
    resumes_at: datetime.datetime | None = None
    amount: int = 0
    currency: str = ""

    @property
    def will_be_charged(self) -> bool:
        """Whether it is charged for again, sooner or later, unless somebody ends it."""
        return self.state in _CHARGED and self.ends_at is None


_CHARGED: Final = frozenset(
    {SubscriptionState.TRIALING, SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE, SubscriptionState.PAUSED}
)
"""A paused one goes on some day, and one that is past due is tried again; an unpaid one is over."""


def _not_too_long(terms: object, field: attrs.Attribute[datetime.timedelta], grace: datetime.timedelta) -> None:  # noqa: ARG001  # as attrs calls it
    if not datetime.timedelta(0) <= grace <= LONGEST_GRACE:
        raise InvalidParameter("grace", None, f"must be 0 to {LONGEST_GRACE.days} days")


@attrs.frozen(kw_only=True)
class Terms:
    """What is sold, and how long a failed charge is borne with.

    Attributes:
        product_id: the product that gives PRO.
        grace: for how long a subscription that is past due still does; 0 to 21 days.
    """

    product_id: str
    grace: datetime.timedelta = attrs.field(default=datetime.timedelta(days=7), validator=_not_too_long)


class Standing(Enum):
    """How it stands with what a user pays."""

    NONE = "none"  # nothing was ever bought
    ACTIVE = "active"
    TRIAL = "trial"
    ENDING = "ending"  # PRO until `until`, then no more
    GRACE = "grace"  # a charge has failed; PRO until `until`
    OVERDUE = "overdue"  # a charge has failed, and the grace is over
    PAUSED = "paused"
    ENDED = "ended"


_STANDINGS: Final = {
    SubscriptionState.ACTIVE: Standing.ACTIVE,
    SubscriptionState.TRIALING: Standing.TRIAL,
    SubscriptionState.PAUSED: Standing.PAUSED,
}
"""By the state of a subscription that is not past due; any other one has ended, or never was."""
_GIVE_PRO: Final = frozenset({Standing.ACTIVE, Standing.TRIAL, Standing.ENDING, Standing.GRACE})
_BEST_FIRST: Final = (
    Standing.ACTIVE,
    Standing.TRIAL,
    Standing.ENDING,
    Standing.GRACE,
    Standing.OVERDUE,
    Standing.PAUSED,
    Standing.ENDED,
)


@attrs.frozen
class Entitlement:
    """What a user has by what is paid.

    Attributes:
        standing: how it stands.
        subscription: the one by which it does; None when there is none of the product.
        until: when PRO ends unless something happens; in grace the end of that, of one that is to end its end. None
            where no end is known, and where there is no PRO.
    """

    standing: Standing
    subscription: Subscription | None = None
    until: datetime.datetime | None = None

    @property
    def is_pro(self) -> bool:
        """Whether it gives PRO."""
        return self.standing in _GIVE_PRO


def entitlement(subscriptions: Iterable[Subscription], now: datetime.datetime, terms: Terms) -> Entitlement:
    """Return what *subscriptions*, all of one user, entitle to at *now*: of several the best one decides."""
    found = [_of(it, now, terms) for it in subscriptions if it.product_id == terms.product_id]
    if not found:
        return Entitlement(Standing.NONE)
    return min(found, key=_place)


def _place(it: Entitlement) -> tuple[int, float, str]:
    assert it.subscription is not None  # noqa: S101  # only those of subscriptions are compared
    return _BEST_FIRST.index(it.standing), -it.subscription.changed_at.timestamp(), it.subscription.id


def _of(it: Subscription, now: datetime.datetime, terms: Terms) -> Entitlement:
    if it.state is SubscriptionState.PAST_DUE:
        ends = (it.past_due_at or it.changed_at) + terms.grace
        return Entitlement(Standing.GRACE, it, ends) if now < ends else Entitlement(Standing.OVERDUE, it)
    standing = _STANDINGS.get(it.state, Standing.ENDED)
    if standing in _GIVE_PRO and it.ends_at is not None:
        return Entitlement(Standing.ENDING, it, it.ends_at)
    return Entitlement(standing, it)
