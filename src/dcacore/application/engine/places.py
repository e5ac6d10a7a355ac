"""Where bots trade: a desk for each account, and the prices of each environment, opened when they are first needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import attrs

from dcacore.application.engine.comparisons import Comparisons
from dcacore.application.engine.desk import Desk
from dcacore.application.engine.feed import Feed
from dcacore.application.engine.keeping_on import KeepingOn
from dcacore.application.engine.patience import Hold
from dcacore.application.engine.surroundings import Surroundings, speak_of
from dcacore.application.engine.triggers import Seen
from dcacore.domain.ids import AccountId, BotId
from dcacore.ports.errors import (
    BadCredentials,
    CannotDecrypt,
    NoEncryptionKey,
    PortError,
    StoreError,
    Unavailable,
)
from dcacore.ports.records import Account, Environment

LISTENS_WITHIN_S: Final = 20
SILENT_AFTER_S: Final = 60
"""When the user of an account is told that nothing is heard of it."""
_ABOUT_THE_KEY: Final = (BadCredentials, CannotDecrypt, NoEncryptionKey)
"""Of these the account's bots tell themselves."""


@attrs.define
class Shut:
    """An account that could not be opened.

    Attributes:
        account: which one.
        reason: why not.
        since: when that was tried first ...
        tried_at: ... and last, by the monotonic clock.
    """

    account: Account
    reason: str
    since: float
    tried_at: float


@attrs.define(eq=False)
class Places:
    """Opens accounts and prices, and keeps them open.

    Attributes:
        keeping_on: lets what listens go on.
        comparisons: compares the accounts.
        fire: called with a bot and a price that the bot watches for.
        desks: the accounts that are open, by id.
        feeds: the prices that flow, by environment.
    """

    around: Surroundings
    keeping_on: KeepingOn
    comparisons: Comparisons
    fire: Callable[[BotId, Seen], None]
    desks: dict[AccountId, Desk] = attrs.field(factory=dict, init=False)
    feeds: dict[Environment, Feed] = attrs.field(factory=dict, init=False)
    _left: list[Desk] = attrs.field(factory=list, init=False)
    _shut: dict[AccountId, Shut] = attrs.field(factory=dict, init=False)
    _holds: dict[Environment, Hold] = attrs.field(factory=dict, init=False)

    async def desk(self, account_id: AccountId) -> Desk:
        """Return the account's desk, listening to its events.

        Raises:
            PortError: the account cannot be opened now.
        """
        if account_id not in self.desks:
            await self._open(account_id)
        desk = self.desks[account_id]
        try:
            async with asyncio.timeout(LISTENS_WITHIN_S):
                await desk.is_listening.wait()
        except TimeoutError as exc:
            raise desk.failure or Unavailable("the account's events do not come") from exc
        return desk

    async def _open(self, account_id: AccountId) -> None:
        account = await self._account(account_id)
        speak_of(account.environment)
        try:
            exchange = await self.around.venues.exchange(account)
        except PortError as exc:
            if not isinstance(exc, _ABOUT_THE_KEY):
                self._note_shut(account, str(exc))
            raise
        self._shut.pop(account_id, None)
        hold = self._holds.setdefault(account.environment, Hold())
        if account_id in self.desks:
            return  # by another bot, meanwhile
        desk = self.desks[account_id] = Desk(self.around, account, exchange, hold, self.comparisons.after_gap)
        listening = self.keeping_on.forever(f"events of {account_id}", desk.listen)
        desk.tasks.start(listening, "account events")
        comparing = self.keeping_on.forever(f"comparisons of {account_id}", lambda: self.comparisons.now_and_then(desk))
        desk.tasks.start(comparing, "comparisons")

    def _note_shut(self, account: Account, reason: str) -> None:
        now = self.around.clock.monotonic()
        shut = self._shut.setdefault(account.id, Shut(account, reason, now, now))
        shut.reason, shut.tried_at = reason, now

    def silent(self) -> Iterator[tuple[Account, str]]:
        """Yield the accounts of which nothing has been heard for a minute, and why, where that is known."""
        now = self.around.clock.monotonic()
        for desk in self.desks.values():
            is_deaf = desk.deaf_since is not None and now - desk.deaf_since > SILENT_AFTER_S
            if is_deaf and not isinstance(desk.failure, _ABOUT_THE_KEY):
                yield desk.account, "" if desk.failure is None else str(desk.failure)
        for shut in self._shut.values():
            if now - shut.since > SILENT_AFTER_S > now - shut.tried_at:
                yield shut.account, shut.reason

    def hears(self, account_id: AccountId) -> bool:
        """Say whether the account's events come."""
        desk = self.desks.get(account_id)
        return desk is not None and desk.deaf_since is None

    async def _account(self, account_id: AccountId) -> Account:
        async with self.around.store.begin(reads_only=True) as work:
            account = await work.accounts.get(account_id)
        if account is None:
            raise StoreError(f"there is no account {account_id}")
        return account

    async def feed(self, environment: Environment) -> Feed:
        """Return the environment's prices, flowing.

        Raises:
            PortError: they cannot be reached now.
        """
        if environment not in self.feeds:
            prices = await self.around.venues.prices(environment)
            if environment not in self.feeds:
                feed = self.feeds[environment] = Feed(self.around, environment, prices, self.fire)
                self.keeping_on.start(f"prices of {environment.value}", feed.listen)
        return self.feeds[environment]

    async def with_new_keys(self) -> tuple[Desk, ...]:
        """Return the open accounts whose key is not the one any more that they were opened with.

        Raises:
            StoreError: that cannot be read now.
        """
        async with self.around.store.begin(reads_only=True) as work:
            keyed = await work.accounts.keyed()
        return tuple(desk for desk in self.desks.values() if keyed.get(desk.account.id) != desk.account.keyed_at)

    def is_open(self, desk: Desk) -> bool:
        """Say whether bots may still come to the desk."""
        return self.desks.get(desk.account.id) is desk

    def leave(self, desk: Desk) -> None:
        """Let no bot come to the desk any more; the account is opened anew when it is next needed."""
        del self.desks[desk.account.id]
        self._left.append(desk)

    async def clear(self, desk: Desk) -> None:
        """Close a desk that has been left, when its last bot has gone."""
        if desk in self._left:
            self._left.remove(desk)
            await desk.tasks.end()
            await self.around.venues.forget(desk.account)

    async def close(self) -> None:
        """Stop listening to all accounts."""
        for desk in (*self.desks.values(), *self._left):
            await desk.tasks.end()
