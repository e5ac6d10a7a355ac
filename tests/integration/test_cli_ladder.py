"""`dca ladder`, as it is typed."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dcacli.main import main

CALM = "examples/btc-calm.toml"
DCA = str(Path(sys.executable).with_name("dca"))
KEYS = [
    *("order", "deviation", "price", "size", "quantity", "total_spent", "total_quantity"),
    *("average_price", "take_profit_price", "required_change"),
]


def dca(*args: str) -> Result:
    return CliRunner().invoke(main, ["ladder", *args])


def refusal(*args: str) -> str:
    done = dca(*args)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("dca: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def calm_with(folder: Path, more: str) -> str:
    path = folder / "bot.toml"
    path.write_text(f"{Path(CALM).read_text()}\n{more}\n")
    return str(path)


def test_json() -> None:
    done = dca(CALM, "--price", "30000", "--json")
    preview = json.loads(done.stdout)
    assert (done.exit_code, done.stderr, list(preview)) == (0, "", ["reference_price", "rows", "warnings"])
    assert (preview["reference_price"], preview["warnings"]) == ("30000", [])
    assert [row["order"] for row in preview["rows"]] == ["base", *(f"safety {number}" for number in range(1, 9))]
    assert all(list(row) == KEYS for row in preview["rows"])
    assert preview["rows"][1] == {
        "order": "safety 1",
        "deviation": "1",
        "price": "29700",
        "size": "100",
        "quantity": "0.00336",
        "total_spent": "199.692",
        "total_quantity": "0.00669",
        "average_price": "29849.32735426",
        "take_profit_price": "30357.76",
        "required_change": "2.21468013",
    }


def test_the_table_has_the_same_numbers_and_the_funds_at_the_bottom() -> None:
    done = dca(CALM, "--price", "30000")
    rows = json.loads(dca(CALM, "--price", "30000", "--json").stdout)["rows"]
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for row in rows:
        assert any(all(cell in line for cell in row.values()) for line in lines), row
    assert lines[0].startswith("btc calm: BTCUSDT from 30000 USDT")
    assert lines[-1] == "Funds needed for all of it: 3,538.6708776 USDT"
    assert not [line for line in lines if line != line.rstrip()]


def shown_at(width: int, bot: str, price: str = "30000") -> list[str]:
    """Return the lines that `dca ladder` shows on a terminal of *width* columns."""
    above, below = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(width), "TERM": "xterm"}
    with subprocess.Popen([DCA, "ladder", bot, "--price", price], stdout=below, stderr=below, env=environ) as process:
        os.close(below)
        seen = b""
        with contextlib.suppress(OSError):  # what Linux says at the end of a terminal
            while more := os.read(above, 10_000):
                seen += more
    os.close(above)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", seen.decode()).splitlines()


@pytest.mark.parametrize(
    ("width", "hidden"),
    [
        (120, []),
        (100, []),
        (80, ["size"]),
        (60, ["size", "quantity", "bought"]),
        (40, ["size", "quantity", "bought", "average", "take profit", "rise %"]),
    ],
)
def test_a_narrow_terminal_hides_columns_and_breaks_no_number(width: int, hidden: list[str]) -> None:
    lines = shown_at(width, CALM)
    assert max(map(len, lines)) <= max(width, len("Funds needed for all of it: 3,538.6708776 USDT"))
    rows = [line for line in lines if line.startswith(("base ", "safety "))]
    assert len(rows) == 9
    exact = next(row.split() for row in shown_at(200, CALM) if row.startswith("safety 8"))[2:]
    last = rows[-1].split()[2:]
    assert len(last) == len(exact) - len(hidden)
    assert all(any(abs(Decimal(cell) - Decimal(whole)) <= Decimal("0.005") for whole in exact) for cell in last)
    note = " ".join(lines)
    assert (f"No room for {', '.join(hidden)};" in note) == bool(hidden)
    assert ("rounded; a wider terminal and --json show all." in note) == (width < 120)


def test_a_narrow_terminal_still_shows_the_stop_loss(tmp_path: Path) -> None:
    lines = shown_at(80, calm_with(tmp_path, "stop_loss = 5"))
    assert max(map(len, lines[:-2])) <= 80
    assert next(line for line in lines if line.startswith("safety 8")).split()[-1] == "28500"
    assert "No room for size, bought;" in " ".join(lines)


def test_both_the_price_and_a_reference_that_is_not_the_price_are_told(tmp_path: Path) -> None:
    bot = calm_with(tmp_path, 'ladder_reference = "cost"')
    title = dca(bot, "--price", "30000").stdout.splitlines()[0]
    assert title == "btc calm: BTCUSDT from 30000 USDT, deviations from a reference of 30030.03003003 USDT"


def test_a_stop_loss_above_a_safety_order_is_warned_of(tmp_path: Path) -> None:
    bot = calm_with(tmp_path, "stop_loss = 5")
    done = dca(bot, "--price", "30000")
    assert done.exit_code == 0
    assert "stop loss" in done.stdout
    assert done.stderr == (
        "warning: the stop loss at 28500 lies above safety order 4 at 28389.6: it sells before that order can fill\n"
    )
    [warning] = json.loads(dca(bot, "--price", "30000", "--json").stdout)["warnings"]
    assert done.stderr == f"warning: {warning}\n"


def test_a_name_is_no_markup(tmp_path: Path) -> None:
    text = Path(CALM).read_text().replace("btc calm", "[red]x[/nope]")
    (tmp_path / "bot.toml").write_text(text)
    assert dca(str(tmp_path / "bot.toml"), "--price", "30000").stdout.startswith("[red]x[/nope]: BTCUSDT")


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ("0", "price = 0: must be above 0"),
        ("-1", "price = -1: must be above 0"),
        ("NaN", "price = NaN: must be a plain decimal number"),
        ("inf", "price = inf: must be a plain decimal number"),
        ("1e999", "price = 1e999: must be a plain decimal number"),
        ("３", "price = ３: must be a plain decimal number"),  # full-width
        ("", "price = : must be a plain decimal number"),
        ("30000.001", "price = 30000.001: must be a multiple of tick_size 0.01"),
        ("20000000", f"{CALM}: base_order_size = 100: buys 0 BTC at 20000000, worth 0; the market's least is"),
    ],
)
def test_a_refused_price(price: str, message: str) -> None:
    assert refusal(CALM, "--price", price).startswith(f"dca: {message}")


def test_orders_too_small_for_the_market(tmp_path: Path) -> None:
    bot = calm_with(tmp_path, "[market]\nmin_notional = 101")
    assert refusal(bot, "--price", "30000").startswith(f"dca: {bot}: base_order_size = 100: buys 0.00333 BTC at 30000")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("missing.toml", "missing.toml: cannot be read: No such file or directory"),
        ("examples", "examples: cannot be read: Is a directory"),
        ("a\nb.toml", "a b.toml: cannot be read: No such file or directory"),
    ],
)
def test_a_refused_file(file: str, message: str) -> None:
    assert refusal(file, "--price", "30000") == f"dca: {message}\n"


@pytest.mark.parametrize("args", [(), (CALM,), (CALM, "--price"), (CALM, CALM, "--price", "1"), (CALM, "--prize", "1")])
def test_wrong_usage(args: tuple[str, ...]) -> None:
    done = dca(*args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Usage: " in done.stderr or "Error: " in done.stderr
