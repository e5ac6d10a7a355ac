"""The users and their accounts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Final, cast

import attrs
from sqlalchemy import BindParameter, bindparam, delete, insert, select, update

from dcacore.adapters.sqlalchemy._people_rows import AccountRow, UserRow
from dcacore.adapters.sqlalchemy._session import Session, Values
from dcacore.domain.ids import AccountId, UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.records import Account, Environment, Tier, User
from dcacore.ports.secrets import CipherText
from dcacore.ports.store import Accounts, Users

_USERS: Final = UserRow.__table__
_ACCOUNTS: Final = AccountRow.__table__

_THIS: Final[BindParameter[str]] = bindparam("this")
_USER: Final = select(_USERS).where(_USERS.c.id == _THIS)
_USER_HELD: Final = _USER.with_for_update()
_USER_BY_EMAIL: Final = select(_USERS).where(_USERS.c.email == _THIS)
_ADMINISTRATORS: Final = select(_USERS).where(_USERS.c.is_admin).order_by(_USERS.c.id).with_for_update()
_ALL_USERS: Final = select(_USERS).order_by(_USERS.c.created_at, _USERS.c.id)
_ACCOUNT: Final = select(_ACCOUNTS).where(_ACCOUNTS.c.id == _THIS)
_ACCOUNT_HELD: Final = _ACCOUNT.with_for_update()
_ACCOUNTS_OF: Final = select(_ACCOUNTS).where(_ACCOUNTS.c.user_id == _THIS)
_ALL_ACCOUNTS: Final = select(_ACCOUNTS).order_by(_ACCOUNTS.c.created_at, _ACCOUNTS.c.id)
_KEYED: Final = select(_ACCOUNTS.c.id, _ACCOUNTS.c.keyed_at)
_ADDRESS_TAKEN: Final = "there is a user with that address already"
_NAME_TAKEN: Final = "there is an account of that name already"
_HAS_ACCOUNTS: Final = "accounts belong to that user"
_HAS_BOTS: Final = "bots belong to that account"


@attrs.frozen
class SqlUsers(Users):
    """The users."""

    session: Session

    async def add(self, user: User) -> None:
        await self.session.write(insert(_USERS), _user_values(user), _ADDRESS_TAKEN)

    async def save(self, user: User) -> None:
        statement = update(_USERS).where(_USERS.c.id == _THIS)
        await self.session.write(statement, {"this": user.id, **_user_values(user)}, _ADDRESS_TAKEN)

    async def get(self, user_id: UserId) -> User | None:
        found = await self.session.read(UserRow, _USER, {"this": user_id})
        return user_of(found[0]) if found else None

    async def hold(self, user_id: UserId) -> User | None:
        found = await self.session.read(UserRow, _USER_HELD, {"this": user_id})
        return user_of(found[0]) if found else None

    async def by_email(self, email: str) -> User | None:
        found = await self.session.read(UserRow, _USER_BY_EMAIL, {"this": email.lower()})
        return user_of(found[0]) if found else None

    async def all(self) -> tuple[User, ...]:
        return tuple([user_of(row) for row in await self.session.read(UserRow, _ALL_USERS)])

    async def hold_administrators(self) -> tuple[User, ...]:
        return tuple([user_of(row) for row in await self.session.read(UserRow, _ADMINISTRATORS)])

    async def remove(self, user_id: UserId) -> None:
        if await self.session.read(AccountRow, _ACCOUNTS_OF, {"this": user_id}):
            raise Conflict(_HAS_ACCOUNTS)
        await self.session.write(delete(_USERS).where(_USERS.c.id == _THIS), {"this": user_id}, _HAS_ACCOUNTS)


@attrs.frozen
class SqlAccounts(Accounts):
    """The exchange accounts."""

    session: Session

    async def add(self, account: Account) -> None:
        await self.session.write(insert(_ACCOUNTS), _account_values(account), _NAME_TAKEN)

    async def save(self, account: Account) -> None:
        statement = update(_ACCOUNTS).where(_ACCOUNTS.c.id == _THIS)
        await self.session.write(statement, {"this": account.id, **_account_values(account)}, _NAME_TAKEN)

    async def get(self, account_id: AccountId) -> Account | None:
        found = await self.session.read(AccountRow, _ACCOUNT, {"this": account_id})
        return _account_of(found[0]) if found else None

    async def hold(self, account_id: AccountId) -> Account | None:
        found = await self.session.read(AccountRow, _ACCOUNT_HELD, {"this": account_id})
        return _account_of(found[0]) if found else None

    async def of(self, user_id: UserId) -> tuple[Account, ...]:
        rows = await self.session.read(AccountRow, _ACCOUNTS_OF, {"this": user_id})
        return tuple(sorted(map(_account_of, rows), key=lambda account: account.name))

    async def all(self) -> tuple[Account, ...]:
        return tuple([_account_of(row) for row in await self.session.read(AccountRow, _ALL_ACCOUNTS)])

    async def keyed(self) -> Mapping[AccountId, datetime.datetime | None]:
        return {AccountId(row.id): row.keyed_at for row in await self.session.read_any(_KEYED)}

    async def remove(self, account_id: AccountId) -> None:
        statement = delete(_ACCOUNTS).where(_ACCOUNTS.c.id == _THIS)
        await self.session.write(statement, {"this": account_id}, _HAS_BOTS)


def _user_values(user: User) -> Values:
    return {
        "id": user.id,
        "email": user.email.lower(),
        "tier": user.tier.value,
        "given_tier": user.given_tier.value,
        "is_admin": user.is_admin,
        "verified_at": user.verified_at,
        "password_hash": user.password_hash,
        "created_at": user.created_at,
    }


def user_of(row: UserRow) -> User:
    """Return the user that was stored."""
    return User(
        id=UserId(row.id),
        email=row.email,
        tier=Tier(row.tier),
        given_tier=Tier(row.given_tier),
        is_admin=row.is_admin,
        verified_at=row.verified_at,
        password_hash=row.password_hash,
        created_at=row.created_at,
    )


def _account_values(account: Account) -> Values:
    return {
        "id": account.id,
        "user_id": account.user_id,
        "name": account.name,
        "environment": account.environment.value,
        "api_key": account.api_key,
        "keyed_at": account.keyed_at,
        "created_at": account.created_at,
    }


def _account_of(row: AccountRow) -> Account:
    return Account(
        id=AccountId(row.id),
        user_id=UserId(row.user_id),
        name=row.name,
        environment=Environment(row.environment),
        api_key=cast("CipherText | None", row.api_key),
        keyed_at=row.keyed_at,
        created_at=row.created_at,
    )
