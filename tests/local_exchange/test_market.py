"""What everybody sees: candles, books, statistics, and the REST calls that show them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from dcacore.domain.money import Price, plain
from dcacore.local_exchange.clock import ServerClock, from_ms, to_ms
from dcacore.local_exchange.driving.clock import ExchangeClock
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.market.book import book_of, changes
from dcacore.local_exchange.market.candles import Candle, CandleBook, end_of, start_of
from dcacore.local_exchange.market.day import average_price, day_of
from tests.local_exchange.api import LIMIT_BUY, MARKET_BUY, Api, code
from tests.local_exchange.conftest import BTC

MINUTE, DAY = 60_000, 86_400_000
NOON = to_ms(datetime.datetime(2021, 4, 7, 12, tzinfo=datetime.UTC))  # a Wednesday


@pytest.mark.parametrize(
    ("interval", "day", "last"),
    [
        ("1d", datetime.datetime(2021, 4, 7, tzinfo=datetime.UTC), datetime.timedelta(days=1)),
        ("1w", datetime.datetime(2021, 4, 5, tzinfo=datetime.UTC), datetime.timedelta(days=7)),
        ("1M", datetime.datetime(2021, 4, 1, tzinfo=datetime.UTC), datetime.timedelta(days=30)),
    ],
)
def test_when_a_candle_opens_and_ends(interval: str, day: datetime.datetime, last: datetime.timedelta) -> None:
    opens_at = start_of(interval, NOON)
    assert from_ms(opens_at) == day
    assert end_of(interval, opens_at) == to_ms(day + last) - 1


def plainly(*values: Decimal | int) -> str:
    return " ".join(plain(Decimal(value)) for value in values)


def traded(*trades: tuple[int, str]) -> CandleBook:
    book = CandleBook()
    for number, (at, price) in enumerate(trades, 1):
        book.trade(at, Decimal(price), Decimal(1), number, is_taker_buy=number % 2 == 0)
    return book


def test_a_tape_goes_on_behind_candles_of_the_past() -> None:
    clock = ServerClock(ExchangeClock(lambda: from_ms(NOON)))
    exchange = LocalExchange(clock=clock)
    exchange.venue.list_pair(BTC, Price(Decimal(60)))
    exchange.tape.take_up(BTC.pair, traded((NOON - 2 * MINUTE, "50"), (NOON - 1, "60")))
    ticker = exchange.tape.of(BTC.pair)
    assert ticker.last == 60
    assert not ticker.trades, "nothing is told of what has been"
    exchange.move(BTC.pair, Price(Decimal(70)))
    minutes = ticker.candles.rows("1m", NOON, None, None, 4)
    assert [plainly(it.open, it.close) for it in minutes] == ["50 50", "60 60", "70 70"]
    (day,) = ticker.candles.rows("1d", NOON, None, None, 1)
    assert plainly(day.open, day.high, day.low, day.close, day.trades) == "50 70 50 70 3"


def test_a_candle_is_made_of_its_trades() -> None:
    rows = traded((NOON, "10"), (NOON + 1, "12"), (NOON + 2, "9"), (NOON + MINUTE, "11")).rows(
        "1m", NOON + MINUTE, None, None, 10
    )
    first = rows[0]
    assert plainly(first.open, first.high, first.low, first.close) == "10 12 9 9"
    assert plainly(first.volume, first.quote_volume, first.taker_quote) == "3 31 12"
    assert (first.trades, first.first_trade, first.last_trade) == (3, 1, 3)
    assert plainly(rows[1].open, rows[1].first_trade) == "11 4"


def test_minutes_without_trades_are_flat() -> None:
    rows = traded((NOON, "10")).rows("1m", NOON + 3 * MINUTE, None, None, 10)
    assert [plainly((row.opens_at - NOON) // MINUTE, row.close, row.trades) for row in rows] == [
        "0 10 1",
        "1 10 0",
        "2 10 0",
        "3 10 0",
    ]


def test_candles_of_the_past_come_before_all_others() -> None:
    book = traded((NOON, "10"))
    book.load("1m", [Candle.flat(NOON - MINUTE, Decimal(8)), Candle.flat(NOON, Decimal(8))])
    assert [row.close for row in book.rows("1m", NOON, None, None, 10)] == [8, 10]


def still(at: int) -> LocalExchange:
    clock = ServerClock(ExchangeClock(lambda: from_ms(at), from_ms(at)))
    exchange = LocalExchange(clock=clock)
    exchange.list_pair(BTC, Price(Decimal(100)))
    return exchange


def test_a_day_and_an_average() -> None:
    exchange = still(NOON)
    for minutes, price in ((1, "110"), (2, "90"), (10, "120")):
        exchange.clock.true.stands_at = from_ms(NOON + minutes * MINUTE)
        exchange.move("BTCUSDT", Price(Decimal(price)))
    ticker = exchange.tape.of("BTCUSDT")
    day = day_of(ticker, NOON + 10 * MINUTE)
    assert day is not None
    assert plainly(day.open, day.high, day.low, day.last, day.trades) == "100 120 90 120 4"
    assert plainly(day.change, day.change_percent) == "20 20"
    assert average_price(ticker, NOON + 10 * MINUTE, 5) == 120
    assert day_of(ticker, NOON + 2 * DAY) is not None


def test_changes_lead_from_one_book_to_the_next() -> None:
    before, after = book_of(BTC, Decimal(100), ()), book_of(BTC, Decimal("100.03"), ())
    bids, asks = changes(before, after)
    for side, changed, wanted in ((before.bids, bids, after.bids), (before.asks, asks, after.asks)):
        levels = dict(side) | dict(changed)
        assert {price: quantity for price, quantity in levels.items() if quantity} == dict(wanted)


async def test_candles_over_rest(api: Api) -> None:
    rows = (await api.call("GET", "/api/v3/klines", symbol="BTCUSDT", interval="1h", limit=5)).json()
    row: list[Any] = rows[-1]
    assert len(row) == 12
    assert row[6] - row[0] == 3_599_999
    assert row[1:5] == ["30000.00000000"] * 4
    refused = await api.call("GET", "/api/v3/klines", symbol="BTCUSDT", interval="7m")
    assert code(refused) == (400, -1120, "Invalid interval.")


async def test_the_book_shows_what_rests(api: Api) -> None:
    await api.order(LIMIT_BUY)
    book = (await api.call("GET", "/api/v3/depth", symbol="BTCUSDT")).json()
    assert ["29000.00000000", "0.01000000"] in book["bids"]
    assert book["bids"][0][0] == book["asks"][0][0] == "30000.00000000"
    assert len((await api.call("GET", "/api/v3/depth", symbol="BTCUSDT", limit=3)).json()["asks"]) == 3


async def test_trades_over_rest(api: Api) -> None:
    placed = (await api.order(MARKET_BUY)).json()
    last = (await api.call("GET", "/api/v3/trades", symbol="BTCUSDT")).json()[-1]
    assert (last["id"], last["qty"]) == (placed["fills"][0]["tradeId"], "0.01000000")
    since = await api.call("GET", "/api/v3/aggTrades", symbol="BTCUSDT", fromId=last["id"])
    assert [trade["a"] for trade in since.json()] == [last["id"]]


@pytest.mark.parametrize("path", ["ticker/price", "ticker/bookTicker", "ticker/24hr"])
async def test_tickers_of_one_of_several_or_of_all(api: Api, path: str) -> None:
    url = f"/api/v3/{path}"
    assert (await api.call("GET", url, symbol="ETHUSDT")).json()["symbol"] == "ETHUSDT"
    assert len((await api.call("GET", url, symbols='["ETHUSDT"]')).json()) == 1
    assert len((await api.call("GET", url)).json()) == 2
    assert code(await api.call("GET", url, symbol="NONE")) == (400, -1121, "Invalid symbol.")
    assert code(await api.call("GET", url, symbol="A", symbols='["B"]'))[1] == -1128
    assert code(await api.call("GET", url, symbols="B"))[1] == -1100


async def test_aggregates_are_read_on_page_by_page(api: Api) -> None:
    for price in ("30001", "30002", "30003"):
        await api.control("price", symbol="BTCUSDT", price=price)
    path, wanted = "/api/v3/aggTrades", {"symbol": "BTCUSDT", "limit": 2}
    assert [row["a"] for row in (await api.call("GET", path, **wanted)).json()] == [3, 4]
    assert [row["a"] for row in (await api.call("GET", path, **wanted, fromId=1)).json()] == [1, 2]
    assert [row["a"] for row in (await api.call("GET", path, **wanted, startTime=0)).json()] == [1, 2]


async def test_symbols_of_a_status(api: Api) -> None:
    await api.control("symbol", symbol="ETHUSDT", status="HALT")
    info = (await api.call("GET", "/api/v3/exchangeInfo", symbolStatus="HALT")).json()
    assert [symbol["symbol"] for symbol in info["symbols"]] == ["ETHUSDT"]
    assert {one["filterType"] for one in info["symbols"][0]["filters"]} >= {"PRICE_FILTER", "LOT_SIZE", "NOTIONAL"}
    assert (await api.call("GET", "/api/v3/ticker/24hr", symbol="ETHUSDT", type="MINI")).json().keys() == {
        "symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume", "openTime", "closeTime",
        "firstId", "lastId", "count",
    }  # fmt: skip


async def test_paths_that_there_are_not(api: Api) -> None:
    assert (await api.call("GET", "/api/v3/nothing")).status_code == 404
    assert (await api.call("PUT", "/api/v3/time")).status_code == 405
    gone = await api.call("POST", "/api/v3/userDataStream")  # listen keys are of the past
    assert (gone.status_code, gone.json()["code"]) == (410, -1016)
