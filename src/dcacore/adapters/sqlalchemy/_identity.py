"""Who is let in: sessions, links that were sent by mail, tries, API tokens, and how users want to see things."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from typing import Final

import attrs
from sqlalchemy import BindParameter, bindparam, case, delete, insert, or_, select, update

from dcacore.adapters.sqlalchemy import _identity_values as made
from dcacore.adapters.sqlalchemy._identity_rows import ApiTokenRow, MailLinkRow, PreferencesRow, SessionRow, TriesRow
from dcacore.adapters.sqlalchemy._session import Session, insert_into
from dcacore.domain.ids import UserId
from dcacore.ports.identity import (
    ApiToken,
    ApiTokenId,
    Digest,
    LinkKind,
    MailLink,
    Preferences,
    SessionId,
    Tries,
    UserSession,
)
from dcacore.ports.identity_store import ApiTokens, MailLinks, Sessions, Throttle, Wishes

_SESSIONS: Final = SessionRow.__table__
_LINKS: Final = MailLinkRow.__table__
_TRIES: Final = TriesRow.__table__
_TOKENS: Final = ApiTokenRow.__table__
_WISHES: Final = PreferencesRow.__table__

_THIS: Final[BindParameter[str]] = bindparam("this")
_SESSION: Final = select(_SESSIONS).where(_SESSIONS.c.key == _THIS)
_SESSIONS_OF: Final = (
    select(_SESSIONS).where(_SESSIONS.c.user_id == _THIS).order_by(_SESSIONS.c.seen_at.desc(), _SESSIONS.c.id)
)
_SEE: Final = update(_SESSIONS).where(_SESSIONS.c.key == _THIS)
_REMOVE: Final = delete(_SESSIONS).where(_SESSIONS.c.key == _THIS)
_LINK: Final = select(_LINKS).where(_LINKS.c.key == _THIS)
_TOKEN: Final = select(_TOKENS).where(_TOKENS.c.key == _THIS)
_TOKENS_OF: Final = select(_TOKENS).where(_TOKENS.c.user_id == _THIS).order_by(_TOKENS.c.created_at, _TOKENS.c.id)
_USE_TOKEN: Final = update(_TOKENS).where(_TOKENS.c.key == _THIS)
_WISH: Final = select(_WISHES).where(_WISHES.c.user_id == _THIS)
_NO_SESSION: Final = "there is such a session already, or no such user"
_NO_LINK: Final = "there is such a link already, or no such user"
_NO_TOKEN: Final = "there is an API token of that name already"  # noqa: S105  # a sentence
_NO_USER: Final = "there is no such user"


@attrs.frozen
class SqlSessions(Sessions):
    """Who is logged in."""

    session: Session

    async def add(self, session: UserSession) -> None:
        await self.session.write(insert(_SESSIONS), made.session_values(session), _NO_SESSION)

    async def find(self, key: Digest) -> UserSession | None:
        found = await self.session.read(SessionRow, _SESSION, {"this": key})
        return made.session_of(found[0]) if found else None

    async def of(self, user_id: UserId) -> tuple[UserSession, ...]:
        rows = await self.session.read(SessionRow, _SESSIONS_OF, {"this": user_id})
        return tuple([made.session_of(row) for row in rows])

    async def see(self, key: Digest, at: datetime.datetime) -> None:
        await self.session.write(_SEE, {"this": key, "seen_at": at})

    async def remove(self, key: Digest) -> None:
        await self.session.write(_REMOVE, {"this": key})

    async def revoke(self, user_id: UserId, session_id: SessionId) -> bool:
        theirs = _SESSIONS.c.user_id == user_id, _SESSIONS.c.id == session_id
        return bool(await self.session.write(delete(_SESSIONS).where(*theirs)))

    async def revoke_all(self, user_id: UserId, *, but: Digest | None = None) -> int:
        theirs = delete(_SESSIONS).where(_SESSIONS.c.user_id == user_id)
        return await self.session.write(theirs if but is None else theirs.where(_SESSIONS.c.key != but))

    async def forget_older(self, seen_before: datetime.datetime, created_before: datetime.datetime) -> int:
        is_old = or_(_SESSIONS.c.seen_at < seen_before, _SESSIONS.c.created_at < created_before)
        return await self.session.write(delete(_SESSIONS).where(is_old))


@attrs.frozen
class SqlMailLinks(MailLinks):
    """The links that were sent by mail."""

    session: Session

    async def put(self, link: MailLink) -> None:
        statement = insert_into(_LINKS, self.session.dialect).values(made.link_values(link))
        again = {name: statement.excluded[name] for name in ("key", "email", "expires_at", "used_at")}
        upsert = statement.on_conflict_do_update(index_elements=[_LINKS.c.user_id, _LINKS.c.kind], set_=again)
        await self.session.write(upsert, conflict=_NO_LINK)

    async def get(self, key: Digest) -> MailLink | None:
        found = await self.session.read(MailLinkRow, _LINK, {"this": key})
        return made.link_of(found[0]) if found else None

    async def use(self, key: Digest, at: datetime.datetime) -> MailLink | None:
        usable = _LINKS.c.key == key, _LINKS.c.used_at.is_(None), _LINKS.c.expires_at > at
        statement = update(_LINKS).where(*usable).values(used_at=at).returning(_LINKS)
        found = await self.session.read(MailLinkRow, statement)
        return made.link_of(found[0]) if found else None

    async def forget(self, user_id: UserId, kinds: Collection[LinkKind]) -> None:
        wanted = _LINKS.c.kind.in_([kind.value for kind in kinds])
        await self.session.write(delete(_LINKS).where(_LINKS.c.user_id == user_id, wanted))

    async def forget_expired(self, before: datetime.datetime) -> int:
        return await self.session.write(delete(_LINKS).where(_LINKS.c.expires_at < before))


@attrs.frozen
class SqlThrottle(Throttle):
    """How often things were tried."""

    session: Session

    async def count(self, key: str, at: datetime.datetime, window: datetime.timedelta) -> Tries:
        statement = insert_into(_TRIES, self.session.dialect).values(key=key, count=1, began_at=at)
        is_over = or_(_TRIES.c.began_at <= at - window, _TRIES.c.began_at > at + window)
        again = {
            "count": case((is_over, 1), else_=_TRIES.c.count + 1),
            "began_at": case((is_over, statement.excluded.began_at), else_=_TRIES.c.began_at),
        }
        # One statement, so that each of several at once gets a count of its own.
        upsert = statement.on_conflict_do_update(index_elements=[_TRIES.c.key], set_=again).returning(_TRIES)
        (row,) = await self.session.read(TriesRow, upsert)
        return Tries(key=row.key, count=row.count, began_at=row.began_at)

    async def forget(self, key: str) -> None:
        await self.session.write(delete(_TRIES).where(_TRIES.c.key == key))

    async def forget_older(self, began_before: datetime.datetime) -> int:
        return await self.session.write(delete(_TRIES).where(_TRIES.c.began_at < began_before))


@attrs.frozen
class SqlApiTokens(ApiTokens):
    """What lets programs act for users."""

    session: Session

    async def add(self, token: ApiToken) -> None:
        await self.session.write(insert(_TOKENS), made.token_values(token), _NO_TOKEN)

    async def find(self, key: Digest) -> ApiToken | None:
        found = await self.session.read(ApiTokenRow, _TOKEN, {"this": key})
        return made.token_of(found[0]) if found else None

    async def of(self, user_id: UserId) -> tuple[ApiToken, ...]:
        rows: Sequence[ApiTokenRow] = await self.session.read(ApiTokenRow, _TOKENS_OF, {"this": user_id})
        return tuple([made.token_of(row) for row in rows])

    async def use(self, key: Digest, at: datetime.datetime) -> None:
        await self.session.write(_USE_TOKEN, {"this": key, "used_at": at})

    async def revoke(self, user_id: UserId, token_id: ApiTokenId) -> bool:
        theirs = _TOKENS.c.user_id == user_id, _TOKENS.c.id == token_id
        return bool(await self.session.write(delete(_TOKENS).where(*theirs)))

    async def revoke_all(self, user_id: UserId) -> int:
        return await self.session.write(delete(_TOKENS).where(_TOKENS.c.user_id == user_id))


@attrs.frozen
class SqlWishes(Wishes):
    """How users want to see things, and what to be told."""

    session: Session

    async def get(self, user_id: UserId) -> Preferences | None:
        found = await self.session.read(PreferencesRow, _WISH, {"this": user_id})
        return made.preferences_of(found[0]) if found else None

    async def put(self, user_id: UserId, preferences: Preferences) -> None:
        values = made.preferences_values(user_id, preferences)
        statement = insert_into(_WISHES, self.session.dialect).values(values)
        again = {name: statement.excluded[name] for name in values if name != "user_id"}
        upsert = statement.on_conflict_do_update(index_elements=[_WISHES.c.user_id], set_=again)
        await self.session.write(upsert, conflict=_NO_USER)
