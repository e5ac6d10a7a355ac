from __future__ import annotations

import asyncio
from pathlib import Path

import attrs
import pytest

from dcacore.adapters.sqlalchemy import open_store
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.application import asking, bots, deals, users
from dcacore.application.refusals import NotFound, PlanLimitReached
from dcacore.domain.bot import Phase
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.ports.errors import Conflict
from dcacore.ports.records import BotRecord, RequestKind, Tier, User
from tests.unit.application.office import Office


async def test_a_new_bot_stands_still_and_marks_its_orders_as_this_databases(office: Office, calm: BotRecord) -> None:
    assert (calm.bot.phase, calm.bot.deal, calm.name) == (Phase.STOPPED, None, "calm")
    assert calm.bot.order_prefix == f"dca{await office.store.epoch()}"


async def test_a_bot_is_found_by_id_or_name_and_only_by_its_owner(office: Office, anna: User, calm: BotRecord) -> None:
    assert await bots.find(office.store, anna.id, "calm") == calm
    assert await bots.find(office.store, anna.id, calm.bot.id) == calm
    bert = await office.user("bert@example.com")
    assert await bots.of(office.store, bert.id) == ()
    for named in ("calm", calm.bot.id):
        with pytest.raises(NotFound, match=rf"^there is no bot {named}$"):
            await bots.find(office.store, bert.id, named)
        with pytest.raises(NotFound):
            await bots.rename(office.store, user_id=bert.id, named=named, name="mine")
        with pytest.raises(NotFound):
            await bots.delete(office.store, user_id=bert.id, named=named)
    with pytest.raises(NotFound, match="no bot bold; there are calm"):
        await bots.find(office.store, anna.id, "bold")


async def test_a_bot_cannot_be_put_on_another_users_account(office: Office, anna: User) -> None:
    bert = await office.user("bert@example.com")
    theirs = await office.account(anna, "hers")
    with pytest.raises(NotFound, match="no account"):
        await office.bot(bert, account=theirs.id)


@pytest.mark.parametrize(("tier", "limit", "words"), [(Tier.FREE, 1, "1 bot"), (Tier.PRO, 5, "5 bots")])
async def test_a_tier_allows_so_many(office: Office, tier: Tier, limit: int, words: str) -> None:
    user = await office.user(tier=tier)
    await office.account(user)
    for number in range(limit):
        await office.bot(user, f"bot {number}")
    with pytest.raises(PlanLimitReached, match=rf"^the tier {tier.value} allows {words}: delete one, or move up$"):
        await office.bot(user, "one more")
    await bots.delete(office.store, user_id=user.id, named="bot 0")
    await office.bot(user, "one more")


async def test_the_limit_holds_when_several_are_made_at_once(office: Office, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    await asyncio.to_thread(upgrade, url)
    office.store = open_store(url, clock=office.clock)
    others = attrs.evolve(office)
    others.store = open_store(url, clock=office.clock)  # another process, say
    user = await office.user(tier=Tier.FREE)
    await office.account(user)
    made = await asyncio.gather(
        *(it.bot(user, f"bot {number}") for number, it in enumerate((office, others) * 3)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in made) == ["BotRecord", *["PlanLimitReached"] * 5]
    assert len(await bots.of(office.store, user.id)) == 1
    await users.set_tier(*office.means, email=user.email, tier=Tier.PRO)
    for name in ("x", "y", "z"):
        await office.bot(user, name)
    await users.set_tier(*office.means, email=user.email, tier=Tier.FREE)
    started = await asyncio.gather(
        *(_start(it, user, name) for it, name in zip((office, others, office), "xyz", strict=True)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, PlanLimitReached) for one in started) == 2
    async with office.store.begin(reads_only=True) as work:
        assert len(await work.requests.waiting()) == 1
    for it in (office, others):
        await it.store.close()


async def _runs(office: Office, *records: BotRecord) -> None:
    async with office.store.begin() as work:
        for record in records:
            await work.bots.save(attrs.evolve(record.bot, phase=Phase.MONITORING))
        await work.commit()


async def _start(office: Office, user: User, name: str, kind: RequestKind = RequestKind.START) -> None:
    await asking.ask(*office.means, user_id=user.id, bot=name, kind=kind)


async def test_a_tier_that_fell_lets_no_more_bots_start_than_it_allows(office: Office, anna: User) -> None:
    one, *_ = [await office.bot(anna, name) for name in ("one", "two", "three")]
    await users.set_tier(*office.means, email=anna.email, tier=Tier.FREE)
    await _start(office, anna, "one")
    refused = r"^the tier FREE allows 1 bot to run at a time: stop one, or move up$"
    with pytest.raises(PlanLimitReached, match=refused):  # one is only asked to run yet
        await _start(office, anna, "two")
    await _start(office, anna, "one", RequestKind.STOP)
    await _start(office, anna, "two")
    with pytest.raises(PlanLimitReached):
        await _start(office, anna, "one")
    await _start(office, anna, "two", RequestKind.STOP)
    await _runs(office, one)
    with pytest.raises(PlanLimitReached, match=refused):
        await _start(office, anna, "two")
    for kind in (RequestKind.RETRY, RequestKind.PAUSE, RequestKind.START, RequestKind.STOP):
        await _start(office, anna, "one", kind)
    with pytest.raises(PlanLimitReached):  # it runs until it has stopped
        await _start(office, anna, "two")


async def test_what_runs_when_the_tier_falls_goes_on(office: Office, anna: User) -> None:
    await _runs(office, *[await office.bot(anna, name) for name in ("one", "two")])
    await office.bot(anna, "three")
    await users.set_tier(*office.means, email=anna.email, tier=Tier.FREE)
    await _start(office, anna, "one", RequestKind.PAUSE)
    await _start(office, anna, "one")  # ends the pause
    await _start(office, anna, "two", RequestKind.RETRY)
    with pytest.raises(PlanLimitReached):
        await _start(office, anna, "three")
    await users.set_tier(*office.means, email=anna.email, tier=Tier.PRO)
    await _start(office, anna, "three")


async def test_names_are_taken_once_an_owner(office: Office, anna: User, calm: BotRecord) -> None:
    bold = await office.bot(anna, "bold")
    with pytest.raises(Conflict, match=r"^there is a bot calm already$"):
        await office.bot(anna)
    with pytest.raises(Conflict):
        await bots.rename(office.store, user_id=anna.id, named="bold", name="calm")
    with pytest.raises(InvalidParameter):
        await bots.rename(office.store, user_id=anna.id, named="bold", name="\x1b[2J")
    assert await bots.rename(office.store, user_id=anna.id, named="calm", name="calm") == calm
    renamed = await bots.rename(office.store, user_id=anna.id, named="bold", name=" =cmd ")
    assert renamed == attrs.evolve(bold, name="=cmd")
    assert await bots.find(office.store, anna.id, "=cmd") == renamed


async def test_an_id_wins_over_a_name_and_no_name_is_anothers_id(office: Office, anna: User, calm: BotRecord) -> None:
    bold = await office.bot(anna, "bold")
    told = rf"^{calm.bot.id} is the id of the bot calm: take another name$"
    with pytest.raises(Conflict, match=told):
        await office.bot(anna, calm.bot.id)
    with pytest.raises(Conflict, match=told):
        await bots.rename(office.store, user_id=anna.id, named="bold", name=calm.bot.id)
    await bots.rename(office.store, user_id=anna.id, named="bold", name=bold.bot.id)  # its own misleads nobody
    async with office.store.begin() as work:  # as an older version could have
        await work.bots.rename(calm.bot.id, bold.bot.id + "x")
        await work.bots.rename(bold.bot.id, calm.bot.id)
        await work.commit()
    with pytest.raises(NotNow, match=rf"^{bold.bot.id}x has no open deal$"):
        await deals.find(office.store, anna.id, calm.bot.id)
    assert (await bots.find(office.store, anna.id, calm.bot.id)).bot.id == calm.bot.id
    assert await bots.of(office.store, (await office.user("bert@example.com")).id) == ()


async def test_a_bot_is_deleted_only_when_nothing_of_it_is_open(office: Office, anna: User, calm: BotRecord) -> None:
    start = await asking.ask(*office.means, user_id=anna.id, bot="calm", kind=RequestKind.START)
    with pytest.raises(NotNow, match="calm cannot be deleted: a request waits"):
        await bots.delete(office.store, user_id=anna.id, named="calm")
    async with office.store.begin() as work:
        await work.requests.settle(start.id, office.clock.now())
        await work.bots.save(attrs.evolve(calm.bot, phase=Phase.MONITORING))
        await work.commit()
    with pytest.raises(NotNow, match="it is not stopped"):
        await bots.delete(office.store, user_id=anna.id, named="calm")
    async with office.store.begin() as work:
        await work.bots.save(calm.bot)
        await work.commit()
    await bots.delete(office.store, user_id=anna.id, named="calm")
    assert await bots.of(office.store, anna.id) == ()
