"""Who is let in, and what for."""

from __future__ import annotations

import pytest

from dcacore.application.identity import api_tokens
from dcacore.ports.identity import Scope
from dcaweb.api.pace import Pace
from tests.contract.stored import ANN
from tests.unit.application.readings import SECRET
from tests.unit.simulated.clock import ManualClock
from tests.web.api.desk import BOT, PARAMETERS, SHORT, Desk, problem_of

WRITES = (
    ("POST", "/bots"),
    ("PATCH", "/bots/alpha"),
    ("DELETE", "/bots/alpha"),
    ("POST", "/bots/alpha/start"),
    ("POST", "/bots/alpha/pause"),
    ("POST", "/bots/alpha/stop"),
    ("POST", "/bots/alpha/retry"),
    ("POST", "/deals/alpha/close"),
    ("POST", "/deals/alpha/cancel"),
    ("PUT", "/exchange/keys"),
    ("DELETE", "/exchange/keys?account=paper"),
)
READS = (
    "/bots",
    "/bots/alpha",
    "/bots/alpha/deals",
    "/deals/alpha",
    "/exchange",
    "/balances",
    "/pairs?account=paper",
    "/analytics",
    "/activity",
    "/me",
    "/backtests/x",
)


@pytest.mark.parametrize(("method", "path"), [*WRITES, *[("GET", path) for path in READS]])
async def test_a_stranger_learns_nothing_but_how_to_come_in(desk: Desk, method: str, path: str) -> None:
    answer = await desk.client.request(method, f"/api/v1{path}", json={})
    problem_of(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/bots", "/bots/alpha", "/exchange/keys"])
async def test_options_tell_a_stranger_which_methods_there_are(desk: Desk, path: str) -> None:
    answer = await desk.client.options(f"/api/v1{path}")
    assert (answer.status_code, "OPTIONS" in answer.headers["allow"], answer.content) == (204, True, b"")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer dca_wrong", "Bearer wrong", "Basic YTpi", "dca_wrong"])
async def test_what_is_no_token_lets_nobody_in(desk: Desk, header: str) -> None:
    problem_of(await desk.client.get("/api/v1/me", headers={"authorization": header}), 401)


async def test_the_cookie_of_a_browser_lets_nobody_in(desk: Desk) -> None:
    desk.client.cookies.set("session", desk.trade.secret)
    problem_of(await desk.client.get("/api/v1/me"), 401)


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_read_token_changes_nothing(desk: Desk, method: str, path: str) -> None:
    answer = await desk.ask(method, path, desk.read, json={})
    assert "trade" in problem_of(answer, 403)["detail"]
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_a_read_token_may_reckon(desk: Desk) -> None:
    answer = await desk.ask("POST", "/ladder", desk.read, json={**PARAMETERS, "price": "30000"})
    assert answer.status_code == 200, answer.text


async def test_a_token_that_has_expired_or_was_revoked_lets_nobody_in(desk: Desk) -> None:
    means = desk.app.identity
    brief = await api_tokens.make_token(
        means, ANN, name="brief", scope=Scope.TRADE, expires_at=desk.clock.now() + SHORT
    )
    assert (await desk.ask("GET", "/me", brief)).status_code == 200
    desk.clock.pass_by(SHORT.total_seconds())
    problem_of(await desk.ask("GET", "/me", brief), 401)
    await api_tokens.revoke_token(means, ANN, desk.trade.token.id)
    problem_of(await desk.ask("GET", "/me"), 401)


@pytest.mark.parametrize(("method", "path"), [it for it in WRITES if "alpha" in it[1]])
async def test_anothers_things_are_not_there(desk: Desk, method: str, path: str) -> None:
    body = {"take_profit": "3"} if method == "PATCH" else {"sell": False} if path.endswith("stop") else None
    problem_of(await desk.ask(method, path, desk.bobs, json=body), 404)
    assert (await desk.ask("GET", "/bots/alpha")).status_code == 200


@pytest.mark.parametrize("path", ["/bots/bobs", "/bots/bobs/deals", "/deals/bobs", "/activity?bot=bobs"])
async def test_another_users_bot_cannot_be_seen(desk: Desk, path: str) -> None:
    problem_of(await desk.ask("GET", path), 404)


async def test_another_users_account_is_not_there(desk: Desk) -> None:
    problem_of(await desk.ask("POST", "/bots", json={**BOT, "account": SECRET}), 404)
    problem_of(await desk.ask("DELETE", "/exchange/keys", params={"account": SECRET}), 404)
    problem_of(await desk.ask("GET", "/pairs", params={"account": SECRET}), 404)


async def test_a_token_that_is_used_too_often_has_to_wait(desk: Desk) -> None:
    desk.web.state.pace = Pace(desk.clock, burst=2, rate=0.1)
    for _ in range(2):
        assert (await desk.ask("GET", "/me")).status_code == 200
    answer = await desk.ask("GET", "/me")
    problem_of(answer, 429)
    assert answer.headers["retry-after"] == "10"
    assert (await desk.ask("GET", "/me", desk.read)).status_code == 200
    desk.clock.pass_by(10)
    assert (await desk.ask("GET", "/me")).status_code == 200


def test_a_pace_forgets_only_those_that_have_all_of_theirs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcaweb.api.pace._MOST_KNOWN", 2)
    clock = ManualClock()
    pace = Pace(clock, burst=1, rate=1.0)
    assert pace.wait_s("a") == 0
    clock.pass_by(1)
    assert pace.wait_s("b") == 0
    assert pace.wait_s("c") == 0
    assert pace.wait_s("b") == 1
    assert pace.wait_s("a") == 0
