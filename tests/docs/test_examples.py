"""The bot files in examples/ can be played, and one of them has every key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import attrs
import pytest

from dcacore import Fees, Market, Strategy, ladder, read_bot
from dcacore.bootstrap import market_of

EXAMPLES = sorted(Path("examples").glob("*.toml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_an_example_has_a_ladder_without_warnings(file: Path) -> None:
    bot = read_bot(str(file))
    assert ladder(bot.strategy, 100, market_of(bot), bot.fees).warnings == ()


@pytest.mark.parametrize(("table", "kind"), [("bot", Strategy), ("market", Market), ("fees", Fees)])
def test_one_example_has_every_key(table: str, kind: type[attrs.AttrsInstance]) -> None:
    keys = tomllib.loads(Path("examples/every-key.toml").read_text(encoding="utf-8"))[table]
    assert {field.name for field in attrs.fields(kind)} - {*keys} <= {"pair"}
