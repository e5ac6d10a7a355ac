"""Passwords: forgotten, set anew by a link, changed; and asked for before what cannot be undone."""

from __future__ import annotations

import attrs

from dcacore.application.apart import apart
from dcacore.application.identity import letters
from dcacore.application.identity.links import held, look_at, used
from dcacore.application.identity.means import NOBODY, Client, Means
from dcacore.application.identity.refusals import LinkUnusable, Unusable, WrongPassword
from dcacore.application.identity.rules import check_new_password, same_address
from dcacore.application.identity.sessions import Opened, SignedIn, open_session
from dcacore.application.identity.throttling import (
    PASSWORD_BY_USER,
    count,
    count_mail,
    key_of,
    logins,
)
from dcacore.domain.ids import UserId
from dcacore.ports.identity import LinkKind, MailLink
from dcacore.ports.mail import Letter
from dcacore.ports.records import User
from dcacore.ports.store import Work

_KINDS = frozenset({LinkKind.RESET})


async def forgot(means: Means, *, email: str, client: Client = NOBODY) -> None:
    """Send a link that sets a new password; nothing is sent, or told, when nobody has the address.

    Raises:
        TooManyTries: too much mail for this address, or by this client.
    """
    email = same_address(email)
    await count_mail(means, email, client)
    async with means.store.begin() as work:
        user = await held(work, email)
        if user is not None:
            await letters.send(means, work, user, LinkKind.RESET, letters.with_link(means, LinkKind.RESET, email))
            await work.commit()


async def look_at_reset(means: Means, secret: str) -> MailLink:
    """Return the link with this secret, which sets a password, without using it.

    Raises:
        LinkUnusable: it is unknown, expired or used.
    """
    return await look_at(means, secret, _KINDS)


async def reset(means: Means, secret: str, *, password: str, client: Client = NOBODY) -> User:
    """Set another password by a link, which is used up. That the link came confirms the address.

    Whoever had the account before has nothing of it any more: all sessions, API tokens and secrets for signals end.

    Raises:
        LinkUnusable: it is unknown, expired or used.
        InvalidParameter: the password breaks its rule; the link can still be used.
    """
    link = await look_at(means, secret, _KINDS)  # what no link pays for is not worth the work of hashing
    await apart(check_new_password, password, link.email)
    hashed = await apart(means.passwords.hash, password)
    now = means.clock.now()
    async with means.store.begin() as work:
        link, user = await used(means, work, secret, _KINDS)
        if link.email != user.email:
            raise LinkUnusable(Unusable.UNKNOWN)
        user = attrs.evolve(user, password_hash=hashed, verified_at=user.verified_at or now)
        await work.users.save(user)
        await work.sessions.revoke_all(user.id)
        await work.api_tokens.revoke_all(user.id)
        await work.signals.revoke_all(user.id)
        await work.mail_links.forget(user.id, {LinkKind.ADDRESS, LinkKind.VERIFY})
        for limit, subject in (*logins(user.email, client), (PASSWORD_BY_USER, str(user.id))):
            await work.throttle.forget(key_of(limit, subject))
        await work.outbox.add(letters.written(means, Letter.PASSWORD_CHANGED, user.email), now)
        await work.commit()
    return user


async def change_password(means: Means, signed_in: SignedIn, *, current: str, password: str) -> Opened:
    """Set another password, and end all the user's sessions and the links that are on their way.

    Returns:
        A new session in the place of *signed_in*: whoever has seen the secret of that one has nothing of it any more.

    Raises:
        TooManyTries: the password was asked for too often.
        WrongPassword: *current* is not the user's.
        InvalidParameter: the new one breaks its rule.
    """
    user = await confirmed(means, signed_in.user.id, current)
    await apart(check_new_password, password, user.email)
    hashed = await apart(means.passwords.hash, password)
    async with means.store.begin() as work:
        user = attrs.evolve(await still(work, user), password_hash=hashed)
        await work.users.save(user)
        await work.sessions.revoke_all(user.id)
        client = Client(address=signed_in.session.address, agent=signed_in.session.agent)
        opened = await open_session(means, work, user, client)
        await work.mail_links.forget(user.id, tuple(LinkKind))
        await work.outbox.add(letters.written(means, Letter.PASSWORD_CHANGED, user.email), means.clock.now())
        await work.commit()
    return opened


async def confirmed(means: Means, user_id: UserId, password: str) -> User:
    """Return the user, whose password this is.

    Raises:
        TooManyTries: it was asked for too often.
        WrongPassword: it is not.
    """
    await count(means, (PASSWORD_BY_USER, user_id))
    async with means.store.begin(reads_only=True) as work:
        user = await work.users.get(user_id)
    if user is None or not await apart(means.passwords.check, password, user.password_hash):
        raise WrongPassword
    async with means.store.begin() as work:
        await work.throttle.forget(key_of(PASSWORD_BY_USER, user_id))
        await work.commit()
    return user


async def still(work: Work, user: User) -> User:
    """Return *user*, held, as long as the password that was checked is still the user's.

    Raises:
        WrongPassword: it was changed meanwhile.
    """
    now = await work.users.hold(user.id)
    if now is None or now.password_hash != user.password_hash:
        raise WrongPassword
    return now
