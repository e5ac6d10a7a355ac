"""A plan that carries fewer bots, and one that carries more again."""

from __future__ import annotations

import datetime

import attrs
import pytest

from dcacore.application import accounts, asking, users
from dcacore.application.billing import lapsing
from dcacore.application.billing.lapsing import who_goes_on
from dcacore.application.refusals import NotFound, PlanLimitReached
from dcacore.domain.bot import Phase, Wanted
from dcacore.domain.errors import NotNow
from dcacore.domain.ids import BotId
from dcacore.ports.records import BotRecord, Environment, Request, RequestKind, Tier, User
from dcacore.ports.secrets import ApiKey
from tests.contract.stored import entered
from tests.unit.application.office import Office

KEY = ApiKey("k" * 16, "s" * 16)
NAMES = ("one", "two", "three")


@pytest.fixture
async def office() -> Office:
    return Office()


@pytest.fixture
async def anna(office: Office) -> User:
    user = await office.user()
    await office.account(user)
    return user


async def _running(office: Office, user: User, *names: str) -> list[BotRecord]:
    made = []
    for name in names:
        made.append(await office.bot(user, name))
        office.clock.pass_by(1)
        await _becomes(office, made[-1].bot.id, Phase.MONITORING, Wanted.RUN)
    return made


async def _becomes(office: Office, bot_id: BotId, phase: Phase, wanted: Wanted) -> None:
    async with office.store.begin() as work:
        record = await work.bots.get(bot_id)
        assert record is not None
        await work.bots.save(attrs.evolve(record.bot, phase=phase, wanted=wanted))
        await work.commit()


async def _tier(office: Office, user: User, tier: Tier) -> None:
    await users.set_tier(*office.means, email=user.email, tier=tier)


async def _waiting(office: Office) -> list[tuple[BotId, RequestKind]]:
    async with office.store.begin(reads_only=True) as work:
        return [(it.bot_id, it.kind) for it in await work.requests.waiting()]


async def _carried_out(office: Office) -> list[Request]:
    """Do what an engine would with what waits: nothing but what is wanted changes."""
    wants = {RequestKind.START: Wanted.RUN, RequestKind.PAUSE: Wanted.PAUSE}
    async with office.store.begin() as work:
        asked = list(await work.requests.waiting())
        for it in asked:
            await work.requests.settle(it.id, office.clock.now(), "")
        await work.commit()
    for it in asked:
        await _becomes(office, it.bot_id, Phase.MONITORING, wants[it.kind])
    return asked


async def _paused(office: Office, user: User) -> set[BotId]:
    async with office.store.begin(reads_only=True) as work:
        return set(await work.plan_pauses.of(user.id))


async def test_the_bot_made_first_goes_on_and_the_others_pause(office: Office, anna: User) -> None:
    one, two, three = await _running(office, anna, *NAMES)
    await _tier(office, anna, Tier.FREE)
    asked = await _carried_out(office)
    assert [(it.bot_id, it.kind) for it in asked] == [(it.bot.id, RequestKind.PAUSE) for it in (two, three)]
    assert {it.details["reason"] for it in asked} == {"the plan FREE carries 1 bot"}
    assert await _paused(office, anna) == {two.bot.id, three.bot.id}
    with pytest.raises(PlanLimitReached):
        await asking.ask(*office.means, user_id=anna.id, bot="two", kind=RequestKind.START)
    await asking.ask(*office.means, user_id=anna.id, bot=one.bot.id, kind=RequestKind.START)  # it runs anyway


async def test_what_stands_still_is_left_alone(office: Office, anna: User) -> None:
    await office.bot(anna, "still")
    office.clock.pass_by(1)
    await _running(office, anna, "one")
    await _tier(office, anna, Tier.FREE)
    assert await _waiting(office) == []
    assert await _paused(office, anna) == set()


async def test_a_bot_that_was_paused_makes_room_for_one_that_trades(office: Office, anna: User) -> None:
    one, two = await _running(office, anna, "one", "two")
    await _becomes(office, one.bot.id, Phase.IN_POSITION, Wanted.PAUSE)
    await _tier(office, anna, Tier.FREE)
    assert await _waiting(office) == [(one.bot.id, RequestKind.PAUSE)]
    assert await _paused(office, anna) == {one.bot.id}
    assert two.bot.id not in await _paused(office, anna)


async def test_one_that_has_only_been_asked_to_start_counts(office: Office, anna: User) -> None:
    (one,) = await _running(office, anna, "one")
    two = await office.bot(anna, "two")
    await asking.ask(*office.means, user_id=anna.id, bot="two", kind=RequestKind.START)
    office.clock.pass_by(1)
    await _tier(office, anna, Tier.FREE)
    assert await _waiting(office) == [(two.bot.id, RequestKind.START), (two.bot.id, RequestKind.PAUSE)]
    assert one.bot.id not in await _paused(office, anna)


async def test_its_user_chooses_which_one_goes_on(office: Office, anna: User) -> None:
    one, two, three = await _running(office, anna, *NAMES)
    assert await lapsing.let_go_on(*office.means, user_id=anna.id, bot="two") == ()  # nothing pauses yet
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    assert await _paused(office, anna) == {one.bot.id, three.bot.id}
    asked = await lapsing.let_go_on(*office.means, user_id=anna.id, bot="three")
    assert [(it.bot_id, it.kind) for it in await _carried_out(office)] == [
        (two.bot.id, RequestKind.PAUSE),
        (three.bot.id, RequestKind.START),
    ]
    assert [it.kind for it in asked] == [RequestKind.START]
    assert await _paused(office, anna) == {one.bot.id, two.bot.id}


async def test_f95_by_turns_there_are_no_more_deals_than_the_plan_carries(office: Office, anna: User) -> None:
    one, two, three = await _running(office, anna, *NAMES)
    for record in (one, two):
        await _buys(office, record)
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    with pytest.raises(NotNow, match="one has an open deal and three has none"):
        await lapsing.let_go_on(*office.means, user_id=anna.id, bot="three")
    assert await _waiting(office) == []
    assert await _paused(office, anna) == {two.bot.id, three.bot.id}
    await lapsing.let_go_on(*office.means, user_id=anna.id, bot="two")  # a deal in the place of a deal
    await _carried_out(office)
    assert await _paused(office, anna) == {one.bot.id, three.bot.id}


async def _buys(office: Office, record: BotRecord) -> None:
    """Let a bot hold an open deal."""
    bot = entered(attrs.evolve(record.bot, phase=Phase.STOPPED, wanted=Wanted.STOP))
    async with office.store.begin() as work:
        await work.bots.save(bot)
        await work.commit()


async def test_what_was_asked_before_the_lapse_is_taken_back_after_it(office: Office, anna: User) -> None:
    one, two = [await office.bot(anna, name) for name in NAMES[:2]]
    for record in (one, two):
        await asking.ask(*office.means, user_id=anna.id, bot=record.bot.id, kind=RequestKind.START)
    await _tier(office, anna, Tier.FREE)
    (_, last) = (await _waiting(office))[1:]
    assert last == (two.bot.id, RequestKind.PAUSE)  # an engine does as it was asked last
    with pytest.raises(PlanLimitReached):
        await asking.ask(*office.means, user_id=anna.id, bot="two", kind=RequestKind.START)


async def test_on_the_larger_plan_all_go_on_by_one_click_and_not_by_themselves(office: Office, anna: User) -> None:
    await _running(office, anna, *NAMES)
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    await _tier(office, anna, Tier.PRO)
    assert await _waiting(office) == []
    asked = await lapsing.resume(*office.means, user_id=anna.id)
    assert [it.kind for it in asked] == [RequestKind.START] * 2
    assert await _paused(office, anna) == set()
    assert await lapsing.resume(*office.means, user_id=anna.id) == ()


async def test_what_its_user_had_paused_is_not_started_by_the_click(office: Office, anna: User) -> None:
    _, two, three = await _running(office, anna, *NAMES)
    await _becomes(office, two.bot.id, Phase.MONITORING, Wanted.PAUSE)
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    assert await _paused(office, anna) == {two.bot.id, three.bot.id}
    await _tier(office, anna, Tier.PRO)
    assert await _paused(office, anna) == {three.bot.id}  # the other one pauses for its user again
    asked = await lapsing.resume(*office.means, user_id=anna.id)
    assert [it.bot_id for it in asked] == [three.bot.id]


@pytest.mark.parametrize(("kind", "resumed"), [(RequestKind.PAUSE, False), (RequestKind.START, True)])
async def test_what_was_asked_last_counts_and_not_what_an_engine_has_done(
    office: Office, anna: User, kind: RequestKind, resumed: bool
) -> None:
    _, two = await _running(office, anna, "one", "two")
    if kind is RequestKind.START:
        await _becomes(office, two.bot.id, Phase.MONITORING, Wanted.PAUSE)
    await asking.ask(*office.means, user_id=anna.id, bot="two", kind=kind)
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    await _tier(office, anna, Tier.PRO)
    asked = await lapsing.resume(*office.means, user_id=anna.id)
    assert [it.bot_id for it in asked] == ([two.bot.id] if resumed else [])


async def test_the_one_who_makes_room_stays_paused_if_its_user_had_paused_it(office: Office, anna: User) -> None:
    one, two = await _running(office, anna, "one", "two")
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    await _becomes(office, one.bot.id, Phase.MONITORING, Wanted.PAUSE)
    await lapsing.let_go_on(*office.means, user_id=anna.id, bot="two")
    await _carried_out(office)
    assert await _paused(office, anna) == {one.bot.id}
    await _tier(office, anna, Tier.PRO)
    assert await _paused(office, anna) == set()
    assert await lapsing.resume(*office.means, user_id=anna.id) == ()
    assert two.bot.id not in await _paused(office, anna)


async def test_without_room_for_it_a_paused_one_is_not_handed_back(office: Office, anna: User) -> None:
    _, two, _ = await _running(office, anna, *NAMES)
    await _becomes(office, two.bot.id, Phase.MONITORING, Wanted.PAUSE)
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    async with office.store.begin() as work:
        await lapsing.hand_back(work, anna.id, Tier.FREE)
        await work.commit()
    assert two.bot.id in await _paused(office, anna)


async def test_a_live_bot_that_nobody_has_confirmed_is_started_on_its_own_page_only(office: Office, anna: User) -> None:
    await accounts.add(
        *office.means, office.secrets, user_id=anna.id, name="live", environment=Environment.LIVE, api_key=KEY
    )
    await _running(office, anna, "one")
    real = await office.bot(anna, "real", account="live")
    await _becomes(office, real.bot.id, Phase.MONITORING, Wanted.RUN)
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    assert await _paused(office, anna) == {real.bot.id}
    with pytest.raises(NotNow, match="real has to be started on its page: it trades real money"):
        await lapsing.let_go_on(*office.means, user_id=anna.id, bot="real")
    await _tier(office, anna, Tier.PRO)
    assert await lapsing.resume(*office.means, user_id=anna.id) == ()
    assert await _paused(office, anna) == {real.bot.id}


async def test_no_more_go_on_than_the_plan_carries(office: Office, anna: User) -> None:
    await _running(office, anna, *NAMES)
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    assert await lapsing.resume(*office.means, user_id=anna.id) == ()
    assert len(await _paused(office, anna)) == 2


async def test_a_bot_that_was_stopped_since_is_not_started(office: Office, anna: User) -> None:
    _, two = await _running(office, anna, "one", "two")
    await _tier(office, anna, Tier.FREE)
    await _carried_out(office)
    await _becomes(office, two.bot.id, Phase.STOPPED, Wanted.STOP)
    await _tier(office, anna, Tier.PRO)
    assert await lapsing.resume(*office.means, user_id=anna.id) == ()


async def test_nobody_chooses_for_others(office: Office, anna: User) -> None:
    await _running(office, anna, "one")
    bob = await office.user("bob@example.com")
    with pytest.raises(NotFound):
        await lapsing.let_go_on(*office.means, user_id=bob.id, bot="one")


async def test_the_user_is_told_which_bots_pause(office: Office, anna: User) -> None:
    await _running(office, anna, "one", "two")
    await _tier(office, anna, Tier.FREE)
    async with office.store.begin(reads_only=True) as work:
        told = await work.feed.notifications(anna.id)
    assert [it.kind for it in told] == ["plan"]
    assert "paused for it: two." in told[0].text


async def test_who_goes_on_is_always_the_same(office: Office, anna: User) -> None:
    records = await _running(office, anna, *NAMES)
    as_old = [attrs.evolve(it, created_at=datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)) for it in records]
    first = min(it.bot.id for it in as_old)
    assert who_goes_on(as_old, None, 1) == who_goes_on(as_old[::-1], None, 1) == (first,)
    assert who_goes_on(records, records[2].bot.id, 2) == (records[2].bot.id, records[0].bot.id)
    assert who_goes_on(records, BotId("gone"), 1) == (records[0].bot.id,)
