"""An unmodified python-binance trades here."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.local_exchange.conftest import KEY, SECRET, Running

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports a name that websockets is about to drop
    from binance import AsyncClient, BinanceSocketManager
    from binance.exceptions import BinanceAPIException

PATIENCE_S = 10
QUICK_S = 0.2
"""How long it waits for a word before it looks whether it should end."""


@pytest.fixture
async def client(running: Running) -> AsyncIterator[Any]:
    urls = running.urls
    attributes = {"API_URL": f"{urls.rest}/api", "MARGIN_API_URL": f"{urls.rest}/sapi", "WS_API_URL": urls.ws_api}
    local: Any = type("LocalClient", (AsyncClient,), attributes)
    made = await local.create(KEY, SECRET)
    made.ws_api.TIMEOUT = QUICK_S
    yield made
    await made.close_connection()


def sockets(client: Any, running: Running) -> Any:
    return type("LocalSockets", (BinanceSocketManager,), {"STREAM_URL": f"{running.urls.stream}/"})(client)


def quick(socket: Any) -> Any:
    socket.TIMEOUT = QUICK_S
    return socket


async def heard(socket: Any, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message: dict[str, Any] = await socket.recv()
            if message.get("e") == kind:
                return message


async def test_markets_and_balances_are_read(client: Any) -> None:
    info = await client.get_exchange_info()
    assert [symbol["symbol"] for symbol in info["symbols"]] == ["BTCUSDT", "ETHUSDT"]
    assert await client.get_asset_balance("USDT") == {"asset": "USDT", "free": "10000.00000000", "locked": "0.00000000"}
    assert (await client.get_symbol_ticker(symbol="BTCUSDT"))["price"] == "30000.00000000"
    assert (await client.get_account_api_permissions())["enableWithdrawals"] is False


async def test_an_order_is_placed_asked_for_and_cancelled(client: Any) -> None:
    placed = await client.order_limit_buy(symbol="BTCUSDT", quantity="0.01", price="29000", newClientOrderId="one")
    assert (placed["status"], placed["fills"]) == ("NEW", [])
    assert (await client.get_asset_balance("USDT"))["locked"] == "290.00000000"
    asked = await client.get_order(symbol="BTCUSDT", origClientOrderId="one")
    assert asked["orderId"] == placed["orderId"]
    assert [order["clientOrderId"] for order in await client.get_open_orders(symbol="BTCUSDT")] == ["one"]
    gone = await client.cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
    assert (gone["status"], gone["origClientOrderId"]) == ("CANCELED", "one")
    with pytest.raises(BinanceAPIException, match="Unknown order sent") as refused:
        await client.cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
    assert refused.value.code == -2011


async def test_the_user_stream_tells_what_happens(client: Any, running: Running) -> None:
    async with quick(sockets(client, running).user_socket()) as user:
        placed = await client.order_market_buy(symbol="BTCUSDT", quantity="0.01")
        report = await heard(user, "executionReport")
        assert (report["x"], report["i"]) == ("NEW", placed["orderId"])
        report = await heard(user, "executionReport")
        assert (report["x"], report["X"], report["L"], report["n"]) == (
            "TRADE",
            "FILLED",
            "30000.00000000",
            "0.00001000",
        )
        position = await heard(user, "outboundAccountPosition")
        assert {"a": "USDT", "f": "9700.00000000", "l": "0.00000000"} in position["B"]


async def test_prices_are_watched(client: Any, running: Running) -> None:
    async with quick(sockets(client, running).symbol_book_ticker_socket("BTCUSDT")) as prices:
        first = await asyncio.wait_for(prices.recv(), PATIENCE_S)
        assert first["b"] == "30000.00000000"
        running.move("BTCUSDT", "29500.5")
        assert (await asyncio.wait_for(prices.recv(), PATIENCE_S))["a"] == "29500.50000000"
