"""`dca deal` without an engine: what is shown, asked for and refused."""

from __future__ import annotations

import pytest

from tests.integration.live import Cli


def test_deals_are_listed_open_ones_first(traded: Cli) -> None:
    opened, closed = traded.json("deal", "list")["deals"]
    assert (opened["state"], opened["profit"], opened["closed_at"]) == ("open", None, None)
    assert (closed["state"], closed["reason"], closed["unrealized"]) == ("closed", "take_profit", None)
    assert float(closed["profit"]) > 0
    assert traded.json("deal", "list", "--limit", "1", "--skip", "1")["deals"] == [closed]
    assert traded.json("deal", "list", "--bot", "btc calm")["deals"] == [opened, closed]
    text = traded.good("deal", "list")
    assert f"{opened['id']}  btc calm  BTCUSDT  open" in text
    assert traded.refused("deal", "list", "--bot", "x") == "there is no bot x; there are btc calm"


def test_a_deal_is_shown_by_its_id_or_its_bot(traded: Cli) -> None:
    opened, closed = traded.json("deal", "list")["deals"]
    assert traded.json("deal", "show", "btc calm") == traded.json("deal", "show", opened["id"])
    orders = traded.json("deal", "show", opened["id"])["orders"]
    assert [it["role"] for it in orders] == ["base", *["safety"] * 8, "take_profit"]
    text = traded.good("deal", "show", closed["id"])
    assert f"Deal {closed['id']} of btc calm: BTCUSDT, closed" in text
    assert f"by take_profit, profit {closed['profit']} USDT" in text
    assert "Unrealized" not in text
    assert "Unrealized -0.0" in traded.good("deal", "show", "btc calm")
    assert traded.refused("deal", "show", "x-1") == "there is no deal x-1, and no bot of that name"


@pytest.mark.parametrize("verb", ["close", "cancel"])
def test_ending_a_deal_shows_the_numbers_first(traded: Cli, verb: str) -> None:
    opened, closed = traded.json("deal", "list")["deals"]
    asked = traded("deal", verb, opened["id"], typed="n\n")
    assert (asked.exit_code, asked.stdout) == (1, "")
    assert f"{verb.capitalize()} deal {opened['id']} of btc calm:" in asked.stderr
    assert f"{opened['net']} BTC that cost {opened['spent']} USDT (now -0.0" in asked.stderr
    assert traded.json("bot", "show", "btc calm")["waiting"] == []
    assert traded.good("deal", verb, "btc calm", "--yes").startswith(f"btc calm: {verb} deal: stored; no engine")
    assert traded.json("bot", "show", "btc calm")["waiting"][0]["kind"] == f"{verb}_deal"
    assert traded.refused("deal", verb, closed["id"], "--yes") == f"deal {closed['id']} is not open any more"


def test_a_deal_is_closed_as_sold_by_hand(traded: Cli) -> None:
    opened, closed = traded.json("deal", "list")["deals"]
    assert (opened["gone"], opened["gone_for"]) == ("0", "0")
    asked = traded("deal", "close", opened["id"], "--sold-at", "30150.5", typed="n\n")
    assert (asked.exit_code, asked.stdout) == (1, "")
    assert f"{opened['net']} BTC that cost {opened['spent']} USDT (now -0.0" in asked.stderr
    assert "are sold by hand, at 30150.5 each?" in asked.stderr
    for written, why in [("0", "must be above 0"), ("ten", "must be a plain"), ("{}", "must be"), ("1e3", "must be")]:
        refusal = traded.refused("deal", "close", "btc calm", "--yes", "--sold-at", written)
        assert refusal.startswith(f"sold_at = {written}: {why}")
    assert traded.json("bot", "show", "btc calm")["waiting"] == []
    said = traded.good("deal", "close", "btc calm", "--sold-at", "30150.5", "--yes")
    assert said.startswith("btc calm: close as sold: stored; no engine")
    assert traded.json("bot", "show", "btc calm")["waiting"][0]["kind"] == "close_as_sold"
    refusal = traded.refused("deal", "close", closed["id"], "--sold-at", "1", "--yes")
    assert refusal == f"deal {closed['id']} is not open any more"


def test_an_open_deal_is_changed(traded: Cli) -> None:
    assert traded.good("deal", "add-funds", "btc calm", "50").startswith("btc calm: add funds: stored")
    told = traded.json("deal", "edit", "btc calm", "--take-profit", "2", "--more-safety-orders", "1")
    assert (told["kind"], told["status"]) == ("edit_deal", "waiting")
    assert traded.refused("deal", "add-funds", "btc calm", "0") == "amount = 0: must be above 0"
    assert traded.refused("deal", "add-funds", "btc calm", "ten").startswith("amount = ten: must be a plain decimal")
    assert traded.refused("deal", "add-funds", "btc calm", "1e3").startswith("amount = 1e3: must be a plain decimal")
    assert traded.refused("deal", "edit", "btc calm", "--stop-loss", "1e1").startswith("stop_loss = 1e1: must be")
    assert traded.refused("deal", "edit", "btc calm", "--stop-loss", "x").startswith("stop_loss = x: must be")
    assert "say what should change" in traded.misused("deal", "edit", "btc calm")


def test_no_deals(ready: Cli) -> None:
    assert ready.good("deal", "list") == "There are no deals.\n"
