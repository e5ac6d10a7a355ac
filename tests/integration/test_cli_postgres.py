"""Several workers over one PostgreSQL database: they share the bots, and what one leaves the others take over."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcacore.bootstrap.app import paper_books
from dcacore.settings import Settings
from tests.contract.databases import PostgresServer, postgres
from tests.integration.live import CALM, Cli
from tests.integration.test_cli_worker import PATIENCE_S, Site, until

__all__ = ["postgres"]


@pytest.fixture
def shared(cli: Cli, postgres: PostgresServer) -> Iterator[Site]:
    """A database on a server with four bots, and a paper exchange whose prices stand."""
    url = postgres.url(postgres.new_database()).render_as_string(hide_password=False)
    cli.environment |= {"DATABASE_URL": url, "DATA_DIR": str(cli.folder / "data")}
    cli.good("db", "upgrade")
    cli.good("user", "create", "anna@example.com", "--tier", "PRO")
    cli.good("account", "add", "paper")
    small = Path(CALM).read_text(encoding="utf-8").replace('order_size = "100"', 'order_size = "20"')
    Path("small.toml").write_text(small, encoding="utf-8")  # all of them together fit into 10,000 USDT
    for number in range(4):
        cli.good("bot", "create", "small.toml", "--account", "paper", "--name", f"bot {number}")
    site = Site(cli)
    try:
        yield site
    finally:
        site.close()


def test_two_workers_share_the_bots_and_one_takes_over_all(shared: Site) -> None:
    cli = shared.cli
    shared.open_market()
    workers = [shared.worker() for _ in range(2)]

    def engines() -> list[int]:
        return sorted(it["bots"] for it in cli.json("bot", "show", "bot 0")["engines"])

    def states() -> set[str]:
        return {it["state"] for it in cli.json("bot", "list")["bots"]}

    until(lambda: len(engines()) == 2, "both have reported themselves")
    for number in range(4):
        assert cli.good("bot", "start", f"bot {number}").startswith(f"bot {number}: start: ")
    until(lambda: states() == {"in_position"}, "all bots have a deal")
    until(lambda: engines() == [2, 2], "each has its share")
    workers[0].send_signal(signal.SIGTERM)
    assert workers[0].wait(PATIENCE_S) == 0
    until(lambda: engines() == [4], "the other acts for all")
    assert len(cli.json("bot", "stop-all", "--sell", "--yes")["requests"]) == 4
    until(lambda: states() == {"stopped"}, "all bots have sold and stopped")
    assert "canary" not in cli.good("db", "current")
    workers[1].send_signal(signal.SIGTERM)
    assert workers[1].wait(PATIENCE_S) == 0


def test_the_paper_exchange_of_a_server_lies_in_the_data_folder() -> None:
    settings = Settings(database_url="postgresql://anna@host/dca", data_dir="somewhere")
    assert str(paper_books(settings)) == "somewhere/paper"
