"""Everything that can be made to go wrong does."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import websockets

from dcacore.local_exchange.errors import ERRORS
from tests.local_exchange.api import LIMIT_BUY, MARKET_BUY, Api, code
from tests.local_exchange.conftest import Running
from tests.local_exchange.sockets import Socket, opened

ORDER = "POST /api/v3/order"


async def orders(api: Api) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = (await api.books())["orders"]
    return kept


async def test_the_kinds_are_listed(api: Api) -> None:
    kinds = (await api.http.get("/control/fault")).json()["kinds"]
    assert {"refuse", "fail_after", "drop_before", "delay", "ban", "event_twice", "wipe"} <= {
        kind["kind"] for kind in kinds
    }
    assert all(kind["does"] and kind["strikes"] for kind in kinds)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"kind": "none"},
        {"kind": ["refuse"]},
        {"kind": "refuse", "many": 1},
        {"kind": "thin_market"},
        {"kind": "ban", "times": -1},
        {"kind": "delay", "seconds": "long"},
        {"kind": "delay", "seconds": "-1"},
        {"kind": "delay", "seconds": "1E+400"},
        {"kind": "refuse", "code": "many"},
        {"kind": "refuse", "code": "-1000.5"},
        {"kind": "refuse", "status": 99999},
        {"kind": "refuse", "msg": 5},
        {"kind": "refuse", "apiKey": 5},
        {"kind": "rate_limit", "retry_after": "soon"},
        {"kind": "event_lost", "event": ["TRADE"]},
        {"kind": "clock_skew", "ms": "1E+30"},
        {"kind": "close_streams", "code": 1005},
        {"kind": "balance_taken", "apiKey": "x", "asset": "USDT", "amount": "1E-999999"},
        {"kind": "partial_fill", "apiKey": "x", "symbol": "BTCUSDT", "quantity": "1", "orderId": "1E+999999"},
        {"kind": "revoke_key", "apiKey": "x", "restore": "no"},
    ],
)
async def test_what_is_no_fault_is_refused(api: Api, told: dict[str, Any]) -> None:
    answer = await api.http.post("/control/fault", json=told)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


async def test_a_refusal_strikes_as_often_as_it_is_told(api: Api) -> None:
    await api.control("fault", kind="refuse", code=-2015, match=ORDER, times=2)
    assert (await api.signed("GET", "/api/v3/account")).status_code == 200
    for _ in range(2):
        assert code(await api.order(MARKET_BUY)) == (
            401,
            -2015,
            "Invalid API-key, IP, or permissions for action.",
        )
    assert (await api.order(MARKET_BUY)).status_code == 200


@pytest.mark.parametrize("number", ERRORS)
async def test_a_refusal_has_a_text_without_blanks(api: Api, number: int) -> None:
    await api.control("fault", kind="refuse", code=number)
    status, refused, text = code(await api.order(MARKET_BUY))
    assert (status, refused) == (ERRORS[number][0], number)
    assert "{" not in text


@pytest.mark.parametrize(("kind", "are_there"), [("fail_before", 0), ("fail_after", 1)])
async def test_a_server_error_says_nothing_of_what_was_done(api: Api, kind: str, are_there: int) -> None:
    await api.control("fault", kind=kind, match=ORDER)
    assert code(await api.order(MARKET_BUY))[:2] == (503, -1007)
    assert len(await orders(api)) == are_there


@pytest.mark.parametrize(("kind", "are_there"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_cut_connection_says_nothing_of_what_was_done(api: Api, kind: str, are_there: int) -> None:
    await api.control("fault", kind=kind, match=ORDER)
    with pytest.raises(httpx.TransportError):
        await api.order(MARKET_BUY)
    assert len(await orders(api)) == are_there


@pytest.mark.parametrize(("kind", "are_there"), [("delay", 0), ("delay_after", 1)])
async def test_an_answer_that_comes_too_late(api: Api, kind: str, are_there: int) -> None:
    await api.control("fault", kind=kind, match=ORDER, seconds="600")
    with pytest.raises(httpx.ReadTimeout):
        await api.http.request(
            "POST", "/api/v3/order", content=await signed_order(api), headers={"X-MBX-APIKEY": api.key}, timeout=0.3
        )
    assert len(await orders(api)) == are_there


async def signed_order(api: Api) -> bytes:
    """Return the query of a signed market order."""
    sent: list[bytes] = []

    def keep(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.query)
        return httpx.Response(200)

    async with httpx.AsyncClient(base_url="http://nowhere", transport=httpx.MockTransport(keep)) as http:
        await Api(http, api.key, api.secret).order(MARKET_BUY)
    return sent[0]


async def test_limits_that_are_said_to_be_reached(api: Api) -> None:
    await api.control("fault", kind="rate_limit", retry_after=7)
    answer = await api.order(MARKET_BUY)
    assert (code(answer)[:2], answer.headers["Retry-After"]) == ((429, -1003), "7")
    await api.control("fault", kind="ban", match=ORDER, retry_after=60)
    assert code(await api.order(MARKET_BUY))[:2] == (418, -1003)
    answer = await api.call("GET", "/api/v3/ping")  # and all else from there
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 50) == (418, True)
    await api.control("reset")
    assert (await api.call("GET", "/api/v3/ping")).status_code == 200


async def test_a_wall_answers_with_a_page_and_a_broken_server_with_half_a_body(api: Api) -> None:
    await api.control("fault", kind="waf")
    answer = await api.call("GET", "/api/v3/time")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (403, "text/html")
    await api.control("fault", kind="garbage")
    answer = await api.call("GET", "/api/v3/time")
    with pytest.raises(ValueError, match=r"JSON|Expecting|delimiter"):
        answer.json()


async def test_a_clock_that_is_wrong(api: Api) -> None:
    await api.control("fault", kind="clock_skew", ms=20_000)
    assert code(await api.order(MARKET_BUY))[1] == -1021
    ahead = (await api.call("GET", "/api/v3/time")).json()["serverTime"]
    await api.control("fault", kind="clock_skew", ms=0)
    assert ahead - (await api.call("GET", "/api/v3/time")).json()["serverTime"] > 15_000


async def test_what_the_staff_does_to_orders_and_accounts(api: Api) -> None:
    await api.order(LIMIT_BUY)
    await api.control("fault", kind="partial_fill", apiKey=api.key, symbol="BTCUSDT", quantity="0.004")
    assert [(one["status"], one["executed"]) for one in await orders(api)] == [("PARTIALLY_FILLED", "0.004")]
    await api.control("fault", kind="expire_order", apiKey=api.key, symbol="BTCUSDT")
    assert [(one["status"], one["executed"]) for one in await orders(api)] == [("EXPIRED", "0.004")]
    await api.control("fault", kind="balance_taken", apiKey=api.key, asset="USDT")
    assert code(await api.order(MARKET_BUY))[1] == -2010
    await api.control("balance", apiKey=api.key, asset="USDT", free="500")
    assert await api.free("USDT") == "500.00000000"
    await api.control("fault", kind="disable_account", apiKey=api.key)
    assert code(await api.order(MARKET_BUY)) == (400, -2010, "This action is disabled on this account.")
    await api.control("fault", kind="revoke_key", apiKey=api.key)
    assert code(await api.order(MARKET_BUY))[:2] == (401, -2015)
    await api.control("fault", kind="revoke_key", apiKey=api.key, restore=True)
    await api.control("fault", kind="wipe")
    gone = await api.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=1)
    assert (code(gone)[1], await api.free("USDT")) == (-2013, "10000.00000000")


async def test_a_reset_is_a_new_beginning(api: Api) -> None:
    await api.order(LIMIT_BUY)
    await api.control("fault", kind="refuse", times=None)
    await api.control("symbol", symbol="BTCUSDT", status="BREAK")
    await api.control("reset")
    assert (await orders(api), await api.free("USDT")) == ([], "10000.00000000")
    assert (await api.order(MARKET_BUY)).status_code == 200


async def subscribed(user: Socket, api: Api) -> int:
    number: int = (await user.signed(api, "userDataStream.subscribe.signature"))["result"]["subscriptionId"]
    return number


async def kinds(user: Socket, count: int) -> list[str]:
    events = [(await user.read())["event"] for _ in range(count)]
    return [event.get("x", event["e"]) for event in events]


async def test_the_first_order_after_a_wipe_is_a_new_one(running: Running, api: Api) -> None:
    async with opened(running.urls.ws_api) as user:
        await subscribed(user, api)
        await api.order(LIMIT_BUY)
        assert await kinds(user, 2) == ["NEW", "outboundAccountPosition"]
        await api.control("fault", kind="wipe")
        await api.order(LIMIT_BUY)  # numbers begin anew, and it bears that of the one before
        assert await kinds(user, 2) == ["NEW", "outboundAccountPosition"]


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        ({"kind": "event_lost", "event": "NEW"}, ["TRADE", "outboundAccountPosition"]),
        ({"kind": "event_twice", "event": "TRADE"}, ["NEW", "TRADE", "TRADE", "outboundAccountPosition"]),
        ({"kind": "events_swapped", "event": "NEW"}, ["TRADE", "NEW", "outboundAccountPosition"]),
        ({"kind": "event_late", "event": "NEW", "seconds": "0.05"}, ["TRADE", "outboundAccountPosition", "NEW"]),
    ],
)
async def test_events_that_are_not_told_as_they_should(
    api: Api, running: Running, fault: dict[str, str], heard: list[str]
) -> None:
    async with opened(running.urls.ws_api) as user:
        await subscribed(user, api)
        await api.control("fault", **fault)
        await api.order(MARKET_BUY)
        assert await kinds(user, len(heard)) == heard


async def test_streams_that_end(api: Api, running: Running) -> None:
    async with opened(running.urls.ws_api) as user, opened(f"{running.urls.stream}/ws/btcusdt@trade") as market:
        await subscribed(user, api)
        await api.control("fault", kind="server_shutdown")
        assert (await market.read())["e"] == "serverShutdown"
        assert (await user.read())["event"]["e"] == "serverShutdown"
        await api.control("fault", kind="stop_events")
        await api.order(MARKET_BUY)
        await api.control("fault", kind="close_streams", which="user")
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await user.read()  # nothing came before the end
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        await api.control("fault", kind="abort_streams", which="market")
        with pytest.raises(websockets.ConnectionClosedError) as cut:
            await end_of(market)
        assert cut.value.rcvd is None


async def end_of(socket: Socket) -> None:
    """Read on until there is nothing more."""
    while True:
        await socket.read()


async def test_a_request_over_a_socket_is_struck_too(api: Api, running: Running) -> None:
    async with opened(running.urls.ws_api) as user:
        await api.control("fault", kind="fail_after", match="order.place")
        told = await user.signed(api, "order.place", MARKET_BUY)
        assert (told["status"], told["error"]["code"], len(await orders(api))) == (503, -1007, 1)
        await api.control("fault", kind="drop_after", match="order.place")
        with pytest.raises(websockets.ConnectionClosedError):
            await user.signed(api, "order.place", MARKET_BUY)
        assert len(await orders(api)) == 2


async def test_faults_of_one_account_leave_others_alone(api: Api) -> None:
    other = Api(api.http, "another", "secret")
    await api.control("fault", kind="refuse", apiKey=api.key, times=None)
    assert (await api.order(MARKET_BUY)).status_code == 500
    assert (await other.order(MARKET_BUY)).status_code == 200


async def test_f19_an_order_that_meets_another_one_of_its_owner_expires_in_match(api: Api, running: Running) -> None:
    async with opened(running.urls.ws_api) as events:
        await events.signed(api, "userDataStream.subscribe.signature")
        await api.order(LIMIT_BUY)
        await api.control("fault", kind="partial_fill", apiKey=api.key, symbol="BTCUSDT", quantity="0.004")
        await api.control("fault", kind="self_trade", apiKey=api.key, symbol="BTCUSDT")
        told: dict[str, Any] = {}
        while told.get("x") != "TRADE_PREVENTION":
            told = (await events.read())["event"]
    assert (told["X"], told["z"], told["A"], told["v"]) == ("EXPIRED_IN_MATCH", "0.00400000", "0.00600000", 1)
    assert "eR" not in told
    query = (await api.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=1)).json()
    assert (query["status"], query["executedQty"]) == ("EXPIRED_IN_MATCH", "0.00400000")
    assert (query["preventedQuantity"], query["preventedMatchId"]) == ("0.00600000", 1)
    assert "expiryReason" not in query
    assert [one["status"] for one in await orders(api)] == ["EXPIRED_IN_MATCH"]


@pytest.mark.parametrize(("share", "executed"), [("0", "0.00000000"), ("0.4", "0.00400000")])
async def test_f19_a_market_order_may_meet_an_own_order_before_it_has_all(api: Api, share: str, executed: str) -> None:
    await api.control("fault", kind="thin_market", symbol="BTCUSDT", share=share, in_match=True)
    answer = (await api.order(MARKET_BUY)).json()
    assert (answer["status"], answer["executedQty"]) == ("EXPIRED_IN_MATCH", executed)
    assert len(answer["fills"]) == (share != "0")
    assert (await api.order(MARKET_BUY)).json()["status"] == "FILLED"
    await api.control("fault", kind="thin_market", symbol="BTCUSDT", share="0.4")
    assert (await api.order(MARKET_BUY)).json()["status"] == "EXPIRED"
