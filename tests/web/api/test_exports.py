"""Files of deals and orders: for who is signed in, of the user's own alone."""

from __future__ import annotations

import csv
import io

import pytest

from dcacore.application.identity.means import NOBODY
from dcacore.application.identity.sessions import open_session
from dcacore.application.live_exports import LIVE_DEAL_COLUMNS
from tests.contract.stored import ANN
from tests.unit.application.readings import SECRET
from tests.web.api.desk import Desk


@pytest.fixture
async def signed_in(desk: Desk) -> Desk:
    """The dashboard in Ann's browser."""
    async with desk.app.store.begin() as work:
        user = await work.users.get(ANN)
        assert user is not None
        opened = await open_session(desk.app.identity, work, user, NOBODY)
        await work.commit()
    desk.client.cookies.set("session", opened.secret)
    return desk


async def test_deals_come_as_a_file(signed_in: Desk) -> None:
    answer = await signed_in.client.get("/exports/deals.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "deals.csv" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == list(LIVE_DEAL_COLUMNS)
    assert [row[0] for row in rows[1:]] == ["Alpha", "Alpha", "Alpha", "'=beta"]
    assert SECRET not in answer.text


async def test_orders_of_a_choice_come_as_a_file(signed_in: Desk) -> None:
    answer = await signed_in.client.get("/exports/orders.csv", params={"environment": "paper", "bot": "", "first": ""})
    assert answer.status_code == 200
    assert {row[0] for row in csv.reader(io.StringIO(answer.text))} == {"bot", "Alpha"}


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"first": "yesterday"}, 422),
        ({"environment": "nowhere"}, 422),
        ({"first": "2024-02-01", "last": "2024-01-01"}, 422),
        ({"bot": "bobs"}, 404),
    ],
)
async def test_what_cannot_be_chosen_is_refused(signed_in: Desk, params: dict[str, str], status: int) -> None:
    answer = await signed_in.client.get("/exports/deals.csv", params=params, headers={"hx-request": "true"})
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/exports/deals.csv", "/exports/orders.csv", "/events"])
async def test_a_stranger_is_led_to_the_sign_in_page(desk: Desk, path: str) -> None:
    headers = {"authorization": f"Bearer {desk.trade.secret}"}
    answer = await desk.client.get(path, headers=headers, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")
