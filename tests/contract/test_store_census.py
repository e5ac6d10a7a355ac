"""What every store promises of what it counts of everybody."""

from __future__ import annotations

import asyncio
import datetime

import attrs
import pytest

from dcacore.domain.bot import Trouble, TroubleKind, Wanted
from dcacore.domain.ids import RequestId, UserId
from dcacore.domain.intents import IntentState
from dcacore.ports.census import MailCount, UserLine, UserQuery
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import ANN, BOB, bot, entered, people, record, request, user
from tests.contract.test_store_identity import mail, session
from tests.strategies import NOON

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
async def store(database: Database) -> Store:
    await people(database.store, record(entered(bot("a"))), record(bot("b")))
    return database.store


async def test_users_are_listed_with_what_is_counted_of_them(store: Store) -> None:
    bob = user(BOB, created_at=NOON + HOUR, is_admin=True)
    odd = user(UserId("odd"), email="100%_sure@example.com", created_at=NOON - HOUR)
    async with store.begin() as work:
        await work.users.add(bob)
        await work.users.add(odd)
        await work.sessions.add(session("old", seen_at=NOON))
        await work.sessions.add(session("new", seen_at=NOON + HOUR))
        await work.commit()
    async with store.begin(reads_only=True) as work:
        found = await work.census.users(UserQuery())
        assert found.lines == (
            UserLine(user=bob, bots=0, seen_at=None),
            UserLine(user=user(), bots=2, seen_at=NOON + HOUR),
            UserLine(user=odd, bots=0, seen_at=None),
        )
        assert found.total == 3
        page = await work.census.users(UserQuery(limit=1, skip=1))
        assert ([it.user.id for it in page.lines], page.total) == ([ANN], 3)
        for text, ids in (("ANN@", [ANN]), ("%", [odd.id]), ("_s", [odd.id]), ("\\", []), ("nobody", [])):
            named = await work.census.users(UserQuery(text=text))
            assert ([it.user.id for it in named.lines], named.total) == (ids, len(ids))


async def test_bots_orders_and_requests_are_counted(store: Store) -> None:
    tired = attrs.evolve(bot("b"), trouble=Trouble(TroubleKind.ERROR, "no"), wanted=Wanted.RUN)
    async with store.begin() as work:
        await work.bots.save(tired)
        await work.requests.add(request("one", "a"))
        await work.requests.add(request("two", "a"))
        await work.requests.settle(RequestId("one"), NOON)
        await work.commit()
    async with store.begin(reads_only=True) as work:
        assert dict(await work.census.bots()) == {"in_position": 1, "error": 1}
        orders = dict(await work.census.orders())
        assert orders.pop(IntentState.PLANNED) > 0
        assert orders == {}
        assert await work.census.requests() == 1


async def test_mail_is_counted(store: Store) -> None:
    async with store.begin() as work:
        assert await work.census.mail() == MailCount()
        for number in range(4):
            await work.outbox.add(mail(f"{number}"), NOON + number * HOUR)
        first, second, _, _ = await work.outbox.due(NOON + 9 * HOUR)
        await work.outbox.mark_sent("0", NOON)
        await work.outbox.mark_failed("3", NOON)
        assert await work.outbox.claim(second, NOON + 9 * HOUR) is not None
        assert first.mail.key == "0"
        assert await work.census.mail() == MailCount(waiting=2, put_off=1, failed=1, oldest=NOON + HOUR)


async def test_administrators_are_held(database: Database, store: Store) -> None:
    async with store.begin() as work:
        for name in ("zoe", "carl"):
            await work.users.add(user(UserId(name), is_admin=True))
        await work.commit()
    async with store.begin() as work:
        assert [it.id for it in await work.users.hold_administrators()] == ["carl", "zoe"]
    if database.kind == "memory":
        return
    left: list[int] = []

    async def step_down(name: str) -> None:
        async with store.begin() as work:
            administrators = await work.users.hold_administrators()
            if len(administrators) > 1:
                (me,) = [it for it in administrators if it.id == name]
                await work.users.save(attrs.evolve(me, is_admin=False))
                await work.commit()
            left.append(len(administrators))

    await asyncio.gather(step_down("carl"), step_down("zoe"))
    assert sorted(left) == [1, 2]
