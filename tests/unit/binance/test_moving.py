"""An exchange of one's own: it may move to another port, and lists a pair when somebody asks for it."""

from __future__ import annotations

import random

import attrs

from dcacore.adapters.binance import BinanceVenues
from dcacore.adapters.binance.urls import Urls
from dcacore.domain.ids import AccountId, UserId
from dcacore.ports.exchange import OrderChanged, StreamLost, StreamOpened
from dcacore.ports.records import Account, Environment
from dcacore.ports.secrets import ApiKey
from tests.strategies import NOON
from tests.unit.binance.conftest import QUICK
from tests.unit.binance.wire import report, serving, symbol
from tests.unit.simulated.clock import RealClock

PAPER = Environment.PAPER
ANNA = Account(id=AccountId("anna"), user_id=UserId("anna"), name="paper", environment=PAPER, created_at=NOON)


def unstored(account: Account) -> ApiKey:
    return ApiKey(f"paper-{account.id}", "secret")


@attrs.define
class Signpost:
    """Says where the exchange is now."""

    urls: Urls

    def __call__(self) -> Urls:
        return self.urls


async def test_an_account_without_a_stored_key_signs_with_what_is_made_for_it() -> None:
    async with serving() as (wire, urls):
        venues = BinanceVenues({PAPER: urls}, unstored, RealClock(), random.Random(1), pace=QUICK)
        exchange = await venues.exchange(ANNA)
        assert await venues.exchange(ANNA) is exchange
        await exchange.balances()
        assert wire.seen[-1].headers["X-MBX-APIKEY"] == "paper-anna"
        await venues.forget(ANNA)
        assert await venues.exchange(ANNA) is not exchange
        await venues.close()


async def test_requests_streams_and_events_follow_an_exchange_that_moves() -> None:
    async with serving() as (_, here):
        signpost = Signpost(here)
        venues = BinanceVenues({PAPER: signpost}, unstored, RealClock(), random.Random(1), pace=QUICK)
        exchange, prices = await venues.exchange(ANNA), await venues.prices(PAPER)
        events, ticks = exchange.events(), prices.ticks()
        assert await anext(events) == StreamOpened()
        await prices.watch("BTCUSDT")
        await anext(ticks)
    async with serving() as (second, there):
        signpost.urls = there
        assert isinstance(await anext(events), StreamLost)
        assert await anext(events) == StreamOpened()
        await second.report(report())
        assert isinstance(await anext(events), OrderChanged)
        assert (await anext(ticks)).pair == "BTCUSDT"
        await exchange.balances()
        assert second.calls("GET account")
        await venues.close()


async def test_a_pair_that_is_not_listed_is_asked_for_once() -> None:
    async with serving() as (wire, urls):
        asked: list[str] = []

        async def lister(pair: str) -> bool:
            asked.append(pair)
            wire.pairs[pair] = symbol(pair)
            return True

        venues = BinanceVenues({PAPER: urls}, unstored, RealClock(), random.Random(1), pace=QUICK, lister=lister)
        exchange = await venues.exchange(ANNA)
        listings = [await exchange.listing("ETHUSDT") for _ in range(2)]
        assert [it.market.pair for it in listings] == ["ETHUSDT"] * 2
        assert asked == ["ETHUSDT"]
        await venues.close()
