"""An exchange on a free port, with two markets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import attrs
import httpx
import pytest

from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.local_exchange.addresses import Urls
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from tests.local_exchange.api import Api

PATIENCE_S = 10
KEY, SECRET = "key-of-anna", "secret-of-anna"
BTC = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)
ETH = Market(
    pair="ETHUSDT", base_asset="ETH", quote_asset="USDT", tick_size="0.01", step_size="0.0001", min_notional="5"
)


@attrs.frozen
class Running:
    """An exchange that can be reached."""

    site: Site
    urls: Urls

    @property
    def exchange(self) -> LocalExchange:
        return self.site.exchange

    def move(self, symbol: str, price: str) -> None:
        self.exchange.move(symbol, Price(Decimal(price)))


def make_exchange() -> LocalExchange:
    exchange = LocalExchange(Options(fees=Fees(fee_maker="0.001", fee_taker="0.001"), secrets={KEY: SECRET}))
    exchange.list_pair(BTC, Price(Decimal(30000)))
    exchange.list_pair(ETH, Price(Decimal(2000)))
    return exchange


async def until(is_so: Callable[[], bool]) -> None:
    """Return when it is so: something is on its way through the network."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110  # what is waited for is not ours to signal
            await asyncio.sleep(0.01)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    site = Site(make_exchange())
    async with serving(site, has_control=True) as urls:
        yield Running(site, urls)


@pytest.fixture
async def api(running: Running) -> AsyncIterator[Api]:
    async with httpx.AsyncClient(base_url=running.urls.rest) as http:
        yield Api(http, KEY, SECRET)
