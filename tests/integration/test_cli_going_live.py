"""The first start of a bot with real money, at the command line; the exchange is one on the loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dcacore.adapters.binance import Urls
from dcacore.adapters.fernet import generate_key
from dcacore.ports.records import Environment
from tests.integration.exchange import Served, served
from tests.integration.live import CALM, Cli

AMOUNT = "A deal may cost 3543.01211"


@pytest.fixture
def exchange() -> Iterator[Served]:
    with served() as there:
        yield there


@pytest.fixture
def real(ready: Cli, exchange: Served, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line with the bot `btc calm` on a live account, whose addresses are those of the loopback."""
    rest, streams, ws_api = exchange.environment.values()
    known = {Environment.LIVE: Urls(rest=rest, streams=streams, ws_api=ws_api)}
    monkeypatch.setattr("dcacore.bootstrap.venues.KNOWN", known)
    ready.environment |= {"ENCRYPTION_KEY": generate_key(), "DCA_API_KEY": "k" * 16, "DCA_API_SECRET": "s" * 16}
    ready.good("account", "add", "live", "--name", "spot")
    ready.good("bot", "create", CALM, "--account", "spot")
    return ready


def waiting(cli: Cli) -> list[str]:
    return [it["kind"] for it in cli.json("bot", "show", "btc calm")["waiting"]]


@pytest.mark.parametrize("typed", ["btc bold\n", "y\n", ""])
def test_without_its_name_it_does_not_start(real: Cli, typed: str) -> None:
    done = real("bot", "start", "btc calm", typed=typed)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "btc calm trades real money on spot (LIVE), and it has never been confirmed that it may." in done.stderr
    assert AMOUNT in done.stderr
    assert "1000 USDT are free: not enough for a whole deal" in done.stderr
    assert done.stderr.endswith("nothing was done\n")
    assert waiting(real) == []


def test_with_its_name_it_starts_and_is_not_asked_again(real: Cli) -> None:
    done = real("bot", "start", "btc calm", "--json", typed="btc calm\n")
    assert done.exit_code == 0
    assert AMOUNT in done.stderr
    assert waiting(real) == ["start"]
    assert real("bot", "start", "btc calm").stderr == ""
    shown = real.json("bot", "show", "btc calm")
    assert [(it["kind"], it["environment"]) for it in shown["activity"]] == [("live_confirmed", "live")]
    assert "BTCUSDT on spot (LIVE)" in real.good("bot", "show", "btc calm")
    assert "LIVE" in real.good("bot", "list")
    assert "LIVE" in real.good("account", "list")


def test_a_script_says_that_it_means_it(real: Cli) -> None:
    done = real("bot", "start", "btc calm", "--yes-live")
    assert done.exit_code == 0
    assert AMOUNT in done.stderr
    assert waiting(real) == ["start"]


def test_costlier_parameters_of_a_bot_that_runs_are_asked_about(real: Cli) -> None:
    real.good("bot", "start", "btc calm", "--yes-live")
    cheaper = real("bot", "edit", "btc calm", "--set", "base_order_size=90")
    assert (cheaper.exit_code, cheaper.stderr) == (0, "")
    asked = real("bot", "edit", "btc calm", "--set", "base_order_size=110", typed="no\n")
    assert asked.exit_code == 1
    assert "its deals may cost more than was confirmed" in asked.stderr
    assert waiting(real) == ["start", "edit_bot"]
    real.good("bot", "edit", "btc calm", "--set", "base_order_size=110", "--yes-live")
    assert waiting(real) == ["start", "edit_bot", "edit_bot"]


def test_an_exchange_that_is_not_reached_confirms_nothing(real: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Urls(rest="http://127.0.0.1:9", streams="ws://127.0.0.1:9", ws_api="ws://127.0.0.1:9")
    monkeypatch.setattr("dcacore.bootstrap.venues.KNOWN", {Environment.LIVE: gone})
    assert real("bot", "start", "btc calm", "--yes-live").exit_code == 1
    assert waiting(real) == []
