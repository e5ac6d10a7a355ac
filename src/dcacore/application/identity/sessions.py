"""Who is logged in: found by what the browser keeps, listed, and thrown out."""

from __future__ import annotations

import datetime
from typing import Final

import attrs

from dcacore.application.identity.means import Client, Means, digest
from dcacore.application.refusals import NotFound
from dcacore.domain.ids import UserId
from dcacore.ports.identity import SessionId, UserSession
from dcacore.ports.records import User
from dcacore.ports.store import Work

IDLE: Final = datetime.timedelta(days=7)
"""A session that has not been used for so long has ended."""
LONGEST: Final = datetime.timedelta(days=30)
"""A session ends after so long, however much it is used."""
SEEN_EVERY: Final = datetime.timedelta(minutes=1)
"""That a session is used is written down so often at most."""


@attrs.frozen(kw_only=True)
class SignedIn:
    """Somebody who has been let in.

    Attributes:
        user: who it is.
        session: by which session.
    """

    user: User
    session: UserSession


@attrs.frozen(kw_only=True)
class Opened(SignedIn):
    """A session that has just begun.

    Attributes:
        secret: what the browser keeps; it is stored nowhere and cannot be shown again.
    """

    secret: str = attrs.field(repr=False)


async def open_session(means: Means, work: Work, user: User, client: Client, *, old: str | None = None) -> Opened:
    """Store a new session in *work*, which the caller commits; the one of the secret *old* ends.

    The id is always a new one: whoever has planted or seen the one before has nothing of the login.
    """
    if old:
        await work.sessions.remove(digest(old))
    secret, now = means.draws.secret(), means.clock.now()
    session = UserSession(
        id=SessionId(means.ids.new()),
        key=digest(secret),
        user_id=user.id,
        created_at=now,
        seen_at=now,
        address=client.address,
        agent=client.agent,
    )
    await work.sessions.add(session)
    return Opened(user=user, session=session, secret=secret)


async def find(means: Means, secret: str) -> SignedIn | None:
    """Return who is logged in with *secret*; None when nobody is, or not any more. Being used prolongs a session."""
    if not secret:
        return None
    now, key = means.clock.now(), digest(secret)
    async with means.store.begin(reads_only=True) as work:
        session = await work.sessions.find(key)
        user = None if session is None else await work.users.get(session.user_id)
    if session is None or user is None or user.verified_at is None or has_ended(session, now):
        return None
    if now - session.seen_at >= SEEN_EVERY:
        async with means.store.begin() as work:
            await work.sessions.see(key, now)
            await work.commit()
        session = attrs.evolve(session, seen_at=now)
    return SignedIn(user=user, session=session)


async def is_open(means: Means, session: UserSession) -> bool:
    """Say whether *session* still lets its user in, without prolonging it: for pages that only stay open."""
    async with means.store.begin(reads_only=True) as work:
        found = await work.sessions.find(session.key)
        user = None if found is None else await work.users.get(found.user_id)
    return found is not None and user is not None and not has_ended(found, means.clock.now())


def has_ended(session: UserSession, now: datetime.datetime) -> bool:
    """Say whether *session* is of no use any more."""
    return now - session.seen_at >= IDLE or now - session.created_at >= LONGEST


async def sessions_of(means: Means, user_id: UserId) -> tuple[UserSession, ...]:
    """Return the user's sessions that have not ended, the one seen last first."""
    now = means.clock.now()
    async with means.store.begin(reads_only=True) as work:
        return tuple(session for session in await work.sessions.of(user_id) if not has_ended(session, now))


async def revoke(means: Means, user_id: UserId, session_id: SessionId) -> None:
    """End one of the user's sessions.

    Raises:
        NotFound: the user has no such session.
    """
    async with means.store.begin() as work:
        if not await work.sessions.revoke(user_id, session_id):
            raise NotFound("session", session_id)
        await work.commit()


async def revoke_others(means: Means, signed_in: SignedIn) -> int:
    """End all sessions of the user but this one; return how many there were."""
    async with means.store.begin() as work:
        count = await work.sessions.revoke_all(signed_in.user.id, but=signed_in.session.key)
        await work.commit()
    return count


async def logout(means: Means, secret: str) -> None:
    """End the session with this secret; nothing happens if there is none."""
    async with means.store.begin() as work:
        await work.sessions.remove(digest(secret))
        await work.commit()
