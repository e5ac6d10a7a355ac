"""`dca account balances|pairs|health`, before an exchange on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from dcacore.adapters.fernet import generate_key
from dcacore.bootstrap.app import open_app
from dcacore.ports.health import Health
from dcacore.ports.records import Environment
from dcacore.settings import Settings
from tests.integration.exchange import Served, served
from tests.integration.live import Cli
from tests.unit.binance.wire import Say, symbol

HELD = [
    {"asset": "USDT", "free": "900.50000000", "locked": "99.50000000"},
    {"asset": "ETH", "free": "2.00000000", "locked": "0.00000000"},
    {"asset": "SHIB", "free": "7.00000000", "locked": "0.00000000"},
]


@pytest.fixture
def exchange() -> Iterator[Served]:
    with served() as there:
        there.wire.answers["GET account"] = Say({"canTrade": True, "balances": HELD})
        there.wire.prices |= {"ETHBTC": "0.05000000"}
        there.wire.pairs |= {name: symbol(name) for name in ("ETHUSDT", "WBTCUSDT")}
        yield there


@pytest.fixture
def spot(ready: Cli, exchange: Served) -> Cli:
    """The command line with the account `spot` on the exchange."""
    ready.environment |= {"ENCRYPTION_KEY": generate_key(), "DCA_API_KEY": "k" * 16, "DCA_API_SECRET": "s" * 16}
    ready.environment |= exchange.environment
    ready.good("account", "add", "custom", "--name", "spot")
    return ready


def test_balances_are_valued(spot: Cli) -> None:
    told = spot.json("account", "balances", "spot")
    assert (told["total"], told["quote_asset"], told["without_value"]) == ("4000", "USDT", ["SHIB"])
    assert [(it["asset"], it["free"], it["locked"], it["value"]) for it in told["balances"]] == [
        ("ETH", "2", "0", "3000"),
        ("USDT", "900.5", "99.5", "1000"),
        ("SHIB", "7", "0", None),
    ]
    text = spot.good("account", "balances", "spot")
    assert "What spot (CUSTOM) holds" in text
    assert "SHIB" in text
    assert "unknown" in text
    assert "Together worth 4000 USDT at the last prices, without SHIB." in text
    assert spot.json("account", "balances", "spot", "--in", "btc")["total"] == "0.13333333"
    assert spot.refused("account", "balances", "spot", "--in", "B-C").startswith("quote asset = B-C: must be a name")


def test_what_has_no_value_in_an_asset_is_not_worth_nothing(spot: Cli) -> None:
    assert spot.json("account", "balances", "spot", "--in", "XYZ")["total"] is None
    text = spot.good("account", "balances", "spot", "--in", "XYZ")
    assert "No pair there leads to XYZ: what it is worth in it is unknown." in text


def test_an_account_that_holds_nothing(spot: Cli, exchange: Served) -> None:
    exchange.wire.answers["GET account"] = Say({"canTrade": True, "balances": []})
    assert spot.good("account", "balances", "spot") == "spot (CUSTOM) holds nothing.\n"
    assert exchange.wire.calls("GET ticker/price") == []


def test_pairs_are_found(spot: Cli) -> None:
    found = spot.json("account", "pairs", "spot", "btc")["pairs"]
    assert [it["pair"] for it in found] == ["BTCUSDT", "WBTCUSDT"]
    assert found[0] == {
        "pair": "BTCUSDT",
        "base_asset": "BTC",
        "quote_asset": "USDT",
        "tick_size": "0.01",
        "step_size": "0.00001",
        "min_notional": "5",
        "min_quantity": "0.00001",
    }
    assert len(spot.json("account", "pairs", "spot")["pairs"]) == 3
    text = spot.good("account", "pairs", "spot", "--limit", "2")
    assert "There are more; --limit 4 shows them, or a longer text." in text
    assert spot.good("account", "pairs", "spot", "nothing") == "No pair fits 'nothing'.\n"


async def _engine_tells(url: str) -> None:
    health = Health(latency_ms=3, clock_offset_ms=1, prices_age_s=2.0, used_weight=9, weight_limit=600, hold_s=3600)
    async with open_app(Settings(database_url=url)) as app, app.store.begin() as work:
        await work.leases.report("vm:1", 1)
        await work.leases.report_health("vm:1", {Environment.CUSTOM: health, Environment.LIVE: health})
        await work.commit()


def test_health_is_measured_and_told(spot: Cli) -> None:
    told = spot.json("account", "health", "spot")
    (here,) = told["connections"]
    assert (here["engine"], here["prices_age_s"], here["hold_until"]) == (None, None, None)
    assert here["latency_ms"] is not None
    assert here["weight_limit"] == 6000
    assert "no engine that runs has told of its streams there" in spot.good("account", "health", "spot")
    asyncio.run(_engine_tells(spot.url))
    text = spot.good("account", "health", "spot")
    assert text.startswith("spot (CUSTOM)\n  from here: answers within ")
    assert "vm:1: answers within 3 ms, its clock is +1 ms off ours, 9 of 600 weight used this minute, prices" in text
    assert "no request before 20" in text
    of_engine = spot.json("account", "health", "spot")["connections"][1:]
    assert [it["engine"] for it in of_engine] == ["vm:1"]


def test_an_exchange_that_is_not_there(spot: Cli) -> None:
    for name in exchange_names(spot):
        spot.environment[name] = spot.environment[name].rpartition(":")[0] + ":9"
    for command in ("balances", "pairs"):
        assert spot.refused("account", command, "spot") == "the connection failed: 127.0.0.1:9 cannot be reached"
    asyncio.run(_engine_tells(spot.url))
    for args in ((), ("--json",)):
        told = spot("account", "health", "spot", *args)
        assert told.exit_code == 1
        assert "the connection failed: 127.0.0.1:9 cannot be reached" in told.stdout
        assert "vm:1" in told.stdout  # what the engines say is told all the same


def exchange_names(cli: Cli) -> list[str]:
    return [name for name in cli.environment if name.startswith("BINANCE")]


def test_a_paper_exchange_that_does_not_run(ready: Cli) -> None:
    for command in ("balances", "pairs", "health"):
        told = ready.refused("account", command, "paper")
        assert told == "no paper exchange runs over this database: `dca worker` starts it"
