"""Links that were sent by mail: looking at one, and using it once."""

from __future__ import annotations

import datetime
from collections.abc import Collection

from dcacore.application.identity.means import Means, digest
from dcacore.application.identity.refusals import LinkUnusable, Unusable
from dcacore.ports.identity import LinkKind, MailLink
from dcacore.ports.records import User
from dcacore.ports.store import Work


async def look_at(means: Means, secret: str, kinds: Collection[LinkKind]) -> MailLink:
    """Return the link with this secret, without using it.

    Raises:
        LinkUnusable: it is unknown, expired or used.
    """
    async with means.store.begin(reads_only=True) as work:
        link = await work.mail_links.get(digest(secret))
    return _usable(link, kinds, means.clock.now())


async def used(means: Means, work: Work, secret: str, kinds: Collection[LinkKind]) -> tuple[MailLink, User]:
    """Use the link up in *work*, which the caller commits, and return it with its user, who is held.

    Raises:
        LinkUnusable: it is unknown, expired or used.
    """
    now, key = means.clock.now(), digest(secret)
    link = _usable(await work.mail_links.get(key), kinds, now)
    user = await work.users.hold(link.user_id)  # before the link, as everybody does who puts one
    if user is None or await work.mail_links.use(key, now) is None:
        raise LinkUnusable(Unusable.USED)  # by another request, in this moment
    return link, user


def _usable(link: MailLink | None, kinds: Collection[LinkKind], now: datetime.datetime) -> MailLink:
    if link is None or link.kind not in kinds:
        raise LinkUnusable(Unusable.UNKNOWN)
    if link.used_at is not None:
        raise LinkUnusable(Unusable.USED)
    if link.expires_at <= now:
        raise LinkUnusable(Unusable.EXPIRED)
    return link


async def held(work: Work, email: str) -> User | None:
    """Return the user with this address, held; None when there is none."""
    known = await work.users.by_email(email)
    user = None if known is None else await work.users.hold(known.id)
    return user if user is not None and user.email == email else None  # it may have changed while this one waited
