"""Who may use the control interface, and what it makes of nonsense."""

from __future__ import annotations

import pytest

from tests.local_exchange.api import Api
from tests.local_exchange.conftest import KEY, Running

PRICE = '{"symbol": "BTCUSDT", "price": "31000"}'


@pytest.mark.parametrize(
    "head",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Host": "evil.example"},
        {"Host": "evil.example:8100"},
        {"Host": "127.0.0.1.evil.example:8100"},
        {"Host": "192.0.2.1:8100"},
        {"Host": "[::1"},
        {"Host": ""},
    ],
)
async def test_a_page_in_a_browser_moves_nothing_and_reads_nothing(
    running: Running, api: Api, head: dict[str, str]
) -> None:
    moved = await api.http.post("/control/price", content=PRICE, headers={"Content-Type": "text/plain", **head})
    assert (moved.status_code, list(moved.json())) == (403, ["error"])
    assert running.exchange.venue.price("BTCUSDT") == 30000
    if "Origin" not in head:  # what a page asks for without one, it cannot read
        for path in (f"/control/books?apiKey={KEY}", "/control/fault"):
            assert (await api.http.get(path, headers=head)).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8100", "localhost:8100", "LOCALHOST", "[::1]:8100"])
async def test_a_program_on_this_machine_moves_the_market(running: Running, api: Api, host: str) -> None:
    assert (await api.http.post("/control/price", content=PRICE, headers={"Host": host})).status_code == 200
    assert running.exchange.venue.price("BTCUSDT") == 31000
