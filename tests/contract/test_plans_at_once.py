"""What happens to a plan at the same time, in several processes: over every store, no more bots than it carries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from typing import Final

import attrs
import pytest

from dcacore.application import asking, bots
from dcacore.application.billing import lapsing
from dcacore.application.billing.keeping import Keeper
from dcacore.application.limits import bots_to_run
from dcacore.application.refusals import NotFound, PlanLimitReached
from dcacore.domain.bot import Phase, Wanted
from dcacore.domain.errors import DcaError
from dcacore.ports.records import BotRecord, RequestKind, Tier, User
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.unit.application.office import MARKET, Office, bot_file
from tests.unit.billing.counter import Counter

MANY: Final = 20


@pytest.fixture
def counter(database: Database) -> Counter:
    return Counter(_office(database.store))


def _office(store: Store) -> Office:
    office = Office()
    office.store = store
    return office


@pytest.fixture
async def other(database: Database, counter: Counter) -> AsyncIterator[Counter]:
    """Yield another process over the same database, with ids of its own and the same Polar."""
    office = _office(counter.office.store if database.kind == "memory" else database.another())
    office.clock = counter.office.clock
    office.ids.count = 10**6
    made = Counter(office)
    made.world, made.billing.till = counter.world, counter.world.till
    yield made
    if database.kind != "memory":
        await office.store.close()


async def _outcomes(acts: Iterable[Awaitable[object]]) -> list[str]:
    """Do it all at once; return by name how each ended, and let what nobody foresees through."""
    ended = await asyncio.gather(*acts, return_exceptions=True)
    for it in ended:
        if isinstance(it, BaseException) and not isinstance(it, DcaError):
            raise it
    return sorted(type(it).__name__ if isinstance(it, DcaError) else "done" for it in ended)


async def _running(counter: Counter, user: User, count: int) -> list[BotRecord]:
    made = [await counter.office.bot(user, f"bot {number}") for number in range(count)]
    async with counter.office.store.begin() as work:
        for it in made:
            await work.bots.save(attrs.evolve(it.bot, phase=Phase.MONITORING, wanted=Wanted.RUN))
        await work.commit()
    return made


async def _carried_on(counter: Counter, user: User) -> int:
    async with counter.office.store.begin(reads_only=True) as work:
        return len(await bots_to_run(work, user.id))


async def _customer(counter: Counter) -> User:
    anna = await counter.anna()
    await counter.office.account(anna)
    await counter.told(counter.world.buy(anna.id))
    await counter.work()
    return anna


async def test_f94_of_many_bots_made_at_once_one_is_made(counter: Counter, other: Counter) -> None:
    anna = await counter.anna()
    await counter.office.account(anna)
    ended = await _outcomes(
        bots.create(*it.office.means, user_id=anna.id, account="paper", bot_file=bot_file(f"{n}"), market=MARKET)
        for n in range(MANY // 2)
        for it in (counter, other)
    )
    assert ended.count("done") == 1
    assert set(ended) <= {"done", "PlanLimitReached", "NameTaken"}
    async with counter.office.store.begin(reads_only=True) as work:
        assert len(await work.bots.of(anna.id)) == 1


async def test_f94_of_many_starts_at_once_one_is_taken(counter: Counter, other: Counter) -> None:
    anna = await _customer(counter)
    made = [await counter.office.bot(anna, f"bot {number}") for number in range(5)]
    await counter.told(counter.world.revoke(anna.id))
    await counter.work()
    ended = await _outcomes(
        asking.ask(*it.office.means, user_id=anna.id, bot=one.bot.id, kind=RequestKind.START)
        for one in made
        for it in (counter, other)
    )
    assert ended.count("PlanLimitReached") == 8  # the fifth may be asked to start twice
    assert await _carried_on(counter, anna) == 1


async def test_f86_two_that_keep_tiers_tell_of_a_change_once(counter: Counter, other: Counter) -> None:
    anna = await counter.anna()
    await counter.told(counter.world.buy(anna.id))
    keepers = [counter.keeper, other.keeper, Keeper(counter.means), Keeper(other.means)]
    await asyncio.gather(*(it.deal_with_due() for it in keepers), *(it.look_around() for it in keepers))
    await counter.work(seconds=5)
    assert await counter.tier(anna) is Tier.PRO
    assert await counter.letters() == ["Your plan is PRO now"]
    async with counter.office.store.begin(reads_only=True) as work:
        assert len(await work.feed.notifications(anna.id)) == 1
        assert await work.billing_inbox.due(counter.office.clock.now()) == ()


async def test_f92_a_plan_that_lapses_while_its_user_chooses_and_starts(counter: Counter, other: Counter) -> None:
    anna = await _customer(counter)
    made = await _running(counter, anna, 5)
    await counter.told(counter.world.revoke(anna.id))
    await _outcomes(
        [
            counter.keeper.deal_with_due(),
            other.keeper.deal_with_due(),
            *(lapsing.let_go_on(*other.office.means, user_id=anna.id, bot=it.bot.id) for it in made),
            *(asking.ask(*counter.office.means, user_id=anna.id, bot=it.bot.id, kind=RequestKind.START) for it in made),
            lapsing.resume(*other.office.means, user_id=anna.id),
        ]
    )
    await counter.work(seconds=5)
    assert await counter.tier(anna) is Tier.FREE
    assert await _carried_on(counter, anna) == 1
    async with counter.office.store.begin(reads_only=True) as work:
        last = {it.bot_id: it.kind for it in await work.requests.waiting()}
        paused = await work.plan_pauses.of(anna.id)
    assert len(paused) == 4
    assert {last[it] for it in paused} == {RequestKind.PAUSE}  # whatever came in between, that is what comes last


async def test_a_user_may_leave_while_tiers_are_kept(counter: Counter, other: Counter) -> None:
    anna = await counter.anna()
    await counter.told(counter.world.buy(anna.id))

    async def leave() -> None:
        async with other.office.store.begin() as work:
            await work.users.remove(anna.id)
            await work.commit()

    await _outcomes([counter.keeper.deal_with_due(), leave(), other.keeper.look_around()])
    await counter.work(seconds=60)
    async with counter.office.store.begin(reads_only=True) as work:
        assert await work.users.get(anna.id) is None
        assert await work.subscriptions.of(anna.id) == ()
        assert await work.billing_inbox.due(counter.office.clock.now()) == ()
    with pytest.raises(NotFound):
        await lapsing.resume(*counter.office.means, user_id=anna.id)


async def test_f95_one_that_was_stopped_does_not_slip_back(counter: Counter) -> None:
    anna = await _customer(counter)
    _, two, _ = await _running(counter, anna, 3)
    await counter.told(counter.world.revoke(anna.id))
    await counter.work()
    for kind in (RequestKind.STOP, RequestKind.PAUSE):
        await asking.ask(*counter.office.means, user_id=anna.id, bot=two.bot.id, kind=kind)
        with pytest.raises(PlanLimitReached):
            await asking.ask(*counter.office.means, user_id=anna.id, bot=two.bot.id, kind=RequestKind.START)
    assert await _carried_on(counter, anna) == 1
