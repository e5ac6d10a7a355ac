"""The paper exchange in a process of its own: who starts it, who finds it, and what survives which death."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from dcacore.adapters.memory import MemoryStore
from dcacore.adapters.system import SystemClock
from dcacore.bootstrap import paper_exchange, paper_process
from dcacore.bootstrap.app import open_app, paper_books, running
from dcacore.bootstrap.paper_exchange import PaperVenues, key_of, urls_of
from dcacore.bootstrap.paper_process import About, find, find_or_start
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.venue import VenueStatus
from dcacore.local_exchange.addresses import bind
from dcacore.local_exchange.paper import PricesFrom, open_paper
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from dcacore.local_exchange.standing import Standing, read_standing, write_standing
from dcacore.ports.clock import Clock
from dcacore.ports.errors import OutcomeUnknown, Unavailable, UnknownPair
from dcacore.ports.exchange import Exchange, OrderChanged, StreamLost, StreamOpened
from dcacore.ports.records import Environment
from dcacore.settings import Settings
from tests.contract.stored import account, bot, people, record
from tests.paper import STANDS, PaperHand
from tests.strategies import MARKET
from tests.unit.simulated.stage import WINDOW

BTCUSDT = "BTCUSDT"
ANNA, BEN = account(AccountId("anna")), account(AccountId("ben"))


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "app.db.paper"
    yield file
    PaperHand(file).end()


@contextlib.asynccontextmanager
async def trading(books: Path, *, url: str = "", store: MemoryStore | None = None) -> AsyncIterator[PaperVenues]:
    clock = SystemClock()
    venues = PaperVenues(books, store or MemoryStore(clock), clock, url=url)
    venues.may_start, venues.options = True, STANDS
    try:
        yield venues
    finally:
        await venues.close()


async def buy(exchange: Exchange, name: str, price: str | None = None) -> VenueStatus:
    order = Order(
        id=OrderId(name),
        side=Side.BUY,
        role=Role.BASE,
        quantity=BaseQty(Decimal("0.01")),
        price=None if price is None else Price(Decimal(price)),
    )
    return (await exchange.place(BTCUSDT, order, sent_at=exchange.now(), recv_window=WINDOW)).status


async def test_accounts_without_keys_trade_apart(books: Path) -> None:
    async with trading(books) as venues:
        anna, ben = await venues.exchange(ANNA), await venues.exchange(BEN)
        assert await buy(anna, "one") is VenueStatus.FILLED
        assert await buy(ben, "one", "29000") is VenueStatus.OPEN
        assert (await anna.balances())["USDT"].free == 9_700
        assert (await ben.balances())["USDT"].locked == 290
        assert (await anna.fees(BTCUSDT)).fee_taker == Decimal("0.001")
        assert BTCUSDT in await (await venues.directory(Environment.PAPER)).prices()
        assert await venues.prices_from(Environment.PAPER) == "moved by hand"
        assert venues.health()[Environment.PAPER].weight_limit == 0, "nobody is held back"
    async with trading(books) as venues:
        await venues.exchange(ANNA)
        assert venues.health()[Environment.PAPER].weight_limit == 0, "nor is who has asked for nothing yet"
    assert key_of(ANNA) == key_of(ANNA) != key_of(BEN)
    assert key_of(ANNA).key == "paper-anna"


TRADER = """
import asyncio, sys
from pathlib import Path
from tests.integration.test_paper_exchange import ANNA, buy, trading

async def main():
    async with trading(Path(sys.argv[1])) as venues:
        await buy(await venues.exchange(ANNA), "it", "29000")
        print("placed", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_f65_the_exchange_outlives_the_kill_of_its_starter_and_its_books_the_kill_of_itself(books: Path) -> None:
    root = Path(__file__).parents[2]
    trader = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TRADER, str(books), stdout=asyncio.subprocess.PIPE, cwd=root
    )
    assert trader.stdout is not None
    await trader.stdout.readuntil(b"placed\n")
    trader.kill()
    await trader.communicate()
    hand = PaperHand(books)
    where = await find(books)
    assert where is not None
    async with trading(books) as venues:
        exchange = await venues.exchange(ANNA)
        events = exchange.events()
        assert await anext(events) == StreamOpened()
        (resting,) = await exchange.open_orders(BTCUSDT)
        assert resting.order_id == "it"
        before = await hand.books(ANNA.id)
        hand.kill()
        assert isinstance(await anext(events), StreamLost)
        with pytest.raises(Unavailable):
            await exchange.balances()
        assert await find_or_start(books, SystemClock(), STANDS) == where, "it is where its clients look for it"
        assert await anext(events) == StreamOpened()
        assert await hand.books(ANNA.id) == before
        await hand.move(BTCUSDT, "28900")
        told = await anext(events)
        assert isinstance(told, OrderChanged)
        assert told.order.status is VenueStatus.FILLED


async def test_killed_in_the_middle_of_orders_it_has_all_that_it_answered_for(books: Path) -> None:
    async with trading(books) as venues:
        exchange, hand = await venues.exchange(ANNA), PaperHand(books)
        answered: list[str] = []
        enough = asyncio.Event()

        async def place() -> None:
            while True:
                name = f"o{len(answered)}"
                await buy(exchange, name, "7000")
                answered.append(name)
                if len(answered) == 20:
                    enough.set()

        placing = asyncio.create_task(place())
        async with asyncio.timeout(30):
            await enough.wait()
        await asyncio.sleep(0.013)
        hand.kill()
        with pytest.raises(OutcomeUnknown):
            await placing
        await find_or_start(books, SystemClock(), STANDS)
        kept = [booked.order.order_id for booked in (await hand.books(ANNA.id)).orders]
        assert kept[: len(answered)] == answered
        assert len(kept) <= len(answered) + 1


async def test_several_starters_at_once_end_with_one_exchange(books: Path) -> None:
    found = await asyncio.gather(*(find_or_start(books, SystemClock(), STANDS) for _ in range(3)))
    assert len(set(found)) == 1
    assert found[0] == await find(books)


async def test_many_accounts_that_are_opened_at_once_start_one_process(
    books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []
    start = paper_process._start

    async def counted(books: Path, clock: Clock, options: Sequence[str]) -> str:
        started.append(books)
        return await start(books, clock, options)

    monkeypatch.setattr(paper_process, "_start", counted)
    async with trading(books) as venues:
        accounts = [account(AccountId(f"a{number}")) for number in range(20)]
        exchanges = await asyncio.gather(*map(venues.exchange, accounts))
        assert len(set(exchanges)) == 20
    assert started == [books]


async def taken(port: int) -> socket.socket:
    """Return another program's socket on *port*, as soon as the one that was killed is quite gone from it."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                return bind("127.0.0.1", port)
            await asyncio.sleep(0.01)


async def test_who_trades_follows_an_exchange_whose_port_was_taken(books: Path) -> None:
    async with trading(books) as venues:
        exchange = await venues.exchange(ANNA)
        events = exchange.events()
        assert await anext(events) == StreamOpened()
        await buy(exchange, "it", "29000")
        assert isinstance(await anext(events), OrderChanged)
        before = read_standing(books)
        assert before is not None
        PaperHand(books).kill()
        assert isinstance(await anext(events), StreamLost)
        with await taken(before.port):
            keeping = asyncio.create_task(venues.keep_running())
            assert await anext(events) == StreamOpened()
            (resting,) = await exchange.open_orders(BTCUSDT)
            assert resting.order_id == "it"
            keeping.cancel()
        after = read_standing(books)
        assert after is not None
        assert after.port != before.port


async def test_an_engine_starts_it_and_starts_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_exchange, "LOOK_EVERY_S", 0.1)
    settings = Settings(database_url=f"sqlite:///{tmp_path}/app.db")
    hand = PaperHand(paper_books(settings))
    try:
        async with open_app(settings, may_create=True) as app:
            assert app.paper is not None
            app.paper.options = STANDS
            async with running(app):
                exchange = await app.venues.exchange(ANNA)
                events = exchange.events()
                assert await anext(events) == StreamOpened()
                hand.kill()
                assert isinstance(await anext(events), StreamLost)
                assert await anext(events) == StreamOpened()
        assert await find(hand.books_file) == hand.url, "it outlives the engine"
    finally:
        hand.end()


def test_one_database_has_one_paper_exchange_by_whatever_link_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "app.db")
    by_file, by_link = (Settings(database_url=f"sqlite:///{tmp_path}/{name}.db") for name in ("app", "link"))
    assert paper_books(by_link) == paper_books(by_file) == tmp_path.resolve() / "app.db.paper"


async def test_who_only_looks_starts_nothing(books: Path) -> None:
    async with trading(books) as venues:
        venues.may_start = False
        for look in (venues.exchange(ANNA), venues.directory(Environment.PAPER), venues.prices(Environment.PAPER)):
            with pytest.raises(Unavailable, match="no paper exchange runs over this database: `dca worker` starts it"):
                await look
        assert list(books.parent.iterdir()) == []


async def test_another_program_on_the_port_is_not_taken_for_it(books: Path) -> None:
    async with serving(open_paper(None, PricesFrom.HAND)) as urls:
        port = int(urls.rest.rpartition(":")[2])
        write_standing(books, Standing(port=port, pid=2**22 + 1, mark="ours", books=str(books)))
        assert await find(books) is None
        assert await paper_process.ask(urls.rest) is not None
    assert await paper_process.ask(urls.rest) is None


async def test_a_copy_of_the_books_has_an_exchange_of_its_own(books: Path) -> None:
    async with trading(books) as venues:
        await buy(await venues.exchange(ANNA), "it", "29000")
    copy = books.parent / "try it: ü" / books.name
    shutil.copytree(books.parent, copy.parent)
    try:
        assert await find(copy) is None
        async with trading(copy) as venues:
            exchange = await venues.exchange(ANNA)
            await exchange.cancel(BTCUSDT, OrderId("it"))
            assert await exchange.open_orders(BTCUSDT) == ()
        async with trading(books) as venues:
            (resting,) = await (await venues.exchange(ANNA)).open_orders(BTCUSDT)
            assert resting.order_id == "it"
    finally:
        PaperHand(copy).end()


async def test_books_that_were_moved_while_their_exchange_runs_are_taken_up_where_they_are(
    books: Path, tmp_path: Path
) -> None:
    before, there = tmp_path / "before", tmp_path / "there"
    before.mkdir()
    async with trading(before / books.name) as venues:
        await buy(await venues.exchange(ANNA), "it", "29000")
    before.rename(there)
    try:
        async with trading(there / books.name) as venues:
            (resting,) = await (await venues.exchange(ANNA)).open_orders(BTCUSDT)
            assert resting.order_id == "it"
        assert not before.exists()
    finally:
        PaperHand(there / books.name).end()


async def test_it_ends_when_nobody_is_connected_and_is_as_it_was_when_somebody_comes(
    books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.integration.test_paper_exchange.STANDS", (*STANDS, "--idle", "0.3"))
    async with trading(books) as venues:
        exchange = await venues.exchange(ANNA)
        await buy(exchange, "it", "29000")
        events = exchange.events()
        assert await anext(events) == StreamOpened()
        silent = asyncio.ensure_future(anext(events))
        await asyncio.wait({silent}, timeout=1)
        assert not silent.done(), "somebody is connected"
        silent.cancel()
    async with asyncio.timeout(20):
        while await find(books) is not None:
            await SystemClock().sleep(0.6)  # who asks is somebody, too
    assert "nobody_is_connected" in books.with_name("app.db.paper.log").read_text()
    async with trading(books) as venues:
        (resting,) = await (await venues.exchange(ANNA)).open_orders(BTCUSDT)
        assert resting.order_id == "it"


async def test_one_that_does_not_answer_is_not_started_twice(books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = await PaperHand.start(books)
    monkeypatch.setattr(paper_process, "_ANSWERS_WITHIN_S", 0.2)
    monkeypatch.setattr(paper_process, "_STARTS_WITHIN_S", 0.5)
    hand.kill(signal.SIGSTOP)
    with pytest.raises(Unavailable, match=r"does not come up: see app\.db\.paper\.log"):
        await find_or_start(books, SystemClock())
    hand.kill(signal.SIGCONT)
    assert "another exchange has this file" in books.with_name("app.db.paper.log").read_text()


def test_books_that_are_none_are_left_alone(books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_process, "_STARTS_WITHIN_S", 0)
    books.write_text("precious")
    with pytest.raises(Unavailable, match="does not come up"):
        asyncio.run(find_or_start(books, SystemClock()))
    assert books.read_text() == "precious"
    assert "is not the state of an exchange" in books.with_name("app.db.paper.log").read_text()
    nowhere = books / "below"
    with pytest.raises(Unavailable, match="cannot be started"):
        asyncio.run(find_or_start(nowhere, SystemClock()))


async def test_a_pair_that_only_a_bot_knows_is_listed_when_it_is_asked_for(books: Path) -> None:
    store = MemoryStore(SystemClock())
    await people(store, record(bot("b1")))
    async with trading(books, store=store) as venues:
        exchange = await venues.exchange(ANNA)
        assert (await exchange.listing(MARKET.pair)).market == MARKET
        assert await exchange.open_orders(MARKET.pair) == ()
        assert await exchange.price(MARKET.pair) is not None
        with pytest.raises(UnknownPair):
            await exchange.listing("NOBODYUSDT")
        listed = await (await venues.directory(Environment.PAPER)).listings()
        assert {MARKET.pair, BTCUSDT} <= {it.market.pair for it in listed}


async def test_another_local_exchange_is_none_for_paper_accounts(books: Path) -> None:
    async with serving(Site()) as urls, trading(books, url=urls.rest) as venues:
        with pytest.raises(Unavailable, match="is none for paper accounts: `dca exchange serve --paper` is"):
            await venues.exchange(ANNA)


async def test_an_exchange_that_the_settings_name_is_used_and_nothing_is_started(books: Path) -> None:
    async with serving(open_paper(None, PricesFrom.CHANCE)) as urls, trading(books, url=urls.rest) as venues:
        assert await buy(await venues.exchange(ANNA), "it") is VenueStatus.FILLED
        assert await venues.prices_from(Environment.PAPER) == "a random walk"
        await venues.keep_running()
    async with trading(books, url=urls.rest) as venues:
        with pytest.raises(Unavailable, match="no paper exchange answers where PAPER_EXCHANGE_URL says that it is"):
            await venues.exchange(ANNA)
    assert list(books.parent.iterdir()) == []
    assert urls_of("https://paper.example:8100").ws_api == "wss://paper.example:8100/ws-api/v3"


@pytest.mark.parametrize(
    ("prices", "reason", "by_chance", "words"),
    [
        ("live", "", (), "Binance's live stream"),
        ("live", "", ("ODDUSDT",), "Binance's live stream; a random walk: ODDUSDT"),
        ("live", "it broke", (), "Binance's live stream, which cannot be reached now (it broke)"),
        ("random walk", "it broke", (), "a random walk (Binance cannot be reached)"),
        ("nothing", "", (), "none yet"),
        ("candles", "", (), "candles"),
    ],
)
def test_where_prices_come_from_is_said(prices: str, reason: str, by_chance: tuple[str, ...], words: str) -> None:
    assert About(mark="", is_paper=True, prices=prices, reason=reason, by_chance=by_chance).words == words
