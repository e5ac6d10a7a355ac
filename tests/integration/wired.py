"""A bot that trades over the wire on an exchange that is stepped by hand.

All that is between the two is what runs live: the exchange serves REST, streams and the WebSocket API on the loopback,
the bot is in a SQLite file, and its engine, wired as that of `dca worker`, trades through the adapter for Binance. Only
the time is that of the data. The exchange has no limits: a candle of many deals is one moment there.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final, NoReturn

import aiohttp
import attrs
import structlog

from dcacore.adapters.binance import BinanceVenues, stored_keys
from dcacore.adapters.binance.urls import Urls
from dcacore.adapters.fernet import FernetSecrets, generate_key
from dcacore.adapters.passwords import BcryptPasswords
from dcacore.adapters.system import RandomIds
from dcacore.application import accounts, asking, bots, users
from dcacore.application.engine.engine import Engine
from dcacore.bootstrap.app import App, running
from dcacore.bootstrap.database import opened
from dcacore.bootstrap.venues import ByEnvironment
from dcacore.domain.deal import Deal
from dcacore.domain.ids import BotId
from dcacore.domain.intents import IntentState
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price, plain
from dcacore.domain.strategy import Strategy
from dcacore.local_exchange.clock import to_ms
from dcacore.local_exchange.driving.points import Series, candle_points
from dcacore.local_exchange.driving.stepper import Pending, Stepper
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from dcacore.ports.bot_file import BotFile
from dcacore.ports.candles import Candles
from dcacore.ports.prices import Tick
from dcacore.ports.records import Environment, RequestKind, Tier
from dcacore.ports.secrets import ApiKey
from dcacore.settings import Settings
from tests.driving.agreeing import Outcome, outcomes
from tests.driving.stage import RICH, DataClock
from tests.driving.stops import Stops, stops_of
from tests.integration.idling import CountedStore, IdleSelector
from tests.integration.live import PASSWORD

KEY: Final = ApiKey("key-of-anna", "secret-of-anna")
NAME: Final = "wired"
_AHEAD: Final = datetime.timedelta(seconds=3)
_COMING_UP: Final = 200
_UPKEEP_EVERY: Final = 10


@attrs.define(eq=False)
class StandingClock(DataClock):
    """The time of the data, and nothing besides: to the adapter the machine's clock must not seem to have been set.

    Attributes:
        moved: called by the first look at the clock after the time of the data has moved.
    """

    moved: Callable[[], None] = attrs.field(default=lambda: None, kw_only=True)
    _seen: datetime.datetime | None = attrs.field(default=None, init=False)

    def now(self) -> datetime.datetime:
        now = self.exchange.now()
        if now != self._seen:
            self._seen = now
            self.moved()
        return now

    def monotonic(self) -> float:
        return self.now().timestamp()


@attrs.define(kw_only=True)
class Wire:
    """The exchange's control interface, and the engine at the other end."""

    selector: IdleSelector
    clock: StandingClock
    app: App
    control: aiohttp.ClientSession
    bot_id: BotId
    market: Market
    _stops: int = 0
    _watched: tuple[list[str], str | None] = ([], None)

    @property
    def engine(self) -> Engine:
        """The engine."""
        assert self.app.engine is not None
        return self.app.engine

    async def come_up(self) -> None:
        """Return when the bot has bought at the first price; its looks and sleeps until then are none of the data's."""
        for _ in range(_COMING_UP):
            await self.settle(_AHEAD)
            runner = self.engine.runners.get(self.bot_id)
            deal = None if runner is None else runner.bot.deal
            if deal is not None and deal.base_order is not None and deal.base_order.filled:
                return
        raise AssertionError("the bot has not bought")

    async def play(self) -> None:
        """Step through all candles, and stop where there may be something to react to."""
        self.clock.moved = self._beat
        is_over = False
        while not is_over:
            stops = stops_of(self.engine.runners[self.bot_id].bot, self.clock.now())
            await self._watch(stops)
            until = None if stops.until is None else to_ms(stops.until)
            stand = await self.post("step", past_points=stops.past_points, until_ms=until)
            await self.selector.idle()
            is_over = stand["is_over"]
            if stand["pending"] == Pending.NOTHING.value and self._is_time_for_something():
                await self.settle()

    async def settle(self, ahead: datetime.timedelta = datetime.timedelta(0)) -> None:
        """Let all go on whose time has come, and return when nobody has anything left to do."""
        await self.selector.idle()
        if self.clock.wake(ahead):
            await self.selector.idle()

    def _is_time_for_something(self) -> bool:
        """Say whether those who sleep are to be woken: the bot waits for a time, asks for an order, or it is time.

        The engine's upkeep is due at nearly every stop, as these lie far apart in the data's time, and costs more than
        all that the bot does.
        """
        self._stops += 1
        runner = self.engine.runners[self.bot_id]
        asks = any(it.state is IntentState.UNKNOWN or it.order.is_cancelling for it in runner.unsettled)
        stops = stops_of(runner.bot, self.clock.now())
        return asks or stops.until is not None or not stops.past_points or self._stops % _UPKEEP_EVERY == 0

    async def post(self, act: str, **told: Any) -> Any:
        """Do something to the market."""
        async with self.control.post(f"/control/{act}", json=told) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    def _beat(self) -> None:
        """Say that the stream of prices was alive all the time that the step has taken."""
        for runner in self.engine.runners.values():
            feed = self.engine.fleet.watching.feed_of(runner)
            if feed is not None:
                feed.hear(Tick(self.market.pair, None, self.clock.now()))

    async def _watch(self, stops: Stops) -> None:
        """Let the exchange stop where the bot wants to be asked."""
        prices, above = [plain(price) for price in stops.prices], None if stops.above is None else plain(stops.above)
        if (prices, above) != self._watched:
            await self.post("watch", symbol=self.market.pair, prices=prices, above=above)
            self._watched = (prices, above)

    async def ended(self) -> list[Deal]:
        """Return the deals that have ended, in the order in which they began."""
        async with self.app.store.begin(reads_only=True) as work:
            deals = [record.deal for record in await work.deals.of([self.bot_id], limit=1_000_000)]
        return sorted((deal for deal in deals if deal.closed_at is not None), key=lambda deal: deal.number)


def wired(
    strategy: Strategy, candles: Candles, market: Market, fees: Fees, folder: Path, *, balance: Decimal = RICH
) -> list[Outcome]:
    """Return the deals of a live engine that trades over the wire while the exchange steps through *candles*."""
    selector, logged = IdleSelector(), structlog.get_config()
    failures: list[object] = []

    def note(_: object, __: str, line: MutableMapping[str, Any]) -> NoReturn:
        if line["level"] in {"error", "critical"}:
            failures.append(line)
        raise structlog.DropEvent

    async def play() -> list[Outcome]:
        async with _wire(selector, strategy, Series(market, candles), _options(market, fees, balance), folder) as wire:
            await wire.come_up()
            await wire.play()
            return outcomes(await wire.ended())

    structlog.configure(processors=[structlog.stdlib.add_log_level, note], cache_logger_on_first_use=False)
    try:
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
            deals = runner.run(play())
    finally:
        structlog.configure(**logged)
    assert not failures
    return deals


def _options(market: Market, fees: Fees, balance: Decimal) -> Options:
    return Options(balance={market.quote_asset: balance}, fees=fees, secrets={KEY.key: KEY.secret}, has_limits=False)


@asynccontextmanager
async def _wire(
    selector: IdleSelector, strategy: Strategy, series: Series, options: Options, folder: Path
) -> AsyncIterator[Wire]:
    market = series.market
    exchange = LocalExchange(options)
    exchange.list_pair(market, Price(int(series.ticks.open[0]) * market.tick_size))
    site = Site(exchange, stepper=Stepper(exchange.venue, exchange.clock.true, candle_points([series])))
    clock = StandingClock(exchange.clock.true, asyncio.get_running_loop())
    settings = Settings(database_url=f"sqlite:///{folder}/app.db", encryption_key=generate_key())
    async with (
        serving(site, has_control=True) as urls,
        opened(settings.database_url, clock, may_create=True) as store,
        aiohttp.ClientSession(urls.rest) as control,
    ):
        where = Urls(rest=urls.rest, streams=urls.stream, ws_api=urls.ws_api)
        secrets = FernetSecrets(settings.encryption_key)
        binance = BinanceVenues({Environment.CUSTOM: where}, stored_keys(secrets), clock, Random(0))
        app = App(
            settings=settings,
            store=CountedStore(store, selector),
            clock=clock,
            ids=RandomIds(),
            secrets=secrets,
            passwords=BcryptPasswords(),
            venues=ByEnvironment({Environment.CUSTOM: binance}),
            keys=binance,
            binance=binance,
        )
        bot_id = await _set_up(app, strategy, market, options.fees)
        try:
            async with running(app) as with_engine:
                wire = Wire(
                    selector=selector,
                    clock=clock,
                    app=with_engine,
                    control=control,
                    bot_id=bot_id,
                    market=market,
                )
                await wire.post("step")  # the market stands at its first open when the bot begins
                yield wire
        finally:
            await binance.close()


async def _set_up(app: App, strategy: Strategy, market: Market, fees: Fees) -> BotId:
    user = await users.create(*app.means, app.passwords, email="anna@example.com", password=PASSWORD, tier=Tier.PRO)
    await accounts.add(
        *app.means,
        app.secrets,
        user_id=user.id,
        name="spot",
        environment=Environment.CUSTOM,
        api_key=KEY,
        keys=app.keys,
    )
    bot_file = BotFile(file="wired.toml", name=NAME, strategy=strategy, market={}, fees=fees)
    record = await bots.create(*app.means, user_id=user.id, account="spot", bot_file=bot_file, market=market)
    await asking.ask(*app.means, user_id=user.id, bot=NAME, kind=RequestKind.START)
    return record.bot.id
