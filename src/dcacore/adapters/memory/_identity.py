"""Who is let in, and the mail about it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import attrs

from dcacore.adapters.memory._tables import Draft, sound
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import (
    MOST_LINES,
    ApiToken,
    ApiTokenId,
    Digest,
    Gathered,
    LinkKind,
    MailLink,
    Occasion,
    Preferences,
    QueuedMail,
    SessionId,
    Tries,
    UserSession,
)
from dcacore.ports.identity_store import ApiTokens, GatheredNews, MailLinks, Outbox, Sessions, Throttle, Wishes
from dcacore.ports.mail import Mail

K = TypeVar("K")
V = TypeVar("V")


def _drop(draft: Draft, table: dict[K, V], goes: Callable[[V], bool]) -> int:
    """Remove the values that go, and return how many those were."""
    mine = draft.writable(table)
    found = [key for key, value in mine.items() if goes(value)]
    for key in found:
        del mine[key]
    return len(found)


@attrs.frozen
class MemorySessions(Sessions):
    """Who is logged in."""

    draft: Draft

    async def add(self, session: UserSession) -> None:
        tables = self.draft.tables
        sound(session)
        is_there = session.key in tables.sessions or any(it.id == session.id for it in tables.sessions.values())
        if is_there or session.user_id not in tables.users:
            raise Conflict("there is such a session already, or no such user")
        self.draft.writable(tables.sessions)[session.key] = session

    async def find(self, key: Digest) -> UserSession | None:
        return self.draft.tables.sessions.get(key)

    async def of(self, user_id: UserId) -> tuple[UserSession, ...]:
        theirs = [session for session in self.draft.tables.sessions.values() if session.user_id == user_id]
        theirs.sort(key=lambda session: session.id)
        return tuple(sorted(theirs, key=lambda session: session.seen_at, reverse=True))

    async def see(self, key: Digest, at: datetime.datetime) -> None:
        sessions = self.draft.writable(self.draft.tables.sessions)
        if key in sessions:
            sessions[key] = attrs.evolve(sessions[key], seen_at=at)
            sound(sessions[key])

    async def remove(self, key: Digest) -> None:
        self.draft.writable(self.draft.tables.sessions).pop(key, None)

    async def revoke(self, user_id: UserId, session_id: SessionId) -> bool:
        return bool(self._drop(lambda it: it.user_id == user_id and it.id == session_id))

    async def revoke_all(self, user_id: UserId, *, but: Digest | None = None) -> int:
        return self._drop(lambda it: it.user_id == user_id and it.key != but)

    async def forget_older(self, seen_before: datetime.datetime, created_before: datetime.datetime) -> int:
        return self._drop(lambda it: it.seen_at < seen_before or it.created_at < created_before)

    def _drop(self, goes: Callable[[UserSession], bool]) -> int:
        return _drop(self.draft, self.draft.tables.sessions, goes)


@attrs.frozen
class MemoryMailLinks(MailLinks):
    """The links that were sent by mail."""

    draft: Draft

    async def put(self, link: MailLink) -> None:
        sound(link)
        if link.key in self.draft.tables.mail_links or link.user_id not in self.draft.tables.users:
            raise Conflict("there is such a link already, or no such user")
        await self.forget(link.user_id, {link.kind})
        self.draft.writable(self.draft.tables.mail_links)[link.key] = link

    async def get(self, key: Digest) -> MailLink | None:
        return self.draft.tables.mail_links.get(key)

    async def use(self, key: Digest, at: datetime.datetime) -> MailLink | None:
        links = self.draft.writable(self.draft.tables.mail_links)
        link = links.get(key)
        if link is None or link.used_at is not None or link.expires_at <= at:
            return None
        links[key] = attrs.evolve(link, used_at=at)
        return links[key]

    async def forget(self, user_id: UserId, kinds: Collection[LinkKind]) -> None:
        _drop(self.draft, self.draft.tables.mail_links, lambda it: it.user_id == user_id and it.kind in kinds)

    async def forget_expired(self, before: datetime.datetime) -> int:
        return _drop(self.draft, self.draft.tables.mail_links, lambda it: it.expires_at < before)


@attrs.frozen
class MemoryThrottle(Throttle):
    """How often things were tried."""

    draft: Draft

    async def count(self, key: str, at: datetime.datetime, window: datetime.timedelta) -> Tries:
        table = self.draft.writable(self.draft.tables.tries)
        known = table.get(key)
        if known is None or not at - window < known.began_at <= at + window:
            table[key] = Tries(key=key, count=1, began_at=at)
            sound(table[key])
        else:
            table[key] = attrs.evolve(known, count=known.count + 1)
        return table[key]

    async def forget(self, key: str) -> None:
        self.draft.writable(self.draft.tables.tries).pop(key, None)

    async def forget_older(self, began_before: datetime.datetime) -> int:
        return _drop(self.draft, self.draft.tables.tries, lambda it: it.began_at < began_before)


@attrs.frozen
class MemoryOutbox(Outbox):
    """The mail to be sent."""

    draft: Draft

    async def add(self, mail: Mail, at: datetime.datetime) -> None:
        queued = QueuedMail(mail=mail, queued_at=at, due_at=at)
        sound(queued)
        self.draft.writable(self.draft.tables.outbox).setdefault(mail.key, queued)

    async def get(self, key: str) -> QueuedMail | None:
        return self.draft.tables.outbox.get(key)

    async def due(self, at: datetime.datetime, *, limit: int = 20) -> tuple[QueuedMail, ...]:
        due = [it for it in self.draft.tables.outbox.values() if _waits(it) and it.due_at <= at]
        return tuple(sorted(due, key=lambda it: (it.due_at, it.mail.key))[:limit])

    async def claim(self, queued: QueuedMail, until: datetime.datetime) -> QueuedMail | None:
        outbox = self.draft.writable(self.draft.tables.outbox)
        now = outbox.get(queued.mail.key)
        if now is None or not _waits(now) or now.attempts != queued.attempts:
            return None
        outbox[queued.mail.key] = claimed = attrs.evolve(now, attempts=now.attempts + 1, due_at=until)
        sound(claimed)
        return claimed

    async def put_off(self, claimed: QueuedMail, until: datetime.datetime) -> None:
        outbox = self.draft.writable(self.draft.tables.outbox)
        now = outbox.get(claimed.mail.key)
        if now is not None and now.attempts == claimed.attempts and _waits(now):
            outbox[claimed.mail.key] = attrs.evolve(now, attempts=now.attempts - 1, due_at=until)
            sound(outbox[claimed.mail.key])

    async def mark_sent(self, key: str, at: datetime.datetime) -> None:
        self._end(key, at, is_sent=True)

    async def mark_failed(self, key: str, at: datetime.datetime) -> None:
        self._end(key, at, is_sent=False)

    def _end(self, key: str, at: datetime.datetime, *, is_sent: bool) -> None:
        outbox = self.draft.writable(self.draft.tables.outbox)
        if key in outbox and _waits(outbox[key]):
            blank = attrs.evolve(outbox[key].mail, text="", html="", link="")
            sent_at, failed_at = (at, None) if is_sent else (None, at)
            outbox[key] = attrs.evolve(outbox[key], mail=blank, sent_at=sent_at, failed_at=failed_at)
            sound(outbox[key])

    async def forget_older(self, queued_before: datetime.datetime) -> int:
        table = self.draft.tables.outbox
        return _drop(self.draft, table, lambda it: not _waits(it) and it.queued_at < queued_before)


def _waits(queued: QueuedMail) -> bool:
    return queued.sent_at is None and queued.failed_at is None


@attrs.frozen
class MemoryGatheredNews(GatheredNews):
    """What the next mail of an occasion is to tell."""

    draft: Draft

    async def add(self, user_id: UserId, occasion: Occasion, lines: Sequence[str], due_at: datetime.datetime) -> None:
        if user_id not in self.draft.tables.users:
            raise Conflict("there is no such user")
        table = self.draft.writable(self.draft.tables.gathered)
        before = table.get((user_id, occasion)) or Gathered(due_at=due_at, count=0, lines=())
        kept = (*before.lines, *lines)[:MOST_LINES]
        table[user_id, occasion] = attrs.evolve(before, count=before.count + len(lines), lines=kept)
        sound(table[user_id, occasion])

    async def due(
        self, at: datetime.datetime, beyond: datetime.datetime, *, limit: int = 100
    ) -> tuple[tuple[UserId, Occasion], ...]:
        gathered = self.draft.tables.gathered
        due = [key for key, it in gathered.items() if it.due_at <= at or it.due_at > beyond]
        return tuple(sorted(due, key=lambda key: (gathered[key].due_at, key[0], key[1].value))[:limit])

    async def take(self, user_id: UserId, occasion: Occasion) -> Gathered | None:
        return self.draft.writable(self.draft.tables.gathered).pop((user_id, occasion), None)


@attrs.frozen
class MemoryApiTokens(ApiTokens):
    """What lets programs act for users."""

    draft: Draft

    async def add(self, token: ApiToken) -> None:
        tables = self.draft.tables
        sound(token)
        if token.user_id not in tables.users or any(_collide(token, it) for it in tables.api_tokens.values()):
            raise Conflict("there is an API token of that name already")
        self.draft.writable(tables.api_tokens)[token.key] = token

    async def find(self, key: Digest) -> ApiToken | None:
        return self.draft.tables.api_tokens.get(key)

    async def of(self, user_id: UserId) -> tuple[ApiToken, ...]:
        theirs = [token for token in self.draft.tables.api_tokens.values() if token.user_id == user_id]
        return tuple(sorted(theirs, key=lambda token: (token.created_at, token.id)))

    async def use(self, key: Digest, at: datetime.datetime) -> None:
        tokens = self.draft.writable(self.draft.tables.api_tokens)
        if key in tokens:
            tokens[key] = attrs.evolve(tokens[key], used_at=at)
            sound(tokens[key])

    async def revoke(self, user_id: UserId, token_id: ApiTokenId) -> bool:
        table = self.draft.tables.api_tokens
        return bool(_drop(self.draft, table, lambda it: it.user_id == user_id and it.id == token_id))

    async def revoke_all(self, user_id: UserId) -> int:
        return _drop(self.draft, self.draft.tables.api_tokens, lambda it: it.user_id == user_id)


def _collide(one: ApiToken, other: ApiToken) -> bool:
    return one.key == other.key or one.id == other.id or (one.user_id, one.name) == (other.user_id, other.name)


@attrs.frozen
class MemoryWishes(Wishes):
    """How users want to see things, and what to be told."""

    draft: Draft

    async def get(self, user_id: UserId) -> Preferences | None:
        return self.draft.tables.wishes.get(user_id)

    async def put(self, user_id: UserId, preferences: Preferences) -> None:
        if user_id not in self.draft.tables.users:
            raise Conflict("there is no such user")
        self.draft.writable(self.draft.tables.wishes)[user_id] = preferences


def forget_everything_of(draft: Draft, user_id: UserId) -> None:
    """Remove what belongs to a user and to nothing else of the user's."""
    tables = draft.tables
    _drop(draft, tables.sessions, lambda it: it.user_id == user_id)
    _drop(draft, tables.mail_links, lambda it: it.user_id == user_id)
    _drop(draft, tables.api_tokens, lambda it: it.user_id == user_id)
    _drop(draft, tables.activity, lambda it: it.user_id == user_id)
    _drop(draft, tables.notifications, lambda it: it.user_id == user_id)
    _drop(draft, tables.confirmations, lambda it: it.user_id == user_id)
    _drop(draft, tables.backtests, lambda it: it.run.user_id == user_id)
    _drop(draft, tables.subscriptions, lambda it: it[0] == user_id)
    draft.writable(tables.customers).pop(user_id, None)
    draft.writable(tables.plan_choices).pop(user_id, None)
    draft.writable(tables.wishes).pop(user_id, None)
    for key in [it for it in tables.gathered if it[0] == user_id]:
        del draft.writable(tables.gathered)[key]
