from __future__ import annotations

import asyncio

import attrs
import pytest

from dcacore.application import asking, deals, editing
from dcacore.application.refusals import NotFound
from dcacore.domain.bot import Phase
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.ports.records import BotRecord, RequestKind, User
from tests.unit.application.office import Office


async def engine_reports(office: Office) -> None:
    async with office.store.begin() as work:
        await work.leases.report("engine", 1)
        await work.commit()


async def test_a_request_is_stored_for_the_owners_bot_only(office: Office, anna: User, calm: BotRecord) -> None:
    request = await asking.ask(*office.means, user_id=anna.id, bot="calm", kind=RequestKind.START)
    async with office.store.begin(reads_only=True) as work:
        assert await work.requests.waiting() == (request,)
    bert = await office.user("bert@example.com")
    for kind in RequestKind:
        with pytest.raises(NotFound):
            await asking.ask(*office.means, user_id=bert.id, bot=calm.bot.id, kind=kind)
    with pytest.raises(NotFound):
        await editing.edit(*office.means, user_id=bert.id, named=calm.bot.id, changes={"take_profit": "2"})
    assert await asking.stop_all(*office.means, user_id=bert.id, sell=True) == ()


async def test_without_an_engine_nobody_waits(office: Office, anna: User, calm: BotRecord) -> None:
    request = await asking.ask(*office.means, user_id=anna.id, bot=calm.bot.id, kind=RequestKind.START)
    before = office.clock.now()
    outcome = await asking.wait_for(office.store, office.clock, request, timeout_s=15)
    assert (outcome.is_settled, outcome.is_engine_alive, office.clock.now()) == (False, False, before)


async def test_an_engine_that_says_nothing_is_waited_for_until_the_time_is_out(
    office: Office, anna: User, calm: BotRecord
) -> None:
    request = await asking.ask(*office.means, user_id=anna.id, bot=calm.bot.id, kind=RequestKind.START)
    await engine_reports(office)
    before = office.clock.monotonic()
    outcome = await asking.wait_for(office.store, office.clock, request, timeout_s=15)
    assert (outcome.is_settled, outcome.is_engine_alive) == (False, True)
    assert office.clock.monotonic() - before == pytest.approx(15, abs=asking.POLL_S)
    office.clock.pass_by(60)
    assert not (await asking.wait_for(office.store, office.clock, request, timeout_s=15)).is_engine_alive


@pytest.mark.parametrize("refusal", ["", "the bot has no open deal"])
async def test_what_the_engine_made_of_it_is_told(office: Office, anna: User, calm: BotRecord, refusal: str) -> None:
    request = await asking.ask(*office.means, user_id=anna.id, bot=calm.bot.id, kind=RequestKind.CLOSE_DEAL)
    await engine_reports(office)

    async def settle() -> None:
        async with office.store.begin() as work:
            await work.requests.settle(request.id, office.clock.now(), refusal)
            await work.commit()

    outcome, _ = await asyncio.gather(asking.wait_for(office.store, office.clock, request, timeout_s=15), settle())
    assert (outcome.is_settled, outcome.request.refusal) == (True, refusal)


async def test_all_bots_that_are_awake_are_stopped(office: Office, anna: User, calm: BotRecord) -> None:
    bold, lazy = await office.bot(anna, "bold"), await office.bot(anna, "lazy")
    async with office.store.begin() as work:
        await work.bots.save(attrs.evolve(bold.bot, phase=Phase.MONITORING))
        await work.commit()
    await asking.ask(*office.means, user_id=anna.id, bot="calm", kind=RequestKind.START)
    asked = await asking.stop_all(*office.means, user_id=anna.id, sell=True)
    assert {request.bot_id for request in asked} == {calm.bot.id, bold.bot.id}
    assert lazy.bot.id not in {request.bot_id for request in asked}
    assert all(request.details == {"sell": "true"} for request in asked)


async def test_two_edits_in_a_row_both_count(office: Office, anna: User, calm: BotRecord) -> None:
    async def edit(**changes: str) -> dict[str, str]:
        request = await editing.edit(*office.means, user_id=anna.id, named="calm", changes=changes)
        return dict(request.details)

    assert (await edit(take_profit="2"))["take_profit"] == "2"
    later = await edit(stop_loss="20", active_safety_orders="1")
    assert (later["take_profit"], later["stop_loss"], later["active_safety_orders"]) == ("2", "20", "1")
    assert "active_safety_orders" not in await edit(active_safety_orders="")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "nothing would change"),
        ({"take_profits": "2"}, "take_profits = 2: there is no such parameter"),
        ({"take_profit": "0"}, "take_profit = 0: must be above 0"),
        ({"take_profit": "NaN"}, "take_profit = NaN"),
        ({"take_profit": "1e1"}, "take_profit = 1e1: must be a plain decimal number"),
        ({"max_safety_orders": "1e0"}, "max_safety_orders = 1e0: must be a plain decimal number"),
        ({"take_profit": ""}, "take_profit: is missing"),
        ({"pair": "ETHUSDT"}, "pair = ETHUSDT: cannot change"),
    ],
)
async def test_an_edit_that_cannot_be_is_refused_at_once(
    office: Office, anna: User, calm: BotRecord, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidParameter, match=words):
        await editing.edit(*office.means, user_id=anna.id, named=calm.bot.id, changes=changes)
    async with office.store.begin(reads_only=True) as work:
        assert await work.requests.waiting() == ()


async def test_a_deal_that_is_not_there(office: Office, anna: User, calm: BotRecord) -> None:
    with pytest.raises(NotNow, match=r"^calm has no open deal$"):
        await deals.find(office.store, anna.id, "calm")
    with pytest.raises(NotFound, match=r"^there is no deal x-1, and no bot of that name$"):
        await deals.find(office.store, anna.id, "x-1")
    with pytest.raises(NotNow):
        await deals.close(*office.means, user_id=anna.id, named=calm.bot.id)


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "1e400", "1e3", "5E1", "1" * 21, "ten", ""])
async def test_funds_are_a_number_above_0(office: Office, anna: User, amount: str) -> None:
    with pytest.raises(InvalidParameter, match="amount"):
        await deals.add_funds(*office.means, user_id=anna.id, named="calm", amount=amount)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "a change: is missing"),
        ({"pair": "ETHUSDT"}, "an open deal can change take_profit"),
        ({"take_profit": "two"}, "must be a plain decimal number"),
        ({"take_profit": "1e1"}, "take_profit = 1e1: must be a plain decimal number"),
    ],
)
async def test_what_an_open_deal_cannot_change(office: Office, anna: User, changes: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        await deals.edit(*office.means, user_id=anna.id, named="calm", changes=changes)
