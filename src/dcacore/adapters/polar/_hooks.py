"""What Polar tells by itself: webhooks, verified before anything of them is read."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Final

from dcacore.adapters.polar._reading import Fields, Unreadable, fields, needed_text, parsed, text
from dcacore.adapters.polar._shapes import customer_of, owner_of, subscription_of
from dcacore.adapters.polar._signatures import checked, keys_of
from dcacore.domain.entitlement import Subscription
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.billing import BillingEvent, Hooks
from dcacore.ports.errors import BadFile

_LONGEST_TYPE: Final = 100
_ABOUT_CUSTOMERS: Final = "customer."
_ABOUT_SUBSCRIPTIONS: Final = "subscription."


class PolarHooks(Hooks):
    """Reads Polar's webhooks."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take what is signed with one of *secrets*: several while they change.

        Raises:
            InvalidParameter: there is none, or one has not the form of a secret.
        """
        self._keys = tuple(key for secret in secrets for key in keys_of(secret))
        if not self._keys:
            raise InvalidParameter("secret", None, "is missing")

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime.datetime) -> BillingEvent:
        message_id, sent_at = checked(self._keys, headers, body, now)
        try:
            it = fields(parsed(body))
            kind = needed_text(it, "type", _LONGEST_TYPE)
        except Unreadable as exc:
            raise BadFile("the webhook", f"is no event: {exc}") from exc
        data = fields(it.get("data"))
        is_customer = kind.startswith(_ABOUT_CUSTOMERS)
        return BillingEvent(
            id=message_id,
            type=kind,
            told_at=sent_at,
            user_id=_user(data) if is_customer else owner_of(data),
            customer_id=text(data, "id") if is_customer else customer_of(data),
            subscription=_subscription(data) if kind.startswith(_ABOUT_SUBSCRIPTIONS) else None,
        )


def _user(customer: Fields) -> UserId | None:
    found = text(customer, "external_id")
    return UserId(found) if found else None


def _subscription(data: Fields) -> Subscription | None:
    try:
        return subscription_of(data)
    except Unreadable:
        return None
