"""A download as a whole: archive and exchange on the loopback, into a store of files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from pathlib import Path

import attrs
import pytest

from dcacore.adapters.candles import MemoryCandleStore, ParquetCandleStore
from dcacore.adapters.candles.online import BinanceArchive, BinanceKlines, Web
from dcacore.application.download_plan import Wanted
from dcacore.application.download_run import FROM_EXCHANGE
from dcacore.application.downloads import Downloaded, download
from dcacore.application.running_ahead import running_ahead
from dcacore.ports.candle_archive import ArchiveFile, CandleArchive, Piece
from dcacore.ports.candle_store import CandleStore, Saved, Source
from dcacore.ports.candles import Candles, gaps
from dcacore.ports.errors import BadFile, CandleConflict, NoCandles, Unavailable, UnknownPair
from tests.unit.candles.market import candles, same
from tests.unit.downloads.market import HOUR, day, hours, month, ms, wanted
from tests.unit.downloads.site import Site, cut, packed, path_of, status
from tests.unit.simulated.clock import ManualClock

NOW = "2024-01-01 12:00"
KLINES = "/api/v3/klines"
ROWS = hours("2023-09-01", "2024-01-01 13:00")  # the last one is forming
MONTHS = [month(f"2023-{number:02}") for number in (9, 10, 11, 12)]


@pytest.fixture(params=["memory", "parquet"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CandleStore:
    return MemoryCandleStore() if request.param == "memory" else ParquetCandleStore(tmp_path / "candles")


@attrs.define
class Visitor:
    site: Site
    web: Web
    clock: ManualClock
    shares: list[float] = attrs.Factory(list)

    async def download(self, it: Wanted, store: CandleStore, *, replace: bool = False) -> Downloaded:
        self.site.requests.clear()
        self.shares.clear()
        return await download(
            it,
            store=store,
            archive=BinanceArchive(self.web),
            exchange=BinanceKlines(self.web, self.clock),
            now_ms=self.site.now_ms,
            replace=replace,
            progress=self.shares.append,
        )


@pytest.fixture
def visitor(site: Site, web: Web, clock: ManualClock) -> Visitor:
    """The archive has September to November, the exchange all of it."""
    site.rows, site.step, site.now_ms = ROWS, HOUR, ms(NOW)
    for piece in MONTHS[:3]:
        site.hold(piece, packed(piece, ROWS, HOUR))
    return Visitor(site, web, clock)


async def test_months_days_and_the_exchange_fit_together(visitor: Visitor, store: CandleStore) -> None:
    for number in range(1, 30):
        piece = day(f"2023-12-{number:02}")
        visitor.site.hold(piece, packed(piece, ROWS, HOUR))
    done = await visitor.download(wanted("2023-09-01", "2030-01-01"), store)
    assert same(done.candles, candles(ROWS[:-1], HOUR))
    assert done.saved == Saved(added=len(ROWS) - 1, replaced=0, unchanged=0)
    assert [name[11:-4] for name in done.loaded] == [
        *("2023-09", "2023-10", "2023-11"),
        *(f"2023-12-{number:02}" for number in range(1, 30)),
    ]
    assert (done.known, done.replaced, done.from_exchange, done.is_listed) == ((), (), 2 * 24 + 12, True)
    assert visitor.site.asked(KLINES) == 1
    assert visitor.shares == sorted(visitor.shares)
    assert visitor.shares[-1] == 1
    sources = store.sources("BTCUSDT", "1h")
    assert [source.name for source in sources] == [*done.loaded, FROM_EXCHANGE]
    assert len({source.sha256 for source in sources}) == len(sources)


async def test_a_second_time_only_checksums_and_new_candles_come(visitor: Visitor, store: CandleStore) -> None:
    it = wanted("2023-09-01", "2030-01-01")
    await visitor.download(it, store)
    visitor.site.rows = hours("2023-09-01", "2024-01-01 16:00")
    visitor.site.now_ms = ms("2024-01-01 15:00")
    done = await visitor.download(it, store)
    assert (done.loaded, done.known, done.from_exchange) == ((), tuple(piece.name for piece in MONTHS[:3]), 3)
    assert visitor.site.asked(".zip") == visitor.site.asked(".CHECKSUM")
    assert visitor.site.asked(f"{KLINES}?symbol=BTCUSDT&interval=1h&startTime={ms(NOW)}") == 1
    assert same(done.candles, candles(visitor.site.rows[:-1], HOUR))


async def test_what_comes_into_the_archive_later_is_loaded_once(visitor: Visitor, store: CandleStore) -> None:
    it = wanted("2023-11-01", "2024-01-01")
    await visitor.download(it, store)
    visitor.site.hold(MONTHS[3], packed(MONTHS[3], ROWS, HOUR))
    done = await visitor.download(it, store)
    assert done.saved == Saved(added=0, replaced=0, unchanged=31 * 24)
    assert done.loaded == (MONTHS[3].name,)
    done = await visitor.download(it, store)
    assert (done.loaded, len(done.known), visitor.site.asked(KLINES)) == ((), 2, 0)


async def test_days_are_taken_where_no_whole_month_is_wanted(visitor: Visitor, store: CandleStore) -> None:
    for name in ("2023-10-10", "2023-10-11"):
        visitor.site.hold(day(name), packed(day(name), ROWS, HOUR))
    done = await visitor.download(wanted("2023-10-10", "2023-10-12"), store)
    assert len(done.candles) == 48
    assert visitor.site.asked("monthly") == 0


async def test_before_a_pair_was_listed_there_is_nothing_and_that_is_no_error(
    visitor: Visitor, store: CandleStore
) -> None:
    done = await visitor.download(wanted("2022-01-01", "2023-12-01"), store)
    assert done.candles.open_time[0] == ms("2023-09-01")
    assert len(done.loaded) == 3
    assert visitor.site.asked(KLINES) == 1


async def test_of_a_pair_that_was_taken_off_the_archive_is_what_there_is(visitor: Visitor, store: CandleStore) -> None:
    visitor.site.listed = set()
    done = await visitor.download(wanted("2023-09-01", "2024-01-01"), store)
    assert not done.is_listed
    assert done.candles.open_time[-1] == ms("2023-11-30 23:00")


async def test_when_nothing_comes_that_is_an_error(visitor: Visitor, store: CandleStore) -> None:
    with pytest.raises(
        NoCandles,
        match="no 1h candles of BTCUSDT from 2020-01-01 00:00 to 2020-03-01 00:00, neither in the archive nor at the",
    ):
        await visitor.download(wanted("2020-01-01", "2020-03-01"), store)
    unknown = attrs.evolve(wanted("2020-01-01", "2020-03-01"), pair="NOPEUSDT")
    with pytest.raises(UnknownPair, match="NOPEUSDT is not traded"):
        await visitor.download(unknown, store)
    assert store.list() == ()


async def test_what_came_of_another_time_does_not_count(visitor: Visitor, store: CandleStore) -> None:
    await visitor.download(wanted("2023-12-05", "2023-12-06"), store)
    with pytest.raises(NoCandles, match="neither in the archive nor at the exchange"):
        await visitor.download(wanted("2020-01-01", "2020-03-01"), store)


async def test_gaps_stay(visitor: Visitor, store: CandleStore) -> None:
    halted = [row for row in ROWS if not ms("2023-10-05 03:00") <= row[0] < ms("2023-10-05 08:00")]
    visitor.site.hold(MONTHS[1], packed(MONTHS[1], halted, HOUR))
    done = await visitor.download(wanted("2023-10-01", "2023-11-01"), store)
    assert [gap.missing for gap in gaps(done.candles)] == [5]
    assert visitor.site.asked(KLINES) == 0


OTHER = [(*row[:5], row[5] + 1) if row[0] == ms("2023-10-07 05:00") else row for row in ROWS]


async def test_a_replaced_file_with_other_values_is_refused_unless_it_is_to_win(
    visitor: Visitor, store: CandleStore
) -> None:
    it = wanted("2023-09-01", "2023-12-01")
    await visitor.download(it, store)
    visitor.site.hold(MONTHS[1], packed(MONTHS[1], OTHER, HOUR))
    with pytest.raises(
        CandleConflict,
        match=r"BTCUSDT-1h-2023-10\.zip, which the archive has replaced since it was loaded: the candle of 2023-10-07 "
        r"05:00 \(\d+\) has volume .*--replace",
    ):
        await visitor.download(it, store)
    done = await visitor.download(it, store, replace=True)
    assert done.saved == Saved(added=0, replaced=1, unchanged=len(done.candles) - 1)
    assert len(done.loaded) == 3
    assert (await visitor.download(it, store)).loaded == ()


async def test_a_replaced_file_with_the_same_values_is_told(visitor: Visitor, store: CandleStore) -> None:
    it = wanted("2023-09-01", "2023-12-01")
    await visitor.download(it, store)
    visitor.site.hold(MONTHS[1], packed(MONTHS[1], ROWS, HOUR, per_ms=1000))
    done = await visitor.download(it, store)
    assert done.loaded == done.replaced == (MONTHS[1].name,)
    assert (await visitor.download(it, store)).loaded == ()


async def test_what_fails_keeps_what_came_before_and_goes_on_later(visitor: Visitor, store: CandleStore) -> None:
    it = wanted("2023-09-01", "2023-12-01")
    visitor.site.fail(path_of(MONTHS[1]), *[cut] * 6)
    with pytest.raises(Unavailable, match="breaks off its answer"):
        await visitor.download(it, store)
    assert same(store.load("BTCUSDT", "1h"), candles(hours("2023-09-01", "2023-10-01"), HOUR))
    done = await visitor.download(it, store)
    assert (done.known, done.loaded) == ((MONTHS[0].name,), tuple(piece.name for piece in MONTHS[1:3]))


async def test_when_the_exchange_fails_the_archive_is_kept(visitor: Visitor, store: CandleStore) -> None:
    visitor.site.fail("/api/v3/time", status(451))
    with pytest.raises(Unavailable, match="HTTP 451"):
        await visitor.download(wanted("2023-09-01", "2024-01-01"), store)
    assert len(store.load("BTCUSDT", "1h")) == 91 * 24


async def test_where_the_exchange_has_other_values_nothing_is_changed(visitor: Visitor, store: CandleStore) -> None:
    other = hours("2023-12-01", "2023-12-02")
    store.save("BTCUSDT", candles([(*row[:5], row[5] + 1) for row in other], HOUR))
    with pytest.raises(CandleConflict, match="BTCUSDT 1h of api/v3/klines: the candle of 2023-12-01 00:00"):
        await visitor.download(wanted("2023-12-01", "2024-01-01"), store)
    assert len(store.load("BTCUSDT", "1h")) == 24
    assert store.sources("BTCUSDT", "1h") == ()


async def test_wherever_it_fails_the_next_one_goes_on(visitor: Visitor, tmp_path: Path) -> None:
    it = wanted("2023-09-01", "2024-01-01")
    await visitor.download(it, MemoryCandleStore())
    steps = [request.partition("?")[0] for request in visitor.site.requests]
    assert len(steps) > 8
    for number, path in enumerate(dict.fromkeys(steps)):
        if path not in visitor.site.files and "/api/" not in path:
            continue  # the archive does not have it anyway
        store = ParquetCandleStore(tmp_path / str(number))
        visitor.site.fail(path, status(403))
        with pytest.raises(Unavailable):
            await visitor.download(it, store)
        done = await visitor.download(it, store)
        assert same(done.candles, candles(hours("2023-09-01", "2024-01-01"), HOUR))
        [checked] = store.check("BTCUSDT")
        assert checked.problems == ()


async def test_a_bad_file_stores_nothing_of_its_month(visitor: Visitor, store: CandleStore) -> None:
    visitor.site.hold(MONTHS[1], packed(MONTHS[1], ROWS, HOUR)[:-30])
    with pytest.raises(BadFile, match=r"BTCUSDT-1h-2023-10\.zip: is damaged or cut short"):
        await visitor.download(wanted("2023-09-01", "2023-12-01"), store)
    assert len(store.load("BTCUSDT", "1h")) == 30 * 24


async def test_a_damaged_month_is_loaded_again(visitor: Visitor, tmp_path: Path) -> None:
    store = ParquetCandleStore(tmp_path)
    it = wanted("2023-09-01", "2023-12-01")
    first = await visitor.download(it, store)
    (tmp_path / "BTCUSDT" / "1h" / "BTCUSDT-1h-2023-10.parquet").unlink()
    done = await visitor.download(it, store)
    assert done.loaded == (MONTHS[1].name,)
    assert same(done.candles, first.candles)


class Waiting(CandleArchive):
    """An archive whose second file never comes."""

    def __init__(self, archive: CandleArchive) -> None:
        self._archive = archive
        self.reached = asyncio.Event()

    async def fetch(self, piece: Piece, known: Collection[str] = ()) -> ArchiveFile | None:
        if piece == MONTHS[1]:
            self.reached.set()
            await asyncio.Event().wait()
        return await self._archive.fetch(piece, known)


class Telling(ParquetCandleStore):
    """A store that tells when it has saved, from whatever thread."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.saved = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def save(self, pair: str, candles: Candles, *, sources: Sequence[Source] = (), replace: bool = False) -> Saved:
        saved = super().save(pair, candles, sources=sources, replace=replace)
        self._loop.call_soon_threadsafe(self.saved.set)
        return saved


async def test_an_interrupted_download_leaves_whole_months_and_no_task(visitor: Visitor, tmp_path: Path) -> None:
    store = Telling(tmp_path)
    archive = Waiting(BinanceArchive(visitor.web))
    it = wanted("2023-09-01", "2023-12-01")
    run = asyncio.create_task(
        download(
            it,
            store=store,
            archive=archive,
            exchange=BinanceKlines(visitor.web, visitor.clock),
            now_ms=visitor.site.now_ms,
        )
    )
    await archive.reached.wait()
    await store.saved.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert asyncio.all_tasks() == {asyncio.current_task()}
    [checked] = store.check("BTCUSDT")
    assert (checked.rows, checked.problems) == (30 * 24, ())
    assert len((await visitor.download(it, store)).known) == 1


async def test_running_ahead_keeps_the_order_and_the_measure() -> None:
    running: set[int] = set()
    most = 0

    async def work(number: int) -> int:
        nonlocal most
        running.add(number)
        most = max(most, len(running))
        for _ in range(10 - number):
            await asyncio.sleep(0)
        running.remove(number)
        return number * 10

    async def every(given: AsyncGenerator[int]) -> list[int]:
        async with aclosing(given) as found:
            return [value async for value in found]

    assert await every(running_ahead(work, range(10), 3)) == [number * 10 for number in range(10)]
    assert most == 3
    assert await every(running_ahead(work, [], 3)) == []
