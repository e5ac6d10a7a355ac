"""How the ways to the exchanges are doing: as this process measures them, and as the engines have last told."""

from __future__ import annotations

import datetime

import attrs

from dcacore.application import accounts
from dcacore.application.asking import ALIVE_WITHIN
from dcacore.domain.ids import UserId
from dcacore.ports.clock import Clock
from dcacore.ports.errors import PortError
from dcacore.ports.health import Health
from dcacore.ports.records import Account, EngineRecord, Environment
from dcacore.ports.store import Store
from dcacore.ports.venues import Venues


@attrs.frozen(kw_only=True)
class Connection:
    """The way from one process to one environment.

    Attributes:
        environment: where it leads.
        engine: the engine whose way it is; None for this process.
        told_at: when it was so.
        health: how it is; ages and holds are counted on to now.
        hold_until: before when the exchange wants no request; None when it takes them.
        failure: why this process does not reach it now; empty when it does.
    """

    environment: Environment
    engine: str | None
    told_at: datetime.datetime
    health: Health
    hold_until: datetime.datetime | None
    failure: str = ""


async def of_engines(store: Store, clock: Clock) -> tuple[Connection, ...]:
    """Return the ways of all engines that have reported themselves lately, by engine and environment."""
    async with store.begin(reads_only=True) as work:
        engines = await work.leases.engines(ALIVE_WITHIN)
    return tuple([one for engine in engines for one in _of_engine(engine, clock.now())])


def _of_engine(engine: EngineRecord, now: datetime.datetime) -> list[Connection]:
    ways = sorted(engine.health.items(), key=lambda way: way[0].value)
    return [_connection(environment, engine.name, engine.seen_at, health, now) for environment, health in ways]


async def measure(
    store: Store, venues: Venues, clock: Clock, *, user_id: UserId, named: str
) -> tuple[Account, tuple[Connection, ...]]:
    """Ask where the user's account is what time it is; return the account, how that went, and what engines have told.

    What this process measures comes first, where the environment is measured at all; that it cannot be reached is an
    answer, too. It opens no streams.

    Raises:
        NotFound: the user has no such account.
        PortError: the exchange cannot be reached now, and nothing is measured there.
    """
    account = await accounts.find(store, user_id, named)
    failure = ""
    try:
        await venues.prices(account.environment)
    except PortError as exc:
        if account.environment not in venues.health():
            raise
        failure = str(exc)
    now, here = clock.now(), venues.health().get(account.environment)
    found = []
    if here is not None:
        found.append(attrs.evolve(_connection(account.environment, None, now, here, now), failure=failure))
    found += [it for it in await of_engines(store, clock) if it.environment is account.environment]
    return account, tuple(found)


def _connection(
    environment: Environment, engine: str | None, told_at: datetime.datetime, health: Health, now: datetime.datetime
) -> Connection:
    passed = max(0.0, (now - told_at).total_seconds())
    hold_s = max(0.0, health.hold_s - passed)
    return Connection(
        environment=environment,
        engine=engine,
        told_at=told_at,
        health=attrs.evolve(
            health,
            prices_age_s=_older(health.prices_age_s, passed),
            events_age_s=_older(health.events_age_s, passed),
            hold_s=hold_s,
        ),
        hold_until=now + datetime.timedelta(seconds=hold_s) if hold_s else None,
    )


def _older(age_s: float | None, passed: float) -> float | None:
    return None if age_s is None else age_s + passed
