"""What an administrator sees: who is there, and how the machinery is doing."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Final

import attrs

from dcacore.application import connections
from dcacore.application.asking import ALIVE_WITHIN
from dcacore.application.connections import Connection
from dcacore.application.refusals import NotFound
from dcacore.domain.ids import UserId
from dcacore.domain.intents import IntentState
from dcacore.ports.census import MailCount, UserLine, UserPage, UserQuery
from dcacore.ports.clock import Clock
from dcacore.ports.records import EngineRecord
from dcacore.ports.store import Store

PAGE: Final = 25
_LONGEST: Final = 254
GONE_WITHIN: Final = datetime.timedelta(hours=24)
"""An engine that has been silent for longer than this is not shown any more."""


async def directory(store: Store, *, text: str = "", limit: int = PAGE, skip: int = 0) -> UserPage:
    """Return the users whose address holds *text*, those who came last first."""
    text = "".join(char for char in text if char.isprintable()).strip()[:_LONGEST]
    async with store.begin(reads_only=True) as work:
        return await work.census.users(UserQuery(text=text, limit=limit, skip=skip))


@attrs.frozen(kw_only=True)
class UserView:
    """A user as an administrator sees one: nothing of what bots hold or keys say.

    Attributes:
        line: who it is.
        accounts: how many exchange accounts the user has.
        sessions: how many browsers are signed in.
        tokens: how many API tokens there are.
    """

    line: UserLine
    accounts: int
    sessions: int
    tokens: int


async def user_view(store: Store, user_id: UserId) -> UserView:
    """Return what there is to say of a user.

    Raises:
        NotFound: there is no such user.
    """
    async with store.begin(reads_only=True) as work:
        user = await work.users.get(user_id)
        if user is None:
            raise NotFound("user", user_id)
        sessions = await work.sessions.of(user_id)
        bots = await work.bots.of(user_id)
        return UserView(
            line=UserLine(user=user, bots=len(bots), seen_at=max([it.seen_at for it in sessions], default=None)),
            accounts=len(await work.accounts.of(user_id)),
            sessions=len(sessions),
            tokens=len(await work.api_tokens.of(user_id)),
        )


@attrs.frozen(kw_only=True)
class EngineView:
    """An engine.

    Attributes:
        record: as it last reported itself.
        leases: for how many bots it holds the right to act; None where engines share no database, and need none.
        silent_s: how long ago it reported itself.
        is_alive: whether that is lately enough.
    """

    record: EngineRecord
    leases: int | None
    silent_s: float
    is_alive: bool


@attrs.frozen(kw_only=True)
class Machinery:
    """How the machinery is doing.

    Attributes:
        engines: those that have reported themselves within a day, by name.
        connections: how the ways of those that live to the exchanges are.
        requests: how many requests of users wait for an engine.
        mail: how the outbox stands.
        bots: how many bots there are, by the state that is shown.
    """

    engines: tuple[EngineView, ...]
    connections: tuple[Connection, ...]
    requests: int
    mail: MailCount
    bots: tuple[tuple[str, int], ...]


async def machinery(store: Store, clock: Clock) -> Machinery:
    """Return how the machinery is doing, from what is stored alone."""
    async with store.begin(reads_only=True) as work:
        engines = await work.leases.engines(GONE_WITHIN)
        held = await work.leases.held()
        requests = await work.census.requests()
        mail = await work.census.mail()
        bots = await work.census.bots()
    now = clock.now()
    return Machinery(
        engines=tuple(
            [_engine(it, sum(lease.owner == it.name for lease in held) if held else None, now) for it in engines]
        ),
        connections=await connections.of_engines(store, clock),
        requests=requests,
        mail=mail,
        bots=tuple(sorted(bots.items())),
    )


@attrs.frozen(kw_only=True)
class Counts:
    """What there is, for what watches over the program.

    Attributes:
        machinery: how the machinery is doing.
        bots: how many bots there are, by the state that is shown.
        orders: how many orders have not ended, by how far they have come.
        mail_age_s: how long the mail has waited that has waited longest; 0 when none waits.
    """

    machinery: Machinery
    bots: Mapping[str, int]
    orders: Mapping[IntentState, int]
    mail_age_s: float


async def counts(store: Store, clock: Clock) -> Counts:
    """Return what there is now.

    Raises:
        StoreError: the database does not tell.
    """
    found = await machinery(store, clock)
    async with store.begin(reads_only=True) as work:
        orders = await work.census.orders()
    oldest = found.mail.oldest
    age_s = 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())
    return Counts(machinery=found, bots=dict(found.bots), orders=orders, mail_age_s=age_s)


def _engine(record: EngineRecord, leases: int | None, now: datetime.datetime) -> EngineView:
    silent_s = max(0.0, (now - record.seen_at).total_seconds())
    is_alive = silent_s <= ALIVE_WITHIN.total_seconds()
    return EngineView(record=record, leases=leases, silent_s=silent_s, is_alive=is_alive)
