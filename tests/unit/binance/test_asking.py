"""Questions: what they are on the wire, what may be asked again, and what an answer that is none means."""

from __future__ import annotations

import asyncio
import datetime
from decimal import Decimal

import pytest

from dcacore.adapters.binance.urls import KNOWN, LIVE
from dcacore.domain.ids import OrderId
from dcacore.domain.limits import Band, Bound, Limits
from dcacore.domain.orders import Side
from dcacore.domain.venue import VenueOrderId, VenueStatus
from dcacore.ports.errors import BadCredentials, Rejected, Unavailable, UnknownPair
from dcacore.ports.exchange import Balance
from dcacore.ports.records import Environment
from tests.unit.binance.conftest import Bench
from tests.unit.binance.wire import Answer, Drop, Json, Say, Seen, refusal, symbol

PAIR = "BTCUSDT"


def row(number: int = 12, **changes: Json) -> dict[str, Json]:
    """Return an order as a question is answered."""
    return {
        "symbol": PAIR,
        "orderId": number,
        "clientOrderId": "one",
        "price": "29000.00",
        "origQty": "0.01000000",
        "executedQty": "0.00400000",
        "status": "PARTIALLY_FILLED",
        "type": "LIMIT",
        "side": "BUY",
        **changes,
    }


def trade(number: int, **changes: Json) -> dict[str, Json]:
    """Return a row of `myTrades`."""
    return {
        "symbol": PAIR,
        "id": number,
        "orderId": 12,
        "price": "29000",
        "qty": "0.004",
        "commission": "0.000004",
        "commissionAsset": "BTC",
        "time": 1700000000000 + number,
        "isBuyer": True,
        "isMaker": True,
        **changes,
    }


async def test_an_order_is_asked_for_by_either_id(bench: Bench) -> None:
    bench.wire.answers["GET order"] = Say(row())
    found = await bench.exchange.find(PAIR, order_id=OrderId("one"))
    assert found is not None
    assert (found.status, found.executed, found.price) == (VenueStatus.OPEN, Decimal("0.004"), Decimal(29000))
    assert await bench.exchange.find(PAIR, venue_order_id=VenueOrderId("12")) == found
    first, second = bench.wire.calls("GET order")
    assert first.params["origClientOrderId"] == "one"
    assert second.params["orderId"] == "12"


@pytest.mark.parametrize("code", [-2013, -2026])
async def test_no_such_order_is_none(bench: Bench, code: int) -> None:
    bench.wire.answers["GET order"] = refusal(code, "Order does not exist.")
    assert await bench.exchange.find(PAIR, order_id=OrderId("one")) is None


@pytest.mark.parametrize(
    ("status", "stands"),
    [
        ("PENDING_NEW", VenueStatus.OPEN),
        ("CANCELED", VenueStatus.CANCELED),
        ("EXPIRED_IN_MATCH", VenueStatus.EXPIRED),
        ("REJECTED", VenueStatus.REJECTED),
        ("HIBERNATING", VenueStatus.OTHER),
    ],
)
async def test_f63_statuses_known_and_unknown(bench: Bench, status: str, stands: VenueStatus) -> None:
    bench.wire.answers["GET order"] = Say(row(status=status, type="MARKET", price="0.0"))
    found = await bench.exchange.find(PAIR, order_id=OrderId("one"))
    assert found is not None
    assert (found.status, found.price) == (stands, None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Say("oops", 500), Unavailable),
        (Say("<html></html>"), Unavailable),
        (Say({"orderId": 1}), Unavailable),
        (Say(row(symbol="ETHUSDT")), Unavailable),
        (Say(row(clientOrderId="two")), Unavailable),
        (Say(delay=2), Unavailable),
        (Drop(), Unavailable),
        (refusal(-2010, "What?"), Unavailable),
        (refusal(-1121, "Invalid symbol."), UnknownPair),
        (refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401), BadCredentials),
    ],
    ids=str,
)
async def test_f64_a_question_that_is_not_answered_says_so(
    bench: Bench, answer: Answer, error: type[Exception]
) -> None:
    bench.wire.answers["GET order"] = answer
    with pytest.raises(error) as raised:
        await bench.exchange.find(PAIR, order_id=OrderId("one"))
    assert type(raised.value) is error


async def test_f54_a_question_is_asked_once_more_after_the_clock_has_been_set(bench: Bench) -> None:
    bench.wire.once["GET order"] = [refusal(-1021, "Timestamp for this request is outside of the recvWindow.")]
    bench.wire.answers["GET order"] = Say(row())
    bench.wire.skew = datetime.timedelta(seconds=-50)
    assert await bench.exchange.find(PAIR, order_id=OrderId("one")) is not None
    early, late = (int(seen.params["timestamp"]) for seen in bench.wire.calls("GET order"))
    assert late < early - 45_000


async def test_a_cancel_that_is_refused_and_one_that_is_not_answered(bench: Bench) -> None:
    with pytest.raises(Rejected) as refused:
        await bench.exchange.cancel(PAIR, OrderId("one"))
    assert refused.value.code == -2011
    (seen,) = bench.wire.calls("DELETE order")
    assert (seen.params["origClientOrderId"], seen.params["symbol"]) == ("one", PAIR)


async def test_trades_are_read_page_by_page(bench: Bench) -> None:
    def page(seen: Seen) -> Say:
        first = int(seen.params.get("fromId", 1))
        return Say([trade(number) for number in range(first, min(first + 1000, 2500))])

    bench.wire.answers["GET myTrades"] = page
    trades = await bench.exchange.trades(PAIR)
    assert [int(it.trade_id) for it in trades] == list(range(1, 2500))
    assert trades[0].side is Side.BUY
    begins = [seen.params.get("fromId") for seen in bench.wire.calls("GET myTrades")]
    assert begins == [None, "1001", "2001"]
    assert "startTime" in bench.wire.calls("GET myTrades")[0].params
    later = await bench.exchange.trades(PAIR, after="2490")
    assert [int(it.trade_id) for it in later] == list(range(2491, 2500))


async def test_trades_of_an_order_bear_our_id_of_it_when_it_is_known(bench: Bench) -> None:
    bench.wire.answers["GET myTrades"] = Say([trade(3), trade(2)])
    trades = await bench.exchange.trades(PAIR, venue_order_id=VenueOrderId("12"))
    assert [(it.trade_id, it.order_id) for it in trades] == [("2", None), ("3", None)]
    bench.wire.answers["GET order"] = Say(row())
    await bench.exchange.find(PAIR, order_id=OrderId("one"))
    trades = await bench.exchange.trades(PAIR, venue_order_id=VenueOrderId("12"))
    assert [it.order_id for it in trades] == ["one", "one"]
    assert bench.wire.calls("GET myTrades")[-1].params["orderId"] == "12"


async def test_trades_whose_fees_cannot_be_valued_now_are_told_later(bench: Bench) -> None:
    bench.wire.answers["GET myTrades"] = Say([trade(3, commissionAsset="BNB")])
    bench.wire.once["GET klines"] = [Say("", 500)]
    with pytest.raises(Unavailable):
        await bench.exchange.trades(PAIR)
    (told,) = await bench.exchange.trades(PAIR)
    assert told.fee_rate == Decimal("250.50")
    await bench.exchange.trades(PAIR)
    assert len(bench.wire.calls("GET klines")) == 2


async def test_open_orders_are_told_oldest_first(bench: Bench) -> None:
    bench.wire.answers["GET openOrders"] = Say([row(15), row(9), row(11, clientOrderId="web_1")])
    assert [it.venue_order_id for it in await bench.exchange.open_orders(PAIR)] == ["9", "11", "15"]


async def test_balances(bench: Bench) -> None:
    assert await bench.exchange.balances() == {"USDT": Balance(Decimal(1000), Decimal(0))}


# ------------------------------------------------------------------------------------------------------------ the rules


async def test_rules_are_read_once_an_hour_for_all_accounts(bench: Bench) -> None:
    first = await bench.exchange.listing(PAIR)
    assert first.is_trading
    assert (first.market.tick_size, first.market.step_size) == (Decimal("0.01"), Decimal("0.00001"))
    assert (first.market.min_notional, first.market.min_quantity) == (Decimal(5), Decimal("0.00001"))
    await bench.exchange.listing(PAIR)
    assert len(bench.wire.calls("GET exchangeInfo")) == 1
    bench.wire.pairs[PAIR] = symbol(status="BREAK")
    await bench.exchange.reload_rules(PAIR)
    assert not (await bench.exchange.listing(PAIR)).is_trading


async def test_many_pairs_are_asked_for_together(bench: Bench) -> None:
    names = [f"A{number}USDT" for number in range(20)]
    bench.wire.pairs.update({name: symbol(name) for name in names})
    listings = await asyncio.gather(*(bench.exchange.listing(name) for name in names))
    assert [it.market.pair for it in listings] == names
    assert len(bench.wire.calls("GET exchangeInfo")) == 2


async def test_a_pair_that_is_not_listed_spoils_no_other(bench: Bench) -> None:
    answers = await asyncio.gather(
        *(bench.exchange.listing(name) for name in (PAIR, "XYZUSDT", PAIR)), return_exceptions=True
    )
    assert [type(it).__name__ for it in answers] == ["Listing", "UnknownPair", "Listing"]


async def test_stricter_filters_of_market_orders_hold(bench: Bench) -> None:
    odd = symbol()
    odd["filters"][2] = {"filterType": "MARKET_LOT_SIZE", "minQty": "0.5", "maxQty": "100", "stepSize": "0.10"}
    odd["filters"][3] = {"filterType": "MIN_NOTIONAL", "minNotional": "10.0"}
    bench.wire.pairs[PAIR] = odd
    market = (await bench.exchange.listing(PAIR)).market
    assert (market.step_size, market.min_quantity, market.min_notional) == (Decimal("0.1"), Decimal("0.5"), Decimal(10))


async def test_f09_how_far_orders_may_go_is_read_from_the_filters(bench: Bench) -> None:
    listed = symbol()
    listed["filters"] += [
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": "5",
            "bidMultiplierDown": "0.20000000",
            "askMultiplierUp": "4",
            "askMultiplierDown": "0.3",
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_POSITION", "maxPosition": "10.00000000"},
    ]
    listed["filters"][3] |= {"maxNotional": "9000000.00000000", "applyMaxToMarket": False}
    bench.wire.pairs[PAIR] = listed
    by_side = "PERCENT_PRICE_BY_SIDE"
    assert (await bench.exchange.listing(PAIR)).limits == Limits(
        buys=Band(by_side, Decimal("0.2"), Decimal(5)),
        sells=Band(by_side, Decimal("0.3"), Decimal(4)),
        least_price=Bound("PRICE_FILTER", Decimal("0.01")),
        most_price=Bound("PRICE_FILTER", Decimal(1000000)),
        quantity=Bound("LOT_SIZE", Decimal(9000)),
        market_quantity=Bound("MARKET_LOT_SIZE", Decimal(100)),
        notional=Bound("NOTIONAL", Decimal(9000000)),
        orders=Bound("MAX_NUM_ORDERS", Decimal(200)),
        position=Bound("MAX_POSITION", Decimal(10)),
    )


async def test_an_older_pair_has_one_band_for_both_sides_and_0_is_no_bound(bench: Bench) -> None:
    listed = symbol()
    listed["filters"][0] |= {"minPrice": "0.00000000", "maxPrice": "0.00000000"}
    listed["filters"][3] |= {"maxNotional": "500", "applyMaxToMarket": True}
    listed["filters"].append({"filterType": "PERCENT_PRICE", "multiplierUp": "1.3", "multiplierDown": "0.7"})
    bench.wire.pairs[PAIR] = listed
    limits = (await bench.exchange.listing(PAIR)).limits
    assert limits is not None
    assert limits.buys == limits.sells == Band("PERCENT_PRICE", Decimal("0.7"), Decimal("1.3"))
    assert (limits.least_price, limits.most_price, limits.orders, limits.position) == (None,) * 4
    assert limits.notional == limits.market_notional == Bound("NOTIONAL", Decimal(500))


async def test_fees_are_those_of_the_account_and_the_pair(bench: Bench) -> None:
    part = {"maker": "0.0008", "taker": "0.0010", "buyer": "0.0001", "seller": "0.0002"}
    tax = {"maker": "0.00001", "taker": "0.00002", "buyer": "0", "seller": "0"}
    bench.wire.answers["GET account/commission"] = Say({"standardCommission": part, "taxCommission": tax})
    fees = await bench.exchange.fees(PAIR)
    assert (fees.fee_maker, fees.fee_taker) == (Decimal("0.00101"), Decimal("0.00122"))
    await bench.exchange.fees(PAIR)
    assert len(bench.wire.calls("GET account/commission")) == 1


# ------------------------------------------------------------------------------------------------------- environments


async def test_f33_the_testnet_never_reaches_a_production_host(bench: Bench) -> None:
    production = {"binance.com", "api.binance.com"}
    urls = KNOWN[Environment.TESTNET]
    assert urls.sapi is None
    for url in (urls.rest, urls.streams, urls.ws_api):
        assert "testnet" in url
        assert not any(url.partition("://")[2].split("/")[0].split(":")[0].endswith(host) for host in production)
    assert LIVE.sapi == LIVE.rest


async def test_f33_what_only_the_live_exchange_has_is_never_asked_elsewhere(bench: Bench) -> None:
    from dcacore.adapters.binance.calls import RESTRICTIONS
    from dcacore.adapters.binance.client import Client, NoSapi

    before = len(bench.wire.seen)
    with pytest.raises(Unavailable):
        await bench.site.rest().ask(RESTRICTIONS)
    assert len(bench.wire.seen) == before
    client = Client(None)
    with pytest.raises(NoSapi):
        await client.get_account_api_permissions()
    await client.close_connection()
