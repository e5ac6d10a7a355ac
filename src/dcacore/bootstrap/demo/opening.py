"""The demo's way from nothing to a running program: prices, people, a history, and then the present."""

from __future__ import annotations

import asyncio
import datetime
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from random import Random
from threading import Event
from typing import Final, TypeVar

import attrs
import numpy as np

from dcacore.adapters.candles import ParquetCandleStore
from dcacore.adapters.fernet import FernetSecrets, generate_key
from dcacore.adapters.known_markets import known_markets
from dcacore.adapters.mail_memory import MemoryMailer
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.system import SystemClock
from dcacore.bootstrap.app import App, open_app, running
from dcacore.bootstrap.database import opened
from dcacore.bootstrap.demo import candles
from dcacore.bootstrap.demo.history import Past, play
from dcacore.bootstrap.demo.market import A_DAY, LivelyMarkets, Ticks, Walk, walks
from dcacore.bootstrap.demo.people import EMAIL, PASSWORD, People, move_in
from dcacore.bootstrap.demo.virtual_time import CountingClock, SeededIds, VirtualClock
from dcacore.bootstrap.paper_exchange import key_of
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import AccountId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price, exact
from dcacore.local_exchange.clock import ServerClock, wall
from dcacore.local_exchange.driving.clock import ExchangeClock
from dcacore.local_exchange.driving.source import Source, Told
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.filters import MOST_ORDERS
from dcacore.local_exchange.paper import first_price
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from dcacore.ports.clock import Clock
from dcacore.settings import Settings

BALANCE: Final = {"USDT": Decimal(10_000)}
SEED: Final = 7
DAYS: Final = 30
SPEED: Final = 120
"""How many seconds of the markets go by in one."""
FASTEST: Final = 10_000
_MOVES_IN: Final = datetime.timedelta(minutes=1)

Tell = Callable[[float], object]
T = TypeVar("T")


@attrs.frozen(kw_only=True)
class DemoOptions:
    """What a demo is to be like.

    Attributes:
        seed: decides the markets, and with them all that has happened.
        days: how long the history is, in days.
        speed: how many seconds of the markets go by in one; 0 lets them stand.
        settings: how it logs; database, key, folder and exchange are the demo's own.

    Raises:
        InvalidParameter: a number is out of range.
    """

    seed: int = SEED
    days: int = DAYS
    speed: float = SPEED
    settings: Settings = attrs.field(factory=Settings)

    def __attrs_post_init__(self) -> None:
        if self.days < 1:
            raise InvalidParameter("days", self.days, "must be 1 or more")
        if not 0 <= self.speed <= FASTEST:
            raise InvalidParameter("speed", None, f"must be 0 to {FASTEST}")


@attrs.frozen(kw_only=True)
class Demo:
    """A program with a past, that runs.

    Attributes:
        app: the application with its engine, over the demo's own database.
        email: who can log in ...
        password: ... and with what.
        exchange: the exchange that it trades on.
    """

    app: App
    email: str
    password: str
    exchange: LocalExchange


@asynccontextmanager
async def demo(
    options: DemoOptions | None = None,
    *,
    tell: Tell = lambda _: None,
    clock: Clock | None = None,
) -> AsyncIterator[Demo]:
    """Yield a program with a user, three bots and their history, that goes on trading until the block ends.

    Everything lies in a temporary folder, of which nothing is left then, however the block ends.

    Args:
        options: what it is to be like.
        tell: told, in this event loop, which share of the history has been played.
        clock: says when the history ends; this machine's unless given.

    Raises:
        DcaError: the engine could not start.
    """
    options, clock = options or DemoOptions(), clock or SystemClock()
    with tempfile.TemporaryDirectory(prefix="dca-demo-", ignore_cleanup_errors=True) as folder:
        settings = attrs.evolve(
            options.settings,
            encryption_key=generate_key(),
            database_url=f"sqlite:///{folder}/demo.db",
            data_dir=f"{folder}/data",
            binance_rest_url="",
            binance_stream_url="",
            binance_ws_api_url="",
        )
        past = _Ground.of(options, settings, clock.now())
        await past.live_through(tell)
        site = await in_thread(lambda: past.site(options, clock))
        async with serving(site) as urls:
            settings = attrs.evolve(settings, paper_exchange_url=urls.rest)
            async with open_app(settings) as app, running(app) as with_engine:
                mailed = _with_mail_to_be_seen(with_engine)
                yield Demo(app=mailed, email=EMAIL, password=PASSWORD, exchange=site.exchange)


def _with_mail_to_be_seen(app: App) -> App:
    """Return *app* with mail that goes nowhere, and whose links anybody may see: all that there is here is made up."""
    mailer = MemoryMailer()

    def link(email: str) -> str:
        newest = mailer.newest(email)
        return "" if newest is None else newest.link

    return attrs.evolve(app, mailer=mailer, mail_way="the memory of this program", shown_link=link)


@attrs.frozen(kw_only=True)
class _Ground:
    """What the history is played on, and the present goes on with."""

    settings: Settings
    began: datetime.datetime
    walks: dict[str, Walk]
    prices: Mapping[str, Ticks]
    ids: SeededIds
    chance: Random
    clock: ServerClock
    venue: SimulatedVenue

    @classmethod
    def of(cls, options: DemoOptions, settings: Settings, now: datetime.datetime) -> _Ground:
        """Return it for a history that ends with the last whole minute; nothing of it has been played."""
        began = now.replace(second=0, microsecond=0) - datetime.timedelta(days=options.days)
        count = options.days * A_DAY
        made = dict(walks(options.seed, count))
        prices = {symbol: np.array([walk.next() for _ in range(count)], np.int64) for symbol, walk in made.items()}
        clock = ServerClock(ExchangeClock(lambda: began))
        chance = Random(f"{options.seed}/demo")  # noqa: S311  # nobody has to guess what comes of it
        return cls(
            settings=settings,
            began=began,
            walks=made,
            prices=prices,
            ids=SeededIds(chance),
            chance=chance,
            clock=clock,
            venue=SimulatedVenue(clock.now),
        )

    @property
    def markets(self) -> dict[str, Market]:
        """The rules of the markets, by symbol."""
        return {symbol: walk.market for symbol, walk in self.walks.items()}

    async def live_through(self, tell: Tell) -> None:
        """Play the history, in a thread of its own; whoever gives up waiting ends it."""
        people = await self._people()
        self._open(people)
        loop, stop, count = asyncio.get_running_loop(), Event(), len(next(iter(self.prices.values())))
        clock = VirtualClock(self.began)
        self.clock.true = ExchangeClock(clock.now)
        past = Past(
            url=self.settings.database_url,
            venue=self.venue,
            clock=clock,
            prices=self.prices,
            chance=self.chance,
            user_id=people.user.id,
            ids=self.ids,
            engine=f"demo:{self.ids.new()}",
            stop=stop,
            tell=lambda number: loop.call_soon_threadsafe(tell, number / count),
        )
        await in_thread(lambda: play(past), stop)
        tell(1.0)

    async def _people(self) -> People:
        clock = CountingClock(self.began - _MOVES_IN)
        async with opened(self.settings.database_url, clock, may_create=True) as store:
            return await move_in(store, clock, self.ids, FernetSecrets(self.settings.encryption_key), self.markets)

    def _open(self, people: People) -> None:
        """Open the markets where they begin, and the account, with what every paper account holds."""
        for symbol, market in self.markets.items():
            price = _price(market, int(self.prices[symbol][0]))
            self.venue.list_pair(market, price, most_open=MOST_ORDERS)
        self.venue.open_account(AccountId(key_of(people.account).key), BALANCE, Fees())

    def site(self, options: DemoOptions, clock: Clock) -> Site:
        """Return the exchange as it goes on from here, by this machine's clock, ready to be served."""
        self.clock.true = ExchangeClock(wall)
        exchange = LocalExchange(Options(balance=BALANCE, has_limits=False), self.clock, self.venue)
        exchange.offered = {symbol: Market(pair=symbol, **rules) for symbol, rules in known_markets().items()}
        exchange.price_of_new = first_price
        exchange.attach_all()
        store = ParquetCandleStore(self.settings.data_dir)
        for symbol, market in self.markets.items():
            made = candles.minutes(market, self.prices[symbol], self.began, self.chance)
            store.save(symbol, candles.stored(made))
            exchange.tape.take_up(symbol, candles.book_of(made))
        site = Site(exchange)
        site.is_paper = site.opens_pairs = True
        site.told = lambda: Told(Source.WALK)
        if options.speed:
            site.drivers.append(
                LivelyMarkets(venue=self.venue, walks=self.walks, clock=clock, chance=self.chance, speed=options.speed)
            )
        return site


async def in_thread(call: Callable[[], T], stop: Event | None = None) -> T:
    """Return what *call* returns, run in a thread of its own, which is over in any case when this is.

    Whoever gives up waiting sets *stop*, and waits until it is: what still writes would make anew the folder that is
    being cleared away.
    """
    work = asyncio.create_task(asyncio.to_thread(call))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if stop is not None:
            stop.set()
        await asyncio.wait({work})
        if not work.cancelled():
            work.exception()  # that it has not come to its end is no news
        raise


@exact
def _price(market: Market, ticks: int) -> Price:
    return Price(ticks * market.tick_size)
