"""What programs get to see, and whose."""

from __future__ import annotations

import pytest

from tests.unit.application.readings import SECRET
from tests.web.api.desk import Desk, problem_of
from tests.web.api.test_bearers import READS


@pytest.mark.parametrize("path", [it for it in READS if "backtests" not in it])
async def test_a_read_token_sees_its_users_things_and_nobody_elses(desk: Desk, path: str) -> None:
    answer = await desk.ask("GET", path, desk.read)
    assert answer.status_code == 200, answer.text
    assert SECRET not in answer.text
    assert "set-cookie" not in answer.headers


async def test_me(desk: Desk) -> None:
    told = (await desk.ask("GET", "/me", desk.read)).json()
    assert (told["email"], told["tier"], told["bots_allowed"]) == ("ann@example.com", "PRO", 5)
    assert told["token"] == {"name": "read", "scope": "read", "expires_at": None}


async def test_deals_come_in_pages_and_by_state(desk: Desk) -> None:
    whole = (await desk.ask("GET", "/bots/Alpha/deals")).json()
    assert [it["state"] for it in whole["items"]] == ["open", "closed", "closed"]
    assert [it["profit"] for it in whole["items"]] == [None, "-1", "3"]
    second = (await desk.ask("GET", "/bots/Alpha/deals", params={"limit": 1, "skip": 1})).json()
    assert (second["items"], second["total"]) == (whole["items"][1:2], 3)
    closed = (await desk.ask("GET", "/bots/Alpha/deals", params={"state": "closed"})).json()
    assert closed["items"] == whole["items"][1:]


@pytest.mark.parametrize(
    ("name", "value"), [("limit", 0), ("limit", 501), ("skip", -1), ("skip", "x"), ("state", "odd")]
)
async def test_a_page_has_bounds(desk: Desk, name: str, value: object) -> None:
    told = problem_of(await desk.ask("GET", "/bots/alpha/deals", params={name: value}), 422)
    assert [it["field"] for it in told["errors"]] == [name]


async def test_activity_goes_back_by_its_numbers(desk: Desk) -> None:
    told = (await desk.ask("GET", "/activity", params={"bot": "alpha"})).json()
    assert [(it["text"], it["bot"]) for it in told["items"]] == [("Ann's", "Alpha")]
    assert told["before"] is None
    behind = await desk.ask("GET", "/activity", params={"before": told["items"][0]["number"]})
    assert behind.json()["items"] == []


async def test_sums_of_two_environments_stay_apart(desk: Desk) -> None:
    groups = (await desk.ask("GET", "/analytics")).json()["groups"]
    assert [(it["environment"], it["figures"]["profit"]) for it in groups] == [("testnet", "5"), ("paper", "2")]
    problem = problem_of(await desk.ask("GET", "/analytics", params={"zone": "Nowhere"}), 422)
    assert problem["errors"][0]["field"] == "zone"


async def test_a_deal_has_its_orders_and_fills(desk: Desk) -> None:
    told = (await desk.ask("GET", "/deals/alpha")).json()
    assert told["deal"]["state"] == "open"
    assert told["orders"][0]["role"] == "base"
    assert told["orders"][0]["fills"][0]["price"] == "100"
    assert told["open"]["deal_id"] == told["deal"]["id"]


async def test_what_accounts_hold_and_what_failed(desk: Desk) -> None:
    paper, test = (await desk.ask("GET", "/balances")).json()["items"]
    assert paper["assets"][0]["free"] == "1000"
    assert "testnet" in test["failure"]
    pairs = (await desk.ask("GET", "/pairs", params={"account": "paper", "search": "btc"})).json()
    assert [it["tick_size"] for it in pairs] == ["0.01"]
    problem_of(await desk.ask("GET", "/pairs", params={"account": "test"}), 503)


async def test_the_only_account_need_not_be_named(desk: Desk) -> None:
    told = problem_of(await desk.ask("GET", "/pairs"), 422)
    assert told["errors"] == [{"field": "account", "detail": "is missing; there are paper, test"}]
    mine = (await desk.ask("GET", "/exchange", token=desk.bobs)).json()["items"]
    named = await desk.ask("GET", "/pairs", token=desk.bobs, params={"account": mine[0]["name"]})
    alone = await desk.ask("GET", "/pairs", token=desk.bobs)
    assert (len(mine), alone.status_code, alone.json()) == (1, named.status_code, named.json())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("PUT", "/bots", 405), ("GET", "/bots/%00", 404), ("GET", f"/bots/{'x' * 200}", 404)],
)
async def test_what_is_not_there_is_a_problem_too(desk: Desk, method: str, path: str, status: int) -> None:
    problem_of(await desk.ask(method, path), status)


async def test_a_failure_tells_nothing_of_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(desk.app.store, "begin", broken)
    answer = await desk.ask("GET", "/bots")
    problem_of(answer, 500)
    assert SECRET not in answer.text
