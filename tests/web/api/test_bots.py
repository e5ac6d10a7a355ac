"""Bots and deals by programs: made, changed, told what to do, and refused."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from dcacore.domain.ids import AccountId
from dcacore.ports.records import Account, Environment
from tests.contract.stored import ANN
from tests.strategies import NOON
from tests.web.api.desk import BOT, PARAMETERS, Desk, problem_of


async def test_a_bot_is_made_shown_and_deleted(desk: Desk) -> None:
    answer = await desk.ask("POST", "/bots", json=BOT)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert {name: made[name] for name in PARAMETERS} == PARAMETERS
    assert (made["bot"]["state"], made["bot"]["environment"]) == ("stopped", "paper")
    assert made["market"]["tick_size"] == "0.01"
    bot_id = made["bot"]["id"]
    assert (await desk.ask("GET", f"/bots/{bot_id}")).json() == made
    assert [it["name"] for it in (await desk.ask("GET", "/bots")).json()["items"]][-1] == "calm"
    assert (await desk.ask("DELETE", f"/bots/{bot_id}")).status_code == 204
    problem_of(await desk.ask("GET", f"/bots/{bot_id}"), 404)


@pytest.mark.parametrize("text", ['"100.123456789012345678901234567890"', "100.123456789012345678901234567890", "1e2"])
async def test_numbers_are_read_exactly(desk: Desk, text: str) -> None:
    others = ", ".join(f'"{name}": "{value}"' for name, value in BOT.items() if name != "base_order_size")
    body = f'{{{others}, "base_order_size": {text}}}'
    answer = await desk.ask("POST", "/bots", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 201, answer.text
    expected = "100" if "e" in text else "100.12345678901234567890123456789"
    assert answer.json()["base_order_size"] == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"base_order_size": "0"}, "base_order_size"),
        ({"base_order_size": "x"}, "base_order_size"),
        ({"base_order_size": None}, "base_order_size"),
        ({"price_deviation": 40}, "price_deviation"),
        ({"take_proft": 2}, "take_proft"),
        ({"take_profit_net": "yes"}, "take_profit_net"),
        ({"name": ""}, "name"),
        ({"pair": "XYZABC"}, "market"),
        ({"market": []}, "market"),
        ({"market": {"tick_size": "0"}}, "market"),
        ({"fees": {"fee_maker": 1}}, "fee_maker"),
        ({"account": None}, "account"),
        ({"account": 5}, "account"),
    ],
)
async def test_a_bot_that_cannot_be_is_refused_by_the_name_of_the_field(
    desk: Desk, change: dict[str, Any], field: str
) -> None:
    told = problem_of(await desk.ask("POST", "/bots", json={**BOT, **change}), 422)
    assert [it["field"] for it in told["errors"]] == [field]
    assert told["code"] == "invalid_parameter"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"take_profit": 1e999999999999}', "application/json", 422),
        (b'{"take_profit": ' + b"9" * 5000 + b"}", "application/json", 422),
        (b"name=calm", "application/x-www-form-urlencoded", 415),
        (b" " * (2**20 + 1), "application/json", 413),
    ],
)
async def test_a_body_that_is_none_is_a_problem(desk: Desk, body: bytes, kind: str, status: int) -> None:
    problem_of(await desk.ask("PATCH", "/bots/alpha", content=body, headers={"content-type": kind}), status)


async def test_two_bots_of_a_name_and_more_than_the_tier_allows_are_refused(desk: Desk) -> None:
    problem_of(await desk.ask("POST", "/bots", json={**BOT, "name": "Alpha"}), 409)
    for number in range(3):
        assert (await desk.ask("POST", "/bots", json={**BOT, "name": f"bot {number}"})).status_code == 201
    told = problem_of(await desk.ask("POST", "/bots", json=BOT), 403)
    assert told["code"] == "plan_limit_reached"


async def test_parameters_are_changed_by_an_engine_and_the_name_at_once(desk: Desk) -> None:
    answer = await desk.ask("PATCH", "/bots/beta", json={"take_profit": 2.5, "active_safety_orders": None})
    assert answer.status_code == 202, answer.text
    assert (answer.json()["kind"], answer.json()["state"]) == ("edit_bot", "waiting")
    assert (await desk.ask("PATCH", "/bots/beta", json={"name": "Gamma"})).status_code == 204
    assert (await desk.ask("GET", "/bots/beta")).json()["name"] == "Gamma"
    problem_of(await desk.ask("PATCH", "/bots/beta", json={"name": "x", "take_profit": 2}), 422)
    problem_of(await desk.ask("PATCH", "/bots/beta", json={}), 422)
    problem_of(await desk.ask("PATCH", "/bots/beta", json={"pair": "ETHUSDT"}), 422)
    problem_of(await desk.ask("PATCH", "/bots/beta", json={"take_profit": [2]}), 422)


@pytest.mark.parametrize("step", ["start", "pause", "retry"])
async def test_what_is_asked_waits_for_an_engine(desk: Desk, step: str) -> None:
    answer = await desk.ask("POST", f"/bots/beta/{step}")
    assert answer.status_code == 202, answer.text
    assert answer.json()["is_engine_alive"] is False
    async with desk.app.store.begin(reads_only=True) as work:
        assert [it.kind.value for it in await work.requests.waiting()] == [step]


async def test_a_stop_says_what_becomes_of_coins(desk: Desk) -> None:
    told = problem_of(await desk.ask("POST", "/bots/alpha/stop"), 422)
    assert told["errors"][0]["field"] == "sell"
    problem_of(await desk.ask("POST", "/bots/alpha/stop", json={"sell": "yes"}), 422)
    problem_of(await desk.ask("POST", "/bots/alpha/stop", json={"sells": True}), 422)
    assert (await desk.ask("POST", "/bots/alpha/stop", json={"sell": True})).status_code == 202
    assert (await desk.ask("POST", "/bots/beta/stop")).status_code == 202
    async with desk.app.store.begin(reads_only=True) as work:
        assert [it.details["sell"] for it in await work.requests.waiting()] == ["true", "false"]


async def test_deals_are_closed_and_cancelled(desk: Desk) -> None:
    deal_id = (await desk.ask("GET", "/deals/alpha")).json()["deal"]["id"]
    for step in ("close", "cancel"):
        assert (await desk.ask("POST", f"/deals/{deal_id}/{step}")).status_code == 202
        problem_of(await desk.ask("POST", f"/deals/{deal_id}-92/{step}"), 409)
        problem_of(await desk.ask("POST", f"/deals/nothing/{step}"), 404)


async def test_a_bot_with_an_open_deal_is_not_deleted(desk: Desk) -> None:
    assert "open" in problem_of(await desk.ask("DELETE", "/bots/alpha"), 409)["detail"]


async def test_a_program_does_not_let_a_bot_spend_real_money_first(desk: Desk) -> None:
    real = Account(
        id=AccountId("real"), user_id=ANN, name="real", environment=Environment.LIVE, created_at=NOON, api_key=None
    )
    async with desk.app.store.begin() as work:
        await work.accounts.add(real)
        await work.commit()
    assert (await desk.ask("POST", "/bots", json={**BOT, "account": "real"})).status_code == 201
    told = problem_of(await desk.ask("POST", "/bots/calm/start"), 409)
    assert told["code"] == "not_confirmed"
    assert "dca bot start" in told["detail"]
    async with desk.app.store.begin(reads_only=True) as work:
        assert await work.requests.waiting() == ()


async def test_a_refusal_of_an_engine_is_a_problem(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = desk.app.store.begin

    answer = await desk.ask("POST", "/bots/beta/retry")
    async with begin() as work:
        (asked,) = await work.requests.waiting()
        assert asked.id == answer.json()["id"]
        await work.requests.settle(asked.id, desk.clock.now(), "there is nothing to retry")
        await work.commit()
    done = attrs.evolve(asked, done_at=desk.clock.now(), refusal="there is nothing to retry")
    monkeypatch.setattr("dcacore.application.asking.add_request", _answers(done))
    assert "nothing to retry" in problem_of(await desk.ask("POST", "/bots/beta/retry"), 409)["detail"]


def _answers(request: Any) -> Any:
    async def add(*_: object, **__: object) -> Any:
        return request

    return add
