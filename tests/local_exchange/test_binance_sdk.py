"""An unmodified binance-sdk-spot trades here: its models take no field that is missing, misspelt or of another type."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest

from tests.local_exchange.conftest import KEY, SECRET, Running

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from binance_common.configuration import (
        ConfigurationRestAPI,
        ConfigurationWebSocketAPI,
        ConfigurationWebSocketStreams,
    )
    from binance_common.errors import BadRequestError
    from binance_sdk_spot.rest_api.models import (
        NewOrderSideEnum,
        NewOrderTimeInForceEnum,
        NewOrderTypeEnum,
    )
    from binance_sdk_spot.spot import Spot

PATIENCE_S = 10
pytestmark = pytest.mark.filterwarnings("ignore:parameter 'timeout' of type 'float':DeprecationWarning")


@pytest.fixture
def client(running: Running) -> Any:
    urls = running.urls
    return Spot(
        config_rest_api=ConfigurationRestAPI(
            api_key=KEY, api_secret=SECRET, base_path=urls.rest, timeout=8000, retries=0
        ),
        config_ws_api=ConfigurationWebSocketAPI(api_key=KEY, api_secret=SECRET, stream_url=urls.ws_api),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=urls.stream),
    )


async def rest(call: Any, *args: Any, **params: Any) -> Any:
    """Its REST calls block, so they are made in a thread beside the server."""
    return (await asyncio.to_thread(call, *args, **params)).data()


async def test_markets_and_balances_are_read(client: Any) -> None:
    api = client.rest_api
    info = await rest(api.exchange_info)
    assert [symbol.symbol for symbol in info.symbols] == ["BTCUSDT", "ETHUSDT"]
    assert [symbol.symbol for symbol in (await rest(api.exchange_info, symbols=["ETHUSDT"])).symbols] == ["ETHUSDT"]
    balances = (await rest(api.get_account)).balances
    assert [(one.asset, one.free) for one in balances] == [("USDT", "10000.00000000")]
    assert (await rest(api.account_commission, symbol="BTCUSDT")).standard_commission.maker == "0.00100000"


async def test_orders_are_placed_asked_for_and_cancelled(client: Any) -> None:
    api = client.rest_api
    limit = {
        "symbol": "BTCUSDT",
        "side": NewOrderSideEnum["BUY"].value,
        "type": NewOrderTypeEnum["LIMIT"].value,
        "time_in_force": NewOrderTimeInForceEnum["GTC"].value,
        "quantity": 0.01,
        "price": 29000.0,
    }
    placed = await rest(api.new_order, **limit)
    assert placed.status == "NEW"
    assert (await rest(api.get_order, symbol="BTCUSDT", order_id=placed.order_id)).orig_qty == "0.01000000"
    assert len(await rest(api.get_open_orders)) == 1
    gone = await rest(api.delete_order, symbol="BTCUSDT", order_id=placed.order_id)
    assert gone.status == "CANCELED"
    with pytest.raises(BadRequestError, match="Unknown order sent"):
        await rest(api.delete_order, symbol="BTCUSDT", order_id=placed.order_id)
    bought = await rest(api.new_order, symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01)
    assert [(fill.commission, fill.commission_asset) for fill in bought.fills] == [("0.00001000", "BTC")]
    assert [trade.is_maker for trade in await rest(api.my_trades, symbol="BTCUSDT")] == [False]
    assert [order.status for order in await rest(api.all_orders, symbol="BTCUSDT")] == ["CANCELED", "FILLED"]


async def test_prices_are_read(client: Any) -> None:
    api = client.rest_api
    assert len(await rest(api.klines, symbol="BTCUSDT", interval="1m")) == 1
    assert (await rest(api.depth, symbol="BTCUSDT", limit=5)).bids[0][0] == "30000.00000000"
    assert (await rest(api.avg_price, symbol="BTCUSDT")).mins == 5
    assert (await rest(api.ticker24hr, symbol="BTCUSDT")).actual_instance.last_price == "30000.00000000"
    assert (await rest(api.ticker_price, symbol="BTCUSDT")).actual_instance.price == "30000.00000000"
    assert len(await rest(api.get_trades, symbol="BTCUSDT")) == 1
    assert len(await rest(api.agg_trades, symbol="BTCUSDT")) == 1
    assert len(await rest(api.rate_limit_order)) == 2


async def test_orders_are_placed_and_watched_over_web_sockets(client: Any) -> None:
    connection = await client.websocket_api.create_connection()
    heard: asyncio.Queue[Any] = asyncio.Queue()
    try:
        stream = await connection.user_data_stream_subscribe_signature()
        stream.stream.on("message", heard.put_nowait)
        placed = await connection.order_place(symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01)
        assert placed.data().result.status == "FILLED"
        async with asyncio.timeout(PATIENCE_S):
            events = [(await heard.get()).actual_instance for _ in range(3)]
        kinds = [type(event).__name__ for event in events]
        assert kinds == ["ExecutionReport", "ExecutionReport", "OutboundAccountPosition"]
        assert (await connection.account_status()).data().result.can_trade is True
        assert (await connection.open_orders_status()).data().result == []
    finally:
        await connection.close_connection()


async def test_prices_are_watched(client: Any, running: Running) -> None:
    connection = await client.websocket_streams.create_connection()
    heard: asyncio.Queue[Any] = asyncio.Queue()
    try:
        stream = await connection.book_ticker(symbol="btcusdt")
        stream.on("message", heard.put_nowait)
        running.move("BTCUSDT", "29500.5")
        async with asyncio.timeout(PATIENCE_S):
            while (await heard.get()).b != "29500.50000000":
                pass
    finally:
        await connection.close_connection()
