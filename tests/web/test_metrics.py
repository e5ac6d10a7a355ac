"""What watches over the program is told, and who may ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response
from prometheus_client.parser import text_string_to_metric_families

from dcacore.application import users
from dcacore.ports.errors import StoreUnavailable
from dcacore.ports.health import Health
from dcacore.ports.records import Environment
from tests.web.desk import Desk
from tests.web.stage import BASE_URL, PASSWORD, Stage

PAGE = Path("docs/reference/metrics.md").read_text(encoding="utf-8")
HEALTH = Health(latency_ms=31, clock_offset_ms=-4, prices_age_s=1.5, used_weight=12, weight_limit=6000)


def samples(answer: Response) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(it.name, tuple(sorted(it.labels.items()))): it.value for family in families for it in family.samples}


def named(answer: Response, name: str, **labels: str) -> float:
    return samples(answer)[name, tuple(sorted(labels.items()))]


async def from_elsewhere(stage: Stage, address: str, **options: Any) -> Response:
    app: Any = stage.web
    transport = ASGITransport(app, raise_app_exceptions=False, client=(address, 4000))
    async with AsyncClient(transport=transport, base_url=BASE_URL) as client:
        return await client.get("/metrics", **options)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_may_ask(stage: Stage, address: str) -> None:
    answer = await from_elsewhere(stage, address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "::2", "::ffff:10.0.0.1", "localhost.evil.example", ""])
async def test_nobody_elsewhere_may(stage: Stage, address: str) -> None:
    assert (await from_elsewhere(stage, address)).status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_what_was_passed_on_is_not_of_this_machine(stage: Stage, header: str) -> None:
    assert (await from_elsewhere(stage, "127.0.0.1", headers={header: "127.0.0.1"})).status_code == 404


async def test_an_administrator_may_from_anywhere(stage: Stage) -> None:
    for email, is_admin in (("root@example.com", True), ("anna@example.com", False)):
        await users.create(
            *stage.app.means, stage.app.passwords, email=email, password=PASSWORD, is_admin=is_admin, is_verified=True
        )
    statuses = []
    for email in ("root@example.com", "anna@example.com"):
        await stage.browser.sign_in(email)
        headers = {"cookie": f"session={stage.browser.client.cookies['session']}"}
        statuses.append((await from_elsewhere(stage, "192.0.2.1", headers=headers)).status_code)
    assert statuses == [200, 404]


async def test_requests_count_by_route_and_never_by_address(desk: Desk) -> None:
    record = await desk.bot(starts=False)
    await desk.browser.get(f"/bots/{record.bot.id}")
    await desk.browser.get("/bots/somebody-elses")
    await desk.browser.get("/nowhere/secret-address")
    await desk.browser.get("/verify-email/secret-address")
    answer = await desk.browser.get("/metrics")
    count = "dca_http_request_duration_seconds_count"
    assert named(answer, count, method="GET", route="/bots/{bot_id}", status="200") == 1
    assert named(answer, count, method="GET", route="/bots/{bot_id}", status="404") == 1
    assert named(answer, count, method="POST", route="/login", status="303") == 1
    assert not [it for it in ("secret-address", record.bot.id, "anna@") if it in answer.text]


async def test_what_there_is_is_counted(desk: Desk) -> None:
    await desk.bot()
    async with desk.app.store.begin() as work:
        (engine,) = await work.leases.engines(desk.app.clock.now() - desk.app.clock.now().replace(year=2000))
        await work.leases.report_health(engine.name, {Environment.PAPER: HEALTH})
        await work.commit()
    answer = await desk.browser.get("/metrics")
    assert named(answer, "dca_bots", state="in_position") == 1
    assert named(answer, "dca_bots", state="error") == 0
    assert named(answer, "dca_orders", state="open") == 4
    assert named(answer, "dca_orders", state="unknown") == 0
    assert named(answer, "dca_engines") == 1
    assert named(answer, "dca_engine_here") == 1
    assert named(answer, "dca_engine_turns_total") > 3
    assert named(answer, "dca_engine_orders_total", outcome="placed") == 5
    assert named(answer, "dca_exchange_used_weight", environment="paper") == 12
    assert named(answer, "dca_exchange_latency_seconds", environment="paper") == 0.031
    assert named(answer, "dca_exchange_clock_offset_seconds", environment="paper") == 0.004
    assert named(answer, "dca_requests_waiting") == named(answer, "dca_mail_waiting") == 0


async def test_a_database_that_is_away_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("the database cannot be reached")

    monkeypatch.setattr("dcacore.application.administering.counts", away)
    answer = await stage.browser.get("/metrics")
    assert named(answer, "dca_database_up") == 0
    assert "dca_bots" not in answer.text


async def test_every_metric_is_documented(desk: Desk) -> None:
    await desk.bot()
    told = {
        it.name + ("_total" if it.type == "counter" else "")
        for it in text_string_to_metric_families((await desk.browser.get("/metrics")).text)
        if not it.name.endswith("_created")
    }
    documented = set(re.findall(r"`(dca_\w+)`", PAGE.partition("Worth an alarm")[0]))
    assert told == documented
