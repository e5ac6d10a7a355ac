"""`dca user`, good and bad."""

from __future__ import annotations

import re

import pytest

from dcacore.adapters.passwords import BcryptPasswords
from tests.integration.live import PASSWORD, Cli, console

PAGE = console("docs/how-to/administer-users.md")


def test_users_are_created_listed_and_changed(cli: Cli) -> None:
    assert cli.good("user", "create", "Anna@Example.com", "--admin") == "anna@example.com: created\n"
    made = cli.json("user", "create", "bert@example.com", "--tier", "pro", "--verified")
    assert (made["email"], made["tier"], made["is_admin"], made["verified_at"] is None) == (
        "bert@example.com",
        "PRO",
        False,
        False,
    )
    assert cli.good("user", "verify", "anna@example.com") == "anna@example.com: verified\n"
    assert cli.good("user", "set-tier", "anna@example.com", "PRO") == "anna@example.com: is PRO now\n"
    assert cli.good("user", "reset-password", "anna@example.com").endswith("has another password now\n")
    anna, bert = cli.json("user", "list")["users"]
    assert (anna["email"], anna["tier"], anna["is_admin"]) == ("anna@example.com", "PRO", True)
    assert anna["verified_at"] is not None
    assert bert == made
    text = cli.good("user", "list")
    assert "2 users" in text
    assert "anna@example.com  PRO   yes" in text


def test_administrators_are_made_and_the_last_one_stays(cli: Cli) -> None:
    cli.good("user", "create", "anna@example.com", "--verified")
    assert cli.good("user", "set-admin", "anna@example.com", "YES") == "anna@example.com: is an administrator now\n"
    told = "this is the last administrator who can sign in: make somebody else one first"
    assert cli.refused("user", "set-admin", "anna@example.com", "no") == told
    assert cli.refused("user", "remove", "anna@example.com", "--yes") == told
    cli.good("user", "create", "bert@example.com", "--verified", "--admin")
    assert cli.good("user", "set-admin", "anna@example.com", "no") == "anna@example.com: is no administrator now\n"
    assert "Invalid value" in cli.misused("user", "set-admin", "anna@example.com", "perhaps")


def test_users_are_invited_signed_out_and_removed(cli: Cli) -> None:
    cli.good("user", "create", "bert@example.com")
    invited = cli.json("user", "invite", "Anna@example.com", "--tier", "PRO", "--admin")
    assert (invited["email"], invited["tier"], invited["is_admin"], invited["verified_at"]) == (
        "anna@example.com",
        "PRO",
        True,
        None,
    )
    assert cli.refused("user", "invite", "anna@example.com") == "there is a user anna@example.com already"
    assert cli.good("user", "sign-out", "bert@example.com") == "bert@example.com: is signed out everywhere\n"
    assert cli("user", "remove", "bert@example.com", typed="n\n").exit_code == 1
    assert len(cli.json("user", "list")["users"]) == 2
    assert cli.good("user", "remove", "bert@example.com", "--yes") == "bert@example.com: removed\n"
    assert cli.refused("user", "remove", "bert@example.com", "--yes") == "there is no user bert@example.com"


def test_the_password_is_asked_for_twice_and_never_shown(cli: Cli) -> None:
    done = cli("user", "create", "a@example.com", typed="Secret77\nSecret77\n", env={"DCA_PASSWORD": None})
    assert (done.exit_code, done.stdout) == (0, "a@example.com: created\n")
    assert "Secret77" not in done.output
    again = cli("user", "create", "b@example.com", typed="Secret77\nSecret78\n", env={"DCA_PASSWORD": None})
    assert again.exit_code == 1


def test_the_tier_of_new_users_is_a_setting(cli: Cli) -> None:
    cli.environment["DEFAULT_TIER"] = "PRO"
    assert cli.json("user", "create", "a@example.com")["tier"] == "PRO"
    assert cli.json("user", "create", "b@example.com", "--tier", "FREE")["tier"] == "FREE"


def test_what_is_refused(cli: Cli) -> None:
    assert cli.refused("user", "list").endswith("run dca db upgrade, or make a user with dca user create")
    assert not (cli.folder / "app.db").exists()
    cli.good("user", "create", "anna@example.com")
    assert cli.refused("user", "create", "ANNA@example.com") == "there is a user anna@example.com already"
    assert cli.refused("user", "create", "anna") == "email = anna: must be an address such as a@b.org"
    assert cli.refused("user", "verify", "x@y.org") == "there is no user x@y.org"
    assert cli.refused("user", "set-tier", "x@y.org", "PRO") == "there is no user x@y.org"
    cli.environment["DCA_PASSWORD"] = "test1234"
    rule = "password: must have at least one upper case letter"
    assert cli.refused("user", "create", "b@example.com") == rule
    assert cli.refused("user", "reset-password", "anna@example.com") == rule
    assert "Invalid value" in cli.misused("user", "set-tier", "anna@example.com", "GOLD")
    assert "Missing argument" in cli.misused("user", "create")


@pytest.mark.parametrize("name", ["\udcff@b.org", "a\x00@b.org"])
def test_half_a_character_is_nobodys_name(cli: Cli, name: str) -> None:
    cli.good("user", "create", "anna@example.com")
    for command in (("verify",), ("set-tier", "PRO"), ("set-admin", "yes"), ("sign-out",), ("remove",)):
        assert cli.refused("user", command[0], name, *command[1:]).startswith("there is no user ")
    assert cli.refused("bot", "list", "--user", name).startswith("there is no user ")
    assert cli.refused("deal", "show", name).startswith("there is no deal ")
    assert cli.refused("user", "invite", name) == "email: must be an address such as a@b.org"


def test_a_list_without_users(cli: Cli) -> None:
    cli.good("db", "upgrade")
    assert "no users yet" in cli.good("user", "list")
    assert cli.json("user", "list") == {"users": []}
    assert cli.refused("bot", "list") == "there is no user yet: make one with `dca user create`"


@pytest.mark.parametrize("name", ["DATABASE_URL", "ENCRYPTION_KEY", "DEFAULT_TIER", "LOG_LEVEL", "LOG_FORMAT"])
def test_a_wrong_setting_is_named(cli: Cli, name: str) -> None:
    cli.environment[name] = "canary"
    told = cli.refused("user", "list")
    assert told.startswith(f"{name} ")
    assert "canary" not in told


def test_passwords_are_stored_as_bcrypt(cli: Cli) -> None:
    cli.good("user", "create", "anna@example.com")
    stored = (cli.folder / "app.db").read_bytes()
    assert PASSWORD.encode() not in stored
    start = stored.index(b"$2b$")
    assert BcryptPasswords().check(PASSWORD, stored[start : start + 60].decode())


def test_the_page_on_users_is_true(cli: Cli) -> None:
    for command, printed in PAGE:
        told = re.sub(r"\d{4}-\d\d-\d\d", "2026-11-22", cli.good(*command))
        assert told.rstrip() == printed.rstrip()
