"""What moves the markets of a paper exchange: another local exchange is Binance here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from random import Random

import attrs
import pytest

from dcacore.adapters.simulated.hands import Hand
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.system import SystemClock
from dcacore.domain.ids import AccountId
from dcacore.domain.money import BaseQty, Price
from dcacore.local_exchange.driving.paper import FALLS_BACK_AFTER_S, FIRST_TRADE_WITHIN_S, PaperPrices
from dcacore.local_exchange.driving.source import Source, Told
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.paper import first_price
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from tests.driving.agreeing import BTC
from tests.driving.test_live import sends, until
from tests.driving.test_live import serving as silent
from tests.strategies import NOON

ANNA = AccountId("anna")
BTCUSDT = BTC.pair
ODD = attrs.evolve(BTC, pair="ODDUSDT", base_asset="ODD")
NOBODY = "ws://127.0.0.1:9"


@attrs.define
class HandClock(SystemClock):
    """Sleeps are short, and time passes when it is told to."""

    passed: float = 0.0

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.005)


@attrs.define
class Paper:
    """A paper exchange's markets."""

    venue: SimulatedVenue
    prices: PaperPrices
    clock: HandClock

    def price(self, symbol: str = BTCUSDT) -> Price | None:
        return self.venue.price(symbol)

    def buy(self, price: str | None = None) -> None:
        limit = None if price is None else Price(Decimal(price))
        Hand(self.venue, ANNA).buy(BTCUSDT, BaseQty(Decimal("0.1")), limit)

    def list(self, *markets: str) -> None:
        for market in (BTC, ODD):
            if market.pair in markets:
                self.venue.list_pair(market, self.prices.price_of_new(market))


@contextlib.asynccontextmanager
async def paper(host: str | None, *, kept: str | None = None, by_chance: bool = False) -> AsyncIterator[Paper]:
    """Yield a paper exchange that runs; *kept* is where its market stood before."""
    venue, clock = SimulatedVenue(lambda: NOON), HandClock()
    venue.open_account(ANNA, {"USDT": Decimal(1_000_000)})
    if kept is not None:
        venue.list_pair(BTC, Price(Decimal(kept)))
    prices = PaperPrices(
        venue=venue,
        by_chance={BTCUSDT} if by_chance else set(),
        first_price=first_price,
        clock=clock,
        chance=Random(1),
        host=host,
    )
    task = asyncio.create_task(prices.run())
    await asyncio.sleep(0)
    try:
        yield Paper(venue, prices, clock)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@attrs.define
class Binance:
    """The real markets."""

    exchange: LocalExchange
    host: str

    def move(self, price: str) -> None:
        self.exchange.move(BTCUSDT, Price(Decimal(price)))


@contextlib.asynccontextmanager
async def binance(port: int = 0) -> AsyncIterator[Binance]:
    exchange = LocalExchange()
    exchange.list_pair(BTC, Price(Decimal(60_000)))
    async with serving(Site(exchange), port=port) as urls:
        yield Binance(exchange, urls.stream)


async def trading(real: Binance, holds: Callable[[], bool]) -> None:
    """Let the real market trade until something is so."""
    for number in range(1_000):
        if holds():
            return
        real.move(f"{61_000 + number}")
        await asyncio.sleep(0.01)
    raise AssertionError("it is still not so")


async def test_a_market_begins_where_the_real_one_is_and_follows_it() -> None:
    async with binance() as real, paper(real.host) as here:
        await until(lambda: here.prices.reached)
        here.list(BTCUSDT)
        assert here.price() is None, "nobody knows it yet, and none is made up"
        await trading(real, lambda: here.price() is not None)
        real.move("60500")
        await until(lambda: here.price() == 60_500)
        here.buy("60000")
        real.move("59000")
        await until(lambda: here.price() == 59_000)
        assert here.venue.books(ANNA).trades[0].trade.price == 60_000
        assert here.prices.told() == Told(Source.LIVE)


async def test_where_binance_cannot_be_reached_markets_wander_at_once() -> None:
    async with paper(NOBODY) as here:
        await until(lambda: here.prices.told().source is Source.WALK)
        assert "Connect" in here.prices.told().reason or "refused" in here.prices.told().reason
        here.list(BTCUSDT)
        assert here.price() == 30_000
        await until(lambda: here.price() != 30_000)
        assert here.prices.by_chance == {BTCUSDT}


async def test_where_binance_says_no_word_markets_wander_after_a_few_seconds() -> None:
    async with silent(sends([])) as port, paper(f"ws://127.0.0.1:{port}") as here:
        here.list(BTCUSDT)
        assert here.price() is None
        assert here.prices.told().source is Source.NOTHING
        here.clock.passed += FALLS_BACK_AFTER_S
        await until(lambda: here.price() not in {None, Decimal(30_000)})
        assert here.prices.told() == Told(Source.WALK, "no word comes")


async def test_a_market_that_wandered_goes_over_to_the_real_one_only_when_nothing_hangs_on_it() -> None:
    async with binance() as real, paper(real.host, kept="30000", by_chance=True) as here:
        here.buy("25000")
        await until(lambda: here.prices.reached)
        for number in range(20):
            real.move(f"{70_000 + number}")
            await asyncio.sleep(0.01)
        wandered = here.price()
        assert wandered is not None
        assert wandered < 40_000, "an order rests"
        (order,) = here.venue.account(ANNA).open.values()
        here.buy()
        Hand(here.venue, ANNA).cancel(BTCUSDT, order.venue_order_id)
        for number in range(20):
            real.move(f"{70_000 + number}")
            await asyncio.sleep(0.01)
        assert (here.price() or 0) < 40_000, "somebody holds coins"
        assert here.prices.told() == Told(Source.LIVE, by_chance=(BTCUSDT,))
        Hand(here.venue, ANNA).sell(BTCUSDT, BaseQty(Decimal("0.0999")))  # what is left is worth nothing
        await trading(real, lambda: (here.price() or 0) > 60_000)
        assert here.prices.told() == Told(Source.LIVE)


async def test_a_market_that_followed_the_real_one_stands_still_while_that_is_out_of_reach() -> None:
    async with binance() as real, paper(real.host) as here:
        port = int(real.host.rpartition(":")[2])
        here.list(BTCUSDT)
        await trading(real, lambda: here.price() is not None)
        real.move("60000")
        await until(lambda: here.price() == 60_000)
        here.buy("59000")
    async with paper(NOBODY, kept="60000") as here:  # and also after a restart
        await until(lambda: bool(here.prices.reason))
        for _ in range(5):
            await here.prices.beat()
        assert here.price() == 60_000
        assert here.prices.told().source is Source.LIVE
    async with paper(f"ws://127.0.0.1:{port}", kept="60000") as here:
        here.buy("59000")
        await until(lambda: bool(here.prices.reason))
        async with binance(port) as real:
            await trading(real, lambda: here.price() != 60_000)
            assert here.prices.told() == Told(Source.LIVE)
            real.move("58000")
            await until(lambda: here.price() == 58_000)
            assert here.venue.books(ANNA).trades[0].trade.price == 59_000, "as it would have filled meanwhile"


async def test_a_market_that_binance_does_not_trade_wanders_beside_the_others() -> None:
    async with binance() as real, paper(real.host) as here:
        await until(lambda: here.prices.reached)
        here.list(BTCUSDT, ODD.pair)
        await trading(real, lambda: here.price() is not None)
        assert here.price(ODD.pair) is None
        await here.prices.beat()
        here.clock.passed += FIRST_TRADE_WITHIN_S
        await until(lambda: here.price(ODD.pair) is not None)
        assert here.prices.told() == Told(Source.LIVE, by_chance=(ODD.pair,))


async def test_without_a_host_everything_wanders() -> None:
    async with paper(None, kept="100") as here:
        await until(lambda: here.price() != 100)
        assert here.prices.told() == Told(Source.WALK)


async def test_a_proxy_that_cannot_be_used_lets_the_markets_wander(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
    async with paper("wss://192.0.2.1") as it:
        it.list(BTCUSDT)
        await until(lambda: it.price() not in {None, Decimal(30_000)})
        assert it.prices.told().source is Source.WALK
        assert "SOCKS" in it.prices.reason
