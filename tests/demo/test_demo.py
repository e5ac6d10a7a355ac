"""The demo: a history that an engine has played, and a present that goes on with the same books."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any, Final

import aiohttp
import attrs
import pytest
from structlog.testing import capture_logs

from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.application import deals, users
from dcacore.bootstrap import candle_store
from dcacore.bootstrap.demo import EMAIL, PASSWORD, Demo, DemoOptions, demo
from dcacore.bootstrap.demo.opening import in_thread
from dcacore.domain.bot import Phase
from dcacore.domain.deal import Exit
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import OWN_PREFIX
from dcacore.domain.intents import IntentState
from dcacore.domain.money import Price
from dcacore.local_exchange.clock import to_ms
from dcacore.ports.clock import Clock
from dcacore.ports.records import BotRecord, DealRecord, Reconciliation, Tier, User
from dcacore.ports.store import Store
from tests.simulation.invariants import check_books

LEAST_CLOSED: Final = 20
"""Deals that each bot has closed within thirty days."""
HOUR_MS: Final = 3_600_000
UNLIKE: Final = frozenset({"alembic_version", "meta", "engine"})
"""Tables that tell of the database itself."""


@attrs.define
class Looked:
    """A demo, as the checks of the simulation want it."""

    demo: Demo
    prefix: str
    user: User
    violations: list[str] = attrs.field(factory=list)

    @classmethod
    async def at(cls, it: Demo) -> Looked:
        return cls(it, OWN_PREFIX + await it.app.store.epoch(), await users.find(it.app.store, EMAIL))

    @property
    def venue(self) -> SimulatedVenue:
        return self.demo.exchange.venue

    @property
    def store(self) -> Store:
        return self.demo.app.store

    async def records(self) -> tuple[BotRecord, ...]:
        async with self.store.begin(reads_only=True) as work:
            return await work.bots.of(self.user.id)

    async def deals(self) -> tuple[tuple[BotRecord, DealRecord], ...]:
        return await deals.of(self.store, self.user.id, limit=10_000)

    async def reconciliations(self) -> tuple[Reconciliation, ...]:
        async with self.store.begin(reads_only=True) as work:
            (account,) = await work.accounts.of(self.user.id)
            return await work.feed.reconciliations(account.id, limit=1_000)

    async def until_quiet(self, closed: int = 0) -> None:
        """Return when so many deals have closed, and the exchange has answered everything."""
        for _ in range(2_000):
            async with self.store.begin(reads_only=True) as work:
                records = await work.bots.of(self.user.id)
                unsettled = await work.intents.unsettled([record.bot.id for record in records])
            engine = self.demo.app.engine
            assert engine is not None
            is_up = len(engine.runners) == len(records) and all(it.is_reconciled for it in engine.runners.values())
            is_up = is_up and all(record.bot.phase is not Phase.STARTING for record in records)
            rests = all(it.state is IntentState.OPEN and not it.order.is_cancelling for it in unsettled)
            if is_up and rests and sum(record.lifetime.deals for record in records) >= closed:
                return
            await self.demo.app.clock.sleep(0.01)
        raise AssertionError("it does not come to rest")

    async def check_books(self) -> None:
        await check_books(self)
        assert self.violations == []
        assert [found.differences for found in await self.reconciliations() if found.differences] == []

    async def klines(self, symbol: str, interval: str, limit: int) -> list[list[Any]]:
        query: dict[str, str | int] = {"symbol": symbol, "interval": interval, "limit": limit}
        async with (
            aiohttp.ClientSession(self.demo.app.settings.paper_exchange_url) as session,
            session.get("/api/v3/klines", params=query) as answer,
        ):
            rows: list[list[Any]] = await answer.json()
            return rows


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let demos make their folders in one of the test's, and see that none is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.glob("dca-demo-*")) == []


async def test_thirty_days_are_played_and_go_on() -> None:
    shares: list[float] = []
    with capture_logs() as lines:
        async with demo(DemoOptions(speed=0), tell=shares.append) as it:
            looked = await Looked.at(it)
            await looked.until_quiet()
            await _check_past(looked)
            await _check_candles(looked)
            await looked.check_books()
            await _check_that_a_deal_goes_on(looked)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    troubles = [line for line in lines if line["log_level"] in {"warning", "error", "critical"}]
    assert [line for line in troubles if line["event"] != "program_held_up"] == []  # that says how busy the machine is


async def _check_past(looked: Looked) -> None:
    user = looked.user
    assert (user.email, user.tier, user.verified_at is not None) == (EMAIL, Tier.PRO, True)
    assert looked.demo.app.passwords.check(PASSWORD, user.password_hash or "")
    records, played = await looked.records(), await looked.deals()
    assert [record.name for record in records] == ["BTC steady", "ETH trailing", "SOL with a stop"]
    assert min(record.lifetime.deals for record in records) >= LEAST_CLOSED
    exits = Counter(record.deal.exit for _, record in played)
    assert exits[Exit.TAKE_PROFIT] > LEAST_CLOSED
    assert exits[Exit.TRAILING_TAKE_PROFIT] > LEAST_CLOSED
    assert exits[Exit.STOP_LOSS] > 0
    assert exits[Exit.CLOSE] == 1
    assert max(record.deal.filled_safety_orders for _, record in played) >= 5
    first = min(record.deal.opened_at for _, record in played)
    assert looked.demo.app.clock.now() - first > datetime.timedelta(days=29.9)
    async with looked.store.begin(reads_only=True) as work:
        days = {total.day for total in await work.feed.totals([record.bot.id for record in records])}
        activity = await work.feed.activity(user.id, limit=1_000)
    assert len(days) > LEAST_CLOSED
    assert {"deal_opened", "safety_order_filled", "deal_closed"} <= {line.kind for line in activity}
    assert sum(record.bot.deal is not None for record in records) >= 2


async def _check_candles(looked: Looked) -> None:
    for symbol in looked.venue.pairs:
        stored = candle_store(looked.demo.app.settings.data_dir).load(symbol, "1m")
        assert len(stored) == 30 * 1_440
        assert stored.close[-1] == float(looked.venue.price(symbol) or 0)
        hours = await looked.klines(symbol, "1h", 1_000)
        assert all(later[0] - earlier[0] == HOUR_MS for earlier, later in itertools.pairwise(hours))
        assert hours[0][0] <= int(stored.open_time[0])
        (minute,) = [row for row in await looked.klines(symbol, "1m", 1_000) if row[0] == int(stored.open_time[-1])]
        assert [float(it) for it in minute[1:6]] == [
            float(column[-1]) for column in (stored.open, stored.high, stored.low, stored.close, stored.volume)
        ]
        highest, lowest = float(stored.high.max()), float(stored.low.min())
        assert (max(float(it[2]) for it in hours), min(float(it[3]) for it in hours)) == (highest, lowest)
        (month, *_), closed = await looked.klines(symbol, "1M", 2), looked.venue.price(symbol)
        assert Decimal(month[3]) <= (closed or 0) <= highest


async def _check_that_a_deal_goes_on(looked: Looked) -> None:
    """An order that has rested since before the hand-over fills, at its price and not a digit off."""
    records = await looked.records()
    (steady,) = [record for record in records if record.name == "BTC steady"]
    deal = steady.bot.deal
    assert deal is not None
    assert deal.take_profit_price is not None
    looked.demo.exchange.move("BTCUSDT", Price(deal.take_profit_price))
    await looked.until_quiet(sum(record.lifetime.deals for record in records) + 1)
    _, closed = await deals.find(looked.store, looked.user.id, deal.id)
    assert closed.deal.exit is Exit.TAKE_PROFIT
    assert closed.deal.opened_at == deal.opened_at
    await looked.check_books()


@attrs.frozen
class _Still(Clock):
    """The clock by which a history ends, so that two end at one time."""

    def now(self) -> datetime.datetime:
        return datetime.datetime(2026, 11, 22, 9, 30, 12, tzinfo=datetime.UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def test_a_seed_makes_one_history() -> None:
    one, again, another = [await _history(seed) for seed in (3, 3, 4)]
    assert one == again
    assert len(one["fill"]) > 10
    assert [row["price"] for row in one["fill"]] != [row["price"] for row in another["fill"]]


async def _history(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Return all that is in the database after two days, but for what has to be another each time."""
    async with demo(DemoOptions(seed=seed, days=2, speed=0), clock=_Still()) as it:
        epoch, file = await it.app.store.epoch(), it.app.settings.database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as raw:
            names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: _rows(raw, name, epoch) for name in names if name not in UNLIKE}


def _rows(raw: sqlite3.Connection, table: str, epoch: str) -> list[dict[str, Any]]:
    found = raw.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    if table == "user":
        for row in rows:
            del row["password_hash"]
    until = to_ms(_Still().now()) * 1_000
    past = [row for row in rows if not isinstance(row.get("at"), int) or row["at"] <= until]
    return [{name: it.replace(epoch, "") if isinstance(it, str) else it for name, it in row.items()} for row in past]


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    waiting: asyncio.Task[None]

    async def run() -> None:
        async with demo(DemoOptions(speed=0), tell=tell):
            raise AssertionError("it was not given up")

    def tell(share: float) -> None:
        if share > 0.02:
            waiting.cancel()

    waiting = asyncio.create_task(run())
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_thread_is_over_before_its_folder_is_cleared_away() -> None:
    begun, go, ended = Event(), Event(), Event()

    def write() -> None:
        begun.set()
        go.wait()
        ended.set()

    waiting = asyncio.create_task(in_thread(write))
    await asyncio.to_thread(begun.wait)
    waiting.cancel()
    asyncio.get_running_loop().call_soon(go.set)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()


async def test_markets_are_lively() -> None:
    async with demo(DemoOptions(days=1, speed=1_500)) as it:
        before = it.exchange.venue.prices()
        for _ in range(1_000):
            await it.app.clock.sleep(0.01)
            if all(price != before[symbol] for symbol, price in it.exchange.venue.prices().items()):
                return
    raise AssertionError("they stand")


@pytest.mark.parametrize("wrong", [{"days": 0}, {"speed": -1.0}, {"speed": float("nan")}, {"speed": float("inf")}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameter):
        DemoOptions(**wrong)
