"""Billing: who has bought what, where it is bought and managed, and what billing tells by itself."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from enum import Enum
from typing import Protocol

import attrs

from dcacore.domain.entitlement import Subscription
from dcacore.domain.ids import UserId


class CheckoutState(Enum):
    """How a purchase stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"  # paid, not yet booked
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    OTHER = "other"


@attrs.frozen(kw_only=True)
class Checkout:
    """A purchase that has been begun.

    Attributes:
        id: names it.
        state: how it stands.
        url: the page on which it is paid. Who has it can pay; it opens nothing else.
        user_id: who buys; None where billing does not say.
    """

    id: str
    state: CheckoutState
    url: str = attrs.field(repr=False)
    user_id: UserId | None


class PaymentState(Enum):
    """How a payment stands."""

    DRAFT = "draft"
    PENDING = "pending"
    PAID = "paid"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    VOID = "void"
    OTHER = "other"


@attrs.frozen(kw_only=True)
class Payment:
    """Something that was charged.

    Attributes:
        id: names it.
        at: when.
        state: how it stands.
        total: what was charged with taxes, in hundredths of the currency.
        refunded: how much of it was given back.
        currency: such as usd.
        number: of the invoice; empty while there is none.
    """

    id: str
    at: datetime.datetime
    state: PaymentState
    total: int
    refunded: int
    currency: str
    number: str


class Billing(Protocol):
    """Sells, and knows who has bought. Every call ends within seconds, by an answer or an error.

    Raises of every call:
        Unavailable: it could not be asked now, or has not answered in time; RateLimited: not before a given time.
        BadCredentials: it does not take our token: nobody but the administrator can mend that.
        Rejected: it says no; nothing was done.
    """

    async def begin_checkout(
        self, user_id: UserId, *, email: str, success_url: str, return_url: str, address: str
    ) -> Checkout:
        """Begin a purchase of the product by a user, and return it, with the page that the user is to be sent to.

        Args:
            user_id: who buys.
            email: where billing sends what it has to say.
            success_url: where the user comes back to; what stands in it as {CHECKOUT_ID} is replaced by the id.
            return_url: where the user comes back to who has changed his mind.
            address: the IP address of the user's browser, by which taxes go; empty when that is not known.
        """

    async def checkout(self, checkout_id: str) -> Checkout | None:
        """Return a purchase; None when there is none of that id."""

    async def portal(self, user_id: UserId, *, return_url: str) -> str:
        """Return a page of the user's own, good for minutes, on which cards, addresses and cancelling are found.

        Raises:
            Rejected: billing does not know the user.
        """

    async def subscriptions(self, user_id: UserId) -> tuple[Subscription, ...]:
        """Return all that the user has or had, of any product; empty when billing does not know the user."""

    async def set_ending(self, subscription_id: str, *, ends: bool) -> Subscription:
        """Let a subscription end with its period, or be renewed after all, and return it as it is then."""

    async def payments(self, user_id: UserId) -> tuple[Payment, ...]:
        """Return what the user was charged, newest first; at most the newest hundred."""

    async def invoice(self, payment_id: str) -> str | None:
        """Return the page of a payment's invoice; None while it is being made.

        Raises:
            Rejected: there can be none, such as while the billing address is missing; it says why.
        """


@attrs.frozen(kw_only=True)
class BillingEvent:
    """Something that billing has told by itself. It is a hint that something changed, never more.

    Attributes:
        id: the same however often it is told.
        type: what billing calls it; anything.
        told_at: when it was sent this time.
        user_id: whom it is about; None when it is about nobody here, or does not say.
        customer_id: what billing calls who it is about; empty when it does not say.
        subscription: what it says of one; None when it is not about one, or cannot be read.
    """

    id: str
    type: str
    told_at: datetime.datetime
    user_id: UserId | None
    customer_id: str = ""
    subscription: Subscription | None = None


class Hooks(Protocol):
    """Reads what billing tells by itself."""

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime.datetime) -> BillingEvent:
        """Return what was told.

        Args:
            headers: of the request, by lower-case name.
            body: as it came, byte for byte.
            now: the time; what was signed more than five minutes before or after it is refused.

        Raises:
            BadSignature: it is not billing's; nothing of the body has been read.
            BadFile: it is billing's, but is no event: not even a JSON object with a type.
        """
