"""`dca account`, good and bad, and that no secret ever shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcacore.adapters.binance import Urls
from dcacore.adapters.fernet import generate_key
from dcacore.bootstrap.app import open_app
from dcacore.ports.errors import Unavailable
from dcacore.ports.records import Environment
from dcacore.settings import Settings
from tests.integration.exchange import Served, served
from tests.integration.live import CALM, Cli
from tests.unit.binance.wire import Say, refusal

KEY, SECRET = "CanaryKeyQ7x" * 4, "CanarySecretQ7x" * 4


def every_byte(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def test_accounts_are_added_listed_and_removed(ready: Cli) -> None:
    added = ready.json("account", "add", "paper", "--name", "second")
    assert (added["name"], added["environment"], added["has_key"]) == ("second", "paper", False)
    assert [it["name"] for it in ready.json("account", "list")["accounts"]] == ["paper", "second"]
    assert "paper   PAPER        none" in ready.good("account", "list")
    assert ready.good("account", "remove", "second") == "second: removed\n"
    assert [it["name"] for it in ready.json("account", "list")["accounts"]] == ["paper"]


def test_what_is_refused(ready: Cli) -> None:
    assert ready.refused("account", "add", "paper") == "there is an account paper already"
    assert ready.refused("account", "remove", "spot") == "there is no account spot; there are paper"
    assert ready.refused("account", "check", "spot") == "there is no account spot; there are paper"
    ready.good("bot", "create", CALM, "--account", "paper")
    assert ready.refused("account", "remove", "paper") == "bots belong to paper: btc calm; delete them first"
    assert "Invalid value" in ready.misused("account", "add", "moon")
    assert "No such option" in ready.misused("account", "add", "testnet", "--key", KEY)


def test_a_list_without_accounts(cli: Cli) -> None:
    cli.good("user", "create", "anna@example.com")
    assert "no accounts yet" in cli.good("account", "list")
    assert cli.refused("account", "check", "x") == "there is no account x: `dca account add` makes one"


@pytest.fixture
def exchange() -> Iterator[Served]:
    with served() as there:
        yield there


@pytest.fixture
def keyed(ready: Cli, exchange: Served) -> Cli:
    """The command line with a key at hand, and a custom exchange that takes it."""
    ready.environment |= {"ENCRYPTION_KEY": generate_key(), "DCA_API_KEY": KEY, "DCA_API_SECRET": SECRET}
    ready.environment |= exchange.environment
    return ready


def test_an_account_of_a_custom_exchange(keyed: Cli) -> None:
    assert keyed.good("account", "add", "custom") == "custom: added (custom)\n"
    assert keyed.json("account", "check", "custom")["balances"] == {"USDT": {"free": "1000", "locked": "0"}}
    keyed.good("bot", "create", CALM, "--account", "custom")
    assert keyed.json("bot", "show", "btc calm")["cannot_trade"] is None


def test_without_an_address_there_is_no_custom_exchange(keyed: Cli) -> None:
    keyed.good("account", "add", "custom")
    keyed.good("bot", "create", CALM, "--account", "custom")
    for name in [it for it in keyed.environment if it.startswith("BINANCE")]:
        del keyed.environment[name]
    told = keyed.refused("account", "check", "custom")
    assert told == "no custom exchange is set: BINANCE_REST_URL, BINANCE_STREAM_URL and BINANCE_WS_API_URL name one"
    assert f"Account: {told}\n" in keyed.good("bot", "show", "btc calm")
    assert keyed.refused("bot", "start", "btc calm") == told
    assert "no address of a custom exchange is set" in keyed.refused("account", "add", "custom", "--name", "other")
    keyed.environment["BINANCE_REST_URL"] = "http://127.0.0.1:1"
    told = keyed.refused("account", "list")
    assert told.startswith("BINANCE_STREAM_URL is not set: BINANCE_REST_URL, BINANCE_STREAM_URL, BINANCE_WS_API_URL")


def test_what_a_new_account_is_when_nobody_says(keyed: Cli, exchange: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("BINANCE_REST_URL", "BINANCE_STREAM_URL", "BINANCE_WS_API_URL")
    rest, streams, ws_api = (exchange.environment[name] for name in names)
    here = Urls(rest=rest, streams=streams, ws_api=ws_api)
    known = {Environment.TESTNET: here, Environment.LIVE: here}
    monkeypatch.setattr("dcacore.bootstrap.venues.KNOWN", known)
    assert keyed.good("account", "add") == "testnet: added (testnet)\n"
    keyed.environment["BINANCE_TESTNET"] = "false"
    assert keyed.good("account", "add", "--name", "spot") == "spot: added (live)\n"


def test_f60_a_key_that_is_not_fit_is_not_kept(keyed: Cli, exchange: Served) -> None:
    answers = exchange.wire.answers
    answers["GET account"] = refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    told = keyed.refused("account", "add", "custom")
    assert told.startswith("custom does not accept this key: it is wrong, revoked, of another environment, or not")
    answers["GET account"] = Say({"canTrade": False, "balances": []})
    assert keyed.refused("account", "add", "custom").startswith("this key may not trade")
    answers["GET account"] = Say("", 503)
    assert "cannot be asked what this key may do, so it is not stored" in keyed.refused("account", "add", "custom")
    assert [it["name"] for it in keyed.json("account", "list")["accounts"]] == ["paper"]


def test_a_key_takes_the_place_of_another(keyed: Cli, exchange: Served) -> None:
    assert keyed.json("account", "add", "custom")["keyed_at"] is None
    keyed.environment["DCA_API_KEY"] = f"another{KEY}"
    assert keyed.good("account", "key", "custom") == "custom: the new key is stored\n"
    stored = keyed.json("account", "list")["accounts"]
    assert next(it for it in stored if it["name"] == "custom")["keyed_at"] is not None
    assert KEY.encode() not in every_byte(keyed.folder)
    assert keyed.refused("account", "key", "spot") == "there is no account spot; there are custom, paper"
    told = keyed.refused("account", "key", "paper")
    assert told == "key: is for every account but one on paper, as paper is"
    exchange.wire.answers["GET account"] = refusal(-2008, "Invalid Api-Key ID.", 401)
    keyed.environment["DCA_API_KEY"] = KEY
    assert keyed.refused("account", "key", "custom").startswith("custom does not accept this key")


def test_checking_an_account_starts_no_exchange(ready: Cli) -> None:
    there = sorted(ready.folder.iterdir())
    told = ready.refused("account", "check", "paper")
    assert told == "no paper exchange runs over this database: `dca worker` starts it"
    assert sorted(ready.folder.iterdir()) == there


async def test_a_paper_exchange_that_cannot_be_started(cli: Cli) -> None:
    (cli.folder / "app.db.paper.log").mkdir()
    async with open_app(Settings(database_url=cli.url), may_create=True) as app:
        assert app.paper is not None
        assert not app.paper.may_start
        app.paper.may_start = True
        with pytest.raises(Unavailable, match=r"^the paper exchange cannot be started: Is a directory$"):
            await app.paper.prices(Environment.PAPER)


def test_half_a_key_is_wrong_usage(ready: Cli) -> None:
    ready.environment["DCA_API_KEY"] = KEY
    told = ready.misused("account", "add", "testnet")
    assert "DCA_API_SECRET is not set" in told
    assert KEY not in told


def test_without_an_encryption_key_no_key_is_stored(ready: Cli) -> None:
    ready.environment |= {"DCA_API_KEY": KEY, "DCA_API_SECRET": SECRET}
    assert ready.refused("account", "add", "testnet").startswith("ENCRYPTION_KEY is not set")
    assert KEY.encode() not in every_byte(ready.folder)


def test_a_secret_never_shows(ready: Cli, exchange: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    old, new = generate_key(), generate_key()
    ready.environment |= {"ENCRYPTION_KEY": old, **exchange.environment}
    told = []

    def run(*args: str, typed: str | None = None) -> None:
        told.append(ready(*args, typed=typed).output)

    run("account", "add", "custom", "--name", "one", typed=f"{KEY}\n{SECRET}\n")
    run("account", "add", "custom", "--name", "two", "--json", typed=f"{KEY}\n{SECRET}\n")
    run("account", "add", "custom", "--name", "one", typed=f"{KEY}\n{SECRET}\n")  # the name is taken
    exchange.wire.answers["GET account"] = lambda seen: refusal(-1022, f"{seen.raw} {seen.headers} is wrong")
    run("account", "add", "custom", "--name", "three", typed=f"{KEY}\n{SECRET}\n")
    run("account", "check", "one")
    del exchange.wire.answers["GET account"]
    run("account", "add", "custom", typed=f"{KEY} x\n{SECRET} x\n")  # no key
    run("account", "list")
    run("account", "list", "--json")
    run("account", "check", "one")
    run("bot", "create", CALM, "--account", "one")
    run("bot", "show", "btc calm", "--json")
    run("bot", "export", "btc calm")
    run("export", "deals")
    run("db", "backup", "copy.db")
    ready.environment["ENCRYPTION_KEY"] = f"{new},{old}"
    run("keys", "rotate")
    ready.environment["ENCRYPTION_KEY"] = new
    run("keys", "rotate")
    ready.environment["ENCRYPTION_KEY"] = old
    run("keys", "rotate")
    assert [it["name"] for it in ready.json("account", "list")["accounts"]] == ["one", "paper", "two"]
    everything = "".join(told) + caplog.text
    assert "2 exchange keys encrypted anew" in everything
    assert "cannot be decrypted" in everything
    for secret in ("CanaryKey", "CanarySecret", old, new):
        assert secret not in everything
        assert secret.encode() not in every_byte(ready.folder)
