"""How often what may be tried. A try is counted before it is looked at, so that none slips through beside another."""

from __future__ import annotations

import datetime
import math
from typing import Final

import attrs

from dcacore.application.identity.means import Client, Means, digest
from dcacore.application.identity.refusals import TooManyTries

_QUARTER: Final = datetime.timedelta(minutes=15)
_HOUR: Final = datetime.timedelta(hours=1)
LONGEST_WINDOW: Final = _HOUR
"""Tries that began longer ago than this count no more, whatever they were."""


@attrs.frozen
class Limit:
    """How often something may be tried.

    Attributes:
        name: what is tried.
        most: so often ...
        window: ... within this time.
    """

    name: str
    most: int
    window: datetime.timedelta


_MINUTE: Final = datetime.timedelta(minutes=1)
SIGNALS_BY_CLIENT: Final = Limit("signals-client", 120, _MINUTE)
SIGNALS_OF_BOT: Final = Limit("signals-bot", 12, _MINUTE)
LOGIN_BY_CLIENT: Final = Limit("login-client", 100, _QUARTER)
LOGIN_BY_ADDRESS: Final = Limit("login-address", 10, _QUARTER)
"""Of an address, by one client: a stranger who guesses keeps nobody out but himself."""
LOGIN_BY_ALL: Final = Limit("login-all", 3 * LOGIN_BY_CLIENT.most, _QUARTER)
"""Of an address, by all clients together: more than one of them gets to."""
MAIL_BY_ADDRESS: Final = Limit("mail-address", 5, _HOUR)
MAIL_BY_CLIENT: Final = Limit("mail-client", 30, _HOUR)
OWN_DATA: Final = Limit("own-data", 5, _HOUR)
BILLING_BY_USER: Final = Limit("billing-user", 60, _MINUTE)
"""Of what makes billing be asked: more than a page that waits for a purchase wants, less than would use it up."""
PASSWORD_BY_USER: Final = Limit("password-user", 10, _QUARTER)


def key_of(limit: Limit, subject: str) -> str:
    """Return what tries of *subject* are counted under; addresses themselves are not kept."""
    return f"{limit.name}:{digest(subject)}"


def logins(email: str, client: Client) -> tuple[tuple[Limit, str], tuple[Limit, str]]:
    """Return what tries to log in as *email* are counted under, which getting in clears."""
    return (LOGIN_BY_ADDRESS, f"{email} {client.network}"), (LOGIN_BY_ALL, email)


async def count(means: Means, *tries: tuple[Limit, str]) -> None:
    """Count a try for each of these, in a transaction of its own; a subject that is empty is not counted.

    Raises:
        TooManyTries: one of them has been tried too often; then nothing was counted.
    """
    now = means.clock.now()
    async with means.store.begin() as work:
        for limit, subject in tries:
            if not subject:
                continue
            found = await work.throttle.count(key_of(limit, subject), now, limit.window)
            if found.count > limit.most:
                wait = found.began_at + limit.window - now
                raise TooManyTries(max(1, math.ceil(wait.total_seconds())))
        await work.commit()


async def count_mail(means: Means, email: str, client: Client) -> None:
    """Count that a client wants mail to be sent to *email*, whether or not anybody has that address.

    Raises:
        TooManyTries: one of them has wanted, or got, too much.
    """
    await count(means, (MAIL_BY_CLIENT, client.network), (MAIL_BY_ADDRESS, email))
