"""The feed with its filters, and the notifications: what is unread, and only one's own."""

from __future__ import annotations

import datetime
import re
from typing import Any

import attrs

from dcacore.application import notices
from dcacore.application.identity.preferences import Changes, prefer
from dcacore.domain.story import Level
from dcacore.ports.records import Activity, BotRecord, Environment, Notification
from tests.web.desk import Desk
from tests.web.stage import said

NOON = datetime.datetime(2026, 3, 10, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


async def _fill(desk: Desk, bot: BotRecord, count: int, **changes: Any) -> None:
    """Store lines of *bot*, an hour apart, the last one at noon."""
    line = Activity(user_id=desk.anna.id, at=NOON, kind="sold", text="", bot_id=bot.bot.id)
    lines = [
        attrs.evolve(line, **{"at": NOON - it * HOUR, "text": f"line {it}", **changes}) for it in reversed(range(count))
    ]
    async with desk.app.store.begin() as work:
        await work.feed.add_activity(lines)
        await work.commit()


async def _notify(desk: Desk, *texts: str) -> list[int]:
    """Store notifications, and return their numbers."""
    async with desk.app.store.begin() as work:
        await work.feed.add_notifications(
            [Notification(user_id=desk.anna.id, at=NOON, kind="error", text=it, level=Level.ERROR) for it in texts]
        )
        await work.commit()
    async with desk.app.store.begin(reads_only=True) as work:
        return sorted(it.number for it in await work.feed.notifications(desk.anna.id))


def _badges(text: str) -> set[tuple[str, str]]:
    """Return how the badges of a page stand: state and text."""
    return set(re.findall(r'data-live="unread" data-state="(\w+)">([^<]*)<', text))


async def test_a_stranger_is_sent_away(desk: Desk) -> None:
    async with desk.stage.another_browser() as stranger:
        for path in ("/activity", "/activity/lines", "/activity/news", "/activity/notifications"):
            assert (await stranger.get(path)).headers["location"].startswith("/login"), path


async def test_it_is_never_empty_without_a_word(idle_desk: Desk) -> None:
    assert "Nothing has happened yet" in said(await idle_desk.browser.get("/activity"))
    assert "Nothing fits" in said(await idle_desk.browser.get("/activity?level=error"))
    assert "No notification yet" in said(await idle_desk.browser.get("/activity/notifications"))


async def test_what_an_engine_does_is_told_with_its_bot_and_deal(desk: Desk) -> None:
    made = await desk.bot()
    page = await desk.browser.get("/activity")
    assert "Base order filled" in said(page)
    assert f'href="/bots/{made.bot.id}">Calm</a>' in page.text
    assert made.bot.deal is not None
    assert f'href="/deals/{made.bot.deal.id}"' in page.text
    assert 'href="/activity"' in (await desk.browser.get("/dashboard")).text
    assert f'href="/activity?bot={made.bot.id}"' in (await desk.browser.get(f"/bots/{made.bot.id}")).text


async def test_each_filter_leaves_what_fits(idle_desk: Desk) -> None:
    calm = await idle_desk.bot("Calm", starts=False)
    real = await idle_desk.bot("Real", starts=False, environment=Environment.LIVE)
    await _fill(idle_desk, calm, 1, text="calm sold")
    await _fill(idle_desk, calm, 1, text="calm fails", level=Level.ERROR, kind="error")
    await _fill(idle_desk, real, 1, text="real sold", at=NOON - 48 * HOUR)
    for query, fits in {
        f"bot={real.bot.id}": {"Real sold"},
        "level=error": {"Calm fails"},
        "kind=sold": {"Calm sold", "Real sold"},
        "environment=live": {"Real sold"},
        "first=2026-03-09": {"Calm sold", "Calm fails"},
        "last=2026-03-08": {"Real sold"},
        "first=2026-03-09&last=2026-03-10&level=info": {"Calm sold"},
        "bot=&level=&kind=&first=": {"Calm sold", "Calm fails", "Real sold"},
        "level=loud&kind=odd&environment=moon": {"Calm sold", "Calm fails", "Real sold"},
    }.items():
        text = said(await idle_desk.browser.get(f"/activity?{query}"))
        assert {it for it in ("Calm sold", "Calm fails", "Real sold") if it in text} == fits, query


async def test_the_address_keeps_what_is_chosen(idle_desk: Desk) -> None:
    calm = await idle_desk.bot("Calm", starts=False)
    await _fill(idle_desk, calm, 60)
    path = f"/activity?bot={calm.bot.id}&level=&kind=sold&first=2026-03-01&last="
    page = await idle_desk.browser.get(path, headers={"HX-Request": "true"})
    kept = f"bot={calm.bot.id}&kind=sold&first=2026-03-01"
    assert page.headers["HX-Push-Url"] == f"/activity?{kept}"
    assert f'value="{calm.bot.id}" selected' in page.text
    assert f"/activity/lines?{kept}&before=".replace("&", "&amp;") in page.text
    assert f"/activity/news?{kept}&after=".replace("&", "&amp;") in page.text


async def test_days_are_those_of_the_users_clocks(idle_desk: Desk) -> None:
    calm = await idle_desk.bot("Calm", starts=False)
    await _fill(idle_desk, calm, 1, at=datetime.datetime(2026, 3, 10, 23, 30, tzinfo=datetime.UTC), text="late")
    assert "Tuesday, 10 March 2026" in said(await idle_desk.browser.get("/activity"))
    await prefer(idle_desk.app.identity, idle_desk.anna.id, Changes(time_zone="Europe/Berlin"))
    assert "Wednesday, 11 March 2026" in said(await idle_desk.browser.get("/activity"))
    assert "Late" in said(await idle_desk.browser.get("/activity?first=2026-03-11"))
    assert "Late" not in said(await idle_desk.browser.get("/activity?last=2026-03-10"))


async def test_a_range_that_cannot_be_is_told(idle_desk: Desk) -> None:
    for query, word in {
        "first=2026-03-09&last=2026-03-08": "must not lie before",
        "first=soon": "must be a day such as",
        "last=9999-12-31": "must be one of the years",
    }.items():
        page = await idle_desk.browser.get(f"/activity?{query}")
        assert (page.status_code, word in said(page)) == (422, True), query


async def test_more_is_loaded_line_by_line_and_none_twice(idle_desk: Desk) -> None:
    calm = await idle_desk.bot("Calm", starts=False)
    await _fill(idle_desk, calm, 2 * notices.PAGE + 5)
    page = await idle_desk.browser.get("/activity?kind=sold")
    texts, days = re.findall(r"Line (\d+)\.", said(page)), re.findall(r"<h2[^>]*feed__day[^>]*>([^<]+)", page.text)
    asked = 0
    while found := re.search(r'hx-get="(/activity/lines[^"]+)"', page.text):
        page = await idle_desk.browser.get(found[1].replace("&amp;", "&"))
        texts += re.findall(r"Line (\d+)\.", said(page))
        days += re.findall(r"<h2[^>]*feed__day[^>]*>([^<]+)", page.text)
        asked += 1
    assert texts == [str(it) for it in range(2 * notices.PAGE + 5)]
    assert (asked, len(days)) == (2, len(set(days)))
    assert "That is all" in said(page)


async def test_new_lines_are_told_and_only_those_that_fit(idle_desk: Desk) -> None:
    calm = await idle_desk.bot("Calm", starts=False)
    await _fill(idle_desk, calm, 1)
    page = (await idle_desk.browser.get("/activity?kind=sold")).text
    found = re.search(r'hx-get="(/activity/news[^"]+)"', page)
    assert found
    news = found[1].replace("&amp;", "&")
    assert "new line" not in said(await idle_desk.browser.get(news))
    await _fill(idle_desk, calm, 1, kind="error")
    assert "new line" not in said(await idle_desk.browser.get(news))
    await _fill(idle_desk, calm, 2)
    answer = await idle_desk.browser.get(news)
    assert "2 new lines: show" in said(answer)
    newest = await notices.newest(idle_desk.app.store, idle_desk.anna.id)
    assert f'{{"feed": "{newest}"}}' in answer.text.replace("&#34;", '"')


async def test_environments_stand_beside_lines_where_there_are_several(idle_desk: Desk) -> None:
    calm = await idle_desk.bot("Calm", starts=False)
    await _fill(idle_desk, calm, 1)
    alone = await idle_desk.browser.get("/activity")
    assert ("All environments" in said(alone), alone.text.count(">PAPER<")) == (False, 1)  # the app bar's
    await idle_desk.bot("Real", starts=False, environment=Environment.LIVE)
    several = await idle_desk.browser.get("/activity")
    assert ("All environments" in said(several), several.text.count(">PAPER<")) == (True, 1)  # the line's


async def test_one_notification_is_marked_read_and_then_all(idle_desk: Desk) -> None:
    first, second, third = await _notify(idle_desk, "first", "second", "third")
    page = await idle_desk.browser.get("/activity/notifications")
    assert _badges(page.text) == {("some", "3")}
    assert page.text.count("note--unread") == 3
    answer = await idle_desk.browser.post(f"/activity/notifications/{second}/read", headers={"HX-Request": "true"})
    assert (answer.status_code, "note--unread" in answer.text, "Second" in said(answer)) == (200, False, True)
    assert (await idle_desk.browser.post(f"/activity/notifications/{first}/read")).status_code == 303
    assert _badges((await idle_desk.browser.get("/activity")).text) == {("some", "1")}
    assert (await idle_desk.browser.post("/activity/notifications/read")).status_code == 303
    done = await idle_desk.browser.get("/activity/notifications")
    assert (_badges(done.text), "Mark all read" in said(done)) == ({("none", "0")}, False)
    assert third


async def test_notifications_come_in_pages(idle_desk: Desk) -> None:
    numbers = await _notify(idle_desk, *(f"note {it}" for it in range(notices.PAGE + 3)))
    page = await idle_desk.browser.get("/activity/notifications")
    more = re.search(r'hx-get="(/activity/notifications\?before=\d+)"', page.text)
    assert more
    rest = await idle_desk.browser.get(more[1])
    both = [int(it) for it in re.findall(r'id="note-(\d+)"', page.text + rest.text)]
    assert both == sorted(numbers, reverse=True)


async def test_without_the_token_of_the_form_nothing_is_marked(idle_desk: Desk) -> None:
    (number,) = await _notify(idle_desk, "kept")
    for path in (f"/activity/notifications/{number}/read", "/activity/notifications/read"):
        assert (await idle_desk.browser.client.post(path)).status_code == 403
    assert await notices.unread(idle_desk.app.store, idle_desk.anna.id) == 1


async def test_nobody_sees_or_marks_what_is_anothers(idle_desk: Desk) -> None:
    calm = await idle_desk.bot("Zebra bot", starts=False)
    await _fill(idle_desk, calm, 1, text="zebra line")
    (number,) = await _notify(idle_desk, "zebra word")
    async with idle_desk.bert() as bert:
        for path in ("/activity", "/activity/lines", "/activity/news", "/activity/notifications"):
            assert "zebra" not in (await bert.get(path)).text.lower(), path
        assert (await bert.get(f"/activity?bot={calm.bot.id}")).status_code == 404
        mark = f"/activity/notifications/{number}/read"
        assert (await bert.post(mark, headers={"HX-Request": "true"})).status_code == 404
        await bert.post("/activity/notifications/read")
    assert await notices.unread(idle_desk.app.store, idle_desk.anna.id) == 1


async def test_numbers_that_cannot_be_are_no_harm(idle_desk: Desk) -> None:
    for path in ("/activity/lines?before=x", "/activity/lines?before=" + "9" * 40, "/activity/news?after=-1"):
        assert (await idle_desk.browser.get(path)).status_code == 200, path
    far = await idle_desk.browser.post(f"/activity/notifications/{2**80}/read", headers={"HX-Request": "true"})
    assert far.status_code == 404
