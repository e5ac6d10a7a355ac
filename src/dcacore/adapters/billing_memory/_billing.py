"""The billing port over a till in memory."""

from __future__ import annotations

from dcacore.adapters.billing_memory._till import Till
from dcacore.domain.entitlement import Subscription
from dcacore.domain.ids import UserId
from dcacore.ports.billing import Billing, Checkout, Payment, PaymentState
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.errors import PortError, Rejected


class MemoryBilling(Billing):
    """Sells to whoever asks.

    Attributes:
        till: what was sold; by it customers pay and banks refuse.
        trouble: what every call raises; None while all is well.
    """

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        *,
        product_id: str = "pro",
        amount: int = 1000,
        currency: str = "usd",
        pages: str = "http://127.0.0.1:8000/billing",
    ) -> None:
        """Begin with no customers.

        Args:
            clock: by which things happen.
            ids: names them.
            product_id: what is sold.
            amount: what a month costs, in hundredths of the currency.
            currency: such as usd.
            pages: where checkouts and invoices would be found; nothing is there.
        """
        self.till = Till(clock, ids, product_id=product_id, amount=amount, currency=currency, pages=pages)
        self.trouble: PortError | None = None

    async def begin_checkout(
        self, user_id: UserId, *, email: str, success_url: str, return_url: str, address: str
    ) -> Checkout:
        self._work()
        begun = self.till.begin(user_id, email=email, success_url=success_url, return_url=return_url, address=address)
        return begun.checkout

    async def checkout(self, checkout_id: str) -> Checkout | None:
        self._work()
        found = self.till.purchases.get(checkout_id)
        return found.checkout if found else None

    async def portal(self, user_id: UserId, *, return_url: str) -> str:  # noqa: ARG002  # there is no page to return from
        self._work()
        customer = self.till.customers.get(user_id)
        if customer is None:
            raise Rejected("billing does not know the user yet: nothing was bought")
        return f"{self.till.pages}/portal/{customer}"

    async def subscriptions(self, user_id: UserId) -> tuple[Subscription, ...]:
        self._work()
        return self.till.subscriptions_of(user_id)

    async def set_ending(self, subscription_id: str, *, ends: bool) -> Subscription:
        self._work()
        return self.till.set_ending(subscription_id, ends=ends)

    async def payments(self, user_id: UserId) -> tuple[Payment, ...]:
        self._work()
        return self.till.payments_of(user_id)[:100]

    async def invoice(self, payment_id: str) -> str | None:
        self._work()
        charge = self.till.charges.get(payment_id)
        if charge is None:
            raise Rejected("billing does not have this payment")
        if charge.payment.state in {PaymentState.DRAFT, PaymentState.PENDING, PaymentState.VOID}:
            raise Rejected("there is an invoice only for what has been paid")
        if charge.user_id in self.till.nameless:
            raise Rejected("the billing name and address are missing: enter them under Manage first")
        was_made, charge.has_invoice = charge.has_invoice, True
        return f"{self.till.pages}/invoice/{payment_id}" if was_made else None

    def _work(self) -> None:
        if self.trouble is not None:
            raise self.trouble
