"""Exchange keys by programs: never shown, looked at before they are kept, and another user's out of reach."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.api.desk import BOT, Desk, problem_of

KEY = {"account": "mine", "environment": "testnet", "key": "K" * 64, "secret": "S" * 64}


async def test_a_key_is_added_replaced_and_deleted_and_never_shown(desk: Desk) -> None:
    added = await desk.ask("PUT", "/exchange/keys", json=KEY)
    assert added.status_code == 200, added.text
    account = added.json()["account"]
    assert (account["name"], account["environment"], account["has_key"]) == ("mine", "testnet", True)
    again = await desk.ask("PUT", "/exchange/keys", json={**KEY, "key": "L" * 64})
    assert (again.json()["account"]["id"], again.json()["account"]["keyed_at"] is None) == (account["id"], False)
    shown = await desk.ask("GET", "/exchange")
    assert account["id"] in {it["id"] for it in shown.json()["items"]}
    for answer in (added, again, shown):
        assert "KKK" not in answer.text
        assert "SSS" not in answer.text
    assert (await desk.ask("DELETE", "/exchange/keys", params={"account": "mine"})).status_code == 204
    problem_of(await desk.ask("DELETE", "/exchange/keys", params={"account": "mine"}), 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "with blank"}, "key"),
        ({"secret": ""}, "secret"),
        ({"secret": None}, "secret"),
        ({"environment": "paper"}, "environment"),
        ({"environment": 1}, "environment"),
        ({"account": "paper"}, "environment"),
        ({"password": "x"}, "password"),
    ],
)
async def test_a_key_that_cannot_be_is_refused_by_the_field(desk: Desk, change: dict[str, Any], field: str) -> None:
    answer = await desk.ask("PUT", "/exchange/keys", json={**KEY, **change})
    assert [it["field"] for it in problem_of(answer, 422)["errors"]] == [field]
    assert "SSS" not in answer.text


async def test_an_account_with_bots_is_not_forgotten(desk: Desk) -> None:
    problem_of(await desk.ask("DELETE", "/exchange/keys", params={"account": "paper"}), 409)
    problem_of(await desk.ask("DELETE", "/exchange/keys"), 422)
    assert (await desk.ask("POST", "/bots", json=BOT)).status_code == 201
