"""`dca account`, good and bad, and that no secret ever shows."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from dcacore.adapters.fernet import generate_key
from dcacore.bootstrap.app import open_app
from dcacore.ports.errors import Unavailable
from dcacore.ports.records import Environment
from dcacore.settings import Settings
from tests.integration.live import CALM, Cli

KEY, SECRET = "CanaryKeyQ7x" * 4, "CanarySecretQ7x" * 4


def every_byte(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def test_accounts_are_added_listed_and_removed(ready: Cli) -> None:
    added = ready.json("account", "add", "paper", "--name", "second")
    assert (added["name"], added["environment"], added["has_key"]) == ("second", "paper", False)
    assert [it["name"] for it in ready.json("account", "list")["accounts"]] == ["paper", "second"]
    assert "paper   paper        none" in ready.good("account", "list")
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


@pytest.mark.parametrize("environment", ["testnet", "live", "custom"])
def test_other_accounts_can_be_kept_but_not_traded_on(ready: Cli, environment: str) -> None:
    ready.environment |= {"ENCRYPTION_KEY": generate_key(), "DCA_API_KEY": KEY, "DCA_API_SECRET": SECRET}
    assert ready.good("account", "add", environment) == f"{environment}: added ({environment})\n"
    told = ready.refused("account", "check", environment)
    assert told == f"this version trades on paper only; {environment} comes with a later one"
    ready.good("bot", "create", CALM, "--account", environment)
    assert f"Account: {told}\n" in ready.good("bot", "show", "btc calm")
    assert ready.json("bot", "show", "btc calm")["cannot_trade"] == told
    assert ready.refused("bot", "start", "btc calm") == told


def test_a_key_takes_the_place_of_another(ready: Cli) -> None:
    ready.environment |= {"ENCRYPTION_KEY": generate_key(), "DCA_API_KEY": KEY, "DCA_API_SECRET": SECRET}
    assert ready.json("account", "add", "testnet")["keyed_at"] is None
    ready.environment["DCA_API_KEY"] = f"another{KEY}"
    assert ready.good("account", "key", "testnet") == "testnet: the new key is stored\n"
    assert ready.json("account", "list")["accounts"][1]["keyed_at"] is not None
    assert KEY.encode() not in every_byte(ready.folder)
    assert ready.refused("account", "key", "spot") == "there is no account spot; there are paper, testnet"
    told = ready.refused("account", "key", "paper")
    assert told == "key: is for every account but one on paper, as paper is"


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


def test_a_secret_never_shows(ready: Cli, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    old, new = generate_key(), generate_key()
    ready.environment["ENCRYPTION_KEY"] = old
    told = []

    def run(*args: str, typed: str | None = None) -> None:
        told.append(ready(*args, typed=typed).output)

    run("account", "add", "testnet", typed=f"{KEY}\n{SECRET}\n")
    run("account", "add", "live", "--json", typed=f"{KEY}\n{SECRET}\n")
    run("account", "add", "testnet", typed=f"{KEY}\n{SECRET}\n")  # the name is taken
    run("account", "add", "custom", typed=f"{KEY} x\n{SECRET} x\n")  # no key
    run("account", "list")
    run("account", "list", "--json")
    run("account", "check", "testnet")
    run("bot", "create", CALM, "--account", "testnet")
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
    assert [it["name"] for it in ready.json("account", "list")["accounts"]] == ["live", "paper", "testnet"]
    everything = "".join(told) + caplog.text
    assert "2 exchange keys encrypted anew" in everything
    assert "cannot be decrypted" in everything
    for secret in ("CanaryKey", "CanarySecret", old, new):
        assert secret not in everything
        assert secret.encode() not in every_byte(ready.folder)
