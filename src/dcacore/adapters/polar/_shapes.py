"""What Polar's objects say, as far as it is of use here. What is unknown is ignored, what is missing does without."""

from __future__ import annotations

import datetime
from typing import Final

from dcacore.adapters.polar._reading import Fields, Unreadable, fields, hundredths, moment, needed_text, one_of, text
from dcacore.domain.entitlement import Subscription, SubscriptionState
from dcacore.domain.ids import UserId
from dcacore.ports.billing import Checkout, CheckoutState, Payment, PaymentState

LONGEST_URL: Final = 4096
_NEVER: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def owner_of(it: Fields) -> UserId | None:
    """Return whose a subscription, an order, a session or a checkout is; None where it does not say.

    That is the id which we gave. Addresses say nothing: Polar does not verify them.
    """
    found = text(fields(it.get("customer")), "external_id") or text(it, "external_customer_id")
    return UserId(found) if found else None


def customer_of(it: Fields) -> str:
    """Return what Polar calls the customer; empty where it does not say."""
    return text(it, "customer_id") or text(fields(it.get("customer")), "id")


def subscription_of(it: Fields) -> Subscription:
    """Return a subscription.

    Raises:
        Unreadable: it does not say what it is, for what, how it stands or since when.
    """
    changed_at = moment(it, "modified_at" if it.get("modified_at") is not None else "created_at")
    if changed_at is None:
        raise Unreadable("it does not say when it changed")
    period_end = moment(it, "current_period_end")
    return Subscription(
        id=needed_text(it, "id"),
        product_id=needed_text(it, "product_id"),
        state=one_of(SubscriptionState, needed_text(it, "status"), SubscriptionState.OTHER),
        changed_at=changed_at,
        period_end=period_end,
        past_due_at=moment(it, "past_due_at"),
        ends_at=moment(it, "ends_at") or (period_end if it.get("cancel_at_period_end") is True else None),
        ended_at=moment(it, "ended_at"),
        trial_end=moment(it, "trial_end"),
        resumes_at=moment(it, "resumes_at"),
        amount=hundredths(it, "amount") or 0,
        currency=text(it, "currency").lower(),
    )


def illegible(it: Fields) -> Subscription | None:
    """Return what stands for a subscription that cannot be read: it is there, gives nothing, and is older than all.

    So it takes the place of nothing that is known of it, and nobody thinks that it is gone. None without an id.
    """
    found = text(it, "id")
    if not found:
        return None
    product_id = text(it, "product_id")
    return Subscription(id=found, product_id=product_id, state=SubscriptionState.OTHER, changed_at=_NEVER)


def payment_of(it: Fields) -> Payment:
    """Return what an order charged.

    Raises:
        Unreadable: it does not say what it is, when or how much.
    """
    at, total = moment(it, "created_at"), hundredths(it, "total_amount")
    if at is None or total is None:
        raise Unreadable("it does not say when, or how much")
    return Payment(
        id=needed_text(it, "id"),
        at=at,
        state=one_of(PaymentState, text(it, "status"), PaymentState.OTHER),
        total=total,
        refunded=hundredths(it, "refunded_amount") or 0,
        currency=text(it, "currency").lower(),
        number=text(it, "invoice_number"),
    )


def checkout_of(it: Fields, schemes: tuple[str, ...]) -> Checkout:
    """Return a purchase; its page has an address of one of *schemes*.

    Raises:
        Unreadable: it does not say what it is, or has no page.
    """
    return Checkout(
        id=needed_text(it, "id"),
        state=one_of(CheckoutState, text(it, "status"), CheckoutState.OTHER),
        url=page_of(it, "url", schemes),
        user_id=owner_of(it),
    )


def page_of(it: Fields, name: str, schemes: tuple[str, ...]) -> str:
    """Return the address of a page that a browser is sent to.

    Raises:
        Unreadable: there is none, or it is of another scheme.
    """
    found = needed_text(it, name, LONGEST_URL)
    if not found.startswith(schemes) or " " in found:
        raise Unreadable(f"its {name} is no address of a page")
    return found
