"""Orders over REST: what is refused and how, what is locked, what comes back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_exchange.api import LIMIT_BUY, MARKET_BUY, Api, code
from tests.local_exchange.conftest import Running

LIMIT_SELL = LIMIT_BUY | {"side": "SELL", "price": "31000"}


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"symbol": "DOGEUSDT"}, (-1121, "Invalid symbol.")),
        ({"symbol": ""}, (-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")),
        ({"side": "HOLD"}, (-1117, "Invalid side.")),
        ({"type": "SOMETIME"}, (-1116, "Invalid orderType.")),
        ({"type": "STOP_LOSS"}, (-2010, "Stop loss orders are not supported for this symbol.")),
        ({"timeInForce": "NOW"}, (-1115, "Invalid timeInForce.")),
        ({"timeInForce": ""}, (-1102, "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.")),
        (
            {"quantity": "1e-05"},
            (
                -1100,
                r"Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'.",
            ),
        ),
        ({"quantity": "0.010000001"}, (-1111, "Parameter 'quantity' has too much precision.")),
        ({"quantity": "0"}, (-1013, "Invalid quantity.")),
        ({"price": "0"}, (-1013, "Invalid price.")),
        ({"price": "29000.001"}, (-1013, "Filter failure: PRICE_FILTER")),
        ({"price": "2000000"}, (-1013, "Filter failure: PRICE_FILTER")),
        ({"price": "5999"}, (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")),
        ({"price": "150000.01"}, (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")),
        ({"quantity": "0.010001"}, (-1013, "Filter failure: LOT_SIZE")),
        ({"quantity": "0.000001"}, (-1013, "Filter failure: LOT_SIZE")),
        ({"quantity": "0.00001"}, (-1013, "Filter failure: NOTIONAL")),
        ({"quantity": "1"}, (-2010, "Account has insufficient balance for requested action.")),
        ({"newClientOrderId": "no spaces"}, (-1100, None)),
        ({"newClientOrderId": "x" * 37}, (-1100, None)),
        ({"newClientOrderId": "mine\n"}, (-1100, None)),
        ({"quantity": "0.01\n"}, (-1100, None)),
        ({"strategyId": "7\n"}, (-1100, None)),
        ({"pegPriceType": "PRIMARY_PEG"}, (-1106, "Parameter 'pegPriceType' sent when not required.")),
        ({"stopPrice": "1"}, (-1106, "Parameter 'stopPrice' sent when not required.")),
        ({"icebergQty": "1"}, (-2010, "Iceberg orders are not supported for this symbol.")),
        ({"strategyType": "1"}, (-1130, "Data sent for parameter 'strategyType' is not valid.")),
        ({"newOrderRespType": "ALL"}, (-1130, None)),
    ],
)
async def test_what_is_refused(api: Api, change: dict[str, str], refused: tuple[int, str | None]) -> None:
    answer = await api.order(LIMIT_BUY | change)
    status, number, text = code(answer)
    assert (status, number) == (400, refused[0]), text
    assert refused[1] in {None, text}
    assert (await api.books())["orders"] == []


@pytest.mark.parametrize(
    ("params", "refused"),
    [
        ({"price": "1"}, -1106),
        ({"timeInForce": "GTC"}, -1106),
        ({"quoteOrderQty": "100"}, -1128),
        ({"quantity": "0.0001"}, -1013),
    ],
)
async def test_what_does_not_go_with_a_market_order(api: Api, params: dict[str, str], refused: int) -> None:
    assert code(await api.order(MARKET_BUY | params))[1] == refused


async def test_a_market_order_needs_a_quantity_or_a_sum(api: Api) -> None:
    params = {name: value for name, value in MARKET_BUY.items() if name != "quantity"}
    assert code(await api.order(params))[1] == -1102
    bought = (await api.order(params, quoteOrderQty="100")).json()
    assert (bought["origQty"], bought["origQuoteOrderQty"], bought["cummulativeQuoteQty"]) == (
        "0.00333000",
        "100.00000000",
        "99.90000000",
    )


async def test_funds_are_locked_and_given_back(api: Api, running: Running) -> None:
    placed = (await api.order(LIMIT_BUY)).json()
    assert await api.free("USDT") == "9710.00000000"
    await api.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert await api.free("USDT") == "10000.00000000"
    better = (await api.order(LIMIT_BUY, price="30500")).json()  # a taker, at the price where the market is
    assert (better["status"], better["fills"][0]["price"]) == ("FILLED", "30000.00000000")
    assert await api.free("USDT") == "9700.00000000"
    assert await api.free("BTC") == "0.00999000"
    running.move("BTCUSDT", "28000")
    await api.order(LIMIT_BUY, price="27000")
    running.move("BTCUSDT", "26000")  # a gap: the maker gets its own price
    last = (await api.books())["fills"][-1]
    assert (last["price"], last["is_maker"]) == ("27000", True)


async def test_a_limit_is_locked_whole_before_it_fills_better(api: Api) -> None:
    answer = await api.order(LIMIT_BUY, quantity="0.33", price="31000")  # 9,900 at the market, 10,230 at its limit
    assert code(answer) == (400, -2010, "Account has insufficient balance for requested action.")


async def test_client_ids_are_unique_among_open_orders_only(api: Api, running: Running) -> None:
    first = await api.order(LIMIT_BUY, newClientOrderId="mine")
    assert code(await api.order(LIMIT_BUY, newClientOrderId="mine")) == (400, -2010, "Duplicate order sent.")
    running.move("BTCUSDT", "29000")
    second = await api.order(LIMIT_BUY, newClientOrderId="mine", price="28000")
    assert second.status_code == 200
    assert second.json()["orderId"] > first.json()["orderId"]


async def test_a_market_order_that_runs_out_expires_with_what_it_got(api: Api) -> None:
    await api.control("fault", kind="thin_market", symbol="BTCUSDT", share="0.4")
    order = (await api.order(MARKET_BUY)).json()
    assert (order["status"], order["executedQty"], order["expiryReason"]) == (
        "EXPIRED",
        "0.00400000",
        "INSUFFICIENT_LIQUIDITY",
    )
    assert [fill["qty"] for fill in order["fills"]] == ["0.00400000"]


@pytest.mark.parametrize("force", ["IOC", "FOK"])
async def test_what_may_not_rest_expires(api: Api, force: str) -> None:
    order = (await api.order(LIMIT_BUY, timeInForce=force)).json()
    assert (order["status"], order["executedQty"], order["timeInForce"]) == ("EXPIRED", "0.00000000", force)
    assert (await api.order(LIMIT_BUY, timeInForce=force, price="30000")).json()["status"] == "FILLED"
    assert await api.free("USDT") == "9700.00000000"


async def test_a_maker_is_refused_where_it_would_take(api: Api) -> None:
    params = {name: value for name, value in LIMIT_BUY.items() if name != "timeInForce"} | {"type": "LIMIT_MAKER"}
    assert code(await api.order(params, price="30000")) == (400, -2010, "Order would immediately match and take.")
    assert set((await api.order(params)).json()) == {
        "symbol",
        "orderId",
        "orderListId",
        "clientOrderId",
        "transactTime",
    }


async def test_orders_are_asked_for_and_cancelled_by_either_id(api: Api) -> None:
    unknown = await api.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="none")
    assert code(unknown) == (400, -2013, "Order does not exist.")
    none = await api.signed("GET", "/api/v3/order", symbol="BTCUSDT")
    assert code(none)[1] == -1102
    assert code(await api.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")) == (
        400,
        -2011,
        "Unknown order sent.",
    )
    placed = (await api.order(LIMIT_BUY, newClientOrderId="mine")).json()
    both: dict[str, Any] = {"symbol": "BTCUSDT", "orderId": placed["orderId"], "origClientOrderId": "other"}
    assert code(await api.signed("GET", "/api/v3/order", both))[1] == -2039
    kept = await api.signed(
        "DELETE",
        "/api/v3/order",
        symbol="BTCUSDT",
        origClientOrderId="mine",
        cancelRestrictions="ONLY_PARTIALLY_FILLED",
    )
    assert code(kept) == (400, -2011, "Order was not canceled due to cancel restrictions.")
    gone = await api.signed(
        "DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="off"
    )
    assert (gone.json()["clientOrderId"], gone.json()["origClientOrderId"]) == ("off", "mine")
    row = (await api.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")).json()
    assert (row["status"], row["clientOrderId"]) == ("CANCELED", "mine")


async def test_a_quantity_is_lowered_in_place(api: Api) -> None:
    placed = (await api.order(LIMIT_BUY, newClientOrderId="mine")).json()
    path, order = "/api/v3/order/amend/keepPriority", {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    grown = await api.signed("PUT", path, order, newQty="0.02")
    assert code(grown) == (400, -2038, "Order amend (quantity increase) is not supported.")
    told = (await api.signed("PUT", path, order, newQty="0.004", newClientOrderId="less")).json()["amendedOrder"]
    assert (told["qty"], told["origClientOrderId"], told["clientOrderId"]) == ("0.00400000", "mine", "less")
    assert await api.free("USDT") == "9884.00000000"
    found = await api.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="less")
    assert found.json()["origQty"] == "0.00400000"


async def test_a_lower_quantity_breaks_no_rule(api: Api) -> None:
    await api.order(LIMIT_BUY, newClientOrderId="other")
    placed = (await api.order(LIMIT_BUY, newClientOrderId="mine")).json()
    path, order = "/api/v3/order/amend/keepPriority", {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    small = await api.signed("PUT", path, order, newQty="0.00017", newClientOrderId="mine")
    assert code(small) == (400, -1013, "Filter failure: NOTIONAL")  # 4.93 of at least 5
    twin = await api.signed("PUT", path, order, newQty="0.005", newClientOrderId="other")
    assert code(twin) == (400, -2038, "Duplicate order sent.")
    same = await api.signed("PUT", path, order, newQty="0.005", newClientOrderId="mine")
    assert same.json()["amendedOrder"]["clientOrderId"] == "mine"


async def test_a_test_places_nothing(api: Api) -> None:
    assert (await api.signed("POST", "/api/v3/order/test", LIMIT_BUY)).json() == {}
    assert code(await api.signed("POST", "/api/v3/order/test", LIMIT_BUY, price="1"))[1] == -1013
    rates = (await api.signed("POST", "/api/v3/order/test", LIMIT_BUY, computeCommissionRates="true")).json()
    assert rates["standardCommissionForOrder"]["maker"] == "0.00100000"
    assert (await api.books())["orders"] == []


async def test_a_halted_symbol_takes_no_orders_and_lets_them_go(api: Api) -> None:
    placed = (await api.order(LIMIT_BUY)).json()
    await api.control("symbol", symbol="BTCUSDT", status="BREAK")
    assert code(await api.order(MARKET_BUY)) == (400, -1013, "Market is closed.")
    info = (await api.call("GET", "/api/v3/exchangeInfo", symbol="BTCUSDT")).json()
    assert info["symbols"][0]["status"] == "BREAK"
    await api.control("price", symbol="BTCUSDT", price="28000")
    assert (await api.books())["fills"] == []
    gone = await api.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert gone.json()["status"] == "CANCELED"
    await api.control("symbol", symbol="BTCUSDT", status="TRADING")
    assert (await api.order(MARKET_BUY)).status_code == 200


async def test_a_sale_pays_its_fee_in_what_it_brings(api: Api) -> None:
    await api.order(MARKET_BUY)
    refused = await api.order(LIMIT_SELL)  # all that was bought, and the fee is gone of it
    assert code(refused) == (400, -2010, "Account has insufficient balance for requested action.")
    sold = (await api.order(MARKET_BUY | {"side": "SELL", "quantity": "0.00999"})).json()
    assert [(fill["commission"], fill["commissionAsset"]) for fill in sold["fills"]] == [("0.29970000", "USDT")]
    trades = (await api.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")).json()
    assert [(trade["isBuyer"], trade["quoteQty"]) for trade in trades] == [
        (True, "300.00000000"),
        (False, "299.70000000"),
    ]
    later = await api.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", fromId=trades[1]["id"])
    assert [trade["id"] for trade in later.json()] == [trades[1]["id"]]


# ------------------------------------------------------------------------------------------- filters set for a symbol


@pytest.mark.parametrize(
    ("filters", "order"),
    [
        ({"PERCENT_PRICE_BY_SIDE": {"bidMultiplierDown": "0.97"}}, LIMIT_BUY),
        ({"PERCENT_PRICE_BY_SIDE": {"askMultiplierUp": "1.03"}}, LIMIT_SELL),
        ({"PERCENT_PRICE": {"multiplierUp": "1.5", "multiplierDown": "0.97"}}, LIMIT_BUY),
        ({"LOT_SIZE": {"maxQty": "0.009"}}, LIMIT_BUY),
        ({"MARKET_LOT_SIZE": {"maxQty": "0.009"}}, MARKET_BUY),
        ({"PRICE_FILTER": {"maxPrice": "28999"}}, LIMIT_BUY),
        ({"PRICE_FILTER": {"minPrice": "29001"}}, LIMIT_BUY),
        ({"NOTIONAL": {"maxNotional": "289"}}, LIMIT_BUY),
        ({"NOTIONAL": {"maxNotional": "299"}}, MARKET_BUY),
        ({"MAX_NUM_ORDERS": {"maxNumOrders": 0}}, LIMIT_BUY),
        ({"MAX_POSITION": {"maxPosition": "0.009"}}, LIMIT_BUY),
    ],
)
async def test_f09_a_filter_that_was_set_is_told_and_refuses(
    api: Api, filters: dict[str, dict[str, Any]], order: dict[str, str]
) -> None:
    ((name, rule),) = filters.items()
    told = await api.control("symbol", symbol="BTCUSDT", filters=filters)
    assert told["status"] == "TRADING"
    (symbol,) = (await api.call("GET", "/api/v3/exchangeInfo", symbol="BTCUSDT")).json()["symbols"]
    (listed,) = [one for one in symbol["filters"] if one["filterType"] == name]
    assert rule.items() <= listed.items()
    assert code(await api.order(order)) == (400, -1013, f"Filter failure: {name}")
    await api.control("symbol", symbol="BTCUSDT", filters={})
    assert (await api.order(order)).status_code == (200 if order is not LIMIT_SELL else 400)


async def test_bounds_that_do_not_apply_to_market_orders(api: Api) -> None:
    off = {"NOTIONAL": {"maxNotional": "1", "applyMaxToMarket": False}}
    await api.control("symbol", symbol="BTCUSDT", filters=off)
    assert (await api.order(MARKET_BUY)).status_code == 200


async def test_a_position_counts_what_is_held_and_what_is_being_bought(api: Api) -> None:
    await api.control("symbol", symbol="BTCUSDT", filters={"MAX_POSITION": {"maxPosition": "0.03"}})
    for params in (MARKET_BUY, LIMIT_BUY, LIMIT_BUY):
        assert (await api.order(params)).status_code == 200
    assert code(await api.order(LIMIT_BUY))[2] == "Filter failure: MAX_POSITION"
    assert (await api.order(LIMIT_SELL | {"quantity": "0.009"})).status_code == 200


@pytest.mark.parametrize(
    "filters",
    ["none", {"SOMETHING": {}}, {"LOT_SIZE": 1}, {"LOT_SIZE": {"maxQty": "a lot"}}, {"LOT_SIZE": {"maxQty": -1}}],
)
async def test_filters_that_make_no_sense(api: Api, filters: object) -> None:
    answer = await api.http.post("/control/symbol", json={"symbol": "BTCUSDT", "filters": filters})
    assert answer.status_code == 400
    assert "error" in answer.json()
