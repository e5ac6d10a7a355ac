"""`dca data download`, as it is typed, against an archive on the loopback."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcacore.bootstrap import candle_store
from dcacore.ports.candle_archive import Piece
from tests.integration.live import Cli, clean_environment
from tests.unit.candles.market import candles, same
from tests.unit.downloads.market import DAY, HOUR, hours, month, ms
from tests.unit.downloads.site import Handler, Site, html, packed, path_of, serving, silence, status

DCA = str(Path(sys.executable).with_name("dca"))
ROWS = hours("2023-09-01", "2024-01-01 12:00")
MONTHS = [month(f"2023-{number:02}") for number in (9, 10, 11)]
AUTUMN = ("data", "download", "BTCUSDT", "--interval", "1h", "--from", "2023-09", "--to", "2023-11")


@pytest.fixture
def site(cli: Cli) -> Iterator[Site]:
    """An archive with three months; the exchange has a month more."""
    with serving() as site:
        site.rows, site.step, site.now_ms = ROWS, HOUR, ROWS[-1][0] + DAY
        for piece in MONTHS:
            site.hold(piece, packed(piece, ROWS, HOUR))
        cli.environment |= {
            "BINANCE_ARCHIVE_URL": site.url,
            "BINANCE_KLINES_URL": f"{site.url}/",
            "NO_PROXY": "127.0.0.1",
        }
        yield site


def test_what_it_says_the_first_time_and_the_next(cli: Cli, site: Site) -> None:
    assert cli.good(*AUTUMN).splitlines() == [
        "3 files of the archive loaded, 0 there already; 0 candles from the exchange",
        "BTCUSDT 1h: 2,184 candles from 2023-09-01 00:00 to 2023-11-30 23:00: 2,184 new; no gaps",
    ]
    assert same(candle_store(cli.folder / "data").load("BTCUSDT", "1h"), candles(ROWS[: 91 * 24], HOUR))
    assert cli.good(*AUTUMN[:-1], "2024-01-01").splitlines() == [
        "no candles after 2024-01-01 11:00: the market stood still, or the pair was taken off",
        "0 files of the archive loaded, 3 there already; 756 candles from the exchange",
        "BTCUSDT 1h: 2,940 candles from 2023-09-01 00:00 to 2024-01-01 11:00: 756 new; no gaps",
    ]


def test_edges_and_gaps_are_told(cli: Cli, site: Site) -> None:
    site.listed = set()
    gap = "1 gap with 5 missing candles, the longest 5 after 2023-10-05 02:00"
    halted = [row for row in ROWS if not ms("2023-10-05 03:00") <= row[0] < ms("2023-10-05 08:00")]
    site.hold(MONTHS[1], packed(MONTHS[1], halted, HOUR))
    args = ("data", "download", "BTCUSDT", "--interval", "1h", "--from", "2023-07-20", "--to", "2023-12")
    assert cli.good(*args).splitlines() == [
        "no candles before 2023-09-01 00:00: the pair was not listed yet, as it seems",
        "no candles after 2023-11-30 23:00: the pair is not listed now",
        "3 files of the archive loaded, 0 there already; 0 candles from the exchange",
        f"BTCUSDT 1h: 2,179 candles from 2023-09-01 00:00 to 2023-11-30 23:00: 2,179 new; {gap}",
    ]


def test_a_real_file_of_a_coin_that_stopped_and_came_back_as_another(cli: Cli, site: Site, real_data: Path) -> None:
    begins, ends = ms("2022-05-01"), ms("2022-06-01")
    piece = Piece(pair="LUNAUSDT", interval="1m", period="2022-05", begins=begins, ends=ends)
    site.hold(piece, (real_data / piece.name).read_bytes())
    args = ("data", "download", "LUNAUSDT", "--interval", "1m", "--from", "2022-05", "--to", "2022-05")
    assert cli.good(*args).splitlines()[-1] == (
        "LUNAUSDT 1m: 18,400 candles from 2022-05-01 00:00 to 2022-05-31 23:59: 18,400 new; "
        "1 gap with 26,240 missing candles, the longest 26,240 after 2022-05-13 00:39"
    )


def test_json(cli: Cli, site: Site) -> None:
    names = [piece.name for piece in MONTHS]
    told = {
        "pair": "BTCUSDT",
        "interval": "1h",
        "candles": 2184,
        "from_ms": ms("2023-09-01"),
        "to_ms": ms("2023-11-30 23:00"),
        "added": 2184,
        "replaced": 0,
        "unchanged": 0,
        "files_loaded": names,
        "files_known": [],
        "files_replaced": [],
        "from_exchange": 0,
        "is_listed": True,
        "gaps": 0,
        "missing": 0,
        "longest_gap": None,
    }
    assert cli.json(*AUTUMN) == told
    assert cli.json(*AUTUMN) == told | {"added": 0, "files_loaded": [], "files_known": names}


def test_what_was_replaced_is_told(cli: Cli, site: Site) -> None:
    cli.good(*AUTUMN)
    site.hold(MONTHS[1], packed(MONTHS[1], ROWS, HOUR, per_ms=1000))
    assert cli.good(*AUTUMN).splitlines()[0] == (
        "BTCUSDT-1h-2023-10.zip was replaced in the archive since it was loaded, and was loaded again"
    )
    site.hold(MONTHS[1], packed(MONTHS[1], [(*row[:5], row[5] + 1) for row in ROWS], HOUR))
    refusal = cli.refused(*AUTUMN)
    assert refusal.startswith("BTCUSDT-1h-2023-10.zip, which the archive has replaced since it was loaded: the candle")
    assert refusal.endswith("to take the new values ask for it with --replace")
    assert "744 replaced, 1,440 there already" in cli.good(*AUTUMN, "--replace")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"BTCUSDT": "btc/usdt"}, "pair = btc/usdt: must be uppercase letters and digits, such as BTCUSDT"),
        ({"1h": "7m"}, "interval = 7m: must be one of 1s, 1m, 3m"),
        ({"1h": "1M"}, "interval = 1M: months have no fixed length and are not supported"),
        ({"2023-11": "2023-08"}, "from = 2023-09-01 00:00: must lie before the end, 2023-09-01 00:00"),
        ({"2023-09": "2999-01", "2023-11": "2999-02"}, "from = 2999-01-01 00:00: lies in the future"),
        ({"2023-09": "2015-09", "2023-11": "2015-11"}, "there are no 1h candles of BTCUSDT from 2015-09-01 00:00 to"),
        ({"BTCUSDT": "NOPEUSDT"}, "NOPEUSDT is not traded on this exchange"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(cli: Cli, site: Site, changed: dict[str, str], reason: str) -> None:
    assert cli.refused(*(changed.get(arg, arg) for arg in AUTUMN)).startswith(reason)
    assert not (cli.folder / "data").exists()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--from", "yesterday"], "'yesterday' is no time such as 2021-04, 2021-04-02 or 2021-04-02T10:15"),
        (["--to", "2023-13"], "'2023-13' is no time"),
        (["--archive-url", "data.example"], "'data.example' is no address such as https://host"),
        (["--klines-url", "http://127.0.0.1:x"], "is no address"),
        (["--klines-url", "ftp://127.0.0.1"], "is no address"),
    ],
)
def test_misuse_is_told(cli: Cli, site: Site, more: list[str], reason: str) -> None:
    assert reason in cli.misused(*AUTUMN, *more)
    assert site.requests == []


def test_a_server_that_is_no_archive_is_told(cli: Cli, site: Site) -> None:
    site.fail(f"{path_of(MONTHS[0])}.CHECKSUM", html)
    assert cli.refused(*AUTUMN) == (
        f"{site.url}/data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2023-09.zip.CHECKSUM holds something else than "
        "that file's checksum; what came before is stored, and the same command goes on from there"
    )


def test_a_server_that_refuses_is_told(cli: Cli, site: Site) -> None:
    site.fail(path_of(MONTHS[2]), status(451))
    assert "BTCUSDT-1h-2023-11.zip refuses to answer (HTTP 451); what came before is stored" in cli.refused(*AUTUMN)
    assert candle_store(cli.folder / "data").list()[0].rows == 61 * 24


def test_an_interrupt_leaves_whole_months_only(cli: Cli, site: Site) -> None:
    reached = threading.Event()

    def stuck(handler: Handler, body: bytes) -> None:
        reached.set()
        silence(handler, body)

    site.fail(path_of(MONTHS[1]), stuck)
    with subprocess.Popen(
        [DCA, *AUTUMN],
        cwd=cli.folder,
        env=clean_environment(**cli.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert reached.wait(30)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == (b"", b"")
    assert process.returncode == 130
    assert all(entry.rows == 30 * 24 and not entry.problem for entry in candle_store(cli.folder / "data").list())
    assert "2,184 candles" in cli.good(*AUTUMN)
    assert "no gaps" in cli.good("data", "check", "BTCUSDT")


def test_a_terminal_sees_how_far_it_is(cli: Cli, site: Site) -> None:
    slow = threading.Event()

    def held(handler: Handler, body: bytes) -> None:
        slow.wait(0.6)  # the bar comes after half a second
        handler.send(200, body, {})

    site.fail(path_of(MONTHS[0]), held)
    controller, terminal = pty.openpty()
    done = subprocess.run(
        [DCA, *AUTUMN],
        cwd=cli.folder,
        env=clean_environment(**cli.environment),
        stdout=subprocess.PIPE,
        stderr=terminal,
        check=True,
        timeout=60,
    )
    os.close(terminal)
    shown = os.read(controller, 100_000).decode()
    os.close(controller)
    assert done.stdout.startswith(b"3 files of the archive")
    assert "downloading BTCUSDT 1h [#" in shown
    assert shown.endswith("\r\x1b[2K")
