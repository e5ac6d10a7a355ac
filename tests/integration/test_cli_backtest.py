"""`dca backtest`, as it is typed."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dcacli.main import main
from dcacore.bootstrap import candle_store, read_candles

CALM = str(Path("examples/btc-calm.toml").resolve())
DCA = str(Path(sys.executable).with_name("dca"))
MARCH = 1_614_556_800_000  # 2021-03-01
MINUTE = 60_000
KEYS = [
    *("pair", "engine", "candles", "from_ms", "to_ms", "deals", "open_deal", "profit"),
    *("carried_quantity", "carried_cost", "fees_quote", "fees_base", "statistics"),
]


def dca(*args: object) -> Result:
    return CliRunner().invoke(main, ["backtest", *map(str, args)])


def played(*args: object) -> dict[str, object]:
    done = dca(*args, "--json")
    assert (done.exit_code, done.stderr) == (0, ""), done.stderr
    values = json.loads(done.stdout)
    assert isinstance(values, dict)
    return values


def refusal(*args: object) -> str:
    done = dca(*args)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("dca: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("dca: ")


def write_market(path: Path, *, start: int = 0, prices: str = "", skipped: int = 0) -> Path:
    """Write candles of a minute each, as the archive of Binance has them, one a price; *skipped* are missing midway."""
    lines = []
    given = [Decimal(price) for price in prices.split()] or [Decimal(30_000 + 300 * (n % 5)) for n in range(100)]
    for place, price in enumerate(given):
        at = MARCH + (start + place + (skipped if place >= len(given) // 2 else 0)) * MINUTE
        row = [at, price, price + 10, price - 10, price + 5, 1, at + MINUTE - 1, 1, 1, 1, 1, 0]
        lines.append(",".join(map(str, row)))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_market(tmp_path / "BTCUSDT-1m-2021-03.csv")


def test_json(market: Path) -> None:
    report = played(CALM, "--data", market)
    assert list(report) == KEYS
    assert (report["pair"], report["engine"], report["candles"]) == ("BTCUSDT", "exact", 100)
    assert (report["from_ms"], report["to_ms"]) == (MARCH, MARCH + 99 * MINUTE)
    deals = report["deals"]
    assert isinstance(deals, list)
    assert len(deals) > 10
    assert sum(Decimal(deal["profit"]) for deal in deals) == Decimal(str(report["profit"]))


def test_text(market: Path) -> None:
    done = dca(CALM, "--data", market, "--deals", 3)
    assert (done.exit_code, done.stderr) == (0, "")
    report = played(CALM, "--data", market)
    assert "btc calm: BTCUSDT, exact engine, path nearest" in done.stdout
    assert "2021-03-01 00:00 to 2021-03-01 01:39 (UTC)" in done.stdout
    assert f"{report['profit']} USDT" in done.stdout
    assert "Open deal" in done.stdout
    assert "Last 3 deals of" in done.stdout
    assert "profit band" not in done.stdout
    assert "Last" not in dca(CALM, "--data", market, "--deals", 0).stdout


def test_text_has_no_trailing_blanks_and_a_line_for_each_path(market: Path) -> None:
    lines = dca(CALM, "--data", market, "--band").stdout.splitlines()
    assert not [line for line in lines if line != line.rstrip()]
    profit = Decimal(str(played(CALM, "--data", market)["profit"]))
    band = next(place for place, line in enumerate(lines) if line.startswith("  profit band"))
    names = [line.split()[0] for line in lines[band + 1 : band + 4]]
    assert names == ["nearest", "high_first", "low_first"]
    assert lines[band + 1].endswith(f"  {profit:,f} USDT")


@pytest.mark.parametrize(("width", "hidden"), [(120, ""), (80, "No room for reason, sold;")])
def test_deals_on_a_terminal_break_no_number(market: Path, width: int, hidden: str) -> None:
    above, below = pty.openpty()
    command = [DCA, "backtest", CALM, "--data", str(market)]
    environ = {**os.environ, "COLUMNS": str(width), "TERM": "xterm"}
    with subprocess.Popen(command, stdout=below, stderr=subprocess.DEVNULL, env=environ) as process:
        os.close(below)
        seen = b""
        with contextlib.suppress(OSError):  # what Linux says at the end of a terminal
            while more := os.read(above, 10_000):
                seen += more
    os.close(above)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode())
    table = text.partition("Last 10 deals")[2]
    rows = re.findall(r"^2021-03-01 .*$", table.replace("\r", ""), re.MULTILINE)
    assert len(rows) == 10
    assert max(map(len, rows)) <= width
    assert hidden in text
    assert ("No room" in text) == bool(hidden)


def test_several_files_after_one_option(market: Path) -> None:
    later = write_market(market.with_name("BTCUSDT-1m-2021-04.csv"), start=100)
    together = played(CALM, "--data", market, later)
    assert together["candles"] == 200
    assert together == played(CALM, "--data", later, "--data", market)
    assert together == played("--data", market, later, CALM)


def test_a_range_of_a_file(market: Path) -> None:
    report = played(CALM, "--data", market, "--from", "2021-03-01T00:10", "--to", "2021-03-01T00:20")
    assert (report["candles"], report["from_ms"]) == (10, MARCH + 10 * MINUTE)
    assert played(CALM, "--data", market, "--to", "2021-03-01")["candles"] == 100
    assert refusal(CALM, "--data", market, "--from", "2021-03-02") == (
        f"{market}: no candles in that range; there are some from 2021-03-01 00:00 to 2021-03-01 01:39 (UTC)\n"
    )


def test_out_of_the_store(market: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candle_store("store").save("BTCUSDT", read_candles(market))
    assert played(CALM, "--interval", "1m", "--data-dir", "store") == played(CALM, "--data", market)
    monkeypatch.setenv("DATA_DIR", "store")
    assert played(CALM, "--interval", "1m", "--from", "2021-03-01T01:00")["candles"] == 40
    assert "there are no 5m candles of BTCUSDT" in refusal(CALM, "--interval", "5m")
    assert "there are no 1m candles of BTCUSDT" in refusal(CALM, "--interval", "1m", "--from", "2022-01-01")
    assert refusal(CALM, "--interval", "7m").startswith("interval = 7m: must be one of ")


def test_chance(market: Path) -> None:
    args = (CALM, "--random-walk", "--to", "2023-01-10", "--json", "--seed")
    once, again, other = (dca(*args, seed).stdout for seed in (7, 7, 8))
    assert once == again != other
    assert json.loads(once)["candles"] == 10 * 1440


def test_a_gap(market: Path) -> None:
    hole = write_market(market.with_name("hole.csv"), skipped=1441)
    message = refusal(CALM, "--data", hole)
    assert message.startswith(f"{hole}: no candles for 1 d 1 min from 2021-03-01 00:50 to 2021-03-02 00:51 (UTC)")
    assert "--to 2021-03-01T00:50 or --from 2021-03-02T00:51, or both with --max-gap 0" in message
    assert played(CALM, "--data", hole, "--to", "2021-03-01T00:50")["candles"] == 50
    assert played(CALM, "--data", hole, "--from", "2021-03-02T00:51")["candles"] == 50
    assert played(CALM, "--data", hole, "--max-gap", "0")["candles"] == 100
    shown = dca(CALM, "--data", hole, "--max-gap", "2d")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "1 with 1,441 missing candles, up to 1 d 1 min" in shown.stdout


def test_terms(market: Path) -> None:
    plain = played(CALM, "--data", market)
    assert played(CALM, "--data", market, "--slippage", "0.001")["profit"] != plain["profit"]
    assert played(CALM, "--data", market, "--balance", "1000000") == plain
    assert played(CALM, "--data", market, "--engine", "exact", "--path", "nearest") == plain
    short = dca(CALM, "--data", market, "--balance", "150")
    assert short.exit_code == 0
    assert short.stderr == (
        "warning: the balance of 150 USDT does not pay for the whole ladder, which can tie up 3538.6708776 USDT "
        "at the first price\n"
    )


def test_the_band_of_the_three_paths(market: Path) -> None:
    wide = market.with_name("wide.csv")
    rows = [[MARCH + place * MINUTE, 30000, 31000, 29000, 30000, 1] for place in range(50)]
    names = "open_time,open,high,low,close,volume"
    wide.write_text("\n".join([names, *(",".join(map(str, row)) for row in rows)]) + "\n")
    report = played(CALM, "--data", wide, "--band")
    assert list(report) == [*KEYS, "band"]
    band = report["band"]
    assert isinstance(band, dict)
    each = {}
    for path in ("nearest", "high_first", "low_first"):
        alone = played(CALM, "--data", wide, "--path", path)
        each[path] = str(alone["profit"])
        assert band["paths"][path]["profit"] == alone["profit"]
        assert band["paths"][path]["deals"] == len(alone["deals"])  # type: ignore[arg-type]  # a list
    assert each["high_first"] != each["low_first"]
    assert Decimal(band["min_profit"]) == min(map(Decimal, each.values()))
    assert Decimal(band["max_profit"]) == max(map(Decimal, each.values()))
    assert "profit band" in dca(CALM, "--data", wide, "--band").stdout


def test_csv(market: Path) -> None:
    report = played(CALM, "--data", market, "--csv", "tables")
    found = {path.name: list(csv.DictReader(path.read_text().splitlines())) for path in Path("tables").iterdir()}
    assert sorted(found) == ["deals.csv", "equity.csv", "orders.csv"]
    deals, open_deal = report["deals"], report["open_deal"]
    assert isinstance(deals, list)
    assert isinstance(open_deal, dict)
    *closed, still_open = found["deals.csv"]
    for row, deal in zip(closed, deals, strict=True):
        assert [row[key] for key in ("spent", "sold", "profit", "reason", "base_price", "exit_price")] == [
            deal[key] for key in ("spent", "sold", "profit", "reason", "base_price", "exit_price")
        ]
    assert (still_open["closed_at"], still_open["profit"], still_open["deal"]) == ("", "", str(len(deals) + 1))
    bought = sum(Decimal(row["notional"]) for row in found["orders.csv"] if row["side"] == "buy")
    sold = sum(
        Decimal(row["notional"]) - Decimal(row["fee_quote"]) for row in found["orders.csv"] if row["side"] == "sell"
    )
    assert sold - bought == Decimal(str(report["profit"])) - Decimal(open_deal["spent"])
    last = found["equity.csv"][-1]
    assert last["candle"] == "2021-03-01T01:39:00Z"
    assert Decimal(last["equity"]) == Decimal(str(report["profit"])) + Decimal(open_deal["unrealized"])


def test_html(market: Path) -> None:
    once = played(CALM, "--data", market, "--html", "report.html")
    assert once == played(CALM, "--data", market)
    page = Path("report.html").read_text()
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "btc calm" in page


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--html", "."], ".: cannot be written: it is a folder"),
        (["--html", "none/report.html"], "none/report.html: cannot be written: there is no folder none"),
        (["--csv", "none/tables"], "none/tables: cannot be written: there is no folder none"),
        (["--csv", "BTCUSDT-1m-2021-03.csv"], "BTCUSDT-1m-2021-03.csv: cannot be written into: it is not a folder"),
    ],
)
def test_output_that_cannot_be_written(market: Path, args: list[str], message: str) -> None:
    assert refusal(CALM, "--data", market, *args) == f"{message}\n"
    assert [path.name for path in market.parent.iterdir()] == [market.name]


def test_candles_that_cannot_be_read(market: Path) -> None:
    Path("empty.csv").write_bytes(b"")
    Path("text.csv").write_text("hello\n")
    Path("cut.parquet").write_bytes(b"PAR1" + bytes(100))
    assert refusal(CALM, "--data", "none.csv").startswith("none.csv: ")
    assert refusal(CALM, "--data", ".").startswith(".: is a directory")
    assert refusal(CALM, "--data", "empty.csv").startswith("empty.csv: is empty")
    assert refusal(CALM, "--data", "text.csv").startswith("text.csv: not a known layout of candles")
    assert refusal(CALM, "--data", "cut.parquet").startswith("cut.parquet: is damaged or cut short")
    assert "is not on the grid of 5m" in refusal(CALM, "--data", market, "--interval", "5m")


def test_prices_off_the_grid(market: Path) -> None:
    fine = write_market(market.with_name("fine.csv"), prices="30000 30000.125")
    assert refusal(CALM, "--data", fine) == (
        f"{fine}: row 2: 30000.125 is not a multiple of tick_size 0.01; "
        'this data fits: tick_size = "0.125" under [market]\n'
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--slippage", "nan"], "slippage = nan: must be a plain decimal number"),
        (["--slippage", "1"], "slippage = 1: must be below 1"),
        (["--slippage", "-0.1"], "slippage = -0.1: must be 0 or more"),
        (["--balance", "-1"], "balance = -1: must be 0 or more"),
        (["--balance", "1e999"], "balance = 1e999: must be a plain decimal number"),
    ],
)
def test_a_refused_term(market: Path, args: list[str], message: str) -> None:
    assert refusal(CALM, "--data", market, *args).startswith(message)


def test_a_refused_bot(market: Path) -> None:
    Path("bot.toml").write_text(Path(CALM).read_text().replace("BTCUSDT", "NEWUSDT"))
    assert refusal("bot.toml", "--data", market).startswith(
        "bot.toml: pair = NEWUSDT: the rules of this market are not"
    )
    Path("bot.toml").write_text(Path(CALM).read_text().replace('order_size = "100"', 'order_size = "4"'))
    assert refusal("bot.toml", "--data", market).startswith("bot.toml: base_order_size = 4: buys ")


def test_a_range_that_the_candles_do_not_fill(market: Path) -> None:
    done = dca(CALM, "--data", market, "--from", "2021-02-01", "--to", "2021-03-31")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "warning: the candles begin only at 2021-03-01 00:00 (UTC), later than --from",
        "warning: the candles end at 2021-03-01 01:40 (UTC) already, earlier than --to",
    ]


def test_files_named_after_another_pair(market: Path) -> None:
    other = market.rename(market.with_name("ETHUSDT-1m-2021-03.csv"))
    done = dca(CALM, "--data", other)
    assert done.exit_code == 0
    assert done.stderr == "warning: the bot trades BTCUSDT, but the files are named after ETHUSDT\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Missing argument 'BOT.toml'"),
        ([CALM], "what should be played?"),
        ([CALM, "--data"], "Option '--data' requires an argument"),
        ([CALM, "--random-walk"], "--random-walk and --seed N go together"),
        ([CALM, "--data", "x.csv", "--seed", "3"], "--random-walk and --seed N go together"),
        ([CALM, "--random-walk", "--seed", "-1"], "-1 is not in the range"),
        ([CALM, "--random-walk", "--seed", "1", "--data", "x.csv"], "goes with neither --data nor --interval"),
        ([CALM, "--random-walk", "--seed", "1", "--interval", "1m"], "goes with neither --data nor --interval"),
        ([CALM, "--data", "x.csv", "--engine", "fast"], "the fast engine is not part of this version"),
        ([CALM, "--data", "x.csv", "--path", "up"], "'up' is not one of"),
        ([CALM, "--data", "x.csv", "--from", "yesterday"], "'yesterday' is no time such as"),
        ([CALM, "--data", "x.csv", "--from", "2021-03-02", "--to", "2021-03-01"], "--from must lie before --to"),
        ([CALM, "--data", "x.csv", "--max-gap", "long"], "'long' is no duration such as"),
        ([CALM, "--data", "x.csv", "--deals", "-1"], "-1 is not in the range"),
    ],
)
def test_wrong_usage(market: Path, args: list[str], message: str) -> None:
    done = dca(*args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in " ".join(done.stderr.split())


def test_a_report_tells_what_to_doubt(market: Path) -> None:
    other = market.rename("ETHUSDT-1m-2021-03.csv")
    assert dca(CALM, "--data", other, "--html", "report.html").exit_code == 0
    assert "ETHUSDT" in Path("report.html").read_text()


def test_a_report_among_the_csv_files_is_wrong_usage(market: Path) -> None:
    done = dca(CALM, "--data", market, "--csv", "out", "--html", "out/deals.csv")
    assert done.exit_code == 2
    assert "among the files that --csv writes" in done.stderr
    assert not Path("out").exists()


def test_the_same_bytes_from_two_processes(market: Path) -> None:
    command = [DCA, "backtest", CALM, "--data", str(market), "--json"]
    once, again = (subprocess.run(command, capture_output=True, check=True) for _ in range(2))
    assert (once.stdout, once.stderr) == (again.stdout, b"")
    assert once.stdout.decode() == dca(CALM, "--data", market, "--json").stdout


def test_a_bar_for_a_terminal_and_an_interrupt_that_leaves_nothing(market: Path) -> None:
    busy = market.with_name("busy.toml")
    busy.write_text(Path(CALM).read_text() + 'stop_loss = "0.2"\n')  # sells and buys every few minutes
    above, below = pty.openpty()
    command = [DCA, "backtest", str(busy), "--random-walk", "--seed", "7", "--html", "report.html", "--csv", "tables"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=below) as process:
        os.close(below)
        seen = b""
        while b"%" not in seen:
            seen += os.read(above, 1000)
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=60)
    os.close(above)
    assert seen.startswith(b"\rplaying 525,600 candles [")
    assert (process.returncode, shown) == (130, b"")
    assert {path.name for path in market.parent.iterdir()} == {market.name, busy.name}
