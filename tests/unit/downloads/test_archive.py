"""The archive over the network: what comes out of its files, and everything that can go wrong on the way."""

from __future__ import annotations

import asyncio
import datetime
import hashlib

import attrs
import pytest

from dcacore.adapters.candles.online import BinanceArchive, Patience, Web, open_web
from dcacore.ports.candle_archive import ArchiveFile
from dcacore.ports.candles import Candles
from dcacore.ports.errors import BadCandles, BadFile, RateLimited, Unavailable
from tests.strategies import NOON
from tests.unit.candles.market import candles, same
from tests.unit.downloads.market import DAY, HOUR, day, hours, month
from tests.unit.downloads.site import (
    HTML,
    Fault,
    Site,
    csv_of,
    cut,
    html,
    instead,
    packed,
    path_of,
    silence,
    status,
    zipped,
)
from tests.unit.simulated.clock import ManualClock

MAY = month("2021-05")
ROWS = hours("2021-05-01", "2021-06-01")
ZIP = packed(MAY, ROWS, HOUR)
PATH = path_of(MAY)
MADE = candles(ROWS, HOUR)


@pytest.fixture
def archive(web: Web, site: Site) -> BinanceArchive:
    site.hold(MAY, ZIP)
    return BinanceArchive(web)


def loaded(file: ArchiveFile | None) -> Candles:
    assert file is not None
    assert file.candles is not None
    return file.candles


@pytest.mark.parametrize(("per_ms", "header"), [(1, False), (1, True), (1000, False), (1000, True)])
async def test_milliseconds_and_microseconds_with_and_without_names(
    archive: BinanceArchive, site: Site, per_ms: int, header: bool
) -> None:
    data = packed(MAY, ROWS, HOUR, per_ms=per_ms, header=header)
    site.hold(MAY, data)
    file = await archive.fetch(MAY)
    assert same(loaded(file), MADE)
    assert file is not None
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert site.requests == [f"{PATH}.CHECKSUM", PATH]


async def test_a_day(archive: BinanceArchive, site: Site) -> None:
    piece = day("2021-05-02")
    site.hold(piece, packed(piece, ROWS, HOUR))
    assert len(loaded(await archive.fetch(piece))) == 24
    assert site.requests[-1] == "/data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2021-05-02.zip"


async def test_a_single_candle(archive: BinanceArchive, site: Site) -> None:
    piece = attrs.evolve(day("2021-05-02"), interval="1d")
    site.hold(piece, packed(piece, [(piece.begins, 100.0, 101.0, 99.0, 100.5, 1.0)], DAY))
    assert len(loaded(await archive.fetch(piece))) == 1


async def test_a_file_that_is_not_there_is_none(archive: BinanceArchive, site: Site) -> None:
    assert await archive.fetch(month("2018-05")) is None
    assert len(site.requests) == 1
    assert await archive.fetch(month("2015-05")) is None  # it need not be asked
    assert len(site.requests) == 1
    del site.files[PATH]  # half published
    assert await archive.fetch(MAY) is None


async def test_a_known_checksum_is_not_loaded_again(archive: BinanceArchive, site: Site) -> None:
    sha256 = hashlib.sha256(ZIP).hexdigest()
    file = await archive.fetch(MAY, ["0" * 64, sha256])
    assert (file and file.sha256, file and file.candles) == (sha256, None)
    assert site.requests == [f"{PATH}.CHECKSUM"]


@pytest.mark.parametrize(
    ("path", "faults"),
    [
        (PATH, [status(500), status(502)]),
        (f"{PATH}.CHECKSUM", [status(503)] * 5),
        (PATH, [cut, cut]),
        (f"{PATH}.CHECKSUM", [cut, status(500), cut]),
        (PATH, [html, html]),  # another checksum; both are looked at again
        (PATH, [instead(ZIP[:-9])]),
        (f"{PATH}.CHECKSUM", [instead(f"{'0' * 64}  {MAY.name}\n".encode())]),
    ],
)
async def test_what_passes_is_waited_for(
    archive: BinanceArchive, site: Site, path: str, faults: list[Fault], clock: ManualClock
) -> None:
    site.fail(path, *faults)
    assert same(loaded(await archive.fetch(MAY)), MADE)
    assert site.faults[path] == type(site.faults[path])()


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ([status(500)] * 6, r"zip fails \(HTTP 500\), 6 times"),
        ([cut] * 6, "breaks off its answer, 6 times"),
        ([status(403)], r"refuses to answer \(HTTP 403\)"),
        ([status(302, {"Location": "/login"})], r"refuses to answer \(HTTP 302\)"),
        ([status(400)], "refuses to answer"),
    ],
)
async def test_what_does_not_pass_is_told(archive: BinanceArchive, site: Site, faults: list[Fault], says: str) -> None:
    site.fail(PATH, *faults)
    with pytest.raises(Unavailable, match=says):
        await archive.fetch(MAY)
    assert not site.faults[PATH]


async def test_silence_passes(site: Site, clock: ManualClock) -> None:
    site.hold(MAY, ZIP)
    site.fail(PATH, silence)
    async with open_web(site.url, clock, Patience(silence_s=0.3)) as web:
        assert same(loaded(await BinanceArchive(web).fetch(MAY)), MADE)


async def test_silence_is_told(site: Site, clock: ManualClock) -> None:
    site.fail(f"{PATH}.CHECKSUM", silence, silence)
    async with open_web(site.url, clock, Patience(silence_s=0.05, tries=2)) as web:
        with pytest.raises(Unavailable, match="does not answer in time, 2 times"):
            await BinanceArchive(web).fetch(MAY)


async def test_an_answer_that_takes_too_long_as_a_whole_is_told(site: Site, clock: ManualClock) -> None:
    site.fail(f"{PATH}.CHECKSUM", silence)
    async with open_web(site.url, clock, Patience(whole_s=0.05, tries=1)) as web:
        with pytest.raises(Unavailable, match="does not answer in time"):
            await BinanceArchive(web).fetch(MAY)


async def test_a_server_that_is_not_there_is_told(clock: ManualClock) -> None:
    async with open_web("http://127.0.0.1:9", clock) as web:
        with pytest.raises(Unavailable, match="cannot be reached, 6 times"):
            await BinanceArchive(web).fetch(MAY)
    assert clock.at > NOON


@pytest.mark.parametrize("code", [429, 418, 503])
@pytest.mark.parametrize("retry_after", ["7", "Mon, 01 Jan 2024 12:00:07 GMT"])
async def test_a_pause_that_is_asked_for_is_kept(
    archive: BinanceArchive, site: Site, clock: ManualClock, code: int, retry_after: str
) -> None:
    site.fail(PATH, status(code, {"Retry-After": retry_after}))
    assert await archive.fetch(MAY) is not None
    assert clock.at >= NOON + datetime.timedelta(seconds=7)


@pytest.mark.parametrize(
    "retry_after", [{}, {"Retry-After": "soon"}, {"Retry-After": f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"}]
)
async def test_without_its_length_a_pause_lasts_a_minute(
    archive: BinanceArchive, site: Site, clock: ManualClock, retry_after: dict[str, str]
) -> None:
    site.fail(PATH, status(429, retry_after))
    assert await archive.fetch(MAY) is not None
    assert clock.at >= NOON + datetime.timedelta(minutes=1)


async def test_a_pause_that_is_too_long_is_told(archive: BinanceArchive, site: Site, clock: ManualClock) -> None:
    site.fail(PATH, status(418, {"Retry-After": "7200"}))
    with pytest.raises(RateLimited, match="no request before 2024-01-01 14:00:00 UTC"):
        await archive.fetch(MAY)
    assert clock.at == NOON


async def test_a_pause_holds_for_all_requests(site: Site, clock: ManualClock) -> None:
    async with open_web(site.url, clock, Patience(at_once=1)) as web:
        site.fail("/a", status(429, {"Retry-After": "100"}))
        await asyncio.gather(*(web.get(path, most=100) for path in ("a", "b", "c")))
        assert clock.at == NOON + datetime.timedelta(seconds=100)


async def test_only_so_many_requests_are_under_way(site: Site, clock: ManualClock) -> None:
    async with open_web(site.url, clock, Patience(at_once=2)) as web:
        await asyncio.gather(*(web.get(f"file{number}", most=100) for number in range(20)))
    assert len(site.requests) == 20
    assert site.most_at_once <= 2


@pytest.mark.parametrize("content", [HTML, b"", b"\xff\xfe", f"{'0' * 64}  other.zip\n".encode(), b"0" * 64])
async def test_an_answer_that_is_no_checksum_is_told(archive: BinanceArchive, site: Site, content: bytes) -> None:
    site.files[f"{PATH}.CHECKSUM"] = content
    with pytest.raises(Unavailable, match=r"BTCUSDT-1h-2021-05\.zip\.CHECKSUM holds something else"):
        await archive.fetch(MAY)


async def test_a_file_that_never_has_its_checksum_is_refused(archive: BinanceArchive, site: Site) -> None:
    site.hold(MAY, ZIP, sha256="0" * 64)
    with pytest.raises(BadFile, match=r"BTCUSDT-1h-2021-05\.zip: was loaded with another checksum"):
        await archive.fetch(MAY)
    assert site.asked(".zip") == 6


NAME = "BTCUSDT-1h-2021-05.csv"
TEXT = csv_of(ROWS, HOUR)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ZIP[: len(ZIP) // 2], r"is damaged or cut short \(zip\)"),
        (zipped(b"0" * 10_000_000, NAME), "unpacks to more than candles of that time can fill"),
        (zipped(TEXT, "BTCUSDT-1h-2021-06.csv"), "holds 'BTCUSDT-1h-2021-06.csv' instead of BTCUSDT-1h-2021-05.csv"),
        (zipped(TEXT, f"../../{NAME}"), "instead of BTCUSDT-1h-2021-05.csv"),
        (TEXT, "holds 'BTCUSDT-1h-2021-05.zip' instead of"),
        (HTML, "instead of"),
        (zipped(HTML, NAME), "not a known layout of candles"),
        (zipped(csv_of(hours("2021-04-01", "2021-05-01"), HOUR), NAME), "holds candles of another time than 2021-05"),
        (zipped(csv_of(hours("2021-05-20", "2021-06-02"), HOUR), NAME), "holds candles of another time than 2021-05"),
        (zipped(b"", NAME), "holds nothing"),
    ],
)
async def test_a_file_with_its_checksum_may_still_be_useless(
    archive: BinanceArchive, site: Site, data: bytes, reason: str
) -> None:
    site.hold(MAY, data)
    with pytest.raises(BadFile, match=reason):
        await archive.fetch(MAY)


async def test_a_row_that_cannot_be_right_is_named(archive: BinanceArchive, site: Site) -> None:
    wrong = [*ROWS[:7], (*ROWS[7][:2], 1.0, *ROWS[7][3:]), *ROWS[8:]]
    site.hold(MAY, zipped(csv_of(wrong, HOUR), NAME))
    with pytest.raises(BadCandles, match=r"BTCUSDT-1h-2021-05\.zip: row 8: high 1\.0 is below"):
        await archive.fetch(MAY)


async def test_an_answer_without_end_is_left(archive: BinanceArchive, site: Site) -> None:
    site.hold(MAY, b"PK" + bytes(1_000_000))
    with pytest.raises(BadFile, match=r"is longer than [\d,]+ bytes"):
        await archive.fetch(MAY)


async def test_a_week_may_begin_in_the_month_before(archive: BinanceArchive, site: Site) -> None:
    piece = attrs.evolve(MAY, interval="1w")
    week = 7 * DAY
    made = [(piece.begins - 2 * DAY + place * week, 100.0, 101.0, 99.0, 100.5, 1.0) for place in range(5)]
    site.hold(piece, zipped(csv_of(made, week), piece.name.removesuffix("zip") + "csv"))
    assert len(loaded(await archive.fetch(piece))) == 5
