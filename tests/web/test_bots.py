"""The list of bots and a bot's page: what they show, and every action, done and refused."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from httpx import Response

from dcacore.application import asking, bots
from dcacore.domain.bot import Phase, Wanted
from dcacore.ports.records import BotRecord, Environment, RequestKind, Tier
from tests.web.desk import Desk, desk_in, is_in_position
from tests.web.stage import fields_of, said


def href(record: BotRecord) -> str:
    return f"/bots/{record.bot.id}"


async def after(desk: Desk, answer: Response) -> str:
    """Return what the page says to which *answer* leads."""
    assert answer.status_code == 303, said(answer)
    page = await desk.browser.get(answer.headers["location"])
    assert page.status_code == 200
    return said(page)


async def form_of_copy(desk: Desk, record: BotRecord) -> dict[str, str]:
    """Return the form for a new bot as it begins when *record* is to be copied."""
    return fields_of(await desk.browser.get(f"/bots/new?from={record.bot.id}"))


async def test_without_a_bot_the_list_says_what_one_is(idle_desk: Desk) -> None:
    page = await idle_desk.browser.get("/bots")
    assert "No bot yet" in said(page)
    assert 'href="/bots/new"' in page.text


async def test_the_list_shows_how_each_bot_stands(desk: Desk) -> None:
    running, still = await desk.bot("Calm"), await desk.bot("Still", starts=False)
    page = await desk.browser.get("/bots")
    for word in ("Calm", "Still", "BTCUSDT", "In position", "Stopped", "0 of 3", "2 of 5 bots", "PAPER"):
        assert word in said(page), word
    assert f'action="{href(running)}/pause"' in page.text
    assert f'action="{href(still)}/start"' in page.text
    assert f'data-live="bot.{running.bot.id}.state"' in page.text


async def test_a_bot_starts_pauses_and_stops(desk: Desk) -> None:
    made = await desk.bot(starts=False)
    assert "Calm is started." in await after(desk, await desk.browser.post(f"{href(made)}/start", {"back": "list"}))
    await desk.until(made, is_in_position)
    assert "Calm is paused" in await after(desk, await desk.browser.post(f"{href(made)}/pause"))
    assert (await desk.find(made)).bot.wanted is Wanted.PAUSE
    assert "Calm is stopping." in await after(desk, await desk.browser.post(f"{href(made)}/stop", {"coins": "sell"}))
    stopped = await desk.until(made, lambda it: it.bot.phase is Phase.STOPPED)
    assert stopped.lifetime.deals == 1


async def test_stopping_asks_what_becomes_of_the_coins(desk: Desk) -> None:
    made = await desk.bot()
    page = await desk.browser.post(f"{href(made)}/stop")
    assert (page.status_code, "sold or kept" in said(page)) == (422, True)
    await desk.browser.post(f"{href(made)}/stop", {"coins": "keep"})
    stopped = await desk.until(made, lambda it: it.bot.phase is Phase.STOPPED)
    assert stopped.lifetime.deals == 0


async def test_all_bots_stop_at_once(desk: Desk) -> None:
    one, two = await desk.bot("One"), await desk.bot("Two")
    page = await after(desk, await desk.browser.post("/bots/stop-all", {"coins": "keep"}))
    assert "One is stopping." in page
    for record in (one, two):
        await desk.until(record, lambda it: it.bot.phase is Phase.STOPPED)


async def test_without_an_engine_what_was_asked_is_kept_and_told(idle_desk: Desk) -> None:
    made = await idle_desk.bot(starts=False)
    answer = await idle_desk.browser.post(f"{href(made)}/start")
    page = await idle_desk.browser.get(answer.headers["location"])
    assert "no engine runs now" in said(page)
    part = re.search(r'hx-get="(/asked\?asked=[^"]+)"', page.text)
    assert part is not None
    assert "Calm was asked to start" in said(await idle_desk.browser.get(part[1]))


async def test_the_plan_bounds_how_many_run(tmp_path: Path) -> None:
    async with desk_in(tmp_path, has_engine=False, tier=Tier.FREE) as desk:
        made = await desk.bot(starts=False)
        page = await desk.browser.post("/bots/new", await form_of_copy(desk, made))
        assert (page.status_code, "FREE allows 1 bot" in said(page)) == (403, True)
        assert "1 of 1 bot of your plan used" in said(page)
        assert "/subscription" in page.text
        assert len(await bots.of(desk.app.store, desk.anna.id)) == 1


async def test_a_bot_is_copied_renamed_and_exported(idle_desk: Desk) -> None:
    made = await idle_desk.bot(starts=False)
    copied = await idle_desk.browser.post("/bots/new", await form_of_copy(idle_desk, made))
    assert "Calm copy" in await after(idle_desk, copied)
    renamed = await idle_desk.browser.post(f"{copied.headers['location']}/rename", {"name": "Other"})
    assert renamed.status_code == 303
    assert {it.name for it in await bots.of(idle_desk.app.store, idle_desk.anna.id)} == {"Calm", "Other"}
    taken = await idle_desk.browser.post(f"{href(made)}/rename", {"name": "Other"})
    assert (taken.status_code, "There is a bot Other already" in said(taken)) == (409, True)
    file = await idle_desk.browser.get(f"{href(made)}/export")
    assert file.headers["content-disposition"] == 'attachment; filename="Calm.toml"'
    assert tomllib.loads(file.text)["bot"]["take_profit"] == "1.5"


async def test_only_a_stopped_bot_is_deleted(desk: Desk) -> None:
    made = await desk.bot()
    page = await desk.browser.post(f"{href(made)}/delete", {"back": "list"})
    assert (page.status_code, "cannot be deleted" in said(page)) == (409, True)
    await desk.ask(made, RequestKind.STOP, sell="false")
    await desk.until(made, lambda it: it.bot.phase is Phase.STOPPED)
    answer = await desk.browser.post(f"{href(made)}/delete")
    assert answer.headers["location"] == "/bots"
    assert await bots.of(desk.app.store, desk.anna.id) == ()


async def test_its_page_explains_it(desk: Desk) -> None:
    made = await desk.bot()
    page = await desk.browser.get(href(made))
    for word in ("What happens next, and why", "It sells", "Take profit", "1.5 %", "Base order", "Deal 1", "Open deal"):
        assert word in said(page), word
    assert f'data-candle-chart="{href(made)}/chart"' in page.text


async def test_an_error_is_shown_with_its_reason_and_tried_again(desk: Desk) -> None:
    made = await desk.bot(starts=False, base_order_size=50_000)
    await desk.ask(made, RequestKind.START)
    troubled = await desk.until(made, lambda it: it.bot.trouble is not None)
    assert troubled.bot.trouble is not None
    for path in ("/bots", href(made)):
        page = said(await desk.browser.get(path))
        assert troubled.bot.trouble.reason[1:20] in page
        assert "Retry" in page
    assert "Calm tries again." in await after(desk, await desk.browser.post(f"{href(made)}/retry"))


async def test_the_chart_says_why_there_are_no_candles(desk: Desk) -> None:
    made = await desk.bot()
    chart = (await desk.browser.get(f"{href(made)}/chart")).json()
    assert chart["candles"] == []
    assert chart["reason"]
    assert [it["text"] for it in chart["markers"]] == ["Base"]
    assert [it["kind"] for it in chart["lines"]] == ["target", "average", "price", "safety", "safety", "safety"]


async def test_parameters_change_from_the_next_deal_on(desk: Desk) -> None:
    made = await desk.bot()
    form = await desk.browser.get(f"{href(made)}/edit")
    assert 'value="1.5"' in form.text
    wrong = await desk.browser.post(f"{href(made)}/edit", {"take_profit": "-1"})
    assert (wrong.status_code, "must be above 0" in said(wrong), 'value="-1"' in wrong.text) == (422, True, True)
    done = await desk.browser.post(f"{href(made)}/edit", {"take_profit": "2", "max_safety_orders": "3"})
    assert "Calm has its new parameters" in await after(desk, done)
    found = await desk.find(made)
    assert str(found.bot.strategy.take_profit) == "2"
    assert found.bot.deal is not None
    assert str(found.bot.deal.strategy.take_profit) == "1.5"
    nothing = await desk.browser.post(f"{href(made)}/edit", {"take_profit": "2"})
    assert nothing.headers["location"] == href(made)


async def test_real_money_is_a_step_of_its_own(desk: Desk) -> None:
    made = await desk.bot(starts=False, environment=Environment.LIVE)
    asked = await desk.browser.post(f"{href(made)}/start")
    assert asked.headers["location"] == f"{href(made)}/go-live"
    page = await desk.browser.get(asked.headers["location"])
    assert "Calm trades real money" in said(page)
    shown = re.search(r'name="shown" value="([\d.]+)"', page.text)
    assert shown is not None
    for form, why in [
        ({"name": "calm", "shown": shown[1]}, "not its name"),
        ({"name": "Calm", "shown": "1"}, "may now cost"),
        ({"name": "Calm"}, "hown"),
    ]:
        refused = await desk.browser.post(f"{href(made)}/go-live", form)
        assert refused.status_code in {409, 422}
        assert why in said(refused)
    assert (await desk.find(made)).bot.phase is Phase.STOPPED
    done = await desk.browser.post(f"{href(made)}/go-live", {"name": "Calm", "shown": shown[1]})
    assert "Calm is started." in await after(desk, done)
    again = await desk.browser.get(f"{href(made)}/go-live")
    assert again.headers["location"] == href(made)


async def test_dearer_parameters_of_a_live_bot_are_confirmed(desk: Desk) -> None:
    made = await desk.bot(starts=False, environment=Environment.LIVE)
    page = await desk.browser.get(f"{href(made)}/go-live")
    shown = re.search(r'name="shown" value="([\d.]+)"', page.text)
    assert shown is not None
    await desk.browser.post(f"{href(made)}/go-live", {"name": "Calm", "shown": shown[1]})
    await desk.until(made, is_in_position)
    dearer = {"base_order_size": "500"}
    asked = await desk.browser.post(f"{href(made)}/edit", dearer)
    assert (asked.status_code, "Real money" in said(asked)) == (409, True)
    shown = re.search(r'name="shown" value="([\d.]+)"', asked.text)
    assert shown is not None
    done = await desk.browser.post(f"{href(made)}/edit", {**dearer, "shown": shown[1], "confirmed_name": "Calm"})
    assert "Calm has its new parameters" in await after(desk, done)


PAGES = ("", "/chart", "/edit", "/export", "/go-live")
ACTIONS = ("/start", "/pause", "/stop", "/retry", "/rename", "/delete", "/edit", "/go-live")


async def test_another_users_bots_are_not_there(desk: Desk) -> None:
    made = await desk.bot("Secret bot")
    async with desk.bert() as bert:
        assert "Secret bot" not in (await bert.get("/bots")).text
        for part in PAGES:
            page = await bert.get(f"{href(made)}{part}")
            assert (page.status_code, "Secret" in page.text) == (404, False), part
        for part in ACTIONS:
            page = await bert.post(f"{href(made)}{part}", {"coins": "sell", "name": "Mine", "take_profit": "9"})
            assert (page.status_code, "Secret" in page.text) == (404, False), part
        mine = await asking.ask(*desk.app.means, user_id=desk.anna.id, bot=made.bot.id, kind=RequestKind.PAUSE)
        assert "Secret" not in (await bert.get(f"/asked?asked={mine.id}")).text
        assert (await bert.post("/bots/stop-all", {"coins": "sell"})).status_code == 303
    assert (await desk.find(made)).bot.wanted is not Wanted.STOP


@pytest.mark.parametrize(
    "path", ["/dashboard", "/dashboard/funds", "/bots", "/bots/x", "/bots/x/chart", "/bots/x/edit"]
)
async def test_strangers_are_sent_to_sign_in(desk: Desk, path: str) -> None:
    async with desk.stage.another_browser() as stranger:
        answer = await stranger.get(path)
        assert (answer.status_code, answer.headers["location"].startswith("/login")) == (303, True)
