"""Words about what has just changed, from whoever changed it to pages that are open.

A word says that there is something to look at, and hardly ever what: whoever hears it reads the database, where every
user finds his own. Words may get lost and are never waited for; pages look again now and then.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Protocol

import attrs

from dcacore.domain.ids import BotId, UserId
from dcacore.domain.money import Price
from dcacore.ports.records import Environment

Market = tuple[Environment, str]
"""An environment, and a pair that it trades."""


@attrs.frozen
class BotChanged:
    """A turn of a bot has been stored."""

    user_id: UserId
    bot_id: BotId


@attrs.frozen
class Notified:
    """A notification has been stored for a user."""

    user_id: UserId


@attrs.frozen
class PriceMoved:
    """A market stands elsewhere; everybody may know."""

    environment: Environment
    pair: str
    price: Price
    at: datetime.datetime


Word = BotChanged | Notified | PriceMoved


class Listening(Protocol):
    """What one page hears."""

    def watch(self, markets: Collection[Market]) -> None:
        """Hear the prices of these markets from now on, in place of those before."""

    async def heard(self, timeout_s: float) -> tuple[Word, ...]:
        """Return what has been said since the last call, as soon as there is any; nothing after *timeout_s*.

        Each thing comes once, and of a market's prices the last, however seldom somebody listens.
        """


class Saying(Protocol):
    """Takes words; what an engine needs of it."""

    def say(self, word: Word) -> None:
        """Let those hear *word* whom it concerns: its user, or for a price whoever watches the market. Never waits."""


class Live(Saying, Protocol):
    """Carries words within a process, or between several."""

    def listen(self, user_id: UserId) -> AbstractContextManager[Listening]:
        """Return what hears the words for this user, and for nobody else, until it is left."""


class Silence(Saying):
    """Carries nothing: nobody listens in this process."""

    def say(self, word: Word) -> None:
        """Do nothing."""
