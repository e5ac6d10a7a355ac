"""`dca bot` without an engine: what is stored, shown and refused."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dcacore import read_bot
from dcacore.bootstrap.app import open_app
from dcacore.domain.ids import OrderId
from dcacore.ports.records import Reconciliation
from dcacore.settings import Settings
from tests.integration.live import CALM, Cli, clean_environment


def test_a_bot_is_created_named_exported_and_deleted(ready: Cli) -> None:
    made = ready.json("bot", "create", CALM, "--account", "paper")
    assert (made["name"], made["account"], made["state"]) == ("btc calm", "paper", "stopped")
    assert ready.good("bot", "rename", made["id"], "bold") == f"{made['id']}: is bold now\n"
    assert ready.good("bot", "export", "bold", "--out", "bold.toml") == "bold: written to bold.toml\n"
    assert read_bot("bold.toml").strategy == read_bot(CALM).strategy
    assert Path("bold.toml").read_text(encoding="utf-8") == ready.good("bot", "export", "bold")
    assert ready.json("bot", "export", "bold")["toml"] == ready.good("bot", "export", "bold")
    again = ready.good("bot", "create", "bold.toml", "--account", "paper", "--name", "again")
    assert again.startswith("again: created as ")
    assert [it["name"] for it in ready.json("bot", "list")["bots"]] == ["bold", "again"]
    assert "bold   stopped  BTCUSDT  paper    PAPER" in ready.good("bot", "list")
    done = ready("bot", "delete", "bold", typed="n\n")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Delete bold with its 0 closed deals (profit 0 USDT) for good? [y/N]" in done.stderr
    assert ready("bot", "delete", "bold", typed="y\n").stdout == "bold: deleted\n"
    assert ready.json("bot", "delete", "again", "--yes")["name"] == "again"
    assert "no bots yet" in ready.good("bot", "list")


def test_what_is_refused(ready: Cli) -> None:
    ready.good("user", "set-tier", "anna@example.com", "FREE")
    assert ready.refused("bot", "create", CALM, "--account", "spot") == "there is no account spot; there are paper"
    assert ready.refused("bot", "create", "none.toml", "--account", "paper").startswith("none.toml: cannot be read")
    ready.good("bot", "create", CALM, "--account", "paper")
    limit = "the tier FREE allows 1 bot: delete one, or move up"
    assert ready.refused("bot", "create", CALM, "--account", "paper", "--name", "two") == limit
    ready.good("user", "set-tier", "anna@example.com", "PRO")
    assert ready.refused("bot", "create", CALM, "--account", "paper") == "there is a bot btc calm already"
    missing = "there is no bot x; there are btc calm"
    for verb in ("show", "start", "pause", "stop", "retry", "export"):
        assert ready.refused("bot", verb, "x") == missing
    assert ready.refused("bot", "delete", "x", "--yes") == missing
    assert ready.refused("bot", "edit", "x", "--set", "take_profit=2") == missing
    told = ready.refused("bot", "edit", "btc calm", "--set", "take_profit=-1")
    assert told == "take_profit = -1: must be above 0"
    told = ready.refused("bot", "edit", "btc calm", "--set", "take_profit=1e1")
    assert told.startswith("take_profit = 1e1: must be a plain decimal number")
    assert "give either a bot file or --set" in ready.misused("bot", "edit", "btc calm")
    assert "is no NAME=VALUE" in ready.misused("bot", "edit", "btc calm", "--set", "take_profit")
    assert "say --sell or --keep" in ready.misused("bot", "stop-all")
    for both in (("--sell", "--keep"), ("--keep", "--sell")):
        for command in (("stop", "btc calm"), ("stop-all",)):
            assert "--sell and --keep contradict each other" in ready.misused("bot", *command, *both)
    assert ready.json("bot", "show", "btc calm")["waiting"] == []
    assert ready.refused("bot", "list", "--user", "x@y.org") == "there is no user x@y.org"


def test_a_tier_that_fell_limits_what_starts(ready: Cli) -> None:
    for name in ("one", "two"):
        ready.good("bot", "create", CALM, "--account", "paper", "--name", name)
    ready.good("user", "set-tier", "anna@example.com", "FREE")
    assert ready.good("bot", "start", "one").startswith("one: start: stored")
    told = ready.refused("bot", "start", "two")
    assert told == "the tier FREE allows 1 bot to run at a time: stop one, or move up"


def test_requests_wait_for_an_engine_and_say_so(ready: Cli) -> None:
    ready.good("bot", "create", CALM, "--account", "paper")
    stored = "stored; no engine runs: it will be carried out once one does (dca worker)"
    assert ready.good("bot", "start", "btc calm") == f"btc calm: start: {stored}\n"
    assert ready.good("bot", "pause", "btc calm") == f"btc calm: pause: {stored}\n"
    told = ready.json("bot", "retry", "btc calm")
    assert (told["status"], told["engine_alive"], told["refusal"], told["kind"]) == ("waiting", False, "", "retry")
    assert ready.good("bot", "edit", "btc calm", "--set", "take_profit=2").startswith("btc calm: edit bot: stored")
    assert ready.good("bot", "edit", "btc calm", CALM).startswith("btc calm: edit bot: stored")
    assert ready.good("bot", "stop", "btc calm") == f"btc calm: stop: {stored}\n"
    assert len(ready.json("bot", "stop-all", "--keep")["requests"]) == 1
    shown = ready.json("bot", "show", "btc calm")
    kinds = ["start", "pause", "retry", "edit_bot", "edit_bot", "stop", "stop"]
    assert [it["kind"] for it in shown["waiting"]] == kinds
    text = ready.good("bot", "show", "btc calm")
    assert "State:   stopped (wanted: stop, phase: stopped)" in text
    assert "nothing happens until one runs (dca worker)" in text
    assert "Waits for an engine: start (" in text
    assert ready.refused("bot", "delete", "btc calm", "--yes").endswith("a request waits for an engine")


def test_a_bot_that_trades_is_explained(traded: Cli) -> None:
    text = traded.good("bot", "show", "btc calm")
    for words in (
        "BTCUSDT on paper (PAPER)",
        "State:   in position (wanted: run, phase: in_position)",
        "It sells 0.00326 BTC (take profit order) when the price rises to",
        "0 of 8 safety orders used",
        "average price 30600",
        "next safety order 30294",
        "USDT (-0.10 %) at the last price it was told, 30600",
        "Closed:  1 deals, 1 won, profit ",
        "(start): all as it should be",
        "deal 1 closed by take profit",
    ):
        assert words in text
    shown = traded.json("bot", "show", "btc calm", "--lines", "3")
    assert (shown["state"], shown["deals_closed"], len(shown["activity"])) == ("in_position", 1, 3)
    deal = shown["deal"]
    assert (deal["average_price"], deal["next_safety_order"], deal["safety_orders"]) == ("30600", "30294", 8)
    assert deal["unrealized"].startswith("-0.0")
    parameters = shown["parameters"]
    assert (parameters["take_profit"], parameters["max_safety_orders"], parameters["auto_restart"]) == ("1.5", 8, True)
    assert shown["reconciliation"]["cause"] == "start"


def test_a_question_that_is_not_answered_with_yes(ready: Cli) -> None:
    ready.good("bot", "create", CALM, "--account", "paper")
    for typed in ("n\n", ""):  # no, and the end of all input
        done = ready("bot", "delete", "btc calm", typed=typed)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.endswith("\ndca: nothing was done\n")
    done = ready("user", "create", "b@example.com", typed="Secret77\n", env={"DCA_PASSWORD": None})
    assert (done.exit_code, done.stderr.endswith("\ndca: nothing was done\n")) == (1, True)


def test_an_interrupt_at_a_question_ends_the_command(ready: Cli) -> None:
    ready.good("bot", "create", CALM, "--account", "paper")
    asking = subprocess.Popen(
        [Path(sys.executable).with_name("dca"), "bot", "delete", "btc calm"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(DATABASE_URL=ready.url),
    )
    assert asking.stderr is not None
    told = b""
    while not told.endswith(b"[y/N]:"):
        byte = asking.stderr.read(1)
        assert byte, told
        told += byte
    time.sleep(0.3)  # from the question to waiting for its answer
    asking.send_signal(signal.SIGINT)
    _, rest = asking.communicate(timeout=60)
    assert (asking.returncode, rest.strip()) == (130, b"")
    assert len(ready.json("bot", "list")["bots"]) == 1


def times(told: Any) -> Iterator[str]:
    """Yield every text in *told* that is a time."""
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        for one in told:
            yield from times(one)
    elif isinstance(told, str) and re.match(r"\d{4}-\d\d-\d\d", told):
        yield told


def test_all_times_in_json_have_one_form(traded: Cli) -> None:
    traded.good("bot", "pause", "btc calm")
    asked = [
        ["bot", "show", "btc calm"],
        ["deal", "list"],
        ["deal", "show", "btc calm"],
        ["account", "list"],
        ["user", "list"],
        ["export", "deals"],
        ["export", "orders"],
    ]
    for command in asked:
        found = list(times(traded.json(*command)))
        assert found, command
        assert [it for it in found if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", it)] == [], command


async def _compared(url: str) -> None:
    async with open_app(Settings(database_url=url)) as app, app.store.begin() as work:
        [anna] = [user for user in await work.users.all() if user.email.startswith("anna")]
        [account] = await work.accounts.of(anna.id)
        found = Reconciliation(
            account_id=account.id,
            at=app.clock.now(),
            cause="periodic",
            adopted=(OrderId("dca-adopted"),),
            stray=tuple(OrderId(f"dca-stray-{number}") for number in range(12)),
            differences=tuple(f"difference {number}" for number in range(11)),
        )
        await work.feed.add_reconciliation(found)
        await work.commit()


def test_what_a_comparison_found_is_listed(traded: Cli) -> None:
    asyncio.run(_compared(traded.url))
    lines = traded.good("bot", "show", "btc calm").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("Last comparison"))
    assert lines[place].endswith("(periodic): 1 adopted; 12 stray; 11 differences")
    assert lines[place + 1] == "  adopted: dca-adopted"
    strays = ", ".join(f"dca-stray-{number}" for number in range(10))
    assert lines[place + 2] == f"  stray: {strays}, and 2 more"
    assert "cancel there those that you do not want" in lines[place + 3]
    assert lines[place + 4 : place + 15] == [*(f"  difference {number}" for number in range(10)), "  and 1 more"]


def test_an_open_deal_wants_a_word_before_its_bot_stops(traded: Cli) -> None:
    assert "btc calm has an open deal: say --sell or --keep" in traded.misused("bot", "stop", "btc calm")
    assert traded.refused("bot", "delete", "btc calm", "--yes").startswith("btc calm cannot be deleted: deal ")
    asked = traded("bot", "stop", "btc calm", "--sell", typed="n\n")
    assert asked.exit_code == 1
    assert "Stop btc calm and sell 0.00326" in asked.stderr
    assert "BTC that cost 99." in asked.stderr
    assert traded.json("bot", "show", "btc calm")["waiting"] == []
    traded.good("bot", "stop", "btc calm", "--sell", "--yes")
    asked = traded("bot", "stop-all", "--sell", typed="n\n")
    assert "(btc calm: 0.00326" in asked.stderr


def test_nobody_sees_anybody_elses(traded: Cli) -> None:
    [hers] = traded.json("bot", "list")["bots"]
    traded.environment["DCA_USER"] = "bert@example.com"
    [his] = traded.json("bot", "list")["bots"]
    assert his["id"] != hers["id"]
    assert traded.refused("bot", "show", hers["id"]).startswith(f"there is no bot {hers['id']}")
    assert traded.refused("deal", "show", hers["deal"]).startswith(f"there is no deal {hers['deal']}")
    assert traded.refused("deal", "close", hers["deal"], "--yes").startswith(f"there is no deal {hers['deal']}")
    assert traded.json("deal", "list") == {"deals": []}
    assert traded.json("export", "deals") == {"rows": []}
    assert traded.refused("bot", "list", "--user", "") == (
        "there is no user named, and there are 2: say which one with --user EMAIL or DCA_USER"
    )
