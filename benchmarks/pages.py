"""What the pages cost: on the server, on the way, and until something is to be seen.

Five people with five bots each, a hundred thousand closed deals in a SQLite file, and the dashboard in a process of its
own. Which pages there are the dashboard itself says, so a new one is measured without a word here.
"""

from __future__ import annotations

import asyncio
import datetime
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import attrs
import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.history import MARKET, Person, Size, fill, key_of
from benchmarks.served import Cost, Served, served
from benchmarks.timed_exchange import timed_exchange
from dcacore.adapters.fernet import generate_key
from dcacore.bootstrap.app import open_app
from dcacore.domain.money import Price
from dcacore.settings import Settings

ROUNDS: Final = 5
"""How often each user asks for each page."""
WORST: Final = 0.95
GOAL_MS: Final = 100
_PARAMETER: Final = re.compile(r"\{(\w+):\w+\}")
_NOT_PAGES: Final = ("/events", "/static", "/api/v1/schema/{")
"""A stream has no end, and files and what shows the description of the API are the same for everybody."""
_MONTH: Final = datetime.timedelta(days=31)


@attrs.frozen(kw_only=True)
class Filled:
    """A dashboard over a full database.

    Attributes:
        served: where it is.
        people: who may ask.
        today: the day on which it was filled.
    """

    served: Served
    people: tuple[Person, ...]
    today: datetime.date


@contextmanager
def filled(folder: Path, size: Size) -> Iterator[Filled]:
    """Yield a dashboard over a database of *size* in *folder*, with a local exchange behind its accounts."""
    keys = [key_of(number) for number in range(size.users)]
    file = folder / "pages.db"
    with timed_exchange({MARKET: Price(Decimal(30000))}, {it.key: it.secret for it in keys}) as exchange:
        settings = Settings(
            database_url=f"sqlite:///{file}",
            data_dir=str(folder / "data"),
            encryption_key=generate_key(),
            binance_rest_url=exchange.urls.rest,
            binance_stream_url=exchange.urls.stream,
            binance_ws_api_url=exchange.urls.ws_api,
        )

        async def prepare() -> list[Person]:
            async with open_app(settings, may_create=True) as app:
                return await fill(app, file, size)

        people = asyncio.run(prepare())
        with served(settings) as found:
            yield Filled(served=found, people=tuple(people), today=datetime.datetime.now(datetime.UTC).date())  # noqa: TID251  # the fill's clock is the machine's


def addresses(paths: Iterable[str], person: Person, today: datetime.date) -> dict[str, str]:
    """Return by path the address at which *person* finds it; paths whose parameters nobody knows here are left out."""
    known = {"bot_id": person.bot_id, "deal_id": person.deal_id, "account_id": person.account_id}
    found = {}
    for path in paths:
        names = _PARAMETER.findall(path)
        if path.startswith(_NOT_PAGES) or not known.keys() >= set(names):
            continue
        query = f"?first={today - _MONTH}" if path.startswith("/exports/") else ""
        found[path] = _PARAMETER.sub(lambda it: known[it[1]], path) + query
    return found


@attrs.define
class Costs:
    """What the requests for one page have cost.

    Attributes:
        statuses: HTTP's, of all of them.
    """

    cpu: list[float] = attrs.field(factory=list)
    wall: list[float] = attrs.field(factory=list)
    size: int = 0
    statuses: set[int] = attrs.field(factory=set)

    def add(self, cost: Cost) -> None:
        """Add one."""
        self.cpu.append(cost.cpu_ms)
        self.wall.append(cost.wall_ms)
        self.size = max(self.size, cost.size)
        self.statuses.add(cost.status)

    def row(self) -> tuple[str, ...]:
        """Return what a table says of it."""
        figures = [median(self.cpu), worst(self.cpu), median(self.wall), worst(self.wall), max(self.wall)]
        statuses = " ".join(map(str, sorted(self.statuses)))
        return (*[f"{it:.1f}" for it in figures], f"{self.size / 1e3:.1f}", statuses)


def worst(values: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]


def ask(it: Filled, rounds: int = ROUNDS) -> dict[str, Costs]:
    """Return what each page costs, by its path, when every user asks for it *rounds* times after once for nothing."""
    found: dict[str, Costs] = defaultdict(Costs)
    for person in it.people:
        asked = addresses(it.served.pages, person, it.today)
        paths = {address: path for path, address in asked.items()}
        bearer, cookie = {"authorization": f"Bearer {person.token}"}, {"cookie": f"session={person.cookie}"}
        with httpx.Client(base_url=it.served.url, headers={"accept-encoding": "gzip"}, timeout=60) as client:
            for turn in range(rounds + 1):
                for path, address in asked.items():
                    client.get(address, headers=bearer if path.startswith("/api/") else cookie)
                for cost in it.served.costs():
                    if turn:
                        found[paths[cost.path]].add(cost)
    return found


def table_of(found: dict[str, Costs]) -> Table:
    """Return the figures of all pages, the dearest first."""
    table = Table(title=f"milliseconds a page takes on the server; goal: 95 % below {GOAL_MS}, by the clock")
    for name in ("page", "CPU: median", "95 %", "clock: median", "95 %", "longest", "kB sent", "status"):
        table.add_column(name)
    for path, costs in sorted(found.items(), key=lambda it: worst(it[1].wall), reverse=True):
        table.add_row(path, *costs.row())
    return table


def measure(size: Size | None = None, rounds: int = ROUNDS) -> Table:
    """Return what the pages cost."""
    with tempfile.TemporaryDirectory() as folder, filled(Path(folder), size or Size()) as it:
        return table_of(ask(it, rounds))


if __name__ == "__main__":
    Console(width=130).print(measure())
