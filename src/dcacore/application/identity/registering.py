"""Coming: to register, to confirm the address, and to have the mail sent again."""

from __future__ import annotations

import attrs

from dcacore.application.apart import apart
from dcacore.application.identity import letters, throttling
from dcacore.application.identity.links import held, look_at, used
from dcacore.application.identity.means import NOBODY, Client, Means
from dcacore.application.identity.refusals import AddressTaken, LinkUnusable, RegistrationClosed, Unusable
from dcacore.application.identity.rules import check_new_password, checked_address, same_address
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import LinkKind, MailLink, Registration
from dcacore.ports.mail import Letter
from dcacore.ports.records import User
from dcacore.ports.store import Work

_KINDS = frozenset({LinkKind.VERIFY, LinkKind.ADDRESS})


async def register(means: Means, *, email: str, password: str, client: Client = NOBODY) -> str:
    """Make an account whose address has yet to be confirmed, and return the address a mail goes to.

    Who has that address already is told so by mail; the answer, and the time it takes, are the same. An account that
    nobody has confirmed or used is begun anew: the last to register, and then to follow the link, has it.

    Raises:
        RegistrationClosed: only an administrator makes accounts here.
        InvalidParameter: address or password break their rules.
        TooManyTries: too much mail for this address, or by this client.
    """
    if means.registration is Registration.CLOSED:
        raise RegistrationClosed
    email = checked_address(email)
    await apart(check_new_password, password, email)
    await throttling.count_mail(means, email, client)
    hashed = await apart(means.passwords.hash, password)
    new = User(
        id=UserId(means.ids.new()),
        email=email,
        tier=means.default_tier,
        password_hash=hashed,
        created_at=means.clock.now(),
    )
    confirm = letters.with_link(means, LinkKind.VERIFY, email)
    already = letters.written(means, Letter.ALREADY_REGISTERED, email)
    try:
        async with means.store.begin() as work:
            user = await _begun(work, new)
            if user is None:
                await work.outbox.add(already, means.clock.now())
            else:
                await letters.send(means, work, user, LinkKind.VERIFY, confirm)
            await work.commit()
    except Conflict:  # another has taken the address in this moment, and gets a mail of its own
        return email
    return email


async def _begun(work: Work, new: User) -> User | None:
    """Return the user who has yet to confirm the address, stored; None when the address is somebody's."""
    known = await held(work, new.email)
    if known is None:
        await work.users.add(new)
        return new
    if known.verified_at is not None or known.is_admin or await work.accounts.of(known.id):
        return None
    begun = attrs.evolve(known, password_hash=new.password_hash)
    await work.users.save(begun)
    return begun


async def resend(means: Means, *, email: str, client: Client = NOBODY) -> None:
    """Send the link that confirms an address once more; nothing is sent, or told, when there is none to confirm.

    Raises:
        TooManyTries: too much mail for this address, or by this client.
    """
    email = same_address(email)
    await throttling.count_mail(means, email, client)
    async with means.store.begin() as work:
        user = await held(work, email)
        if user is not None and user.verified_at is None:
            await letters.send(means, work, user, LinkKind.VERIFY, letters.with_link(means, LinkKind.VERIFY, email))
            await work.commit()


async def look_at_verification(means: Means, secret: str) -> MailLink:
    """Return the link with this secret, which confirms an address, without using it.

    Raises:
        LinkUnusable: it is unknown, expired or used.
    """
    return await look_at(means, secret, _KINDS)


async def verify(means: Means, secret: str) -> User:
    """Confirm the address that a link was sent to: of a new account, or the new one of an account. Uses the link up.

    Returns:
        The user as it is now.

    Raises:
        LinkUnusable: it is unknown, expired or used.
        AddressTaken: somebody else has the new address by now.
    """
    now = means.clock.now()
    async with means.store.begin() as work:
        link, user = await used(means, work, secret, _KINDS)
        if link.kind is LinkKind.VERIFY:
            if link.email != user.email:
                raise LinkUnusable(Unusable.UNKNOWN)
            user = attrs.evolve(user, verified_at=user.verified_at or now)
        else:
            old, user = user.email, attrs.evolve(user, email=link.email, verified_at=now)
            # Who reads the old mailbox must not get in by it any more.
            await work.mail_links.forget(user.id, {LinkKind.RESET, LinkKind.VERIFY})
            await work.outbox.add(letters.written(means, Letter.ADDRESS_CHANGED, old, email=link.email), now)
        try:
            await work.users.save(user)
        except Conflict as error:
            raise AddressTaken from error
        await work.commit()
    return user
