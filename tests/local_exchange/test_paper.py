"""The exchange of paper trading: markets that open when they are asked for, and what is told of prices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from dcacore.adapters.simulated.wire import pack
from dcacore.domain.market import Market
from dcacore.local_exchange.control import POSTS
from dcacore.local_exchange.driving.paper import PaperPrices
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.paper import PricesFrom, first_price, open_paper
from dcacore.local_exchange.server import ControlNeedsLoopback, server_of, serving
from dcacore.local_exchange.site import Site
from dcacore.local_exchange.standing import Standing, read_standing, standing_file, write_standing
from tests.local_exchange.api import MARKET_BUY, Api, code
from tests.strategies import MARKET


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    site = open_paper(None, PricesFrom.HAND)
    async with serving(site, has_control=True) as urls, httpx.AsyncClient(base_url=urls.rest) as http:
        yield Api(http, "paper-anna", "hers")


async def symbols(api: Api, **params: object) -> dict[str, dict[str, Any]]:
    told = (await api.call("GET", "/api/v3/exchangeInfo", **params)).json()
    return {row["symbol"]: row for row in told["symbols"]}


async def prices(api: Api) -> dict[str, str]:
    told = (await api.call("GET", "/api/v3/ticker/price")).json()
    return {row["symbol"]: row["price"] for row in told}


async def test_what_is_known_is_listed_and_opens_when_it_is_asked_for(api: Api) -> None:
    listed = await symbols(api, symbolStatus="TRADING")
    assert {"BTCUSDT", "ETHBTC", "SOLUSDT"} <= listed.keys()
    assert await prices(api) == {}
    assert (await symbols(api, symbol="BTCUSDT"))["BTCUSDT"] == listed["BTCUSDT"]
    bought = (await api.order(MARKET_BUY)).json()
    assert bought["fills"][0]["price"] == "30000.00000000"
    assert await prices(api) == {"BTCUSDT": "30000.00000000"}
    assert (await symbols(api)).keys() == listed.keys()
    assert await api.free("USDT") == "9700.00000000"
    assert code(await api.call("GET", "/api/v3/ticker/price", symbol="NONE"))[1] == -1121


async def test_nobody_is_held_back(api: Api) -> None:
    told = (await api.call("GET", "/api/v3/exchangeInfo")).json()
    assert told["rateLimits"] == []


async def test_other_markets_are_opened_with_rules_of_their_own(api: Api) -> None:
    assert await api.control("pair", market=pack(MARKET), price="100") == {"symbol": "ABCXYZ"}
    await api.control("pair", market={**pack(MARKET), "tick_size": "1"}, price="7")
    assert await prices(api) == {"ABCXYZ": "100.00000000"}
    await api.control("pair", market={**pack(MARKET), "pair": "ODDUSDT"})
    assert (await prices(api))["ODDUSDT"] == "30000.00000000"
    for wrong in ({}, {"market": {"pair": "X"}}, {"market": {**pack(MARKET), "pair": "NEW"}, "price": "1.001"}):
        assert (await api.http.post("/control/pair", json=wrong)).status_code == 400


async def test_a_market_is_all_that_may_be_opened_where_there_is_no_control_interface(tmp_path: Path) -> None:
    site = open_paper(tmp_path / "books", PricesFrom.CHANCE)
    site.opens_pairs = True
    async with serving(site) as urls, httpx.AsyncClient(base_url=urls.rest) as http:
        assert (await http.post("/control/pair", json={"market": pack(MARKET)})).status_code == 200
        page = {"Origin": "https://elsewhere.example"}
        assert (await http.post("/control/pair", json={"market": pack(MARKET)}, headers=page)).status_code == 403
        for path in sorted({*POSTS} - {"/control/pair"}):
            assert (await http.post(path, json={})).status_code == 404
        assert (await http.get("/control/books?apiKey=paper-anna")).status_code == 404
    with pytest.raises(ControlNeedsLoopback):
        server_of(site, "0.0.0.0")


async def test_a_market_without_a_price_takes_no_orders_yet() -> None:
    site = Site(LocalExchange())
    site.exchange.list_pair(MARKET)
    async with serving(site) as urls, httpx.AsyncClient(base_url=urls.rest) as http:
        api = Api(http, "anna", "hers")
        told = (await api.call("GET", "/api/v3/ticker/price", symbol="ABCXYZ")).json()
        assert told == {"symbol": "ABCXYZ", "price": "0.00000000"}
        assert code(await api.order(MARKET_BUY | {"symbol": "ABCXYZ", "quantity": "1"}))[2] == "Market is closed."


async def test_it_says_where_prices_come_from(api: Api) -> None:
    about = (await api.call("GET", "/about")).json()
    assert about == {"mark": "", "is_paper": True, "prices": "hand", "reason": "", "by_chance": []}
    async with serving(open_paper(None, PricesFrom.CHANCE)) as urls, httpx.AsyncClient(base_url=urls.rest) as http:
        assert (await http.get("/about")).json()["prices"] == "random walk"


def test_which_markets_wander_is_kept(tmp_path: Path) -> None:
    site = open_paper(tmp_path / "books", PricesFrom.CHANCE)
    site.exchange.pair("BTCUSDT")
    assert site.exchange.by_chance == {"BTCUSDT"}
    site.keep()
    site.exchange.by_chance.clear()
    assert site.keeper is not None
    site.keeper.state.close()
    site = open_paper(tmp_path / "books", PricesFrom.BINANCE)
    (driver,) = site.drivers
    assert isinstance(driver, PaperPrices)
    assert driver.by_chance == {"BTCUSDT"}
    driver.by_chance.clear()
    site.keep()
    assert site.keeper is not None
    site.keeper.state.close()
    assert open_paper(tmp_path / "books").exchange.by_chance == set()


def test_every_market_begins_on_its_grid() -> None:
    offered = open_paper(None, PricesFrom.HAND).exchange.offered
    assert len(offered) > 10
    for market in [*offered.values(), MARKET, Market(**{**pack(MARKET), "pair": "BTCUSDT", "tick_size": "7"})]:
        price = first_price(market)
        assert price > 0
        assert not price % market.tick_size
    assert first_price(offered["ETHUSDT"]) == 2000
    assert first_price(MARKET) == Decimal(30_000)


def test_where_an_exchange_is_stands_beside_its_books(tmp_path: Path) -> None:
    books = tmp_path / "books"
    assert read_standing(books) is None
    standing = Standing(port=5, pid=6, mark="it", books="/books")
    write_standing(books, standing)
    assert read_standing(books) == standing
    for wrong in ("", "[]", "5", '{"port": 5, "pid": 6}', '{"port": "x", "pid": 6, "mark": "", "books": ""}'):
        standing_file(books).write_text(wrong)
        assert read_standing(books) is None
    assert [it.name for it in tmp_path.iterdir()] == ["books.state"]
