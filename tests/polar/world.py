"""What customers, banks and time do at Polar, and what Polar tells of it, in the order in which it does."""

from __future__ import annotations

import base64
import datetime
import json
import uuid
from collections.abc import Iterable
from typing import Final

import attrs

from dcacore.adapters.billing_memory import Charge, Holding, Till
from dcacore.domain.entitlement import Subscription, SubscriptionState
from dcacore.domain.ids import UserId
from dcacore.ports.billing import CheckoutState, PaymentState
from dcacore.ports.clock import Clock, Ids
from tests.polar import shapes
from tests.polar.shapes import Json
from tests.polar.signing import Scheme, signed_headers

PRODUCT: Final = "9d1e0000-0000-4000-8000-000000000001"
SECRET: Final = "whsec_" + base64.b64encode(b"a-secret-of-32-bytes-for-testing").decode()
_TICK: Final = datetime.timedelta(milliseconds=1)

Told = tuple[str, Json]


class PolarIds(Ids):
    """Ids as Polar has them, the same ones in each run."""

    def __init__(self) -> None:
        self._given = 0

    def new(self) -> str:
        self._given += 1
        return str(uuid.UUID(int=self._given, version=4))


class PolarClock(Clock):
    """Goes with another clock, and never shows a time twice: so every change has a time of its own."""

    def __init__(self, other: Clock) -> None:
        self._other = other
        self._last = other.now() - _TICK

    def now(self) -> datetime.datetime:
        self._last = max(self._other.now(), self._last + _TICK)
        return self._last

    def monotonic(self) -> float:
        return self._other.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._other.sleep(seconds)


@attrs.frozen(kw_only=True)
class Delivery:
    """A webhook as it is sent.

    Attributes:
        id: the same each time that it is sent.
        type: what it tells.
        headers: by lower-case name, signed.
        body: raw.
    """

    id: str
    type: str
    headers: dict[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


class PolarWorld:
    """Polar, and all who act there. Every act returns the deliveries that Polar sends of it, in order.

    Attributes:
        till: who has what.
        secret: what deliveries are signed with.
        scheme: how.
        api_version: said in each delivery; empty before autumn 2026.
    """

    def __init__(self, clock: Clock, *, secret: str = SECRET, scheme: Scheme = Scheme.STANDARD) -> None:
        """Begin with no customers."""
        self.clock = clock
        self._ticking = PolarClock(clock)
        self.till = Till(
            self._ticking, PolarIds(), product_id=PRODUCT, amount=1000, currency="usd", pages="http://127.0.0.1:1"
        )
        self.secret = secret
        self.scheme = scheme
        self.api_version = "2026-10"
        self._sent = 0

    # What the site asks for is in the server; what follows is done by people and by time.

    def opened(self, checkout_id: str) -> tuple[Delivery, ...]:
        """Return what is told of a checkout that was begun and looked at."""
        return self._tell(
            ("checkout.created", self.checkout_shape(checkout_id)),
            ("checkout.updated", self.checkout_shape(checkout_id)),
        )

    def expire(self, checkout_id: str) -> tuple[Delivery, ...]:
        self.till.expire(checkout_id)
        return self._tell(("checkout.expired", self.checkout_shape(checkout_id)))

    def buy(self, user_id: UserId, *, trial: datetime.timedelta | None = None) -> tuple[Delivery, ...]:
        """Open a checkout and pay it."""
        begun = self.till.begin(user_id, email="a@b.org", success_url="", return_url="", address="")
        return (*self.opened(begun.checkout.id), *self.pay(begun.checkout.id, trial=trial))

    def pay(self, checkout_id: str, *, trial: datetime.timedelta | None = None) -> tuple[Delivery, ...]:
        """Pay a checkout."""
        confirmed = self.checkout_shape(checkout_id, CheckoutState.CONFIRMED)
        found = self.till.pay(checkout_id, trial=trial)
        user_id = self.till.holdings[found.id].user_id
        as_it_is = self.subscription_shape(found.id)
        orders = [self.order_shape(self._newest(found.id))] if not trial else []
        return self._tell(
            ("checkout.updated", confirmed),
            ("customer.created", shapes.customer(self.till.customers[user_id], user_id)),
            ("subscription.created", as_it_is),
            ("subscription.active", as_it_is),
            ("subscription.updated", as_it_is),
            *((f"order.{what}", it) for it in orders for what in ("created", "updated", "paid")),
            ("customer.state_changed", self._state(user_id)),
            ("checkout.updated", self.checkout_shape(checkout_id)),
        )

    def renew(self, user_id: UserId) -> tuple[Delivery, ...]:
        """Begin the next period, and charge it."""
        found = self.till.renew(self.subscription_of(user_id).id)
        order = self._newest(found.id)
        return self._about(
            found,
            "cycled",
            after=(
                ("order.created", self.order_shape(order, PaymentState.PENDING)),
                ("order.updated", self.order_shape(order)),
                ("order.paid", self.order_shape(order)),
            ),
            is_first=True,
        )

    def fail_charge(self, user_id: UserId) -> tuple[Delivery, ...]:
        """Begin the next period, and find that it cannot be charged."""
        found = self.till.renew(self.subscription_of(user_id).id, charged=False)
        before = attrs.evolve(
            found, state=SubscriptionState.ACTIVE, past_due_at=None, changed_at=found.changed_at - _TICK / 2
        )
        begun = shapes.subscription(self.till.holdings[found.id], self.till.customers[user_id], before)
        return (
            *self._tell(
                ("subscription.cycled", begun),
                ("subscription.updated", begun),
                ("order.created", self.order_shape(self._newest(found.id), PaymentState.PENDING)),
            ),
            *self._about(found, "past_due"),
        )

    def recover(self, user_id: UserId) -> tuple[Delivery, ...]:
        """Charge what could not be charged."""
        found = self.till.recover(self.subscription_of(user_id).id)
        order = self.order_shape(self._newest(found.id))
        return (*self._tell(("order.updated", order), ("order.paid", order)), *self._about(found, "active"))

    def cancel(self, user_id: UserId) -> tuple[Delivery, ...]:
        """Let it end with its period."""
        return self.set_ending(self.subscription_of(user_id).id, ends=True)

    def undo(self, user_id: UserId) -> tuple[Delivery, ...]:
        """Let it go on after all."""
        return self.set_ending(self.subscription_of(user_id).id, ends=False)

    def set_ending(self, subscription_id: str, *, ends: bool) -> tuple[Delivery, ...]:
        found = self.till.set_ending(subscription_id, ends=ends)
        return self._about(found, "canceled" if ends else "uncanceled")

    def end(self, user_id: UserId) -> tuple[Delivery, ...]:
        """Let its period end, or the last charge fail."""
        was_canceled = self.subscription_of(user_id).ends_at is not None
        found = self.till.end(self.subscription_of(user_id).id)
        return self._about(found, *(["canceled"] if was_canceled else []), "revoked")

    def revoke(self, user_id: UserId) -> tuple[Delivery, ...]:
        """End it at once."""
        return self._about(self.till.end(self.subscription_of(user_id).id), "canceled", "revoked")

    def pause(self, user_id: UserId, *, resumes_at: datetime.datetime | None = None) -> tuple[Delivery, ...]:
        return self._about(self.till.pause(self.subscription_of(user_id).id, resumes_at=resumes_at), "paused")

    def resume(self, user_id: UserId) -> tuple[Delivery, ...]:
        found = self.till.resume(self.subscription_of(user_id).id)
        order = self.order_shape(self._newest(found.id))
        return self._about(found, "resumed", after=(("order.created", order), ("order.paid", order)))

    def refund(self, user_id: UserId, part: int | None = None) -> tuple[Delivery, ...]:
        """Give the newest payment back; the subscription goes on."""
        payment = self.till.payments_of(user_id)[0]
        self.till.refund(payment.id, part)
        order = self.order_shape(self.till.charges[payment.id])
        refund = {"id": f"refund-{payment.id}", "order_id": payment.id, "status": "succeeded", "amount": part or 1000}
        return self._tell(("refund.created", refund), ("order.updated", order), ("order.refunded", order))

    # What tests look at.

    def subscription_of(self, user_id: UserId) -> Subscription:
        """Return the newest subscription of a user."""
        return self.till.subscriptions_of(user_id)[-1]

    def deliver(self, kind: str, data: object, *, at: datetime.datetime | None = None) -> Delivery:
        """Return a delivery of anything."""
        now = at or self.clock.now()
        envelope = {"type": kind, "timestamp": shapes.written(now), "data": data}
        if self.api_version:
            envelope["api_version"] = self.api_version
        self._sent += 1
        return self._signed(f"evt-{self._sent:06}", kind, json.dumps(envelope).encode(), now)

    def again(self, delivery: Delivery) -> Delivery:
        """Return a delivery as it is sent another time: signed anew, with the id it had."""
        return self._signed(delivery.id, delivery.type, delivery.body, self.clock.now())

    def _signed(self, message_id: str, kind: str, body: bytes, at: datetime.datetime) -> Delivery:
        headers = signed_headers(self.secret, message_id, at, body, self.scheme)
        return Delivery(id=message_id, type=kind, headers=headers, body=body)

    def _tell(self, *told: Told) -> tuple[Delivery, ...]:
        return tuple(self.deliver(kind, data) for kind, data in told)

    def _about(
        self, found: Subscription, *kinds: str, after: Iterable[Told] = (), is_first: bool = False
    ) -> tuple[Delivery, ...]:
        it = self.subscription_shape(found.id)
        named = [*kinds, "updated"] if is_first else ["updated", *kinds]
        user_id = self.till.holdings[found.id].user_id
        changes = [(f"subscription.{kind}", it) for kind in named]
        return self._tell(*changes, *after, ("customer.state_changed", self._state(user_id)))

    def subscription_shape(self, subscription_id: str) -> Json:
        holding = self.till.holdings[subscription_id]
        return shapes.subscription(holding, self.till.customers[holding.user_id])

    def order_shape(self, charge: Charge, state: PaymentState | None = None) -> Json:
        return shapes.order(charge, self.till.customers[charge.user_id], state)

    def checkout_shape(self, checkout_id: str, state: CheckoutState | None = None) -> Json:
        purchase = self.till.purchases[checkout_id]
        return shapes.checkout(purchase, self.till.customers.get(purchase.user_id), state)

    def _state(self, user_id: UserId) -> Json:
        return shapes.state(self.till.customers[user_id], user_id, self._held(user_id))

    def _held(self, user_id: UserId) -> list[Holding]:
        return [it for it in self.till.holdings.values() if it.user_id == user_id]

    def _newest(self, subscription_id: str) -> Charge:
        return [it for it in self.till.charges.values() if it.subscription_id == subscription_id][-1]
