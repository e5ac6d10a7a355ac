"""What a database can count of all its users together: for those who look after it, and for what watches over it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Protocol

import attrs

from dcacore.domain.intents import IntentState
from dcacore.ports.records import User


@attrs.frozen(kw_only=True)
class UserQuery:
    """Which users are wanted, those who came last first.

    Attributes:
        text: only those with this in their address, upper and lower case alike; empty for all.
        limit: how many at most.
        skip: leave out so many first; for pages.
    """

    text: str = ""
    limit: int = 25
    skip: int = 0


@attrs.frozen(kw_only=True)
class UserLine:
    """A user in a list.

    Attributes:
        user: who it is.
        bots: how many bots the user has.
        seen_at: when a browser of the user was last seen, of those that are signed in; None when none is.
    """

    user: User
    bots: int
    seen_at: datetime.datetime | None


@attrs.frozen(kw_only=True)
class UserPage:
    """Some of the users who fit.

    Attributes:
        lines: these.
        total: how many fit in all.
    """

    lines: tuple[UserLine, ...]
    total: int


@attrs.frozen(kw_only=True)
class MailCount:
    """How the outbox stands.

    Attributes:
        waiting: how many mails are still to be sent.
        put_off: how many of them have been tried in vain.
        failed: how many were given up, of those that are still known.
        oldest: since when the one has waited that has waited longest; None when none waits.
    """

    waiting: int = 0
    put_off: int = 0
    failed: int = 0
    oldest: datetime.datetime | None = None


class Census(Protocol):
    """What there is of everybody, counted."""

    async def users(self, query: UserQuery) -> UserPage:
        """Return the users who fit, as many as are asked for, and how many there are."""

    async def bots(self) -> Mapping[str, int]:
        """Return how many bots there are by the state that is shown; a state without any is left out."""

    async def orders(self) -> Mapping[IntentState, int]:
        """Return how many orders have not ended, by how they stand; what no order is in is left out."""

    async def requests(self) -> int:
        """Return how many requests of users wait for an engine."""

    async def mail(self) -> MailCount:
        """Return how the outbox stands."""
