"""What programs get to see, and whose."""

from __future__ import annotations

import pytest

from tests.unit.application.readings import SECRET
from tests.web.api.desk import Desk

READS = (
    "/bots",
    "/bots/alpha",
    "/bots/Alpha/deals",
    "/exchange",
    "/balances",
    "/pairs?account=paper",
    "/analytics",
    "/activity",
    "/me",
)


@pytest.mark.parametrize("path", READS)
async def test_a_read_token_sees_its_users_things_and_nobody_elses(desk: Desk, path: str) -> None:
    answer = await desk.ask("GET", path, desk.read)
    assert answer.status_code == 200, answer.text
    assert SECRET not in answer.text
    assert "set-cookie" not in answer.headers
