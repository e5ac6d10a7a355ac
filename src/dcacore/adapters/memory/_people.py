"""The users and their accounts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import attrs

from dcacore.adapters.memory._identity import forget_everything_of
from dcacore.adapters.memory._tables import Draft, sound
from dcacore.domain.ids import AccountId, UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.records import Account, User
from dcacore.ports.store import Accounts, Users


@attrs.frozen
class MemoryUsers(Users):
    """The users."""

    draft: Draft

    async def add(self, user: User) -> None:
        if user.id in self.draft.tables.users:
            raise Conflict("there is such a user already")
        self._store(user)

    async def save(self, user: User) -> None:
        if user.id in self.draft.tables.users:
            self._store(user)

    def _store(self, user: User) -> None:
        sound(user)
        users, user = self.draft.tables.users, attrs.evolve(user, email=user.email.lower())
        if any(other.email == user.email and other.id != user.id for other in users.values()):
            raise Conflict("there is a user with that address already")
        self.draft.writable(users)[user.id] = user

    async def get(self, user_id: UserId) -> User | None:
        return self.draft.tables.users.get(user_id)

    async def hold(self, user_id: UserId) -> User | None:
        return await self.get(user_id)  # only one work writes at a time

    async def by_email(self, email: str) -> User | None:
        return next((user for user in self.draft.tables.users.values() if user.email == email.lower()), None)

    async def all(self) -> tuple[User, ...]:
        return tuple(sorted(self.draft.tables.users.values(), key=lambda user: (user.created_at, user.id)))

    async def hold_administrators(self) -> tuple[User, ...]:
        return tuple(sorted([user for user in self.draft.tables.users.values() if user.is_admin], key=lambda it: it.id))

    async def remove(self, user_id: UserId) -> None:
        tables = self.draft.tables
        if any(account.user_id == user_id for account in tables.accounts.values()):
            raise Conflict("accounts belong to that user")
        self.draft.writable(tables.users).pop(user_id, None)
        forget_everything_of(self.draft, user_id)


@attrs.frozen
class MemoryAccounts(Accounts):
    """The exchange accounts."""

    draft: Draft

    async def add(self, account: Account) -> None:
        if account.id in self.draft.tables.accounts or account.user_id not in self.draft.tables.users:
            raise Conflict("there is such an account already, or no such user")
        self._store(account)

    async def save(self, account: Account) -> None:
        if account.id in self.draft.tables.accounts:
            self._store(account)

    def _store(self, account: Account) -> None:
        sound(account)
        accounts = self.draft.tables.accounts
        others = [other for other in accounts.values() if other.id != account.id and other.user_id == account.user_id]
        if any(other.name == account.name for other in others):
            raise Conflict("there is an account of that name already")
        self.draft.writable(accounts)[account.id] = account

    async def get(self, account_id: AccountId) -> Account | None:
        return self.draft.tables.accounts.get(account_id)

    async def hold(self, account_id: AccountId) -> Account | None:
        return await self.get(account_id)  # one work at a time changes anything

    async def of(self, user_id: UserId) -> tuple[Account, ...]:
        theirs = [account for account in self.draft.tables.accounts.values() if account.user_id == user_id]
        return tuple(sorted(theirs, key=lambda account: account.name))

    async def all(self) -> tuple[Account, ...]:
        return tuple(sorted(self.draft.tables.accounts.values(), key=lambda one: (one.created_at, one.id)))

    async def keyed(self) -> Mapping[AccountId, datetime.datetime | None]:
        return {account.id: account.keyed_at for account in self.draft.tables.accounts.values()}

    async def remove(self, account_id: AccountId) -> None:
        tables, writable = self.draft.tables, self.draft.writable
        if any(record.account_id == account_id for record in tables.bots.values()):
            raise Conflict("bots belong to that account")
        writable(tables.accounts).pop(account_id, None)
        for number in [key for key, found in tables.reconciliations.items() if found.account_id == account_id]:
            del writable(tables.reconciliations)[number]
