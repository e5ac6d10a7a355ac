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


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("price", "["),
        ("price", "[" * 100_000),
        ("price", "\xff"),
        ("price", "5"),
        ("price", '{"symbol": "BTCUSDT", "price": "1E+999999"}'),
        ("price", '{"symbol": "BTCUSDT", "price": "NaN"}'),
        ("price", '{"symbol": "BTCUSDT", "price": "0"}'),
        ("move", '{"symbol": "BTCUSDT", "price": "30000.001"}'),
        ("balance", f'{{"apiKey": "{KEY}", "asset": "USDT", "free": "1E+999999"}}'),
        ("balance", f'{{"apiKey": "{KEY}", "asset": "USDT", "free": "1E-999999"}}'),
        ("balance", f'{{"apiKey": "{KEY}", "asset": "USDT", "free": "-1"}}'),
        ("symbol", '{"symbol": "BTCUSDT", "status": 5}'),
    ],
)
async def test_nonsense_is_refused_and_changes_nothing(running: Running, api: Api, path: str, body: str) -> None:
    answer = await api.http.post(f"/control/{path}", content=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert running.exchange.venue.price("BTCUSDT") == 30000
    assert await api.free("USDT") == "10000.00000000"
