"""What every store promises: people, accounts, bots, requests, what people read, and transactions."""

from __future__ import annotations

import asyncio
import datetime
from decimal import Decimal

import attrs
import pytest

from dcacore.domain.bot import Bot
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, RequestId, TradeId, UserId
from dcacore.domain.intents import IntentState
from dcacore.domain.money import Price
from dcacore.domain.story import Level
from dcacore.ports.errors import Conflict, StoreError
from dcacore.ports.records import Environment, Notification, Reconciliation, RequestKind, Tier
from dcacore.ports.secrets import CipherText
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import (
    ANN,
    BOB,
    PAPER,
    SECOND,
    account,
    booked,
    bot,
    entered,
    fill_of,
    intents,
    line,
    people,
    record,
    request,
    save,
    started,
    user,
)
from tests.strategies import NOON

ODD = "Zoë’s 机器人 🤖 'quoted' \\ \"double\" %s ?"


@pytest.fixture
def store(database: Database) -> Store:
    return database.store


async def test_the_epoch_is_six_characters_and_stays(store: Store) -> None:
    await store.check()
    epoch = await store.epoch()
    assert len(epoch) == 6
    assert set(epoch) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert await store.epoch() == epoch


async def test_users_come_back(store: Store) -> None:
    ann = user(email="Ann@Example.com", tier=Tier.PRO, is_admin=True, password_hash=ODD)
    bob = user(BOB, created_at=NOON - SECOND)
    async with store.begin() as work:
        await work.users.add(ann)
        await work.users.add(bob)
        await work.commit()
    stored = attrs.evolve(ann, email="ann@example.com")
    async with store.begin() as work:
        assert await work.users.get(ANN) == stored == await work.users.hold(ANN)
        assert await work.users.by_email("ANN@example.COM") == stored
        assert await work.users.all() == (bob, stored)
        assert await work.users.get(UserId("nobody")) is None
        assert await work.users.by_email("nobody@example.com") is None
        verified = attrs.evolve(stored, verified_at=NOON, tier=Tier.FREE)
        await work.users.save(verified)
        assert await work.users.get(ANN) == verified


async def test_an_address_has_one_user(store: Store) -> None:
    await people(store)
    for taken in (user(BOB, email="ANN@example.com"), user(ANN, email="other@example.com")):
        async with store.begin() as work:
            with pytest.raises(Conflict, match="a user"):
                await work.users.add(taken)
    async with store.begin() as work:
        await work.users.add(user(BOB))
        with pytest.raises(Conflict, match="address"):
            await work.users.save(user(BOB, email="ann@example.com"))


async def test_accounts_come_back(store: Store) -> None:
    await people(store)
    live = account(
        AccountId("live"),
        name="Über",
        environment=Environment.LIVE,
        api_key=CipherText("gAAAA"),
        created_at=NOON + SECOND,
    )
    async with store.begin() as work:
        await work.accounts.add(live)
        await work.commit()
    async with store.begin() as work:
        assert await work.accounts.get(live.id) == live
        assert await work.accounts.hold(live.id) == live
        assert await work.accounts.hold(AccountId("none")) is None
        assert await work.accounts.get(AccountId("none")) is None
        assert await work.accounts.of(ANN) == (account(), live)
        assert await work.accounts.of(BOB) == ()
        assert await work.accounts.all() == (account(), live)
        assert await work.accounts.keyed() == {PAPER: None, live.id: None}
        changed = attrs.evolve(live, api_key=CipherText("gBBBB"), keyed_at=NOON)
        await work.accounts.save(changed)
        assert await work.accounts.get(live.id) == changed
        assert await work.accounts.keyed() == {PAPER: None, live.id: NOON}
        await work.accounts.remove(live.id)
        assert await work.accounts.all() == (account(),)


async def test_accounts_have_names_of_their_own_and_stay_while_bots_use_them(store: Store) -> None:
    await people(store, record())
    for name, refused in (("paper", "add"), ("paper", "save")):
        async with store.begin() as work:
            other = account(AccountId("other"), name="other")
            if refused == "save":
                await work.accounts.add(other)
            with pytest.raises(Conflict, match="name"):
                await getattr(work.accounts, refused)(attrs.evolve(other, name=name))
    async with store.begin() as work:
        with pytest.raises(Conflict, match="bots belong"):
            await work.accounts.remove(PAPER)
    async with store.begin() as work:
        with pytest.raises(Conflict):
            await work.accounts.add(account(AccountId("lost"), BOB, name="lost"))


async def test_bots_are_found_by_user_and_age(store: Store) -> None:
    records = [record(bot(name), created_at=NOON - number * SECOND) for number, name in enumerate("abc")]
    await people(store, *records)
    async with store.begin() as work:
        assert [one.bot.id for one in await work.bots.of(ANN)] == ["c", "b", "a"]
        assert await work.bots.of(BOB) == ()
        assert await work.bots.load([BotId("b"), BotId("x"), BotId("b"), BotId("c")]) == (records[2], records[1])
        assert await work.bots.load([]) == ()
        assert await work.bots.get(BotId("x")) is None


async def test_bots_have_names_of_their_own(store: Store) -> None:
    await people(store, record(bot("a")), record(bot("b"), name=ODD))
    for taken in (record(bot("c"), name=ODD), record(bot("a"), name="new")):
        async with store.begin() as work:
            with pytest.raises(Conflict):
                await work.bots.add(taken)
    async with store.begin() as work:
        with pytest.raises(Conflict, match="name"):
            await work.bots.rename(BotId("a"), ODD)
    async with store.begin() as work:
        await work.bots.rename(BotId("b"), ODD)
        await work.bots.rename(BotId("b"), "c")
        found = await work.bots.get(BotId("b"))
        assert found is not None
        assert found.name == "c"


async def test_a_bot_belongs_to_somebody(store: Store) -> None:
    await people(store)
    for lost in (record(user_id=BOB), record(account_id=AccountId("none"))):
        async with store.begin() as work:
            with pytest.raises(Conflict):
                await work.bots.add(lost)
    async with store.begin() as work:
        with pytest.raises(Conflict, match="no such bot"):
            await work.bots.save(bot())


async def test_what_an_engine_must_act_for(store: Store) -> None:
    running = entered(bot("running"))
    await people(store, record(bot("idle")), record(running), record(bot("asked")), record(bot("settled")))
    async with store.begin() as work:
        for name in ("asked", "settled"):
            await work.requests.add(request(name, name))
        await work.requests.settle(RequestId("settled"), NOON)
        assert await work.bots.to_run() == ("asked", "running")


async def test_requests_wait_in_the_order_in_which_they_were_asked(store: Store) -> None:
    await people(store, record())
    asked = [
        request("c", kind=RequestKind.STOP, details={"sell": "true", "note": ODD}),
        request("a", asked_at=NOON + SECOND),
        request("b", asked_at=NOON - SECOND),
        request("d"),
    ]
    async with store.begin() as work:
        for one in asked:
            await work.requests.add(one)
        await work.commit()
    async with store.begin() as work:
        assert [one.id for one in await work.requests.waiting()] == ["b", "c", "d", "a"]
        assert await work.requests.get(RequestId("c")) == asked[0]
        assert await work.requests.get(RequestId("x")) is None
        await work.requests.settle(RequestId("c"), NOON + SECOND, "no")
        await work.requests.settle(RequestId("c"), NOON, "")
        assert await work.requests.get(RequestId("c")) == attrs.evolve(asked[0], done_at=NOON + SECOND, refusal="no")
        assert [one.id for one in await work.requests.waiting()] == ["b", "d", "a"]
    async with store.begin() as work:
        with pytest.raises(Conflict, match="no such bot"):
            await work.requests.add(request("e", "other"))


async def test_an_order_is_marked_as_being_sent_once(store: Store) -> None:
    made = started()
    await people(store, record(made))
    (planned,) = intents(made)
    sending = attrs.evolve(planned, state=IntentState.SENDING, sent_at=NOON + SECOND, recv_window_ms=5_000)
    async with store.begin() as work:
        await work.intents.mark(sending)
        await work.commit()
    for later in (sending, attrs.evolve(sending, sent_at=NOON + 2 * SECOND)):
        async with store.begin() as work:
            with pytest.raises(Conflict, match="not planned"):
                await work.intents.mark(later)
    async with store.begin() as work:
        assert await work.intents.get(planned.id) == sending


@pytest.mark.parametrize("state", [state for state in IntentState if state is not IntentState.PLANNED])
async def test_only_what_is_planned_is_marked(store: Store, state: IntentState) -> None:
    made = started()
    await people(store, record(made))
    (planned,) = intents(made)
    known = attrs.evolve(planned, state=state)
    async with store.begin() as work:
        await work.intents.save([known])
        await work.commit()
    async with store.begin() as work:
        with pytest.raises(Conflict, match="not planned"):
            await work.intents.mark(attrs.evolve(planned, state=IntentState.SENDING, sent_at=NOON))
    async with store.begin() as work:
        assert await work.intents.get(planned.id) == known


async def test_what_was_never_stored_is_not_marked(store: Store) -> None:
    made = started()
    await people(store, record(made))
    (planned,) = intents(made)
    unknown = attrs.evolve(planned.order, id=OrderId("unknown"))
    async with store.begin() as work:
        with pytest.raises(Conflict, match="not planned"):
            await work.intents.mark(attrs.evolve(planned, order=unknown, state=IntentState.SENDING))
    async with store.begin() as work:
        assert await work.intents.get(unknown.id) is None


async def test_the_newest_fill_before_a_time(store: Store) -> None:
    made = started()
    await people(store, record(made))
    (planned,) = intents(made)
    fills = tuple(
        attrs.evolve(fill_of(planned.order), trade_id=TradeId(trade_id), at=NOON + seconds * SECOND)
        for seconds, trade_id in enumerate(["9", "10", "11"])
    )
    async with store.begin() as work:
        await work.fills.add(booked([attrs.evolve(planned, order=attrs.evolve(planned.order, fills=fills))]))
        await work.commit()
    async with store.begin(reads_only=True) as work:
        newest = [await work.fills.newest(PAPER, "ABCXYZ", before=NOON + after * SECOND) for after in range(4)]
        assert newest == [None, "9", "10", "11"]
        assert await work.fills.newest(PAPER, "ABCXYZ", before=None) == "11"
        assert await work.fills.newest(PAPER, "OTHER", before=NOON + 3 * SECOND) is None
        assert await work.fills.newest(AccountId("other"), "ABCXYZ", before=NOON + 3 * SECOND) is None


async def test_activity_is_read_in_pages_newest_first(store: Store) -> None:
    await people(store, record(), record(bot("other")))
    lines = [line(f"{ODD} {number}", bot_id=BotId("bot" if number % 2 else "other")) for number in range(10)]
    full = line("all", level=Level.ERROR, bot_id=None, deal_id=DealId("d"), order_id=OrderId("o"))
    async with store.begin() as work:
        await work.users.add(user(BOB))
        await work.feed.add_activity([])
        await work.feed.add_activity(lines)
        await work.feed.add_activity([full, line("bob's", user_id=BOB, bot_id=None)])
        await work.commit()
    async with store.begin() as work:
        newest = await work.feed.activity(ANN, limit=4)
        assert [attrs.evolve(one, number=0) for one in newest] == [full, *lines[:6:-1]]
        older = await work.feed.activity(ANN, before=newest[-1].number, limit=100)
        assert [one.text for one in older] == [one.text for one in lines[6::-1]]
        of_bot = await work.feed.activity(ANN, bot_id=BotId("bot"), limit=2, before=newest[-1].number)
        assert [one.text for one in of_bot] == [lines[5].text, lines[3].text]
        assert len(await work.feed.activity(BOB)) == 1


async def test_notifications_are_marked_read(store: Store) -> None:
    await people(store, record())
    told = Notification(user_id=ANN, at=NOON, kind="stop_loss", text=ODD, level=Level.WARNING, bot_id=BotId("bot"))
    async with store.begin() as work:
        await work.feed.add_notifications([])
        await work.feed.add_notifications([told, attrs.evolve(told, text="second")])
        await work.commit()
    async with store.begin() as work:
        second, first = await work.feed.notifications(ANN)
        assert (attrs.evolve(first, number=0), second.text) == (told, "second")
        await work.feed.mark_read(ANN, NOON)
        await work.feed.add_notifications([told])
        await work.feed.mark_read(ANN, NOON + SECOND)
        read = [one.read_at for one in await work.feed.notifications(ANN, limit=2)]
        assert read == [NOON + SECOND, NOON]


async def test_reconciliations_come_back(store: Store) -> None:
    await people(store)
    found = Reconciliation(
        account_id=PAPER,
        at=NOON,
        cause="start",
        adopted=(OrderId("a"), OrderId("b")),
        stray=(OrderId("s"),),
        differences=(ODD,),
    )
    async with store.begin() as work:
        await work.feed.add_reconciliation(found)
        await work.feed.add_reconciliation(attrs.evolve(found, cause="periodic", adopted=()))
        await work.commit()
    async with store.begin() as work:
        newer, older = await work.feed.reconciliations(PAPER)
        assert (newer.cause, attrs.evolve(older, number=0)) == ("periodic", found)
        assert len(await work.feed.reconciliations(PAPER, limit=1)) == 1


async def test_what_is_not_committed_leaves_no_trace(store: Store) -> None:
    await people(store, record())
    async with store.begin() as work:
        await work.bots.rename(BotId("bot"), "lost")
        await work.users.add(user(BOB))
    async with store.begin() as work:
        await save(work, entered())
    async with store.begin() as work:
        assert await work.users.get(BOB) is None
        assert await work.bots.of(ANN) == (record(),)
        assert await work.intents.unsettled([BotId("bot")]) == ()


async def test_a_work_after_a_refused_one_goes_on(store: Store) -> None:
    await people(store)
    async with store.begin() as work:
        with pytest.raises(Conflict):
            await work.users.add(user())
    async with store.begin() as work:
        await work.users.add(user(BOB))
        await work.commit()
    async with store.begin(reads_only=True) as work:
        assert len(await work.users.all()) == 2


async def test_a_reader_sees_what_was_committed_when_it_came(store: Store) -> None:
    await people(store)
    async with store.begin(reads_only=True) as reader:
        assert len(await reader.users.all()) == 1
        async with store.begin() as writer:
            await writer.users.add(user(BOB))
            assert len(await reader.users.all()) == 1
            await writer.commit()


async def test_a_work_that_only_reads_cannot_write(store: Store) -> None:
    await people(store, record())
    async with store.begin(reads_only=True) as work:
        with pytest.raises(StoreError, match="only reads"):
            await work.users.add(user(BOB))
        with pytest.raises(StoreError, match="only reads"):
            await work.leases.take([BotId("bot")], "engine", SECOND)
        assert len(await work.users.all()) == 1


async def test_who_counts_before_adding_holds_the_user(store: Store) -> None:
    """Twenty bots are wanted at once where one may exist."""
    await people(store)

    async def add_one(number: int) -> int:
        async with store.begin() as work:
            await work.users.hold(ANN)
            if await work.bots.of(ANN):
                return 0
            await work.bots.add(record(bot(f"bot{number}")))
            await work.commit()
            return 1

    assert sum(await asyncio.gather(*(add_one(number) for number in range(20)))) == 1


@pytest.mark.parametrize("price", ["1E-18", "123456789.123456789123456789", "99999999999999999999.5", "1E+30", "-0.1"])
async def test_numbers_come_back_exact(store: Store, price: str) -> None:
    priced: Bot = attrs.evolve(bot(), price=Price(Decimal(price)))
    await people(store, record(priced))
    async with store.begin() as work:
        found = await work.bots.get(BotId("bot"))
        assert found is not None
        assert found.bot.price == Decimal(price)
        assert found.bot == priced


@pytest.mark.parametrize("price", ["NaN", "Infinity"])
async def test_numbers_that_are_not_finite_are_refused(store: Store, price: str) -> None:
    await people(store, record())
    async with store.begin() as work:
        with pytest.raises(StoreError, match="not finite"):
            await work.bots.save(attrs.evolve(bot(), price=Price(Decimal(price))))


async def test_times_come_back_to_the_microsecond_in_utc(store: Store) -> None:
    far = datetime.timezone(datetime.timedelta(hours=5, minutes=45))
    at = datetime.datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=far)
    await people(store, record(attrs.evolve(bot(), resume_at=at)))
    async with store.begin() as work:
        found = await work.bots.get(BotId("bot"))
        assert found is not None
        assert found.bot.resume_at == at
        assert found.bot.resume_at.utcoffset() in {datetime.timedelta(0), at.utcoffset()}


async def test_times_without_a_zone_are_refused(store: Store) -> None:
    await people(store, record())
    naive = NOON.replace(tzinfo=None)
    async with store.begin() as work:
        with pytest.raises(StoreError, match="no time zone"):
            await work.bots.save(attrs.evolve(bot(), resume_at=naive))
    async with store.begin() as work:
        with pytest.raises(StoreError, match="no time zone"):
            await work.feed.add_activity([line("when?", at=naive)])
