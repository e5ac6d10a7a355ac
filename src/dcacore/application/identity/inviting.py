"""Somebody who is given an account by an administrator, and chooses the password by a link that comes by mail."""

from __future__ import annotations

from dcacore.application.identity import letters
from dcacore.application.identity.means import Means
from dcacore.application.identity.rules import checked_address
from dcacore.application.refusals import NotFound
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import LinkKind
from dcacore.ports.records import Tier, User


async def invite(means: Means, *, email: str, tier: Tier | None = None, is_admin: bool = False) -> User:
    """Make a user without a password, and send the link that sets one, which also confirms the address.

    Whether people may register themselves does not matter here.

    Args:
        means: the ports.
        email: the address.
        tier: how many bots the user may have; None for what new users have.
        is_admin: whether the user may look after others.

    Raises:
        InvalidParameter: it is no address.
        Conflict: there is a user with that address.
    """
    email = checked_address(email)
    user = User(
        id=UserId(means.ids.new()),
        email=email,
        tier=tier or means.default_tier,
        is_admin=is_admin,
        created_at=means.clock.now(),
    )
    ready = letters.invitation(means, email)
    async with means.store.begin() as work:
        if await work.users.by_email(email) is not None:
            raise Conflict(f"there is a user {email} already")
        await work.users.add(user)
        await letters.send(means, work, user, LinkKind.RESET, ready, lasts=letters.INVITED_FOR)
        await work.commit()
    return user


async def send_password_link(means: Means, user_id: UserId) -> User:
    """Send a link that sets a new password: an invitation to who has none yet; return who gets it.

    The password that there is stays until the link is followed.

    Raises:
        NotFound: there is no such user.
    """
    async with means.store.begin() as work:
        user = await work.users.hold(user_id)
        if user is None:
            raise NotFound("user", user_id)
        if user.password_hash:
            await letters.send(means, work, user, LinkKind.RESET, letters.with_link(means, LinkKind.RESET, user.email))
        else:
            ready = letters.invitation(means, user.email)
            await letters.send(means, work, user, LinkKind.RESET, ready, lasts=letters.INVITED_FOR)
        await work.commit()
    return user
