"""The collections of a `Work` that let people in: sessions, links sent by mail, tries, the outbox, tokens, wishes."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from typing import Protocol

from dcacore.domain.ids import UserId
from dcacore.ports.identity import (
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
from dcacore.ports.mail import Mail


class Sessions(Protocol):
    """Who is logged in."""

    async def add(self, session: UserSession) -> None:
        """Store a new session.

        Raises:
            Conflict: there is one with that id or key, or no such user.
        """

    async def find(self, key: Digest) -> UserSession | None:
        """Return the session, however old; None when there is none."""

    async def of(self, user_id: UserId) -> tuple[UserSession, ...]:
        """Return a user's sessions, the one seen last first."""

    async def see(self, key: Digest, at: datetime.datetime) -> None:
        """Note that a session has been used; one that has been removed meanwhile does not come back."""

    async def remove(self, key: Digest) -> None:
        """Forget a session; nothing happens if there is none."""

    async def revoke(self, user_id: UserId, session_id: SessionId) -> bool:
        """Forget the user's session of that id; say whether there was one."""

    async def revoke_all(self, user_id: UserId, *, but: Digest | None = None) -> int:
        """Forget the user's sessions, except *but*; return how many there were."""

    async def forget_older(self, seen_before: datetime.datetime, created_before: datetime.datetime) -> int:
        """Forget sessions seen last or created before these times; return how many."""


class MailLinks(Protocol):
    """The links that were sent by mail."""

    async def put(self, link: MailLink) -> None:
        """Store a link in the place of the user's older one of its kind.

        Raises:
            Conflict: there is one with that key, or no such user.
        """

    async def get(self, key: Digest) -> MailLink | None:
        """Return the link, used or expired too; None when there is none."""

    async def use(self, key: Digest, at: datetime.datetime) -> MailLink | None:
        """Note that a link has been used, and return it as it is then; None if it is used, expired, or not there.

        Of several that use the same one at once, one gets it.
        """

    async def forget(self, user_id: UserId, kinds: Collection[LinkKind]) -> None:
        """Forget the user's links of these kinds."""

    async def forget_expired(self, before: datetime.datetime) -> int:
        """Forget links that expired before this time; return how many."""


class Throttle(Protocol):
    """How often things were tried."""

    async def count(self, key: str, at: datetime.datetime, window: datetime.timedelta) -> Tries:
        """Count one try, and return how many there were in the stretch of time that it falls into.

        A stretch begins with the first try after the one before has ended, and lasts for *window*. One that begins
        further ahead than that was begun by a clock that has been put right, and has ended, too. No two tries get the
        same count, however many come at once.
        """

    async def forget(self, key: str) -> None:
        """Forget all tries."""

    async def forget_older(self, began_before: datetime.datetime) -> int:
        """Forget the tries whose stretch began before this time; return how many."""


class Outbox(Protocol):
    """The mail to be sent: stored with what caused it, sent afterwards."""

    async def add(self, mail: Mail, at: datetime.datetime) -> None:
        """Store a mail, due at once; a second one with its key changes nothing."""

    async def get(self, key: str) -> QueuedMail | None:
        """Return the mail with that key; None when there is none."""

    async def due(self, at: datetime.datetime, *, limit: int = 20) -> tuple[QueuedMail, ...]:
        """Return mail that is to be tried by now, oldest due first."""

    async def claim(self, queued: QueuedMail, until: datetime.datetime) -> QueuedMail | None:
        """Count an attempt, put the next one off until then, and return the mail; None if another has it by now."""

    async def put_off(self, claimed: QueuedMail, until: datetime.datetime) -> None:
        """Give a claimed mail back, due then, as if this attempt had not been; nothing if another has it by now."""

    async def mark_sent(self, key: str, at: datetime.datetime) -> None:
        """Note that a mail has been taken, and blank it."""

    async def mark_failed(self, key: str, at: datetime.datetime) -> None:
        """Note that a mail is given up, and blank it."""

    async def forget_older(self, queued_before: datetime.datetime) -> int:
        """Forget mail that was sent or given up, and queued before this time; return how many."""


class GatheredNews(Protocol):
    """What the next mail of an occasion is to tell each user."""

    async def add(self, user_id: UserId, occasion: Occasion, lines: Sequence[str], due_at: datetime.datetime) -> None:
        """Put lines, which hold no line breaks, to those that are there; beyond `MOST_LINES` they are only counted.

        The first one says when the mail is due.

        Raises:
            Conflict: there is no such user.
        """

    async def due(
        self, at: datetime.datetime, beyond: datetime.datetime, *, limit: int = 100
    ) -> tuple[tuple[UserId, Occasion], ...]:
        """Return for whom, and of what, a mail is due by *at*, oldest first.

        One that is due later than *beyond* is, too: the clock that said so has been put right.
        """

    async def take(self, user_id: UserId, occasion: Occasion) -> Gathered | None:
        """Return what has been gathered, and forget it; None when there is nothing. Of several at once one gets it."""


class ApiTokens(Protocol):
    """What lets programs act for users."""

    async def add(self, token: ApiToken) -> None:
        """Store a new token.

        Raises:
            Conflict: the user has one of that name, or there is no such user.
        """

    async def find(self, key: Digest) -> ApiToken | None:
        """Return the token, expired too; None when there is none."""

    async def of(self, user_id: UserId) -> tuple[ApiToken, ...]:
        """Return a user's tokens, oldest first."""

    async def use(self, key: Digest, at: datetime.datetime) -> None:
        """Note that a token has been used; one that was revoked meanwhile does not come back."""

    async def revoke(self, user_id: UserId, token_id: ApiTokenId) -> bool:
        """Forget the user's token of that id; say whether there was one."""

    async def revoke_all(self, user_id: UserId) -> int:
        """Forget the user's tokens; return how many there were."""


class Wishes(Protocol):
    """How users want to see things, and what to be told."""

    async def get(self, user_id: UserId) -> Preferences | None:
        """Return the user's preferences; None when nothing has been said."""

    async def put(self, user_id: UserId, preferences: Preferences) -> None:
        """Store a user's preferences.

        Raises:
            Conflict: there is no such user.
        """
