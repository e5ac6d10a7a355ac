"""What an administrator does with users."""

from __future__ import annotations

import re
from typing import Final

import attrs

from dcacore.application.administrators import refuse_last
from dcacore.application.apart import apart
from dcacore.application.billing.tiers import NOT_SELLING, Selling, bring_up_to_date
from dcacore.application.refusals import NotFound
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import LinkKind
from dcacore.ports.records import Tier, User
from dcacore.ports.secrets import Passwords
from dcacore.ports.store import Store, Work

SHORTEST_PASSWORD: Final = 8
LONGEST_PASSWORD: Final = 128
_LONGEST_EMAIL: Final = 254
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def checked_email(email: str) -> str:
    """Return *email* in lower case.

    Raises:
        InvalidParameter: it is no address.
    """
    email = email.strip().lower()
    if not _EMAIL.fullmatch(email) or not email.isprintable() or len(email) > _LONGEST_EMAIL:
        raise InvalidParameter("email", email if email.isprintable() else None, "must be an address such as a@b.org")
    return email


def check_password(password: str) -> None:
    """See that *password* is one that can be taken; what it is, is never repeated.

    Raises:
        InvalidParameter: it is too short, too long, or lacks a kind of character.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidParameter("password", None, f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    kinds = (("upper case letter", str.isupper), ("lower case letter", str.islower), ("digit", str.isdigit))
    lacking = [name for name, is_kind in kinds if not any(map(is_kind, password))]
    if lacking:
        raise InvalidParameter("password", None, f"must have at least one {' and one '.join(lacking)}")


async def create(
    store: Store,
    clock: Clock,
    ids: Ids,
    passwords: Passwords,
    *,
    email: str,
    password: str,
    is_admin: bool = False,
    is_verified: bool = False,
    tier: Tier = Tier.FREE,
) -> User:
    """Store a new user.

    Raises:
        InvalidParameter: address or password break their rules.
        Conflict: there is a user with that address.
    """
    email = checked_email(email)
    check_password(password)
    hashed = await apart(passwords.hash, password)
    now = clock.now()
    user = User(
        id=UserId(ids.new()),
        email=email,
        tier=tier,
        is_admin=is_admin,
        verified_at=now if is_verified else None,
        password_hash=hashed,
        created_at=now,
    )
    async with store.begin() as work:
        if await work.users.by_email(email) is not None:
            raise Conflict(f"there is a user {email} already")
        await work.users.add(user)
        await work.commit()
    return user


async def everyone(store: Store) -> tuple[User, ...]:
    """Return all users, oldest first."""
    async with store.begin(reads_only=True) as work:
        return await work.users.all()


async def find(store: Store, email: str | None) -> User:
    """Return the user with this address; without one, the only user there is.

    Raises:
        NotFound: there is none, or several to choose from.
    """
    async with store.begin(reads_only=True) as work:
        if email is not None:
            return await _of(work, email)
        users = await work.users.all()
    if not users:
        raise NotFound("user", "yet", ": make one with `dca user create`")
    if len(users) > 1:
        raise NotFound("user", "named", f", and there are {len(users)}: say which one with --user EMAIL or DCA_USER")
    return users[0]


async def verify(store: Store, clock: Clock, *, email: str) -> User:
    """Note that the address is the user's; a second time changes nothing.

    Raises:
        NotFound: there is no such user.
    """
    async with store.begin() as work:
        user = await _held(work, await _of(work, email))
        if user.verified_at is None:
            user = attrs.evolve(user, verified_at=clock.now())
            await work.users.save(user)
            await work.commit()
    return user


async def set_tier(
    store: Store, clock: Clock, ids: Ids, *, email: str, tier: Tier, selling: Selling = NOT_SELLING
) -> User:
    """Give a user a tier, and return the user, who has a better one still if it is paid for.

    Bots that are there stay; those that a smaller tier does not carry end their deals and start no new one.

    Raises:
        NotFound: there is no such user.
    """
    async with store.begin() as work:
        user = await _held(work, await _of(work, email))
        await work.users.save(attrs.evolve(user, given_tier=tier))
        changed = await bring_up_to_date(work, clock, ids, user.id, selling)
        await work.commit()
    if changed is None:
        raise NotFound("user", email)
    return changed


async def set_admin(store: Store, *, email: str, is_admin: bool) -> User:
    """Let a user look after others, or not any more.

    Raises:
        NotFound: there is no such user.
        LastAdministrator: nobody else could administer the others.
    """
    async with store.begin() as work:
        user = await _of(work, email)
        if not is_admin:
            await refuse_last(work, user.id)
        user = attrs.evolve(await _held(work, user), is_admin=is_admin)
        await work.users.save(user)
        await work.commit()
    return user


async def sign_out(store: Store, *, email: str) -> User:
    """End all sessions, API tokens and secrets for signals of a user, and the mailed links that are on their way.

    Bots go on. Who knows the password can sign in again: `reset_password` gives another one.

    Raises:
        NotFound: there is no such user.
    """
    async with store.begin() as work:
        user = await _held(work, await _of(work, email))
        await _end_access(work, user)
        await work.commit()
    return user


async def reset_password(store: Store, passwords: Passwords, *, email: str, password: str) -> User:
    """Give a user another password, and end all sessions, API tokens and mailed links of the user.

    Raises:
        NotFound: there is no such user.
        InvalidParameter: the password breaks its rule.
    """
    check_password(password)
    hashed = await apart(passwords.hash, password)
    async with store.begin() as work:
        user = attrs.evolve(await _held(work, await _of(work, email)), password_hash=hashed)
        await work.users.save(user)
        await _end_access(work, user)
        await work.commit()
    return user


async def _end_access(work: Work, user: User) -> None:
    await work.sessions.revoke_all(user.id)
    await work.api_tokens.revoke_all(user.id)
    await work.signals.revoke_all(user.id)
    await work.mail_links.forget(user.id, tuple(LinkKind))


async def _held(work: Work, user: User) -> User:
    """Return *user* as it is now, which nobody else changes before *work* ends."""
    now = await work.users.hold(user.id)
    if now is None:
        raise NotFound("user", user.email)
    return now


async def _of(work: Work, email: str) -> User:
    # Nobody is called what cannot be printed, and no database can be asked for half a character.
    user = await work.users.by_email(email.strip()) if email.strip().isprintable() else None
    if user is None:
        raise NotFound("user", email.strip())
    return user
