"""An unmodified ccxt, and its part for WebSockets, trade here."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.local_exchange.conftest import KEY, SECRET, Running, until

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import ccxt
    import ccxt.pro

PATIENCE_S = 10


@pytest.fixture
async def client(running: Running) -> AsyncIterator[Any]:
    made: Any = ccxt.pro.binance({"apiKey": KEY, "secret": SECRET, "newUpdates": True})
    rest, urls = running.urls.rest, made.urls["api"]
    urls |= {"public": f"{rest}/api/v3", "private": f"{rest}/api/v3", "v1": f"{rest}/api/v1", "sapi": f"{rest}/sapi/v1"}
    stream = f"{running.urls.stream}/ws"
    urls["ws"] |= {"spot": stream, "margin": stream, "ws-api": {"spot": running.urls.ws_api}}
    made.options |= {
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
        "fetchCurrencies": False,
        "fetchMargins": False,
    }
    yield made
    await made.close()


async def test_markets_and_balances_are_read(client: Any) -> None:
    markets = await client.load_markets()
    assert sorted(markets) == ["BTC/USDT", "ETH/USDT"]
    precision = markets["BTC/USDT"]["precision"]
    assert (precision["amount"], precision["price"]) == (0.00001, 0.01)
    balance = await client.fetch_balance()
    assert balance["USDT"] == {"free": 10000.0, "used": 0.0, "total": 10000.0}


async def test_prices_are_read(client: Any) -> None:
    assert (await client.fetch_ticker("BTC/USDT"))["last"] == 30000.0
    book = await client.fetch_order_book("BTC/USDT", 5)
    assert (len(book["bids"]), book["bids"][0][0]) == (5, 30000.0)
    candles = await client.fetch_ohlcv("BTC/USDT", "1h")
    assert candles[-1][1:5] == [30000.0] * 4
    assert (await client.fetch_trades("BTC/USDT"))[-1]["price"] == 30000.0


async def test_an_order_is_placed_asked_for_and_cancelled(client: Any) -> None:
    placed = await client.create_order("BTC/USDT", "limit", "buy", 0.01, 29000)
    assert placed["status"] == "open"
    assert (await client.fetch_order(placed["id"], "BTC/USDT"))["remaining"] == 0.01
    assert [order["id"] for order in await client.fetch_open_orders("BTC/USDT")] == [placed["id"]]
    assert (await client.cancel_order(placed["id"], "BTC/USDT"))["status"] == "canceled"
    bought = await client.create_order("BTC/USDT", "market", "buy", 0.01)
    assert (bought["status"], bought["average"], bought["fees"]) == (
        "closed",
        30000.0,
        [{"currency": "BTC", "cost": 0.00001}],
    )
    assert [trade["amount"] for trade in await client.fetch_my_trades("BTC/USDT")] == [0.01]


async def test_errors_are_understood(client: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order("BTC/USDT", "limit", "buy", 1, 29000)
    with pytest.raises(ccxt.OrderNotFound):
        await client.fetch_order("4711", "BTC/USDT")
    with pytest.raises(ccxt.BadRequest, match="Filter failure: NOTIONAL"):
        await client.create_order("BTC/USDT", "limit", "buy", 0.00001, 29000)


async def test_orders_balances_and_prices_are_watched(client: Any, running: Running) -> None:
    await client.load_markets()
    watching = asyncio.create_task(client.watch_orders("BTC/USDT"))
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: any(one.keys for one in running.site.users.sessions))
        placed = await client.create_order("BTC/USDT", "limit", "buy", 0.01, 29000)
        orders = await watching
        assert [(order["id"], order["status"]) for order in orders] == [(placed["id"], "open")]
        running.move("BTCUSDT", "28900")
        orders = await client.watch_orders("BTC/USDT")
        assert [(order["filled"], order["average"]) for order in orders] == [(0.01, 29000.0)]
        ticker = await client.watch_ticker("BTC/USDT")
        assert ticker["last"] == 28900.0
        candles = await client.watch_ohlcv("BTC/USDT", "1m")
        assert candles[-1][4] == 28900.0
        book = await client.watch_order_book("BTC/USDT")
        assert book["bids"][0][0] == 28900.0
