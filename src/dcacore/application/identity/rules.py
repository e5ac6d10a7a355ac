"""What an address and a new password of a person must be."""

from __future__ import annotations

import functools
import unicodedata

from dcacore.application.users import check_password, checked_email
from dcacore.domain.errors import InvalidParameter


def checked_address(email: str) -> str:
    """Return *email* as it is stored: in lower case, its letters composed. No name server is asked.

    Raises:
        InvalidParameter: it is no address that mail could go to.
    """
    from email_validator import EmailNotValidError, validate_email

    email = checked_email(email)
    try:
        return validate_email(email, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise InvalidParameter("email", email, "must be an address such as a@b.org") from None


def same_address(email: str) -> str:
    """Return *email* as it would be stored, whether or not it is an address."""
    return unicodedata.normalize("NFC", email.strip().lower())


def check_new_password(password: str, email: str) -> None:
    """See that *password* can be taken by the user of *email*. Takes a moment at first: call it off the event loop.

    Raises:
        InvalidParameter: it breaks the rule, is the address, or stands on the list of those that everybody tries first.
    """
    check_password(password)
    folded = password.casefold()
    if folded in {email.casefold(), email.casefold().partition("@")[0]}:
        raise InvalidParameter("password", None, "must not be the address")
    if folded in _common():
        raise InvalidParameter("password", None, "is one of the most common ones: take one that nobody guesses")


@functools.cache
def _common() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
