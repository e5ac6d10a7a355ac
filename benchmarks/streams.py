"""What open pages cost: five hundred event streams of one process, and how soon a price is to be seen."""

from __future__ import annotations

import asyncio
import datetime
import tempfile
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import urlsplit

import attrs
from rich.console import Console
from rich.table import Table

from benchmarks.pages import worst
from benchmarks.served import Served, served
from dcacore.adapters.fernet import generate_key
from dcacore.application import accounts, bots
from dcacore.application.identity import sessions
from dcacore.application.identity.means import NOBODY
from dcacore.bootstrap.app import App, open_app
from dcacore.domain.ids import UserId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.live import PriceMoved
from dcacore.ports.records import Environment, Tier, User
from dcacore.settings import Settings

STREAMS: Final = 500
OF_A_USER: Final = 10
PAIRS: Final = 5
QUIET_S: Final = 20
"""How long nothing happens: each stream has its heartbeat once meanwhile."""
TICKS: Final = 20
APART_S: Final = 0.5
PATIENCE_S: Final = 30
GOAL: Final = "300, together with the way from the exchange"


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


@attrs.define
class Reader:
    """One page's stream.

    Attributes:
        heard: a word for each event, with when it came.
    """

    heard: list[tuple[bytes, float]] = attrs.field(factory=list)
    size: int = 0

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Note what comes, for ever."""
        while line := await reader.readline():
            self.size += len(line)
            if line.startswith(b"event: "):
                self.heard.append((line[7:].strip(), time.monotonic()))

    def first(self, name: bytes, since: float) -> float | None:
        """Return when the first event of that name came after *since*."""
        return next((at for it, at in self.heard if it == name and at >= since), None)


async def person(app: App, number: int) -> str:
    """Make a user with a bot; return the secret of a session."""
    user = User(
        id=UserId(f"user{number}"),
        email=f"user{number}@example.com",
        created_at=app.clock.now(),
        verified_at=app.clock.now(),
        tier=Tier.PRO,
    )
    async with app.store.begin() as work:
        await work.users.add(user)
        opened = await sessions.open_session(app.identity, work, user, NOBODY)
        await work.commit()
    await accounts.add(*app.means, app.secrets, user_id=user.id, name="paper", environment=Environment.PAPER)
    for place in range(PAIRS):
        rules = market(place)
        strategy = Strategy(
            pair=rules.pair,
            base_order_size=100,
            safety_order_size=100,
            max_safety_orders=2,
            price_deviation=1,
            take_profit=1,
        )
        file = BotFile(file="bot.toml", name=f"bot {place}", strategy=strategy, market={}, fees=Fees())
        await bots.create(*app.means, user_id=user.id, account="paper", bot_file=file, market=rules)
    return opened.secret


@attrs.frozen
class Held:
    """What holding streams takes.

    Attributes:
        streams: how many.
        kib: of memory for each.
        quiet: percent of a CPU while nothing happens but heartbeats.
        tick_ms: CPU for a price of every market to all of them.
        seen_ms: from a price's being said to its being read, of every stream and tick.
        last_ms: until the last stream had it, of every tick.
    """

    streams: int
    kib: float
    quiet: float
    tick_ms: float
    seen_ms: list[float]
    last_ms: list[float]

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """Yield what a table says of it."""
        yield "streams of one process", str(self.streams), str(STREAMS)
        yield "memory of each", f"{self.kib:.0f} KiB", ""
        yield "CPU while nothing happens, heartbeats included", f"{self.quiet:.0f} % of a core", ""
        yield f"CPU of a price in each of {PAIRS} markets, to all", f"{self.tick_ms:.0f} ms", ""
        yield "from the engine's word to a stream's reader", f"median {median(self.seen_ms):.0f} ms", ""
        yield "", f"95 % {worst(self.seen_ms):.0f} ms", ""
        yield "until the last of all has it", f"median {median(self.last_ms):.0f} ms", ""
        yield "", f"longest {max(self.last_ms):.0f} ms", GOAL


async def hold(
    it: Served, cookies: list[str], *, each: int = OF_A_USER, quiet_s: float = QUIET_S, ticks: int = TICKS
) -> Held:
    """Return what it takes to hold *each* streams for every one of *cookies*."""
    before = it.memory_kib
    async with AsyncExitStack() as stack:
        readers = [await _stream(stack, it.url, cookie) for cookie in cookies for _ in range(each)]
        async with asyncio.timeout(PATIENCE_S):
            for reader in readers:
                while reader.first(b"notifications", 0) is None:  # noqa: ASYNC110  # what is measured tells nobody
                    await asyncio.sleep(0.01)
        kib, cpu = (it.memory_kib - before) / len(readers), it.cpu_s
        await asyncio.sleep(quiet_s)
        quiet, cpu = (it.cpu_s - cpu) / quiet_s * 100 if quiet_s else 0, it.cpu_s
        seen: list[float] = []
        last: list[float] = []
        idle = time.monotonic()
        for number in range(ticks):
            now = datetime.datetime.now(datetime.UTC)  # noqa: TID251  # what the engine's clock is
            price = Price(Decimal(1000 + number))
            said = it.say([PriceMoved(Environment.PAPER, market(place).pair, price, now) for place in range(PAIRS)])
            found = [await _arrival(reader, said) for reader in readers]
            seen += [(at - said) * 1e3 for at in found]
            last.append((max(found) - said) * 1e3)
            await asyncio.sleep(APART_S)
        idled = (time.monotonic() - idle) * quiet / 100
        return Held(len(readers), kib, quiet, max(0, it.cpu_s - cpu - idled) / ticks * 1e3, seen, last)


async def _arrival(reader: Reader, since: float) -> float:
    async with asyncio.timeout(PATIENCE_S):
        while (at := reader.first(b"price", since)) is None:  # noqa: ASYNC110  # likewise
            await asyncio.sleep(0.005)
    return at


async def _stream(stack: AsyncExitStack, url: str, cookie: str) -> Reader:
    where = urlsplit(url)
    incoming, outgoing = await asyncio.open_connection(where.hostname, where.port)
    outgoing.write(f"GET /events HTTP/1.1\r\nHost: {where.netloc}\r\nCookie: session={cookie}\r\n\r\n".encode())
    reader = Reader()
    reading = asyncio.ensure_future(reader.read(incoming))
    stack.callback(reading.cancel)
    stack.callback(outgoing.close)
    return reader


def held(folder: Path, streams: int = STREAMS, *, quiet_s: float = QUIET_S, ticks: int = TICKS) -> Held:
    """Return what it takes to hold so many streams."""
    settings = Settings(database_url=f"sqlite:///{folder}/streams.db", encryption_key=generate_key())
    each = min(OF_A_USER, streams)

    async def prepare() -> list[str]:
        async with open_app(settings, may_create=True) as app:
            return [await person(app, number) for number in range(streams // each)]

    cookies = asyncio.run(prepare())
    with served(settings) as it:
        return asyncio.run(hold(it, cookies, each=each, quiet_s=quiet_s, ticks=ticks))


def measure() -> Table:
    """Return what was measured, with the goals beside it."""
    table = Table("what", "measured", "goal", title="event streams")
    with tempfile.TemporaryDirectory() as folder:
        for row in held(Path(folder)).rows():
            table.add_row(*row)
    return table


if __name__ == "__main__":
    Console(width=130).print(measure())
