"""Signals from outside: what they do, who may send them, and what is told."""

from __future__ import annotations

import json
import re

import pytest
from httpx import Response

from dcacore.application import users
from dcacore.application.identity.throttling import SIGNALS_BY_CLIENT, SIGNALS_OF_BOT
from dcacore.domain.bot import Phase
from dcacore.ports.records import BotRecord, Environment, Tier
from tests.web.desk import Desk, desk_in, is_in_position
from tests.web.stage import ANNA, Browser, said


async def secret_for(browser: Browser, record: BotRecord) -> str:
    made = await browser.post(f"/bots/{record.bot.id}/signals")
    assert made.status_code == 200
    (secret,) = set(re.findall(r"dcs_[\w-]{20,}", made.text))
    return str(secret)


async def send(desk: Desk, secret: object, action: object = "start") -> Response:
    async with desk.stage.another_browser() as outside:
        return await outside.client.post("/signals", content=json.dumps({"secret": secret, "action": action}))


async def activity(desk: Desk, record: BotRecord) -> list[str]:
    async with desk.app.store.begin(reads_only=True) as work:
        lines = await work.feed.activity(desk.anna.id, bot_id=record.bot.id)
        return [it.text for it in lines if it.kind == "signal"]


async def test_a_signal_starts_a_bot_and_another_closes_its_deal(desk: Desk) -> None:
    record = await desk.bot(starts=False, auto_restart=False)
    secret = await secret_for(desk.browser, record)
    started = await send(desk, secret)
    assert (started.status_code, started.json()["status"]) == (200, "done")
    assert "set-cookie" not in started.headers
    await desk.until(record, is_in_position)
    again = await send(desk, secret)  # it runs already, and goes on as it does
    assert again.status_code == 200
    closed = await send(desk, secret, "close")
    assert (closed.status_code, closed.json()["status"]) == (200, "done")
    ended = await desk.until(record, lambda it: it.bot.deal is None and it.bot.phase is Phase.STOPPED)
    assert ended.lifetime.deals == 1
    none_open = await send(desk, secret, "close")
    assert (none_open.status_code, "no open deal" in none_open.json()["detail"]) == (409, True)
    assert await activity(desk, record) == [
        "a signal asked the bot to sell what its deal holds, at market",
        *["a signal asked the bot to start"] * 2,
    ]
    assert "none yet" not in said(await desk.browser.get(f"/bots/{record.bot.id}/signals"))


async def test_without_an_engine_it_is_kept(idle_desk: Desk) -> None:
    record = await idle_desk.bot(starts=False)
    answer = await send(idle_desk, await secret_for(idle_desk.browser, record))
    assert (answer.status_code, answer.json()["status"]) == (202, "waiting")


async def test_a_secret_is_shown_once_and_only_its_digest_is_kept(idle_desk: Desk) -> None:
    record = await idle_desk.bot(starts=False)
    secret = await secret_for(idle_desk.browser, record)
    page = await idle_desk.browser.get(f"/bots/{record.bot.id}/signals")
    assert secret not in page.text
    async with idle_desk.app.store.begin(reads_only=True) as work:
        known = await work.signals.of(record.bot.id)
    assert known is not None
    assert secret not in known.key
    assert secret not in repr(known)


async def test_unknown_replaced_and_revoked_secrets_are_answered_alike(idle_desk: Desk) -> None:
    record = await idle_desk.bot(starts=False)
    first = await secret_for(idle_desk.browser, record)
    second = await secret_for(idle_desk.browser, record)
    assert (await idle_desk.browser.post(f"/bots/{record.bot.id}/signals/revoke")).status_code == 303
    answers = [await send(idle_desk, it) for it in (first, second, "dcs_nobodys", "", "\ud800")]
    assert {it.status_code for it in answers} == {404}
    assert len({it.text for it in answers}) == 1
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert await activity(idle_desk, record) == []


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"secret", b"[]", b"{}", b"null", b'{"secret": "x"}', b'{"action": "start"}', b"\xff", b"[" * 60_000),
        *(b'{"secret": 1, "action": "start"}', b'{"secret": "x", "action": "buy"}'),
        b'{"secret": "x", "action": ["start"]}',
        b'{"secret": "' + b"x" * 300 + b'", "action": "start"}',
    ],
)
async def test_a_body_that_is_none(idle_desk: Desk, body: bytes) -> None:
    answer = await idle_desk.stage.browser.client.post("/signals", content=body)
    assert (answer.status_code, answer.json()["status"]) == (400, 400)


async def test_a_body_that_is_too_large(idle_desk: Desk) -> None:
    answer = await idle_desk.stage.browser.client.post("/signals", content=b"x" * (64 * 1024 + 1))
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_too_many_signals_have_to_wait(idle_desk: Desk) -> None:
    record = await idle_desk.bot(starts=False)
    secret = await secret_for(idle_desk.browser, record)
    for _ in range(SIGNALS_OF_BOT.most):
        assert (await send(idle_desk, secret, "close")).status_code == 409
    refused = await send(idle_desk, secret, "close")
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    for _ in range(SIGNALS_BY_CLIENT.most - SIGNALS_OF_BOT.most - 1):
        assert (await send(idle_desk, "dcs_unknown")).status_code == 404
    assert (await send(idle_desk, "dcs_unknown")).status_code == 429


async def test_a_signal_cannot_do_what_its_user_may_not(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with desk_in(tmp_path_factory.mktemp("desk"), has_engine=False) as desk:
        live = await desk.bot("Live", starts=False, environment=Environment.LIVE)
        paper = await desk.bot("Paper", starts=False)
        secrets = [await secret_for(desk.browser, it) for it in (live, paper)]
        unconfirmed = await send(desk, secrets[0])
        assert (unconfirmed.status_code, "real money" in unconfirmed.json()["detail"]) == (409, True)
        await users.set_tier(*desk.app.means, email=ANNA, tier=Tier.FREE)
        third = await desk.browser.post(f"/bots/{paper.bot.id}/start", {})
        assert third.status_code == 303
        record = (await desk.find(paper)).bot.id
        assert record == paper.bot.id
        assert (await send(desk, secrets[0])).status_code == 403
        await users.sign_out(desk.app.store, email=ANNA)
        assert (await send(desk, secrets[1])).status_code == 404


async def test_only_the_owner_makes_and_sees_one(desk: Desk) -> None:
    record = await desk.bot(starts=False)
    path = f"/bots/{record.bot.id}/signals"
    async with desk.bert() as bert:
        assert (await bert.get(path)).status_code == 404
        assert (await bert.post(path)).status_code == 404
        assert (await bert.post(f"{path}/revoke")).status_code == 404
    async with desk.stage.another_browser() as stranger:
        assert (await stranger.get(path)).headers["location"].startswith("/login")
    assert path in (await desk.browser.get(f"/bots/{record.bot.id}")).text
