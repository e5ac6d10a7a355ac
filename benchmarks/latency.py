"""How long it takes from a price to the order: `python -m benchmarks.latency`.

A hundred bots of twenty users trade ten pairs, wired as `dca worker` wires them: a SQLite file whose every commit is
synced to disk, the adapter for Binance, and the local exchange in a process of its own, which tells a hundred prices a
second that concern nobody. All bots trail their take profit: a price so far below the highest one fires a bot, and it
sells at market. (A stop loss takes the same way.) Then it begins its next deal, so that the engine has more to do than
what is measured.

Two times are measured. One begins when the exchange hands the frame that tells the price to its socket, and ends when
the last byte of the order is read there: the engine's part, both ways on the loopback, and waking two processes up. The
other is the engine's part alone: from the bytes of the frame being read here to the last byte of the order being handed
to the socket. Wall time, as it is the price that does not wait.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from asyncio.selector_events import _SelectorSocketTransport  # type: ignore[attr-defined]  # not in its stubs
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final
from unittest.mock import patch

import attrs
from rich.console import Console
from rich.table import Table
from websockets.asyncio.connection import Connection

from benchmarks.engine import bare_fsync
from benchmarks.timed_exchange import ORDER, TimedExchange, timed_exchange
from dcacore.adapters.binance.prices import BinancePrices
from dcacore.adapters.fernet import generate_key
from dcacore.application import accounts, asking, bots
from dcacore.application.engine.runner import Runner
from dcacore.bootstrap import garbage
from dcacore.bootstrap.app import App, open_app, running
from dcacore.bootstrap.logs import configure_logs
from dcacore.domain.bot import Phase
from dcacore.domain.ids import BotId, UserId, parse_order_id
from dcacore.domain.intents import IntentState
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price, floor_to
from dcacore.domain.strategy import Strategy
from dcacore.domain.watch import watches
from dcacore.ports.bot_file import BotFile
from dcacore.ports.records import Environment, RequestKind, Tier, User
from dcacore.ports.secrets import ApiKey
from dcacore.settings import LogFormat, Settings

PAIRS, BOTS, OF_A_USER = 10, 100, 5
SAFETY_ORDERS: Final = 2
MOST_ROUNDS, ENOUGH_S = 5, 10
"""A hundred times one bot fires in each round; none begins when so many seconds are over."""
START: Final = Price(Decimal(1000))
RISE: Final = Decimal("1.03")
FALL: Final = Decimal("0.98")
PATIENCE_S: Final = 20
GOAL: Final = "median 5, 99 % 25"


def market(number: int) -> Market:
    """Return the rules of a pair."""
    coin = f"C{number}X"
    return Market(
        pair=f"{coin}USDT",
        base_asset=coin,
        quote_asset="USDT",
        tick_size="0.01",
        step_size="0.00001",
        min_notional="5",
    )


MARKETS: Final = tuple(market(number) for number in range(PAIRS))
KEYS: Final = tuple(ApiKey(f"key{number}", f"secret{number}") for number in range(BOTS // OF_A_USER))


def strategy(number: int) -> Strategy:
    """Return how bot *number* trades: of the ten of a pair each trails by another distance."""
    return Strategy(
        pair=MARKETS[number % PAIRS].pair,
        base_order_size="100",
        safety_order_size="100",
        max_safety_orders=SAFETY_ORDERS,
        price_deviation="10",
        take_profit="1",
        trailing_deviation=Decimal("0.3") + number // PAIRS * Decimal("0.1"),
    )


@attrs.define
class OwnPart:
    """When this process has read a frame that tells a price, and when it has handed an order to its socket.

    Attributes:
        read: the frames of each pair since `forget`.
        handed: the first order to sell of each bot since then.
    """

    read: dict[str, list[float]] = attrs.field(factory=dict)
    handed: dict[BotId, float] = attrs.field(factory=dict)

    def forget(self) -> None:
        """Begin anew."""
        self.read, self.handed = {}, {}

    def note_price(self, pair: str, at: float) -> None:
        """Note that the bytes of a price were read at *at*."""
        self.read.setdefault(pair, []).append(at)

    def note_handed(self, data: bytes) -> None:
        """Note what has been handed to a socket."""
        order = ORDER.search(data)
        if order is not None and order[2] == b"SELL":
            parsed = parse_order_id(order[3].decode())
            if parsed is not None:
                self.handed.setdefault(parsed.bot_id, time.monotonic())


@contextmanager
def own_part() -> Iterator[OwnPart]:
    """Let all that this process reads and writes over connections be looked at."""
    noted, read_at = OwnPart(), 0.0
    receive, hear, write = Connection.data_received, BinancePrices.hear, _SelectorSocketTransport.write

    def receiving(self: Any, data: bytes) -> None:
        nonlocal read_at
        read_at = time.monotonic()
        receive(self, data)

    def hearing(self: Any, link: Any, frame: Any) -> None:
        told = frame.get("data", frame)
        if isinstance(told, dict) and "p" in told:
            noted.note_price(told["s"], read_at)
        hear(self, link, frame)

    def writing(self: Any, data: Any) -> None:
        noted.note_handed(bytes(data))
        write(self, data)

    with (
        patch.object(Connection, "data_received", receiving),
        patch.object(BinancePrices, "hear", hearing),
        patch.object(_SelectorSocketTransport, "write", writing),
    ):
        yield noted


@attrs.define
class Scene:
    """The engine's hundred bots, and the exchange.

    Attributes:
        prices: where each market stands.
    """

    app: App
    exchange: TimedExchange
    own: OwnPart
    prices: dict[str, Price] = attrs.field(factory=lambda: {it.pair: START for it in MARKETS})

    @property
    def runners(self) -> tuple[Runner, ...]:
        """The bots."""
        assert self.app.engine is not None
        return tuple(self.app.engine.runners.values())

    def of(self, pair: str) -> list[Runner]:
        """Return the bots of a pair, those that the price reaches first in front."""
        mine = [it for it in self.runners if it.market.pair == pair]
        return sorted(mine, key=lambda it: watches(it.bot).falls_to or 0, reverse=True)

    def move(self, prices: dict[str, Price]) -> dict[str, float]:
        """Let markets jump; return when each did."""
        self.prices.update(prices)
        return self.exchange.move(prices)

    async def calm(self, runners: Iterable[Runner], also: Callable[[Runner], bool] = lambda _: True) -> None:
        """Return when these bots hold coins, all their orders rest, nothing is on its way, and *also* is so of each."""
        async with asyncio.timeout(PATIENCE_S):
            for runner in runners:
                while not (is_calm(runner) and also(runner)):  # noqa: ASYNC110  # bots tell nobody
                    await asyncio.sleep(0.005)

    async def raise_all(self) -> None:
        """Let all markets rise so far that all bots trail."""
        for at in MARKETS:
            self.move({at.pair: Price(floor_to(self.prices[at.pair] * RISE, at.tick_size))})
            await self.calm(self.of(at.pair), lambda it: watches(it.bot).falls_to is not None)

    def delays(self, moved: dict[str, float], fired: Iterable[Runner]) -> list[float]:
        """Return the milliseconds from the price to the order of each of *fired*."""
        sold: dict[BotId, float] = {}
        for order in self.exchange.arrivals():
            parsed = parse_order_id(order.order_id)
            if order.side == "SELL" and parsed is not None and order.pair in moved:
                sold.setdefault(parsed.bot_id, (order.at - moved[order.pair]) * 1e3)
        return [sold[it.bot.id] for it in fired]

    def own_delays(self, moved: dict[str, float], fired: Iterable[Runner]) -> list[float]:
        """Return the milliseconds from the frame's being read here to the order's being handed to the socket."""
        read = {pair: min(it for it in self.own.read[pair] if it >= left) for pair, left in moved.items()}
        return [(self.own.handed[it.bot.id] - read[it.market.pair]) * 1e3 for it in fired]

    async def one_by_one(self) -> Delays:
        """Let one bot fire at a time."""
        taken: Delays = ([], [])
        for _ in range(BOTS // PAIRS):
            for at in MARKETS:
                first = self.of(at.pair)[0]
                level = watches(first.bot).falls_to
                assert level is not None
                add_to(taken, await self._fire({at.pair: level}, [first]))
        return taken

    async def ten_at_once(self) -> Delays:
        """Let all bots of a pair fire with one price, pair after pair."""
        taken: Delays = ([], [])
        for at in MARKETS:
            add_to(taken, await self._fire({at.pair: self._fallen(at)}, self.of(at.pair)))
        return taken

    async def all_at_once(self) -> Delays:
        """Let all bots of all pairs fire."""
        return await self._fire({it.pair: self._fallen(it) for it in MARKETS}, self.runners)

    def _fallen(self, at: Market) -> Price:
        return Price(floor_to(self.prices[at.pair] * FALL, at.tick_size))

    async def _fire(self, prices: dict[str, Price], fired: Sequence[Runner]) -> Delays:
        deals = {it: it.bot.deals_started for it in fired}
        self.exchange.arrivals()
        self.own.forget()
        moved = self.move(prices)
        await self.calm(fired, lambda it: it.bot.deals_started > deals[it])
        return self.delays(moved, fired), self.own_delays(moved, fired)


Delays = tuple[list[float], list[float]]
"""Milliseconds from the exchange and back to it, and of the engine's own part."""


def add_to(taken: Delays, more: Delays) -> None:
    """Add *more* to *taken*."""
    for mine, new in zip(taken, more, strict=True):
        mine.extend(new)


def is_calm(runner: Runner) -> bool:
    """Say whether the bot holds coins and all its safety orders rest."""
    states = [it.state is IntentState.OPEN and not it.order.is_cancelling for it in runner.unsettled]
    return runner.is_reconciled and runner.bot.phase is Phase.IN_POSITION and states == [True] * SAFETY_ORDERS


@asynccontextmanager
async def stage(folder: Path, exchange: TimedExchange, own: OwnPart) -> AsyncIterator[Scene]:
    """Yield a running engine with a hundred bots that all hold coins."""
    settings = Settings(
        database_url=f"sqlite:///{folder}/app.db",
        encryption_key=generate_key(),
        log_format=LogFormat.JSON,
        binance_rest_url=exchange.urls.rest,
        binance_stream_url=exchange.urls.stream,
        binance_ws_api_url=exchange.urls.ws_api,
    )
    lines = configure_logs(settings)
    try:
        async with open_app(settings, may_create=True) as opened:
            for number, key in enumerate(KEYS):
                await _add_user(opened, number, key)
            async with running(opened) as app:
                garbage.settle()
                scene = Scene(app, exchange, own)
                async with asyncio.timeout(PATIENCE_S):
                    while len(scene.runners) < BOTS:  # noqa: ASYNC110  # they tell nobody
                        await asyncio.sleep(0.05)
                await scene.calm(scene.runners)
                yield scene
    finally:
        lines.close()


async def _add_user(app: App, number: int, key: ApiKey) -> None:
    """Add a user with an account and five bots, each asked to start."""
    user = User(
        id=UserId(f"user{number}"), email=f"user{number}@example.com", created_at=app.clock.now(), tier=Tier.PRO
    )
    async with app.store.begin() as work:
        await work.users.add(user)
        await work.commit()
    await accounts.add(
        *app.means,
        app.secrets,
        user_id=user.id,
        name="spot",
        environment=Environment.CUSTOM,
        api_key=key,
        keys=app.keys,
    )
    for bot in range(number * OF_A_USER, (number + 1) * OF_A_USER):
        file = BotFile(file="bot.toml", name=f"bot {bot}", strategy=strategy(bot), market={}, fees=Fees())
        await bots.create(*app.means, user_id=user.id, account="spot", bot_file=file, market=MARKETS[bot % PAIRS])
        await asking.ask(*app.means, user_id=user.id, bot=file.name, kind=RequestKind.START)


@contextmanager
def without_stderr() -> Iterator[None]:
    """Let nothing that is logged be seen: the lines are made all the same, as a worker makes them."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@attrs.define
class Measured:
    """What one kind of event took.

    Attributes:
        delays: milliseconds of each order.
        own: those of the engine's own part.
        cpu: seconds of this process, for the orders and all that followed from them.
    """

    delays: list[float] = attrs.field(factory=list)
    own: list[float] = attrs.field(factory=list)
    cpu: float = 0.0

    async def add(self, play: Callable[[], Awaitable[Delays]]) -> None:
        """Measure once more."""
        began = time.process_time()
        add_to((self.delays, self.own), await play())
        self.cpu += time.process_time() - began

    def row(self) -> tuple[str, ...]:
        """Return how many there were, their median, 99th percentile and maximum, and the CPU time of one."""
        each = self.cpu * 1e3 / len(self.delays)
        return str(len(self.delays)), *_figures(self.own), *_figures(self.delays), f"{each:.0f}"


def _figures(delays: list[float]) -> list[str]:
    return [f"{it:.1f}" for it in (median(delays), quantiles(delays, n=100)[98], max(delays))]


async def played(folder: Path) -> tuple[Measured, Measured, Measured]:
    """Return what it took when one bot fired, all of a pair, and all."""
    one, ten, everybody = Measured(), Measured(), Measured()
    secrets = {key.key: key.secret for key in KEYS}
    with own_part() as own, timed_exchange(dict.fromkeys(MARKETS, START), secrets) as exchange:
        async with stage(folder, exchange, own) as scene:
            enough = time.monotonic() + ENOUGH_S
            for number in range(MOST_ROUNDS):
                if number and time.monotonic() > enough:
                    break
                await scene.raise_all()
                await one.add(scene.one_by_one)
            for kind, play in ((ten, scene.ten_at_once), (everybody, scene.all_at_once)):
                await scene.raise_all()
                await kind.add(play)
    return one, ten, everybody


def measure() -> Table:
    """Return what was measured, with the goals beside it."""
    with tempfile.TemporaryDirectory() as folder, without_stderr():
        one, ten, everybody = asyncio.run(played(Path(folder)))
        sync = bare_fsync(Path(folder)) * 1e3
    table = Table(title=f"milliseconds from a price to the order; a bare fsync takes {sync:.1f}")
    for name in (
        "a price that fires",
        "orders",
        "engine: median",
        "99 %",
        "longest",
        "with both ways: median",
        "99 %",
        "longest",
        "CPU, with all that follows",
        "goal",
    ):
        table.add_column(name)
    table.add_row("one bot", *one.row(), GOAL)
    table.add_row("all 10 bots of its pair", *ten.row(), "")
    table.add_row("(ten of them) all 100 bots", *everybody.row(), "")
    return table


if __name__ == "__main__":
    Console(width=150).print(measure())
