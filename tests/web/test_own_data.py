"""What a user takes along: everything of one's own, nothing of anybody else's, and no secret."""

from __future__ import annotations

import csv
import io
import json
import tomllib
import zipfile
import zlib

import pytest
from httpx import Response

from dcacore.application import accounts, users
from dcacore.application.deal_exports import FILL_COLUMNS, PAGE
from dcacore.application.identity.throttling import OWN_DATA
from dcacore.application.live_exports import LIVE_DEAL_COLUMNS
from dcacore.application.own_data import ACTIVITY_COLUMNS, own_data
from dcacore.application.refusals import NotFound
from dcacore.domain.ids import UserId
from dcacore.ports.backtests import Outcome, RunState
from dcacore.ports.records import Activity, Environment, Notification
from dcacore.ports.secrets import ApiKey
from tests.contract.test_store_backtests import run
from tests.web.desk import BERT, Desk
from tests.web.stage import ANNA, PASSWORD, Stage

NAMES = [
    *("README.txt", "profile.json", "preferences.json", "subscriptions.json", "accounts.json", "bots.json"),
    *("bots/Calm.toml", "bots/calm-2.toml", "deals.csv", "orders.csv", "fills.csv", "backtests.json"),
    *("activity.csv", "notifications.csv", "sessions.json", "api_tokens.json"),
]


def files(answer: Response) -> dict[str, str]:
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def test_everything_comes_in_one_file(desk: Desk) -> None:
    await desk.bot()
    await desk.bot("calm!", starts=False)
    app, browser = desk.app, desk.browser
    made = await browser.post("/settings/tokens", {"name": "program", "scope": "read", "days": "30"})
    assert made.status_code == 200
    await browser.post("/settings/preferences", {"theme": "dark", "time_zone": "Europe/Berlin"})
    secret = ApiKey("key-of-anna-canary", "secret-canary")
    await accounts.add(
        *app.means, app.secrets, user_id=desk.anna.id, name="spot", environment=Environment.LIVE, api_key=secret
    )
    answer = await browser.post("/settings/export")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="dca-')
    assert "content-encoding" not in answer.headers
    found = files(answer)
    assert list(found) == NAMES
    assert json.loads(found["profile.json"])["email"] == ANNA
    assert json.loads(found["preferences.json"])["time_zone"] == "Europe/Berlin"
    assert [(it["name"], it["has_key"]) for it in json.loads(found["accounts.json"])] == [
        ("paper", False),
        ("spot", True),
    ]
    assert [it["state"] for it in json.loads(found["bots.json"])] == ["in_position", "stopped"]
    assert tomllib.loads(found["bots/Calm.toml"])["bot"]["pair"] == "BTCUSDT"
    deals = list(csv.DictReader(io.StringIO(found["deals.csv"])))
    assert [it["state"] for it in deals] == ["open"]
    fills = list(csv.DictReader(io.StringIO(found["fills.csv"])))
    assert ([it["role"] for it in fills], tuple(fills[0])) == (["base"], FILL_COLUMNS)
    assert [it["name"] for it in json.loads(found["api_tokens.json"])] == ["program"]
    assert len(json.loads(found["sessions.json"])) == 1
    assert "deal_opened" in found["activity.csv"]
    whole = "".join(found.values())
    user = await users.find(app.store, ANNA)
    async with app.store.begin(reads_only=True) as work:
        (session,), (token,) = await work.sessions.of(user.id), await work.api_tokens.of(user.id)
        keyed = next(it for it in await work.accounts.of(user.id) if it.api_key is not None)
    secrets = [user.password_hash, session.key, token.key, secret.key, secret.secret, str(keyed.api_key)]
    assert not [it for it in secrets if it in whole]


async def test_backtests_come_with_their_reports(idle_desk: Desk) -> None:
    anna = idle_desk.anna.id
    done, failed = (run(name, anna, state=state) for name, state in (("a", RunState.DONE), ("b", RunState.FAILED)))
    report = json.dumps({"profit": "1.5", "deals": list(range(9_000))})
    async with idle_desk.app.store.begin() as work:
        for one in (done, failed):
            await work.backtests.add(one)
        await work.backtests.save(done, Outcome(report=zlib.compress(report.encode()), drawings=zlib.compress(b"{}")))
        await work.commit()
    found = files(await idle_desk.browser.post("/settings/export"))
    told = {it["id"]: (it["state"], it["report"]) for it in json.loads(found["backtests.json"])}
    assert told == {"a": ("done", "backtests/a.json"), "b": ("failed", None)}
    assert found["backtests/a.json"] == report
    async with idle_desk.bert() as bert:
        assert json.loads(files(await bert.post("/settings/export"))["backtests.json"]) == []


async def test_nothing_is_anybody_elses(desk: Desk) -> None:
    await desk.bot("Hers alone")
    async with desk.bert() as bert:
        found = files(await bert.post("/settings/export"))
    assert json.loads(found["profile.json"])["email"] == BERT
    assert "Hers alone" not in "".join(found.values())
    assert ANNA not in "".join(found.values())
    assert found["deals.csv"].split("\r\n") == [",".join(LIVE_DEAL_COLUMNS), ""]


async def test_long_feeds_come_whole(idle_desk: Desk) -> None:
    count, now, anna = 2 * PAGE + 1, idle_desk.app.clock.now(), idle_desk.anna.id
    lines = [Activity(user_id=anna, at=now, kind="told", text=f"=line {it}") for it in range(count)]
    told = [Notification(user_id=anna, at=now, kind="told", text=f"note {it}") for it in range(count)]
    async with idle_desk.app.store.begin() as work:
        await work.feed.add_activity(lines)
        await work.feed.add_notifications(told)
        await work.commit()
    found = files(await idle_desk.browser.post("/settings/export"))
    rows = list(csv.DictReader(io.StringIO(found["activity.csv"])))
    assert (len(rows), tuple(rows[0]), rows[-1]["text"]) == (count, ACTIVITY_COLUMNS, "'=line 0")
    assert len(found["notifications.csv"].splitlines()) == count + 1


async def test_it_comes_in_pieces(idle_desk: Desk) -> None:
    now, anna = idle_desk.app.clock.now(), idle_desk.anna.id
    async with idle_desk.app.store.begin() as work:
        await work.feed.add_activity(
            [Activity(user_id=anna, at=now, kind="told", text=f"{it}" * 9) for it in range(3_000)]
        )
        await work.commit()
    read = 0
    async for file in await own_data(idle_desk.app.identity, anna):
        async for piece in file.pieces:
            assert len(piece) < 10_000
            read += len(piece)
    assert read > 100_000


async def test_not_too_often_and_not_without_a_form_of_ours(stage: Stage) -> None:
    await stage.register()
    assert (await stage.browser.post("/settings/export")).headers["location"].startswith("/login")
    await stage.browser.sign_in()
    assert (await stage.browser.client.post("/settings/export")).status_code == 403
    assert (await stage.browser.get("/settings/export")).status_code == 405
    for _ in range(OWN_DATA.most):
        assert (await stage.browser.post("/settings/export")).status_code == 200
    refused = await stage.browser.post("/settings/export")
    assert refused.status_code == 429
    assert PASSWORD not in refused.text


async def test_somebody_who_is_not_there(stage: Stage) -> None:
    with pytest.raises(NotFound):
        await own_data(stage.app.identity, UserId("nobody"))
