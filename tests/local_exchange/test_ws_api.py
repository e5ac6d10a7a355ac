"""The WebSocket API: requests, and the events of an account."""

from __future__ import annotations

import pytest

from tests.local_exchange.api import LIMIT_BUY, MARKET_BUY, Api
from tests.local_exchange.conftest import Running
from tests.local_exchange.sockets import opened


async def test_what_needs_no_key(running: Running) -> None:
    async with opened(f"{running.urls.ws_api}?timeUnit=MICROSECOND") as socket:
        told = await socket.ask("ping")
        assert (told["status"], told["result"]) == (200, {})
        assert told["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"
        assert "rateLimits" not in await socket.ask("v3/time", {"returnRateLimits": False})
        assert (await socket.ask("ticker.price", {"symbol": "BTCUSDT"}))["result"]["price"] == "30000.00000000"
        info = (await socket.ask("exchangeInfo", {"symbols": ["ETHUSDT"]}))["result"]
        assert [symbol["symbol"] for symbol in info["symbols"]] == ["ETHUSDT"]
        assert (await socket.ask("session.status"))["result"]["userDataStream"] is False


@pytest.mark.parametrize(
    ("method", "params", "wrong"),
    [
        ("dance", {}, -1020),
        ("account.status", {}, -2014),
        ("account.status", {"apiKey": "x"}, -1102),
        ("account.status", {"apiKey": "x", "timestamp": 1, "signature": "0" * 64}, -1021),
        ("ticker.price", {"symbol": "NONE"}, -1121),
        ("userDataStream.unsubscribe", {"subscriptionId": 3}, -2036),
    ],
)
async def test_what_is_refused(running: Running, method: str, params: dict[str, object], wrong: int) -> None:
    async with opened(running.urls.ws_api) as socket:
        told = await socket.ask(method, params)
        assert told["error"]["code"] == wrong
        assert told["status"] in {400, 401}


async def test_what_is_no_request(running: Running) -> None:
    async with opened(running.urls.ws_api) as socket:
        for text in (
            "no json",
            "[]",
            "[" * 100_000,
            "1" * 5_000,
            '{"id": 1}',
            '{"id": {}, "method": "ping"}',
            '{"id": "\\ud800", "method": "ping"}',
            '{"id": 1, "method": "depth", "params": {"symbol": ["\\ud800"]}}',
            '{"id": 1, "method": "depth", "params": {"symbol": NaN}}',
            '{"id": 1, "method": "order.place", "params": {"apiKey": "\\ud800", "timestamp": 1, "signature": "0"}}',
        ):
            await socket.send(text)
            assert (await socket.read())["status"] == 400


async def test_whether_limits_are_told_is_signed_too(running: Running, api: Api) -> None:
    async with opened(running.urls.ws_api) as socket:
        told = await socket.signed(api, "account.status", {"returnRateLimits": "false"})
        assert (told["status"], "rateLimits" in told) == (200, False)


async def test_orders_are_placed_asked_for_and_cancelled(running: Running, api: Api) -> None:
    async with opened(running.urls.ws_api) as socket:
        placed = await socket.signed(api, "order.place", LIMIT_BUY | {"newClientOrderId": "mine"})
        assert [limit["count"] for limit in placed["rateLimits"]] == [1, 1]
        asked = await socket.signed(api, "order.status", {"symbol": "BTCUSDT", "origClientOrderId": "mine"})
        assert asked["result"]["orderId"] == placed["result"]["orderId"]
        assert len((await socket.signed(api, "openOrders.status"))["result"]) == 1
        gone = await socket.signed(api, "order.cancel", {"symbol": "BTCUSDT", "origClientOrderId": "mine"})
        assert gone["result"]["status"] == "CANCELED"
        assert (await socket.signed(api, "order.test", MARKET_BUY))["result"] == {}
        assert (await socket.signed(api, "myTrades", {"symbol": "BTCUSDT"}))["result"] == []
        fees = (await socket.signed(api, "account.commission", {"symbol": "BTCUSDT"}))["result"]
        assert fees["standardCommission"]["taker"] == "0.00100000"
        assert (await socket.signed(api, "account.status"))["result"]["balances"][0]["asset"] == "USDT"


async def test_an_account_is_subscribed_to_once(running: Running, api: Api) -> None:
    other = Api(api.http, "another", "secret")
    async with opened(running.urls.ws_api) as socket:
        subscribe = "userDataStream.subscribe.signature"
        assert (await socket.signed(api, subscribe))["result"] == {"subscriptionId": 0}
        assert (await socket.signed(api, subscribe))["error"]["code"] == -2035
        assert (await socket.signed(other, subscribe))["result"] == {"subscriptionId": 1}
        assert (await socket.ask("session.subscriptions"))["result"] == [{"subscriptionId": 0}, {"subscriptionId": 1}]
        assert (await socket.ask("userDataStream.unsubscribe", {"subscriptionId": 0}))["result"] == {}
        assert (await socket.read())["event"]["e"] == "eventStreamTerminated"
        await api.order(MARKET_BUY)
        await other.order(MARKET_BUY)
        assert (await socket.read())["subscriptionId"] == 1


async def test_the_reports_of_an_order(running: Running, api: Api) -> None:
    async with opened(running.urls.ws_api) as socket:
        await socket.signed(api, "userDataStream.subscribe.signature")
        placed = (await api.order(LIMIT_BUY, newClientOrderId="mine", strategyId="7")).json()
        new = (await socket.read())["event"]
        assert {name: new[name] for name in ("x", "X", "c", "C", "i", "j", "w", "N", "t", "z")} == {
            "x": "NEW",
            "X": "NEW",
            "c": "mine",
            "C": "",
            "i": placed["orderId"],
            "j": 7,
            "w": True,
            "N": None,
            "t": -1,
            "z": "0.00000000",
        }
        locked = (await socket.read())["event"]
        assert {"a": "USDT", "f": "9710.00000000", "l": "290.00000000"} in locked["B"]
        await api.signed(
            "PUT", "/api/v3/order/amend/keepPriority", symbol="BTCUSDT", orderId=placed["orderId"], newQty="0.008"
        )
        assert (await socket.read())["event"]["x"] == "REPLACED"
        await socket.read()
        await api.control(
            "fault", kind="partial_fill", apiKey=api.key, symbol="BTCUSDT", orderId=placed["orderId"], quantity="0.002"
        )
        trade = (await socket.read())["event"]
        assert {name: trade[name] for name in ("x", "X", "l", "z", "L", "n", "N", "m", "Y", "Z")} == {
            "x": "TRADE",
            "X": "PARTIALLY_FILLED",
            "l": "0.00200000",
            "z": "0.00200000",
            "L": "29000.00000000",
            "n": "0.00000200",
            "N": "BTC",
            "m": True,
            "Y": "58.00000000",
            "Z": "58.00000000",
        }
        await socket.read()
        await api.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"], newClientOrderId="off")
        gone = (await socket.read())["event"]
        assert (gone["x"], gone["c"], gone["z"]) == ("CANCELED", "off", "0.00200000")
        assert gone["C"] not in {"", "off"}


async def test_money_that_comes_and_goes_is_told(running: Running, api: Api) -> None:
    async with opened(running.urls.ws_api) as socket:
        await socket.signed(api, "userDataStream.subscribe.signature")
        await api.control("balance", apiKey=api.key, asset="USDT", free="500")
        update, position = (await socket.read())["event"], (await socket.read())["event"]
        assert (update["e"], update["a"], update["d"]) == ("balanceUpdate", "USDT", "-9500.00000000")
        assert position["B"] == [{"a": "USDT", "f": "500.00000000", "l": "0.00000000"}]


async def test_rest_knows_what_an_event_has_told(running: Running, api: Api) -> None:
    async with opened(running.urls.ws_api) as socket:
        await socket.signed(api, "userDataStream.subscribe.signature")
        await api.order(LIMIT_BUY)
        running.move("BTCUSDT", "29000")
        while (event := (await socket.read())["event"])["e"] != "executionReport" or event["X"] != "FILLED":
            pass
        asked = (await api.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=event["i"])).json()
        assert asked["status"] == "FILLED"
