"""What every store promises of leases: one owner at a time, and nothing written by one who has lost his."""

from __future__ import annotations

import asyncio
import datetime

import pytest

from dcacore.domain.ids import BotId
from dcacore.ports.errors import LeaseLost
from dcacore.ports.health import Health
from dcacore.ports.records import Environment, Lease
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import bot, people, record

TTL = datetime.timedelta(seconds=30)
OVER = datetime.timedelta(seconds=-1)
"""A lease that has run out when it is given: PostgreSQL's clock cannot be moved."""
A, B = BotId("a"), BotId("b")


@pytest.fixture
async def store(database: Database) -> Store:
    await people(database.store, record(bot("a")), record(bot("b")))
    return database.store


def lease(bot_id: BotId, owner: str, token: int) -> Lease:
    return Lease(bot_id=bot_id, owner=owner, token=token)


async def take(store: Store, owner: str, *bots: BotId, ttl: datetime.timedelta = TTL) -> tuple[Lease, ...]:
    async with store.begin() as work:
        taken = await work.leases.take(bots or (B, A), owner, ttl)
        await work.commit()
        return tuple(sorted(taken, key=lambda lease: lease.bot_id))


async def test_free_bots_are_taken_once(store: Store) -> None:
    assert await take(store, "one") == (lease(A, "one", 1), lease(B, "one", 1))
    assert await take(store, "two") == ()
    assert await take(store, "one") == ()
    async with store.begin() as work:
        assert await work.leases.held() == (lease(A, "one", 1), lease(B, "one", 1))


async def test_bots_that_are_not_there_are_not_taken(store: Store) -> None:
    assert await take(store, "one", BotId("none"), A) == (lease(A, "one", 1),)
    async with store.begin() as work:
        assert await work.leases.take([], "one", TTL) == ()


async def test_a_lease_that_has_run_out_is_taken_with_a_new_token(store: Store) -> None:
    await take(store, "one", ttl=OVER)
    async with store.begin() as work:
        assert await work.leases.held() == ()
    assert await take(store, "two", A) == (lease(A, "two", 2),)


async def test_only_the_owner_renews(store: Store) -> None:
    mine = await take(store, "one", ttl=OVER)
    (theirs,) = await take(store, "two", A)
    async with store.begin() as work:
        assert await work.leases.renew([*mine, lease(A, "two", 1)], TTL) == (mine[1],)
        assert await work.leases.renew([], TTL) == ()
        assert await work.leases.held() == (theirs, mine[1])


async def test_what_is_given_back_is_free(store: Store) -> None:
    mine = await take(store, "one")
    async with store.begin() as work:
        await work.leases.release([mine[0], lease(B, "two", 1)])
        await work.commit()
    async with store.begin() as work:
        assert await work.leases.held() == (mine[1],)
        assert await work.leases.renew(mine, TTL) == (mine[1],)
    assert await take(store, "two") == (lease(A, "two", 2),)


async def test_nothing_is_written_under_a_lease_that_was_lost(store: Store) -> None:
    mine = await take(store, "one", ttl=OVER)
    async with store.begin(mine[0]) as work:
        await work.bots.rename(A, "still mine")
        await work.commit()
    (theirs,) = await take(store, "two", A)
    for lost in (mine[0], lease(A, "two", 1), lease(A, "one", 2), lease(BotId("none"), "one", 1)):
        with pytest.raises(LeaseLost):
            async with store.begin(lost):
                pytest.fail("the work must not begin")
    async with store.begin(theirs) as work:
        await work.bots.rename(A, "theirs")
        await work.commit()


async def test_eight_racers_have_one_winner(database: Database, store: Store) -> None:
    others = [store] if database.kind == "memory" else [database.another() for _ in range(8)]
    taken = await asyncio.gather(*(take(others[place % len(others)], f"racer{place}", A) for place in range(8)))
    assert sum(map(len, taken)) == 1
    for other in others:
        await other.close()


async def test_engines_report_themselves(store: Store) -> None:
    async with store.begin() as work:
        await work.leases.report("two", 5)
        await work.leases.report("one", 3)
        await work.leases.report("two", 7)
        found = await work.leases.engines(TTL)
        assert [(one.name, one.bots) for one in found] == [("one", 3), ("two", 7)]
        assert found[0].seen_at.tzinfo is not None
        assert await work.leases.engines(OVER) == ()
        await work.leases.forget("two")
        await work.leases.forget("three")
        assert [one.name for one in await work.leases.engines(TTL)] == ["one"]


async def test_how_the_ways_of_an_engine_are_is_kept_until_it_tells_again(store: Store) -> None:
    first = Health(latency_ms=30, clock_offset_ms=-5, prices_age_s=0.25, used_weight=7, weight_limit=6000, hold_s=1.5)
    second = Health(latency_ms=None, clock_offset_ms=None, prices_age_s=None, used_weight=0, weight_limit=0)
    async with store.begin() as work:
        await work.leases.report_health("one", {Environment.LIVE: first})  # it has never reported itself
        await work.leases.report("one", 3)
        assert [it.health for it in await work.leases.engines(TTL)] == [{}]
        await work.leases.report_health("one", {Environment.LIVE: first, Environment.TESTNET: second})
        await work.leases.report("one", 4)
        assert [(it.bots, it.health) for it in await work.leases.engines(TTL)] == [
            (4, {Environment.LIVE: first, Environment.TESTNET: second})
        ]
        await work.leases.report_health("one", {Environment.LIVE: second})
        assert [it.health for it in await work.leases.engines(TTL)] == [{Environment.LIVE: second}]
