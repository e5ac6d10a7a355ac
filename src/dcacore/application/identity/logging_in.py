"""Logging in."""

from __future__ import annotations

from dcacore.application.apart import apart
from dcacore.application.identity.means import NOBODY, Client, Means
from dcacore.application.identity.refusals import NotVerified, WrongLogin
from dcacore.application.identity.rules import same_address
from dcacore.application.identity.sessions import Opened, open_session
from dcacore.application.identity.throttling import LOGIN_BY_CLIENT, count, key_of, logins


async def login(
    means: Means, *, email: str, password: str, client: Client = NOBODY, old_session: str | None = None
) -> Opened:
    """Let somebody in, and return the new session.

    An address that nobody has takes as long as a wrong password, and is refused alike. The right password clears the
    tries of the address; those of the client stay, or who has an account could guess at others' for ever.

    Args:
        means: the ports.
        email: whose.
        password: what proves it.
        client: who asks.
        old_session: the secret of the session that the browser had; it ends.

    Raises:
        TooManyTries: for this address or by this client; it says how long to wait.
        WrongLogin: address or password is wrong.
        NotVerified: the password is right, and the address has not been confirmed.
    """
    email = same_address(email)
    await count(means, (LOGIN_BY_CLIENT, client.network), *logins(email, client))
    async with means.store.begin(reads_only=True) as work:
        found = await work.users.by_email(email)
    if found is None:
        await apart(means.passwords.check_nobody, password)
        raise WrongLogin
    if not await apart(means.passwords.check, password, found.password_hash):
        raise WrongLogin
    async with means.store.begin() as work:
        user = await work.users.hold(found.id)
        if user is None or user.password_hash != found.password_hash:
            raise WrongLogin  # it was changed while this one was being checked
        for limit, subject in logins(email, client):
            await work.throttle.forget(key_of(limit, subject))
        if user.verified_at is None:
            await work.commit()
            raise NotVerified
        opened = await open_session(means, work, user, client, old=old_session)
        await work.commit()
    return opened
