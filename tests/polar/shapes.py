"""Polar's objects as it sends them, with more fields than anybody here reads."""

from __future__ import annotations

import datetime
from typing import Any

from dcacore.adapters.billing_memory import Charge, Holding, Purchase
from dcacore.domain.entitlement import Subscription, SubscriptionState
from dcacore.domain.ids import UserId
from dcacore.ports.billing import CheckoutState, PaymentState

Json = dict[str, Any]


def written(at: datetime.datetime | None) -> str | None:
    """Return a time as Polar writes it."""
    return None if at is None else at.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


def customer(customer_id: str, user_id: UserId) -> Json:
    return {
        "id": customer_id,
        "created_at": "2026-10-01T10:00:00Z",
        "modified_at": None,
        "metadata": {},
        "external_id": user_id,
        "email": "somebody-else@example.com",  # addresses say nothing about who it is
        "email_verified": False,
        "type": "individual",
        "name": None,
        "billing_address": None,
        "tax_id": None,
        "organization_id": "0f0f0f0f",
        "deleted_at": None,
        "avatar_url": "https://polar.example/avatar.png",
    }


def subscription(holding: Holding, customer_id: str, it: Subscription | None = None) -> Json:
    """Return a subscription; *it* says how it was, where that is not how it is."""
    it = it or holding.subscription
    is_over = it.state is SubscriptionState.CANCELED
    return {
        "id": it.id,
        "created_at": written(holding.begun_at),
        "modified_at": None if it.changed_at == holding.begun_at else written(it.changed_at),
        "amount": it.amount,
        "currency": it.currency,
        "recurring_interval": "month",
        "recurring_interval_count": 1,
        "status": it.state.value,
        "current_period_start": written(holding.begun_at),
        "current_period_end": written(it.period_end),
        "trial_start": written(holding.begun_at) if it.trial_end else None,
        "trial_end": written(it.trial_end),
        "cancel_at_period_end": it.ends_at is not None and not is_over,
        "canceled_at": written(it.changed_at) if it.ends_at else None,
        "started_at": written(holding.begun_at),
        "ends_at": written(it.ends_at),
        "ended_at": written(it.ended_at),
        "past_due_at": written(it.past_due_at),
        "pause_at_period_end": False,
        "paused_at": written(it.changed_at) if it.state is SubscriptionState.PAUSED else None,
        "resumes_at": written(it.resumes_at),
        "customer_id": customer_id,
        "product_id": it.product_id,
        "discount_id": None,
        "checkout_id": None,
        "customer_cancellation_reason": None,
        "customer_cancellation_comment": None,
        "metadata": {},
        "customer": customer(customer_id, holding.user_id),
        "product": {"id": it.product_id, "name": "PRO", "is_recurring": True},
        "units": 1,
        "prices": [],
        "meters": [],
        "pending_update": None,
    }


def order(charge: Charge, customer_id: str, state: PaymentState | None = None) -> Json:
    """Return an order; *state* says how it was, where that is not how it is."""
    it = charge.payment
    state = state or it.state
    return {
        "id": it.id,
        "created_at": written(it.at),
        "modified_at": None,
        "status": state.value,
        "paid": state not in {PaymentState.PENDING, PaymentState.DRAFT},
        "subtotal_amount": it.total,
        "discount_amount": 0,
        "net_amount": it.total,
        "tax_amount": 0,
        "total_amount": it.total,
        "due_amount": 0,
        "refunded_amount": it.refunded,
        "refunded_tax_amount": 0,
        "currency": it.currency,
        "billing_reason": "subscription_cycle",
        "invoice_number": it.number,
        "is_invoice_generated": charge.has_invoice,
        "next_payment_attempt_at": None,
        "customer_id": customer_id,
        "subscription_id": charge.subscription_id,
        "customer": customer(customer_id, charge.user_id),
        "items": [],
        "metadata": {},
    }


def checkout(purchase: Purchase, customer_id: str | None, state: CheckoutState | None = None) -> Json:
    it = purchase.checkout
    return {
        "id": it.id,
        "created_at": written(purchase.begun_at),
        "modified_at": None,
        "status": (state or it.state).value,
        "client_secret": f"polar_c_{it.id}",
        "url": it.url,
        "expires_at": written(purchase.begun_at + datetime.timedelta(days=1)),
        "success_url": purchase.success_url.replace("{CHECKOUT_ID}", it.id),
        "return_url": purchase.return_url,
        "amount": 1000,
        "total_amount": 1000,
        "currency": "usd",
        "customer_id": customer_id,
        "external_customer_id": purchase.user_id,
        "customer_email": purchase.email,
        "customer_ip_address": purchase.address or None,
        "metadata": {},
    }


def state(customer_id: str, user_id: UserId, holdings: list[Holding]) -> Json:
    """Return the state of a customer: it names what is active and tried out, and nothing that is past due."""
    shown = {SubscriptionState.ACTIVE, SubscriptionState.TRIALING}
    active = [
        {
            "id": it.subscription.id,
            "status": it.subscription.state.value,
            "product_id": it.subscription.product_id,
            "amount": it.subscription.amount,
            "currency": it.subscription.currency,
            "current_period_end": written(it.subscription.period_end),
            "cancel_at_period_end": it.subscription.ends_at is not None,
        }
        for it in holdings
        if it.subscription.state in shown
    ]
    granted = [{"benefit_id": "5e5e5e5e", "benefit_type": "feature_flag", "benefit_metadata": {}}] if active else []
    return customer(customer_id, user_id) | {
        "active_subscriptions": active,
        "granted_benefits": granted,
        "active_meters": [],
    }
