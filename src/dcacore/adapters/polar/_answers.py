"""What Polar's refusals mean. Their own words are never repeated: they may hold what was sent."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from dcacore.adapters.polar._reading import Fields, fields
from dcacore.ports.errors import BadCredentials, PortError, RateLimited, Rejected, Unavailable

NO_TOKEN: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
INVALID: Final = 422
TOO_MANY: Final = 429
SERVER_FAILED: Final = 500
TOO_SLOW: Final = 408
_FAILED: Final = 400
_UNSAID_S: Final = 60.0
_LONGEST_S: Final = 600.0  # the limits are by the minute: more is a mistake, and must not close billing for a day

ALREADY_CANCELED: Final = "AlreadyCanceledSubscription"
_OF_TOKENS: Final = frozenset(
    {"", "insufficient_scope", "invalid_token", "NotPermitted", "Unauthorized", "Unauthenticated"}
)
_REASONS: Final[Mapping[str, str]] = {
    ALREADY_CANCELED: "the subscription has ended, or is going to end already",
    "AlreadyActiveSubscriptionError": "there is an active subscription already",
    "AlreadyActiveSubscription": "there is an active subscription already",
    "SubscriptionLocked": "the subscription is being changed elsewhere: try again in a minute",
    "PaymentFailed": "the payment failed",
    "MissingInvoiceBillingDetails": "the billing name and address are missing: enter them under Manage first",
    "NotPaidOrder": "there is an invoice only for what has been paid",
    "OrderNotEligibleForInvoice": "there is no invoice for this payment",
    "InvoiceAlreadyExists": "the invoice is being made",
}
_FIELDS: Final[Mapping[str, str]] = {
    "customer_email": "it does not take the e-mail address",
    "external_customer_id": "it does not know the customer",
    "products": "it does not have the product",
    "success_url": "it does not take the address of this site",
    "return_url": "it does not take the address of this site",
}


class Refused(Rejected):
    """Polar said no.

    Attributes:
        status: the HTTP status.
        name: what Polar calls the refusal; empty where it does not say.
    """

    def __init__(self, reason: str, status: int, name: str) -> None:
        self.status = status
        self.name = name
        super().__init__(reason)


class PolarLimited(RateLimited):
    """Polar wants no request before a given time."""

    def __init__(self, retry_at: datetime.datetime) -> None:
        super().__init__(retry_at)
        self.args = (f"Polar wants no request before {retry_at:%Y-%m-%d %H:%M:%S} UTC",)


def refusal(status: int, answer: object) -> PortError:
    """Return what an answer of a status that is neither success nor a server's failure means."""
    it = fields(answer)
    said = it.get("error")
    name = said if isinstance(said, str) else ""
    if status == NO_TOKEN or (status == FORBIDDEN and name in _OF_TOKENS):
        return BadCredentials(f"Polar does not take the access token, or it lacks a scope (HTTP {status})")
    if status < _FAILED:
        return Unavailable(f"Polar sends elsewhere (HTTP {status}): POLAR_SERVER_URL may be wrong")
    reason = _REASONS.get(name) or _FIELDS.get(_first_field(it)) or f"it refuses the request (HTTP {status})"
    return Refused(f"Polar: {reason}", status, name if name in _REASONS else "")


def _first_field(it: Fields) -> str:
    detail = it.get("detail")
    first = fields(detail[0]) if isinstance(detail, list) and detail else {}
    place = first.get("loc")
    named = [part for part in place if isinstance(part, str) and part in _FIELDS] if isinstance(place, list) else []
    return named[0] if named else ""


def pause_s(retry_after: str | None, now: datetime.datetime) -> float:
    """Return for how many seconds Polar wants no request: `Retry-After` is a number of them or a time (RFC 9110)."""
    written = (retry_after or "").strip()
    if written.isascii() and written.isdigit() and len(written) < 10:  # noqa: PLR2004  # more is no pause
        asked = float(written)
    else:
        try:
            until = parsedate_to_datetime(written)
            until = until if until.tzinfo else until.replace(tzinfo=datetime.UTC)
            asked = (until - now).total_seconds()
        except (ValueError, OverflowError):
            asked = _UNSAID_S
    return min(max(asked, 1.0), _LONGEST_S)
