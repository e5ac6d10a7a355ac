"""What is sold to whom, and what customers, their banks and time do about it."""

from __future__ import annotations

import datetime
from typing import Any, Final

import attrs

from dcacore.domain.entitlement import Subscription, SubscriptionState
from dcacore.domain.ids import UserId
from dcacore.ports.billing import Checkout, CheckoutState, Payment, PaymentState
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.errors import Rejected

_MONTH: Final = datetime.timedelta(days=30)
_RUNNING: Final = frozenset({SubscriptionState.ACTIVE, SubscriptionState.TRIALING, SubscriptionState.PAST_DUE})


@attrs.define(kw_only=True)
class Purchase:
    """A checkout, with what was said when it was begun."""

    checkout: Checkout
    user_id: UserId
    email: str
    success_url: str
    return_url: str
    address: str
    begun_at: datetime.datetime


@attrs.define(kw_only=True)
class Holding:
    """A subscription, and whose it is."""

    user_id: UserId
    subscription: Subscription
    begun_at: datetime.datetime


@attrs.define(kw_only=True)
class Charge:
    """A payment, and what it is for. Its invoice is made after it was first asked for."""

    user_id: UserId
    subscription_id: str
    payment: Payment
    has_invoice: bool = False


class Till:
    """Knows who has what. What happens, happens at the clock's time.

    Attributes:
        customers: what users are called here.
        purchases: by the id of the checkout.
        holdings: by the id of the subscription.
        charges: by the id of the payment.
        nameless: users of whom there is no billing address yet, and so no invoice.
    """

    def __init__(self, clock: Clock, ids: Ids, *, product_id: str, amount: int, currency: str, pages: str) -> None:
        """Begin with no customers; *pages* is where checkouts and invoices would be found."""
        self._clock = clock
        self._ids = ids
        self._product_id = product_id
        self._amount = amount
        self._currency = currency
        self.pages = pages
        self.customers: dict[UserId, str] = {}
        self.purchases: dict[str, Purchase] = {}
        self.holdings: dict[str, Holding] = {}
        self.charges: dict[str, Charge] = {}
        self.nameless: set[UserId] = set()

    def begin(self, user_id: UserId, *, email: str, success_url: str, return_url: str, address: str) -> Purchase:
        """Begin a purchase."""
        key = self._ids.new()
        checkout = Checkout(id=key, state=CheckoutState.OPEN, url=f"{self.pages}/checkout/{key}", user_id=user_id)
        self.purchases[key] = Purchase(
            checkout=checkout,
            user_id=user_id,
            email=email,
            success_url=success_url,
            return_url=return_url,
            address=address,
            begun_at=self._clock.now(),
        )
        return self.purchases[key]

    def expire(self, checkout_id: str) -> None:
        """Let a purchase pass away unpaid."""
        self._book(self.purchases[checkout_id], CheckoutState.EXPIRED)

    def confirm(self, checkout_id: str) -> None:
        """Take the payment of a purchase, which is booked later: `pay`."""
        self._book(self.purchases[checkout_id], CheckoutState.CONFIRMED)

    def pay(self, checkout_id: str, *, trial: datetime.timedelta | None = None) -> Subscription:
        """Pay a purchase, or begin to try it out, and return the subscription.

        Raises:
            Rejected: the purchase is over, or the user has a subscription already.
        """
        purchase = self.purchases[checkout_id]
        if purchase.checkout.state not in {CheckoutState.OPEN, CheckoutState.CONFIRMED}:
            raise Rejected("the purchase is over")
        if any(it.subscription.state in _RUNNING for it in self.holdings.values() if it.user_id == purchase.user_id):
            raise Rejected("there is an active subscription already")
        now = self._clock.now()
        self.customers.setdefault(purchase.user_id, self._ids.new())
        found = Subscription(
            id=self._ids.new(),
            product_id=self._product_id,
            state=SubscriptionState.TRIALING if trial else SubscriptionState.ACTIVE,
            changed_at=now,
            period_end=now + (trial or _MONTH),
            trial_end=now + trial if trial else None,
            amount=self._amount,
            currency=self._currency,
        )
        self.holdings[found.id] = Holding(user_id=purchase.user_id, subscription=found, begun_at=now)
        self._book(purchase, CheckoutState.SUCCEEDED)
        if not trial:
            self._charge(found.id, PaymentState.PAID)
        return found

    def renew(self, subscription_id: str, *, charged: bool = True) -> Subscription:
        """Begin a further period; when it cannot be charged, the subscription is past due."""
        held = self.subscription(subscription_id)
        ends = (held.period_end or self._clock.now()) + _MONTH
        self._charge(subscription_id, PaymentState.PAID if charged else PaymentState.PENDING)
        if charged:
            return self._change(subscription_id, state=SubscriptionState.ACTIVE, period_end=ends, trial_end=None)
        now = self._clock.now()
        return self._change(subscription_id, state=SubscriptionState.PAST_DUE, period_end=ends, past_due_at=now)

    def recover(self, subscription_id: str) -> Subscription:
        """Charge after all what could not be charged."""
        for it in self.charges.values():
            if it.subscription_id == subscription_id and it.payment.state is PaymentState.PENDING:
                it.payment = attrs.evolve(it.payment, state=PaymentState.PAID)
        return self._change(subscription_id, state=SubscriptionState.ACTIVE, past_due_at=None)

    def set_ending(self, subscription_id: str, *, ends: bool) -> Subscription:
        """Let a subscription end with its period, or be renewed after all.

        Raises:
            Rejected: there is none, or it has ended.
        """
        if subscription_id not in self.holdings:
            raise Rejected("billing does not have this subscription")
        held = self.subscription(subscription_id)
        if held.state not in _RUNNING:
            raise Rejected("the subscription has ended")
        return self._change(subscription_id, ends_at=held.period_end if ends else None)

    def end(self, subscription_id: str) -> Subscription:
        """End a subscription now."""
        now = self._clock.now()
        ends_at = self.subscription(subscription_id).ends_at or now
        state = SubscriptionState.CANCELED
        return self._change(subscription_id, state=state, ended_at=now, ends_at=ends_at, past_due_at=None)

    def pause(self, subscription_id: str, *, resumes_at: datetime.datetime | None = None) -> Subscription:
        """Pause a subscription."""
        return self._change(subscription_id, state=SubscriptionState.PAUSED, resumes_at=resumes_at)

    def resume(self, subscription_id: str) -> Subscription:
        """Go on with a subscription that is paused: a new period begins, and is charged."""
        self._charge(subscription_id, PaymentState.PAID)
        ends = self._clock.now() + _MONTH
        return self._change(subscription_id, state=SubscriptionState.ACTIVE, period_end=ends, resumes_at=None)

    def refund(self, payment_id: str, part: int | None = None) -> Payment:
        """Give back a payment or a part of it; that ends no subscription."""
        charge = self.charges[payment_id]
        refunded = min(charge.payment.total, charge.payment.refunded + (part or charge.payment.total))
        is_whole = refunded == charge.payment.total
        state = PaymentState.REFUNDED if is_whole else PaymentState.PARTIALLY_REFUNDED
        charge.payment = attrs.evolve(charge.payment, refunded=refunded, state=state)
        return charge.payment

    def subscription(self, subscription_id: str) -> Subscription:
        """Return a subscription as it is."""
        return self.holdings[subscription_id].subscription

    def subscriptions_of(self, user_id: UserId) -> tuple[Subscription, ...]:
        """Return what a user has or had."""
        return tuple(it.subscription for it in self.holdings.values() if it.user_id == user_id)

    def payments_of(self, user_id: UserId) -> tuple[Payment, ...]:
        """Return what a user was charged, newest first."""
        found = [it.payment for it in reversed(self.charges.values()) if it.user_id == user_id]
        return tuple(sorted(found, key=lambda it: it.at, reverse=True))

    def _change(self, subscription_id: str, **to: Any) -> Subscription:
        holding = self.holdings[subscription_id]
        holding.subscription = attrs.evolve(holding.subscription, changed_at=self._clock.now(), **to)
        return holding.subscription

    def _charge(self, subscription_id: str, state: PaymentState) -> None:
        key = self._ids.new()
        payment = Payment(
            id=key,
            at=self._clock.now(),
            state=state,
            total=self._amount,
            refunded=0,
            currency=self._currency,
            number=f"DCA-{len(self.charges) + 1:04}",
        )
        user_id = self.holdings[subscription_id].user_id
        self.charges[key] = Charge(user_id=user_id, subscription_id=subscription_id, payment=payment)

    def _book(self, purchase: Purchase, state: CheckoutState) -> None:
        purchase.checkout = attrs.evolve(purchase.checkout, state=state)
