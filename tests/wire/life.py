"""One life over the wire: bots on an exchange that fails as it likes, then calm, then the checks.

All that is between a bot and its exchange is what runs live: HTTP and WebSockets on the loopback, the adapter for
Binance, and SQLite. Only time is virtual. What the machine does between two seconds is left to the machine, so a seed
decides the weather and not the last detail of what comes of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, MutableMapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final, NoReturn

import attrs
import structlog

from dcacore.adapters.binance.urls import Urls
from dcacore.adapters.fernet import FernetSecrets, generate_key
from dcacore.adapters.simulated.hands import Hand
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.domain.bot import Bot
from dcacore.domain.ids import OWN_PREFIX, AccountId, BotId, RequestId, UserId
from dcacore.domain.market import FeeAsset, Fees
from dcacore.domain.money import ZERO, Price, exact
from dcacore.local_exchange.clock import ServerClock
from dcacore.local_exchange.driving.clock import ExchangeClock
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from dcacore.ports.errors import StoreUnavailable
from dcacore.ports.records import Account, BotRecord, Environment, Request, RequestKind, User
from dcacore.ports.secrets import ApiKey
from tests.integration.idling import CountedStore, IdleSelector
from tests.simulation.clock import SeededIds
from tests.simulation.invariants import check_books
from tests.simulation.ledger import BotLedger, Watcher
from tests.simulation.market import MARKETS, Walk
from tests.simulation.user import any_strategy
from tests.wire.clock import START, SteppedClock
from tests.wire.program import Ground, Program, task_factory
from tests.wire.weather import Climate, Weather

USER: Final = UserId("user")
KEYS: Final = ("key-of-anna", "key-of-bert")
MOVES_EVERY_S: Final = 3
ASKS_EVERY_S: Final = 60
LEFT_ALONE_S: Final = 60
CALM_S: Final = (60, 30, 60, 60, 120, 90)
STOPS_WITHIN_S: Final = 30
_PLENTY: Final = Decimal(1_000_000)
_WISHES: Final[tuple[tuple[RequestKind, Mapping[str, str]], ...]] = (
    (RequestKind.PAUSE, {}),
    (RequestKind.STOP, {"sell": "true"}),
    (RequestKind.STOP, {"sell": "false"}),
    (RequestKind.CLOSE_DEAL, {}),
    (RequestKind.CANCEL_DEAL, {}),
    (RequestKind.ADD_FUNDS, {"amount": "30"}),
    (RequestKind.EDIT_DEAL, {"take_profit": "0.8"}),
)


@attrs.frozen
class Script:
    """What is lived.

    Attributes:
        seed: decides what happens.
        minutes: how long it goes on before it is calm.
        every_s: seconds between two faults on average; infinite for none.
        kinds: the faults; a random half of all unless given.
    """

    seed: int
    minutes: int
    every_s: float = 8
    kinds: tuple[str, ...] = ()


@attrs.frozen
class Outcome:
    """What came of a life.

    Attributes:
        violations: what must not have happened and has.
        struck: how often each kind of fault has struck.
        deals: how many deals ended.
        starts: how often the program was started.
    """

    violations: tuple[str, ...]
    struck: Counter[str]
    deals: int
    starts: int


def live(script: Script, folder: Path) -> Outcome:
    """Return what comes of a life; the database lies in *folder*."""
    selector, logged = IdleSelector(soon_s=0), structlog.get_config()
    violations: list[str] = []

    def hear(_: object, __: str, line: MutableMapping[str, Any]) -> NoReturn:
        if line.get("exc_info"):
            violations.append(f"logged: {dict(line)}")
        raise structlog.DropEvent

    def new_loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.SelectorEventLoop(selector)
        loop.set_task_factory(task_factory)
        loop.set_exception_handler(lambda _, context: violations.append(f"unhandled: {context}"))
        return loop

    structlog.configure(processors=[structlog.stdlib.add_log_level, hear], cache_logger_on_first_use=False)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(_lived(script, folder, selector, violations))
    finally:
        structlog.configure(**logged)


async def _lived(script: Script, folder: Path, selector: IdleSelector, violations: list[str]) -> Outcome:
    seed = script.seed
    chance, clock, url = Random(f"{seed}/wire"), SteppedClock(), f"sqlite:///{folder}/app.db"
    exchange = LocalExchange(
        Options(
            fees=chance.choice((Fees(), Fees(fee_asset=FeeAsset.QUOTE))),
            secrets={key: f"secret-of-{key}" for key in KEYS},
        ),
        ServerClock(ExchangeClock(clock.now)),
    )
    site = Site(exchange)
    await asyncio.to_thread(upgrade, url)
    async with serving(site) as urls:
        secrets, ids = FernetSecrets(generate_key()), SeededIds(Random(f"{seed}/ids"))
        where = Urls(rest=urls.rest, streams=urls.stream, ws_api=urls.ws_api)
        ground = Ground(url=url, urls=where, secrets=secrets, clock=clock, ids=ids, selector=selector)
        store = ground.open_store()
        weather = Weather(
            site, Climate(tuple(market.pair for market, _ in MARKETS), KEYS, chance), script.every_s, script.kinds
        )
        life = Life(
            site=site, ground=ground, clock=clock, store=store, weather=weather, chance=chance, violations=violations
        )
        try:
            await life.build()
            with clock.ruling(asyncio.get_running_loop()):
                await life.live(60 * script.minutes)
                await life.calm_down()
                await check_books(life)
                return await life.end()
        finally:
            if life.program is not None:
                await life.program.die()
            await store.close()


@attrs.define(eq=False, kw_only=True)
class Life:
    """The exchange, the bots, and who acts for them."""

    site: Site
    ground: Ground
    clock: SteppedClock
    store: CountedStore
    weather: Weather
    chance: Random
    violations: list[str]
    prefix: str = ""
    program: Program | None = None
    starts: int = 0
    _walks: list[Walk] = attrs.field(factory=list, init=False)
    _bots: list[BotId] = attrs.field(factory=list, init=False)
    _asked: int = attrs.field(default=0, init=False)
    _second: int = attrs.field(default=0, init=False)
    _down_until: int = attrs.field(default=0, init=False)
    _is_calm: bool = attrs.field(default=False, init=False)

    @property
    def venue(self) -> SimulatedVenue:
        """What matches orders."""
        return self.site.exchange.venue

    async def records(self) -> tuple[BotRecord, ...]:
        """Return the bots as they are stored."""
        async with self.store.begin(reads_only=True) as work:
            return await work.bots.load(tuple(self._bots))

    async def build(self) -> None:
        """Open the markets, and store bots that are to run."""
        exchange = self.site.exchange
        for market, start in MARKETS:
            exchange.list_pair(market, Price(Decimal(str(start)).quantize(market.tick_size)))
            self._walks.append(Walk(market, start, Random(f"{self.chance.random()}")))
        self.prefix = OWN_PREFIX + await self.store.epoch()
        bases = {market.pair: market.base_asset for market, _ in MARKETS}
        watchers = {}
        async with self.store.begin() as work:
            await work.users.add(User(id=USER, email="user@example.org", created_at=START))
            for key in KEYS:
                account = AccountId(key)
                exchange.set_free(key, "USDT", Decimal(self.chance.choice((1500, 4000))))
                watchers[key] = Watcher(bases, self._violate)
                self.venue.listen(account, watchers[key])
                cipher = self.ground.secrets.encrypt(account, ApiKey(key, f"secret-of-{key}"))
                await work.accounts.add(
                    Account(
                        id=account,
                        user_id=USER,
                        name=key,
                        environment=Environment.CUSTOM,
                        api_key=cipher,
                        created_at=START,
                    )
                )
            for number in range(self.chance.randint(3, 5)):
                market, key = self.chance.choice(MARKETS)[0], self.chance.choice(KEYS)
                strategy = any_strategy(self.chance, market.pair)
                fees = self.site.exchange.options.fees
                bot = Bot(
                    id=BotId(f"bot{number}aaaa"), strategy=strategy, market=market, fees=fees, order_prefix=self.prefix
                )
                watchers[key].bots[bot.id] = BotLedger(max(6, strategy.resting_limit))
                self._bots.append(bot.id)
                await work.bots.add(
                    BotRecord(bot=bot, user_id=USER, account_id=AccountId(key), name=bot.id, created_at=START)
                )
            await work.commit()
        for bot_id in self._bots:
            await self.ask(bot_id, RequestKind.START)

    async def live(self, seconds: int) -> None:
        """Let time pass, and everything happen."""
        for _ in range(seconds):
            self._second += 1
            if self._second % MOVES_EVERY_S == 0:
                for walk in self._walks:
                    self.site.exchange.move(walk.market.pair, walk.next(is_calm=self._is_calm))
            if not self._is_calm:
                self.weather.blow(self._second)
                await self._break_program()
                if self.chance.random() < 1 / ASKS_EVERY_S:
                    await self._ask_something()
            await self._keep_running()
            self.clock.go_on(1)
            await self.ground.selector.idle()

    async def calm_down(self) -> None:
        """Let nothing go wrong any more, and the user see to what is left of it."""
        self._is_calm = True
        self.weather.calm_down()
        await self.live(LEFT_ALONE_S)
        for pause in CALM_S:
            await self._make_good()
            for record in await self.records():
                if record.bot.trouble is not None:
                    await self.ask(record.bot.id, RequestKind.RETRY)
            await self.live(pause)
        self._walks.clear()  # what has come in the last second is told now
        await self.live(10)

    async def end(self) -> Outcome:
        """Stop the program, and return what came of it all."""
        await self._stop()
        deals = sum(record.lifetime.deals for record in await self.records())
        return Outcome(tuple(dict.fromkeys(self.violations)), Counter(self.site.desk.struck), deals, self.starts)

    async def ask(self, bot_id: BotId, kind: RequestKind, **details: str) -> None:
        """Ask something of a bot, as its user."""
        self._asked += 1
        request = Request(
            id=RequestId(f"r{self._asked:05}"), bot_id=bot_id, kind=kind, details=details, asked_at=self.clock.now()
        )
        async with self.store.begin() as work:
            await work.requests.add(request)
            await work.commit()
        if self.program is not None:
            self.program.engine.poke()

    async def _ask_something(self) -> None:
        bot_id = self.chance.choice(self._bots)
        (record,) = [it for it in await self.records() if it.bot.id == bot_id]
        if record.bot.trouble is not None:
            await self.ask(bot_id, RequestKind.RETRY)
        elif self.chance.random() < 0.5:
            await self.ask(bot_id, RequestKind.START)
        else:
            kind, details = self.chance.choice(_WISHES)
            await self.ask(bot_id, kind, **details)

    async def _break_program(self) -> None:
        if self.program is None or self.chance.random() >= 1 / 180:
            return
        if self.chance.random() < 0.5:
            await self.program.die()
            self.program = None
        else:
            await self._stop()
        self._down_until = self._second + self.chance.randint(1, 40)

    async def _keep_running(self) -> None:
        program = self.program
        if program is not None and program.task.done():
            await self._clear_away(program)
        if self.program is None and (self._second >= self._down_until or self._is_calm):
            self.starts += 1
            self.program = Program.start(self.ground, f"engine-{self.starts}")

    async def _stop(self) -> None:
        program = self.program
        if program is None:
            return
        program.engine.stop()
        for _ in range(STOPS_WITHIN_S):
            await self.ground.selector.idle()
            if program.task.done():
                await self._clear_away(program)
                return
            self.clock.go_on(1)
        self._violate(f"the engine did not stop within {STOPS_WITHIN_S} s")
        await program.die()
        self.program = None

    async def _clear_away(self, program: Program) -> None:
        exc = await program.clear_away()
        if exc is not None and not isinstance(exc, StoreUnavailable):
            self._violate(f"the engine ended with {exc!r}")
        self.program = None

    def _violate(self, what: str) -> None:
        self.violations.append(f"{what}, in second {self._second}")

    @exact
    def _lacking(self, account: AccountId, records: list[BotRecord]) -> dict[str, Decimal]:
        needed: dict[str, Decimal] = {}
        for record in records:
            bot = record.bot
            asset = (bot.market if bot.deal is None else bot.deal.market).base_asset
            held = bot.carried.quantity if bot.deal is None else bot.deal.books.net
            needed[asset] = needed.get(asset, ZERO) + held
        balances = self.venue.books(account).balances
        there = {asset: balance.free + balance.locked for asset, balance in balances.items()}
        return {asset: amount - there.get(asset, ZERO) for asset, amount in needed.items()}

    async def _make_good(self) -> None:
        """Bring back the coins that went, and money enough for everything."""
        records = await self.records()
        for account in self.venue.accounts:
            hand = Hand(self.venue, account)
            of_account = [record for record in records if record.account_id == account]
            for asset, amount in self._lacking(account, of_account).items():
                if amount > 0:
                    hand.deposit(asset, amount)
            hand.deposit("USDT", _PLENTY)
