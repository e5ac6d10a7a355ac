"""`dca export`: CSV and JSON, and names that a spreadsheet could take for formulas."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from dcacore.application.live_exports import LIVE_DEAL_COLUMNS, LIVE_ORDER_COLUMNS
from tests.integration.live import Cli


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_deals_and_orders(traded: Cli) -> None:
    closed, opened = rows(traded.good("export", "deals"))
    assert tuple(closed) == LIVE_DEAL_COLUMNS
    assert (closed["bot"], closed["environment"], closed["state"], closed["deal"]) == (
        "btc calm",
        "paper",
        "closed",
        "1",
    )
    assert (opened["state"], opened["profit"]) == ("open", "")
    orders = rows(traded.good("export", "orders", "--bot", "btc calm"))
    assert tuple(orders[0]) == LIVE_ORDER_COLUMNS
    assert {order["deal_id"] for order in orders} == {closed["deal_id"], opened["deal_id"]}
    sold = [order for order in orders if order["role"] == "take_profit" and order["state"] == "filled"]
    assert [order["deal_id"] for order in sold] == [closed["deal_id"]]
    told = traded.json("export", "deals")["rows"]
    assert [row["profit"] for row in told] == [closed["profit"], None]


def test_a_file_is_written_whole(traded: Cli) -> None:
    assert traded.good("export", "deals", "--out", "deals.csv") == ""
    assert rows(Path("deals.csv").read_bytes().decode())[0]["bot"] == "btc calm"
    for what in (("export", "deals"), ("export", "orders"), ("bot", "export", "btc calm")):
        told = traded.refused(*what, "--out", "missing/x.csv")
        assert told == "missing/x.csv: cannot be written: there is no folder missing"
    assert not Path("missing").exists()
    assert traded.refused("export", "orders", "--bot", "x").startswith("there is no bot x")


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)"])
def test_a_name_is_no_formula(traded: Cli, name: str) -> None:
    traded.good("bot", "rename", "--", "btc calm", name)
    assert {row["bot"] for row in rows(traded.good("export", "deals"))} == {f"'{name}"}
    assert {row["bot"] for row in rows(traded.good("export", "orders"))} == {f"'{name}"}
