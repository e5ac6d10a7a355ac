"""API tokens: what lets a program act for a user."""

from __future__ import annotations

import datetime
from typing import Final

import attrs

from dcacore.application.identity.means import Means, digest
from dcacore.application.identity.refusals import TooManyTokens
from dcacore.application.identity.sessions import SEEN_EVERY
from dcacore.application.refusals import NotFound, checked_name
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import ApiToken, ApiTokenId, Scope
from dcacore.ports.records import User

MOST_TOKENS: Final = 20
PREFIX: Final = "dca_"
"""What every token begins with, so that programs that look for secrets in public places know it."""


@attrs.frozen(kw_only=True)
class NewToken:
    """A token that has just been made.

    Attributes:
        secret: what the program sends; it is stored nowhere and cannot be shown again.
        token: the rest of it.
    """

    secret: str = attrs.field(repr=False)
    token: ApiToken


@attrs.frozen(kw_only=True)
class Bearer:
    """A program that has been let in.

    Attributes:
        user: for whom it acts.
        token: by which token.
    """

    user: User
    token: ApiToken


async def make_token(
    means: Means, user_id: UserId, *, name: str, scope: Scope, expires_at: datetime.datetime | None = None
) -> NewToken:
    """Store a new token.

    Args:
        means: the ports.
        user_id: for whom it acts.
        name: what the user calls it.
        scope: what it may do.
        expires_at: from when on it is of no use; None when it lasts.

    Raises:
        InvalidParameter: the name cannot be one, or the end has passed.
        Conflict: the user has a token of that name.
        TooManyTokens: the user has as many as there may be.
        NotFound: there is no such user.
    """
    name, now = checked_name("name", name), means.clock.now()
    if expires_at is not None and expires_at <= now:
        raise InvalidParameter("expires_at", None, "must be in the future")
    secret = PREFIX + means.draws.secret()
    token = ApiToken(
        id=ApiTokenId(means.ids.new()),
        key=digest(secret),
        user_id=user_id,
        name=name,
        scope=scope,
        created_at=now,
        expires_at=expires_at,
    )
    async with means.store.begin() as work:
        if await work.users.hold(user_id) is None:
            raise NotFound("user", user_id)
        tokens = await work.api_tokens.of(user_id)
        if any(other.name == name for other in tokens):
            raise Conflict(f"there is an API token {name} already")
        if len(tokens) >= MOST_TOKENS:
            raise TooManyTokens(MOST_TOKENS)
        await work.api_tokens.add(token)
        await work.commit()
    return NewToken(secret=secret, token=token)


async def tokens_of(means: Means, user_id: UserId) -> tuple[ApiToken, ...]:
    """Return the user's tokens, oldest first; also those that have expired."""
    async with means.store.begin(reads_only=True) as work:
        return await work.api_tokens.of(user_id)


async def revoke_token(means: Means, user_id: UserId, token_id: ApiTokenId) -> None:
    """Take a token back.

    Raises:
        NotFound: the user has no such token.
    """
    async with means.store.begin() as work:
        if not await work.api_tokens.revoke(user_id, token_id):
            raise NotFound("API token", token_id)
        await work.commit()


async def find_token(means: Means, secret: str) -> Bearer | None:
    """Return who is let in by *secret*; None when it is no token, or not any more."""
    if not secret.startswith(PREFIX):
        return None
    now, key = means.clock.now(), digest(secret)
    async with means.store.begin(reads_only=True) as work:
        token = await work.api_tokens.find(key)
        user = None if token is None else await work.users.get(token.user_id)
    if token is None or user is None or user.verified_at is None:
        return None
    if token.expires_at is not None and token.expires_at <= now:
        return None
    if token.used_at is None or now - token.used_at >= SEEN_EVERY:
        async with means.store.begin() as work:
            await work.api_tokens.use(key, now)
            await work.commit()
        token = attrs.evolve(token, used_at=now)
    return Bearer(user=user, token=token)
