"""The venue in a process of its own: its journal, its socket, and what survives which death."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dcacore.adapters.simulated.process import VenueClient, running_port, start_venue
from dcacore.adapters.simulated.process.journal import Entry, Journal, JournalInUse
from dcacore.adapters.simulated.process.listing import market_of
from dcacore.adapters.simulated.process.server import VenueServer
from dcacore.adapters.simulated.process.service import VenueService
from dcacore.adapters.simulated.process.starting import state_file
from dcacore.adapters.simulated.process.walk import Walk
from dcacore.adapters.simulated.wire import pack
from dcacore.domain.ids import OrderId
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.venue import VenueStatus
from dcacore.ports.errors import BadCredentials, NotAccepted, OutcomeUnknown, TooLate, Unavailable, UnknownPair
from dcacore.ports.exchange import OrderChanged, StreamLost, StreamOpened
from tests.strategies import MARKET
from tests.unit.simulated.clock import ManualClock, RealClock
from tests.unit.simulated.stage import ME, OTHER, PAIR, WINDOW

LISTED: dict[str, Any] = {"name": "list", "params": {"market": pack(MARKET), "price": "100"}}
OPENED: dict[str, Any] = {"name": "open", "params": {"account": ME, "holdings": {"XYZ": "1000"}}}


def order(name: str = "it", price: str | None = None) -> Order:
    return Order(
        id=OrderId(name),
        side=Side.BUY,
        role=Role.BASE,
        quantity=BaseQty(Decimal(1)),
        price=None if price is None else Price(Decimal(price)),
    )


def moved(price: int) -> dict[str, Any]:
    return {"name": "move", "params": {"pair": PAIR, "price": str(price)}}


async def placed(client: VenueClient, name: str = "it", price: str | None = None) -> VenueStatus:
    done = await client.place(PAIR, order(name, price), sent_at=client.now(), recv_window=WINDOW)
    return done.status


class HastyClock(RealClock):
    """Waits for nothing."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


# ------------------------------------------------------------------------------------------------------------ journal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_a_replay_gives_the_same_books_to_the_microsecond(file: Path) -> None:
    clock = ManualClock()
    first = VenueService(Journal(file), clock.now)
    for entry in (LISTED, OPENED, moved(99), OPENED, {"name": "nonsense", "params": {}}):
        clock.pass_by(0.123457)
        try:
            first.handle("act", entry)
        except KeyError:
            assert entry["name"] == "nonsense"
    ticket = {"order_id": "it", "side": "buy", "quantity": "1", "price": "90"}
    sent: dict[str, Any] = {"account": ME, "pair": PAIR, "ticket": ticket, "recv_window": pack(WINDOW)}
    first.handle("place", {**sent, "sent_at": clock.now().isoformat()})
    first.handle("act", moved(80))
    with pytest.raises(TooLate):
        first.handle("place", {**sent, "sent_at": "2020-01-01T00:00:00+00:00"})
    before = first.venue.books(ME)
    first.close()
    clock.pass_by(86_400)
    again = VenueService(Journal(file), clock.now)
    assert again.venue.books(ME) == before
    assert len(before.trades) == 1
    assert again.venue.price(PAIR) == 80
    assert again.venue.now() == clock.now()
    again.close()


def test_a_line_that_was_not_written_whole_is_cut_off_and_the_next_one_stands_in_its_place(file: Path) -> None:
    journal = Journal(file)
    assert list(journal.replay()) == []
    one, two = Entry("2024-01-01T00:00:00+00:00", "act", {"a": "1"}), Entry("2024-01-01T00:00:01+00:00", "act", {})
    journal.append(one)
    journal.close()
    with file.open("ab") as torn:
        torn.write(b'{"at": "2024')
    journal = Journal(file)
    assert list(journal.replay()) == [one]
    journal.append(two)
    journal.close()
    journal = Journal(file)
    assert list(journal.replay()) == [one, two]
    journal.close()


def test_a_journal_has_one_holder(file: Path) -> None:
    journal = Journal(file)
    with pytest.raises(JournalInUse):
        Journal(file)
    journal.close()
    Journal(file).close()


class FullDisk(Journal):
    """Has no room when it is told so."""

    is_full = False

    def append(self, entry: Entry, *, is_synced: bool = True) -> None:
        if self.is_full:
            raise OSError("no space left on device")
        super().append(entry, is_synced=is_synced)


# ------------------------------------------------------------------------------------------------------------- socket


@pytest.fixture
def journal(file: Path) -> Iterator[FullDisk]:
    journal = FullDisk(file)
    yield journal
    journal.close()


@pytest.fixture
async def server(journal: FullDisk) -> AsyncIterator[VenueServer]:
    service = VenueService(journal, RealClock().now)
    service.handle("act", LISTED)
    service.handle("act", OPENED)
    server = VenueServer(service)
    yield server
    await server.stop()


@pytest.fixture
async def client(server: VenueServer) -> AsyncIterator[VenueClient]:
    port = await server.start()
    client = VenueClient(lambda: port, RealClock(), ME)
    await client.balances()
    yield client
    await client.close()


async def test_f70_without_room_for_the_journal_nothing_is_done(client: VenueClient, journal: FullDisk) -> None:
    journal.is_full = True
    with pytest.raises(Unavailable, match="no space"):
        await placed(client)
    journal.is_full = False
    assert await client.find(PAIR, order_id=OrderId("it")) is None
    assert await placed(client) is VenueStatus.FILLED


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("dance", {}),
        ("move", {"pair": PAIR, "price": "much"}),
        ("move", {"pair": PAIR, "price": None}),
        ("move", {"pair": PAIR, "price": "NaN"}),
        ("move", {"pair": PAIR, "price": "0"}),
        ("open", {"account": OTHER}),
        ("open", {"account": OTHER, "holdings": "all"}),
        ("list", {"market": {"pair": 1}}),
        ("list", {"market": {**pack(MARKET), "pair": "OTHER", "tick_size": "-1"}}),
        ("withdraw", {"account": ME, "asset": "XYZ", "amount": "NaN"}),
    ],
)
async def test_a_request_that_makes_no_sense_is_a_no_and_harms_nobody(
    client: VenueClient, server: VenueServer, file: Path, name: str, params: dict[str, Any]
) -> None:
    with pytest.raises(NotAccepted):
        await client.act(name, **params)
    assert await client.price(PAIR) == 100
    before = await client.books(ME)
    await client.close()
    await server.stop()
    server.service.close()
    again = VenueService(Journal(file), RealClock().now)
    assert again.venue.books(ME) == before
    again.close()


async def test_a_pair_that_is_not_traded_is_named_over_the_wire(client: VenueClient) -> None:
    with pytest.raises(UnknownPair, match="NONE"):
        await client.price("NONE")


async def test_books_come_over_the_wire_as_they_are(client: VenueClient, server: VenueServer) -> None:
    await placed(client)
    await placed(client, "rests", "90")
    assert await client.books(ME) == server.service.venue.books(ME)


async def test_an_account_that_is_not_there_is_said_at_each_request(server: VenueServer) -> None:
    port = await server.start()
    client = VenueClient(lambda: port, RealClock(), OTHER)
    assert await client.price(PAIR) == 100
    with pytest.raises(BadCredentials):
        await client.balances()
    await client.close()


async def test_prices_are_told_while_they_are_watched_and_again_after_a_cut(
    client: VenueClient, server: VenueServer
) -> None:
    ticks = client.ticks()
    await client.watch(PAIR)
    await client.watch(PAIR)
    assert (await anext(ticks)).price == 100
    await client.act("move", pair=PAIR, price="101")
    assert (await anext(ticks)).price == 101
    assert (await anext(client.ticks())).price == 101
    for caller in server._callers.values():
        caller.transport.abort()
    server.service.handle("act", moved(107))
    tick = await anext(ticks)
    assert tick.price == 107
    await client.unwatch(PAIR)
    await client.act("move", pair=PAIR, price="102")
    await client.watch(PAIR)
    assert (await anext(ticks)).price == 102
    with pytest.raises(UnknownPair):
        await client.watch("NONE")


async def test_a_cut_is_told_and_what_was_missed_is_not(client: VenueClient, server: VenueServer) -> None:
    events = client.events()
    assert await anext(events) == StreamOpened()
    for caller in server._callers.values():
        caller.transport.abort()
    assert isinstance(await anext(events), StreamLost)
    server.service.handle("act", moved(99))
    assert await anext(events) == StreamOpened()
    await placed(client, price="90")
    told = await anext(events)
    assert isinstance(told, OrderChanged)
    assert told.order.order_id == "it"


# ---------------------------------------------------------------------------------------------- answers that never come


@contextlib.asynccontextmanager
async def silent_after(answers: int) -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """Yield the port of a server that answers the first requests and then none, and what it hears."""
    heard: list[dict[str, Any]] = []
    now = RealClock().now().isoformat()
    hung_up = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                heard.append(json.loads(line))
                if len(heard) <= answers:
                    writer.write(json.dumps({"id": heard[-1]["id"], "result": now}).encode() + b"\n")
        writer.transport.abort()
        hung_up.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], heard
        await hung_up.wait()
        await asyncio.sleep(0)


class Impatient(RealClock):
    """Waits for nothing, once it is told to."""

    is_impatient = False

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.01 if self.is_impatient else seconds)


async def test_f01_an_order_without_an_answer_is_of_unknown_fate_and_is_not_sent_again() -> None:
    async with silent_after(answers=2) as (port, heard):
        clock = Impatient()
        client = VenueClient(lambda: port, clock, ME)
        events = client.events()
        assert await anext(events) == StreamOpened()
        clock.is_impatient = True
        with pytest.raises(OutcomeUnknown):
            await placed(client)
        with pytest.raises(OutcomeUnknown):
            await client.cancel(PAIR, OrderId("it"))
        with pytest.raises(Unavailable):
            await client.balances()
        await client.close()
    assert [request["method"] for request in heard] == ["time", "subscribe", "place", "cancel", "balances"]


async def test_a_connection_that_breaks_under_a_request_leaves_its_fate_unknown(client: VenueClient) -> None:
    work = asyncio.ensure_future(client.act("delist"))
    await asyncio.sleep(0)
    writer = client._link._writer
    assert writer is not None
    writer.transport.abort()
    with pytest.raises(OutcomeUnknown):
        await work


async def test_without_a_venue_nothing_is_sent_and_that_is_known() -> None:
    client = VenueClient(lambda: None, HastyClock(), ME)
    with pytest.raises(Unavailable):
        await placed(client)
    await client.close()


# ------------------------------------------------------------------------------------------------------------ walking


def test_prices_walk_on_the_grid_as_the_seed_says(file: Path) -> None:
    paths = []
    for _ in range(2):
        service = VenueService(Journal(file), ManualClock().now)
        service.handle("act", LISTED)
        random, path = Random(5), []
        for _ in range(50):
            Walk(service, 5, 1.0).step(PAIR, random)
            path.append(service.venue.price(PAIR))
        paths.append(path)
        service.close()
        file.unlink()
    assert paths[0] == paths[1]
    assert len(set(paths[0])) > 20
    assert all(price is not None and 80 < price < 125 and price % MARKET.tick_size == 0 for price in paths[0])


def test_a_named_pair_gets_rules_like_those_of_real_ones() -> None:
    market, price = market_of("BTCUSDT=30000")
    assert (market.base_asset, market.quote_asset, price) == ("BTC", "USDT", "30000")
    assert (market.tick_size, market.step_size) == (Decimal("0.01"), Decimal("0.00001"))
    assert market_of("DOGEUSDT=0.08")[0].step_size == 1
    for wrong in ("BTCUSDT", "BTCUSDT=", "BTCUSDT=0", "USDT=3", "BTCXXX=5", "BTCUSDT=-1"):
        with pytest.raises(ValueError, match="names no pair"):
            market_of(wrong)


# ---------------------------------------------------------------------------------------------------- real processes

TRADER = """
import asyncio, sys
from decimal import Decimal
from datetime import timedelta
from dcacore.adapters.simulated.process import VenueClient, start_venue
from dcacore.domain.ids import OrderId
from dcacore.domain.orders import Order, Role, Side
from pathlib import Path
from tests.strategies import MARKET
from tests.unit.simulated.clock import RealClock
from tests.unit.simulated.stage import ME

async def main():
    clock = RealClock()
    accounts = {ME: {"XYZ": Decimal(1000)}}
    port = await start_venue(Path(sys.argv[1]), clock, listings=[(MARKET, Decimal(100))], accounts=accounts, interval=0)
    client = VenueClient(lambda: port, clock, ME)
    await client.balances()
    order = Order(id=OrderId("it"), side=Side.BUY, role=Role.BASE, quantity=Decimal(1), price=Decimal(90))
    await client.place(MARKET.pair, order, sent_at=client.now(), recv_window=timedelta(seconds=5))
    print("placed", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_f65_the_venue_outlives_the_kill_of_its_starter_and_its_books_the_kill_of_itself(file: Path) -> None:
    clock = RealClock()
    root = Path(__file__).parents[3]
    trader = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TRADER, str(file), stdout=asyncio.subprocess.PIPE, cwd=root
    )
    assert trader.stdout is not None
    assert await trader.stdout.readline() == b"placed\n"
    trader.kill()
    await trader.communicate()
    port = await running_port(file)
    assert port is not None
    assert await start_venue(file, clock) == port
    ports = {"now": port}
    client = VenueClient(lambda: ports["now"], clock, ME)
    events = client.events()
    assert await anext(events) == StreamOpened()
    (resting,) = await client.open_orders(PAIR)
    assert resting.order_id == "it"
    before = await client.books(ME)
    os.kill(json.loads(state_file(file).read_text())["pid"], signal.SIGKILL)
    assert isinstance(await anext(events), StreamLost)
    ports["now"] = await start_venue(file, clock, interval=0)
    assert await anext(events) == StreamOpened()
    assert await client.books(ME) == before
    await client.act("move", pair=PAIR, price="89")
    told = await anext(events)
    assert isinstance(told, OrderChanged)
    assert told.order.status is VenueStatus.FILLED
    await client.close()
    os.kill(json.loads(state_file(file).read_text())["pid"], signal.SIGKILL)


async def test_a_second_venue_over_one_journal_is_refused_and_the_first_moves_its_prices(file: Path) -> None:
    command = (sys.executable, "-m", "dcacore.adapters.simulated.process", "--journal", str(file))
    pipe = asyncio.subprocess.PIPE
    first = await asyncio.create_subprocess_exec(
        *command, "--pairs", "BTCUSDT=30000", "--interval", "0.01", stdout=pipe
    )
    assert first.stdout is not None
    port = json.loads(await first.stdout.readline())["port"]
    second = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    _, said = await second.communicate()
    assert (second.returncode, said) == (3, b"journal: another venue runs over this journal\n")
    client = VenueClient(lambda: port, RealClock())
    ticks = client.ticks()
    await client.watch("BTCUSDT")
    assert len({(await anext(ticks)).price for _ in range(3)}) > 1
    await client.close()
    first.kill()
    await first.communicate()
    assert await running_port(file) is None
