"""The billing port over Polar's HTTP interface."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import AsyncIterator
from typing import Any, Final

import structlog

from dcacore.adapters.polar._access import Patience, PolarAccess
from dcacore.adapters.polar._answers import INVALID, NOT_FOUND, Refused
from dcacore.adapters.polar._reading import Fields, Unreadable, fields, hundredths
from dcacore.adapters.polar._shapes import checkout_of, illegible, owner_of, page_of, payment_of, subscription_of
from dcacore.adapters.polar._wire import Wire
from dcacore.domain.entitlement import Subscription, SubscriptionState
from dcacore.domain.ids import UserId
from dcacore.ports.billing import Billing, Checkout, Payment
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Rejected, Unavailable

log = structlog.get_logger("dcacore.billing")

_PAGE: Final = 100
_MOST_PAGES: Final = 10
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_OVER: Final = frozenset({SubscriptionState.CANCELED, SubscriptionState.INCOMPLETE_EXPIRED})


class PolarBilling(Billing):
    """Asks Polar. A user's id is the customer's external id there; an e-mail address is never gone by."""

    def __init__(self, access: PolarAccess, clock: Clock, patience: Patience | None = None) -> None:
        """Make one; nothing is sent yet. `aclose` ends its connections."""
        self._product_id = access.product_id
        self._schemes = ("https://",) if access.server_url.startswith("https:") else ("https://", "http://")
        self._wire = Wire(access, clock, patience or Patience())

    async def aclose(self) -> None:
        """End the connections; nothing can be asked any more."""
        await self._wire.aclose()

    async def begin_checkout(
        self, user_id: UserId, *, email: str, success_url: str, return_url: str, address: str
    ) -> Checkout:
        content: dict[str, Any] = {
            "products": [self._product_id],
            "external_customer_id": user_id,
            "customer_email": email,
            "success_url": success_url,
            "return_url": return_url,
        }
        if _is_address(address):
            content["customer_ip_address"] = address
        async with self._wire.call():
            found = checkout_of(fields(await self._wire.tell("POST", "checkouts/", content)), self._schemes)
        if found.user_id not in {user_id, None}:
            raise Unavailable("Polar has begun a purchase that is not this user's")
        return found

    async def checkout(self, checkout_id: str) -> Checkout | None:
        if not _ID.fullmatch(checkout_id):  # it comes from an address that anybody may have typed
            return None
        async with self._wire.call():
            try:
                answer = fields(await self._wire.ask(f"checkouts/{checkout_id}"))
            except Refused as exc:
                if exc.status in {NOT_FOUND, INVALID}:
                    return None
                raise
            _same(answer, checkout_id)
            return checkout_of(answer, self._schemes)

    async def portal(self, user_id: UserId, *, return_url: str) -> str:
        content = {"external_customer_id": user_id, "return_url": return_url}
        async with self._wire.call():
            try:
                answer = fields(await self._wire.tell("POST", "customer-sessions/", content))
            except Refused as exc:
                if exc.status in {NOT_FOUND, INVALID}:
                    raise Rejected("billing does not know the user yet: nothing was bought") from exc
                raise
            if owner_of(answer) not in {user_id, None}:
                raise Unavailable("Polar has opened a page that is not this user's")
            return page_of(answer, "customer_portal_url", self._schemes)

    async def subscriptions(self, user_id: UserId) -> tuple[Subscription, ...]:
        """Return all that the user has or had, of any product; empty when billing does not know the user.

        One that cannot be read stands there as one that gives nothing, and that is older than whatever is known of it.
        """
        async with self._wire.call():
            listed = [it async for it in self._listed("subscriptions/", user_id, _MOST_PAGES)]
        found = {it.id: it for item in listed if (it := _subscription(item, user_id)) is not None}
        return tuple(found.values())

    async def set_ending(self, subscription_id: str, *, ends: bool) -> Subscription:
        path = f"subscriptions/{_known(subscription_id, 'subscription')}"
        async with self._wire.call():
            try:
                answer = fields(await self._wire.tell("PATCH", path, {"cancel_at_period_end": ends}))
            except Refused as exc:
                if exc.status == NOT_FOUND:
                    raise Rejected("billing does not have this subscription") from exc
                found = subscription_of(fields(await self._wire.ask(path)))
                if found.id == subscription_id and (found.ends_at is not None) == ends and found.state not in _OVER:
                    return found  # it was so already: an answer before this one was lost, or the portal was quicker
                raise
            _same(answer, subscription_id)
            return subscription_of(answer)

    async def payments(self, user_id: UserId) -> tuple[Payment, ...]:
        async with self._wire.call():
            listed = [it async for it in self._listed("orders/", user_id, 1, sorting="-created_at")]
        found = [it for item in listed if (it := _payment(item, user_id)) is not None]
        return tuple(sorted(found, key=lambda it: it.at, reverse=True))

    async def invoice(self, payment_id: str) -> str | None:
        path = f"orders/{_known(payment_id, 'payment')}/invoice"
        async with self._wire.call():
            found = await self._invoice(path)
            if found is None and await self._make_invoice(path):
                found = await self._invoice(path)
            return found

    async def _invoice(self, path: str) -> str | None:
        try:
            return page_of(fields(await self._wire.ask(path)), "url", self._schemes)
        except Refused as exc:
            if exc.status == NOT_FOUND:
                return None
            raise

    async def _make_invoice(self, path: str) -> bool:
        try:
            await self._wire.tell("POST", path)
        except Refused as exc:
            if exc.name == "InvoiceAlreadyExists":
                return False
            if exc.status == NOT_FOUND:
                raise Rejected("billing does not have this payment") from exc
            raise
        return True

    async def _listed(self, path: str, user_id: UserId, most_pages: int, **more: str) -> AsyncIterator[Fields]:
        """Yield what a list has of a user, as it is; pages go on while they are full or further ones are named."""
        for page in range(1, most_pages + 1):
            params: dict[str, str | int] = {"external_customer_id": user_id, "limit": _PAGE, "page": page, **more}
            try:
                answer = fields(await self._wire.ask(path, params))
            except Refused as exc:
                if exc.status == NOT_FOUND:
                    return
                raise
            items = answer.get("items")
            if not isinstance(items, list):
                raise Unreadable("it has no items")
            for item in items:
                yield fields(item)
            last = hundredths(fields(answer.get("pagination")), "max_page")
            if not items or (page >= last if last is not None else len(items) < _PAGE):
                return


def _subscription(it: Fields, user_id: UserId) -> Subscription | None:
    owner = owner_of(it)
    if owner not in {user_id, None}:
        log.warning("billing_named_anothers", kind="subscription", user_id=user_id)
        return None
    reason = "it does not say whose it is"
    if owner is not None:
        try:
            return subscription_of(it)
        except Unreadable as exc:
            reason = str(exc)
    log.warning("billing_unreadable", kind="subscription", user_id=user_id, reason=reason)
    return illegible(it)


def _payment(it: Fields, user_id: UserId) -> Payment | None:
    try:
        return payment_of(it) if owner_of(it) == user_id else None
    except Unreadable as exc:
        log.warning("billing_unreadable", kind="payment", user_id=user_id, reason=str(exc))
        return None


def _same(it: Fields, asked: str) -> None:
    if it.get("id") != asked:
        raise Unreadable("it is about something else")


def _known(text: str, kind: str) -> str:
    if not _ID.fullmatch(text):
        raise Rejected(f"billing does not have this {kind}")
    return text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # an interface of this machine says nothing elsewhere
