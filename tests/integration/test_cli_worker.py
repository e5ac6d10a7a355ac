"""`dca worker` in a process of its own, over a SQLite file and a paper exchange that the test moves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

import attrs
import pytest

from dcacore.adapters.fernet import generate_key
from dcacore.bootstrap.app import paper_books
from dcacore.domain.errors import DcaError
from dcacore.settings import Settings
from tests.integration.exchange import served
from tests.integration.live import CALM, Cli, clean_environment, console
from tests.paper import PaperHand

DCA = Path(sys.executable).with_name("dca")
PATIENCE_S = 120
PAGE = console("docs/how-to/run-a-bot.md")


def until(holds: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return when *holds* does."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"after {patience_s} s still not: {what}"
        time.sleep(0.05)


@attrs.define
class Site:
    """A folder with a database, its paper exchange, and workers."""

    cli: Cli
    workers: list[subprocess.Popen[str]] = attrs.field(factory=list)
    pipes: tuple[int, ...] = ()

    @property
    def books(self) -> Path:
        chosen = {"DATABASE_URL": self.cli.url, **self.cli.environment}
        return paper_books(Settings.from_env(chosen))

    def open_market(self) -> None:
        """Start the paper exchange, whose prices stand until `move`."""
        asyncio.run(PaperHand.start(self.books))

    def move(self, price: str) -> None:
        asyncio.run(PaperHand(self.books).move("BTCUSDT", price))

    def worker(self, stderr: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start a worker."""
        environment = clean_environment(**{"DATABASE_URL": self.cli.url, "LOG_FORMAT": "json", **self.cli.environment})
        done = subprocess.Popen([DCA, "worker"], stderr=stderr, text=True, env=environment, cwd=self.cli.folder)
        self.workers.append(done)
        return done

    def shown(self) -> dict[str, Any]:
        told: dict[str, Any] = self.cli.json("bot", "show", "btc calm")
        return told

    def stands(self, state: str, *, deals: int = 0, safety_orders: int = 0) -> Callable[[], bool]:
        """Return what says whether the bot is so, and all it wants rests on the exchange."""

        def look() -> bool:
            told = self.shown()
            deal = told["deal"] or {"safety_orders_used": 0, "take_profit_price": None}
            if (told["state"], told["deals_closed"], deal["safety_orders_used"]) != (state, deals, safety_orders):
                return False
            if state != "in_position":
                return True
            orders = self.cli.json("deal", "show", "btc calm")["orders"]
            sells = [it for it in orders if it["role"] == "take_profit" and it["state"] == "open"]
            return len(sells) == 1 and sells[0]["price"] == deal["take_profit_price"]

        return look

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
            if worker.stderr is not None:
                worker.stderr.close()
        for pipe in self.pipes:
            os.close(pipe)
        with suppress(DcaError):
            PaperHand(self.books).end()


@pytest.fixture
def site(ready: Cli) -> Iterator[Site]:
    ready.good("bot", "create", CALM, "--account", "paper")
    made = Site(ready)
    try:
        yield made
    finally:
        made.close()


def ended(worker: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code of a worker that was told to end, and the lines of its log."""
    _, log = worker.communicate(timeout=PATIENCE_S)
    return worker.returncode, [json.loads(line) for line in log.splitlines()]


def test_a_bot_trades_through_a_worker_and_is_told_to_stop(site: Site) -> None:
    key = generate_key()
    site.cli.environment |= {"ENCRYPTION_KEY": key, "DCA_API_KEY": "CanaryKey", "DCA_API_SECRET": "CanarySecret"}
    with served() as exchange:
        site.cli.environment |= exchange.environment
        site.cli.good("account", "add", "custom")
    site.cli.good("bot", "create", CALM, "--account", "custom", "--name", "not yet")
    site.cli.good("bot", "retry", "not yet")  # cannot be opened, and keeps nobody else from trading
    site.open_market()
    worker = site.worker()
    until(lambda: bool(site.shown()["engines"]), "the worker has reported itself")

    second = site.worker()
    _, complaint = second.communicate(timeout=PATIENCE_S)
    assert second.returncode == 3
    assert complaint.splitlines()[-1] == (
        f"dca: another engine runs over this database: process {worker.pid} holds app.db.lock"
    )

    assert site.cli.good("bot", "start", "btc calm").startswith("btc calm: start: done; the bot is ")
    until(site.stands("in_position"), "the base order has filled")
    assert site.cli.json("account", "check", "paper")["balances"]["BTC"]["locked"] == "0.00332"
    assert site.cli.json("account", "health", "paper")["prices"] == "moved by hand"
    assert "\n  prices: moved by hand\n" in site.cli.good("account", "health", "paper")
    site.move("29600")
    until(site.stands("in_position", safety_orders=1), "a safety order has filled")
    assert site.cli.good("deal", "edit", "btc calm", "--take-profit", "1").startswith("btc calm: edit deal: done")
    assert site.cli.refused("deal", "add-funds", "btc calm", "1").startswith("btc calm: add funds: refused: amount = 1")
    assert site.cli.good("deal", "add-funds", "btc calm", "99999999999999") == (
        "btc calm: add funds: asked: the order is on its way; `dca deal show` tells how it went\n"
    )
    assert site.cli.good("bot", "edit", "btc calm", "--set", "auto_restart=false").startswith(
        "btc calm: edit bot: done"
    )
    until(site.stands("in_position", safety_orders=1), "the new target rests")
    site.move("30300")
    until(site.stands("stopped", deals=1), "the deal has closed, and no other follows")
    assert site.cli.json("deal", "list")["deals"][0]["reason"] == "take_profit"
    assert "stopped by itself: auto_restart is off" in site.cli.good("bot", "show", "btc calm")

    site.cli.good("bot", "start", "btc calm")
    until(site.stands("in_position", deals=1), "another deal is open")
    site.cli.good("bot", "pause", "btc calm")
    assert site.shown()["state"] == "paused"
    site.cli.good("bot", "stop", "btc calm", "--sell", "--yes")
    until(site.stands("stopped", deals=2), "the bot has stopped and sold")
    assert site.cli.good("bot", "delete", "btc calm", "--yes") == "btc calm: deleted\n"

    worker.send_signal(signal.SIGTERM)
    began = time.monotonic()
    code, log = ended(worker)
    assert code == 0
    assert time.monotonic() - began < 15
    lines = [line for line in log if line["event"] == "safety_order_filled"]
    assert [sorted(line.keys() & {"bot", "deal", "order"}) for line in lines] == [["bot", "deal", "order"]]
    assert log[-1]["event"] == "engine_stopped"
    assert any("the connection failed" in line.get("reason", "") for line in log)
    told = json.dumps(log)
    assert [secret for secret in ("CanaryKey", "CanarySecret", key) if secret in told] == []


def test_the_page_on_running_a_bot_is_true(cli: Cli) -> None:
    site = Site(cli)
    shapes = []
    try:
        for command, printed in PAGE:
            if command[:2] == ["bot", "start"]:
                site.open_market()
                site.worker()
                until(lambda: bool(site.shown()["engines"]), "the worker has reported itself")
            told = cli.good(*[CALM if word.startswith("examples/") else word for word in command])
            if command[:2] == ["bot", "start"]:
                until(site.stands("in_position"), "the base order has filled")
            shapes.append((command, shape_of(told), shape_of(printed)))
    finally:
        site.close()
    for command, seen, described in shapes:
        assert not described or seen == described, command


def shape_of(text: str) -> list[str]:
    """Return the first word of each line that stands out: what follows varies with prices, times and ids."""
    return [line.split()[0] for line in text.splitlines() if line and not line.startswith(" ")]


def test_what_was_asked_waits_for_the_worker_and_the_books_survive_all(site: Site) -> None:
    assert "no engine runs" in site.cli.good("bot", "start", "btc calm")
    site.open_market()
    worker = site.worker()
    until(site.stands("in_position"), "the base order has filled")
    worker.kill()  # the power goes out
    worker.communicate()
    site.move("29600")
    worker = site.worker()
    until(site.stands("in_position", safety_orders=1), "what filled meanwhile is known")
    assert site.shown()["reconciliation"]["filled"] != []
    worker.send_signal(signal.SIGINT)
    assert ended(worker)[0] == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("how", ["full", "closed", "stalled"])
def test_a_log_that_cannot_be_written_stops_nothing(site: Site, how: str) -> None:
    site.open_market()
    if how == "full":
        with Path("/dev/full").open("w", encoding="utf-8") as full:
            worker = site.worker(stderr=full)
    elif how == "closed":
        environment = clean_environment(DATABASE_URL=site.cli.url, LOG_LEVEL="debug")
        worker = subprocess.Popen(["sh", "-c", f"exec {DCA} worker 2>&-"], text=True, env=environment)
        site.workers.append(worker)
    else:
        reads, writes = os.pipe()  # full already, and nobody reads it
        os.set_blocking(writes, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writes, b" " * 4096)
        os.set_blocking(writes, True)
        site.pipes += (reads, writes)
        worker = site.worker(stderr=writes)
    site.cli.good("bot", "start", "btc calm")
    until(site.stands("in_position"), "the base order has filled")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    assert site.cli.good("db", "current").endswith("as it should be.\n")


def test_a_database_of_its_own_is_made(cli: Cli) -> None:
    site = Site(cli)
    log = cli.folder / "worker.log"
    with log.open("w", encoding="utf-8") as written:
        worker = site.worker(stderr=written)
    try:
        until(lambda: "engine_started" in log.read_text(encoding="utf-8"), "it runs")
        assert "as it should be" in cli.good("db", "current")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0
    finally:
        site.close()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ENCRYPTION_KEY", "canary", "ENCRYPTION_KEY has no Fernet key in place 1"),
        ("LOG_LEVEL", "canary", "LOG_LEVEL must be one of debug"),
        ("DATABASE_URL", "sqlite:///missing/folder/app.db", "there is no folder missing/folder for the database"),
    ],
)
def test_a_worker_that_cannot_start_says_why(cli: Cli, name: str, value: str, words: str) -> None:
    environment = clean_environment(**{"DATABASE_URL": cli.url, name: value})
    done = subprocess.run([DCA, "worker"], capture_output=True, text=True, env=environment, cwd=cli.folder, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "canary" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_schema_of_another_version_names_the_way_out(cli: Cli) -> None:
    cli.good("db", "upgrade")
    with closing(sqlite3.connect("app.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    environment = clean_environment(DATABASE_URL=cli.url)
    done = subprocess.run([DCA, "worker"], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("dca: this program is older than the database (revision 9999,")
    assert done.stderr.endswith("install the newer one\n")


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        (["user", "create", "a@example.com"], "DCA_PASSWORD"),
        (["account", "add", "live"], "DCA_API_KEY and DCA_API_SECRET"),
    ],
)
def test_without_a_terminal_nothing_is_asked_for(ready: Cli, command: list[str], variable: str) -> None:
    environment = clean_environment(DATABASE_URL=ready.url, DCA_PASSWORD="")
    done = subprocess.run(
        [DCA, *command],
        capture_output=True,
        text=True,
        env=environment,
        input="x\nx\n",
        check=False,
        start_new_session=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"Error: there is no terminal to ask at: set {variable}\n")
    assert "echo" not in done.stderr
