from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from dcacore import read_bot
from dcacore.application.editing import bot_file_text
from dcacore.bootstrap import market_of
from dcacore.domain.market import Fees
from dcacore.domain.strategy import Strategy
from dcacore.ports.records import BotRecord
from tests.unit.application.office import STRATEGY

EVERY_KEY = read_bot("examples/every-key.toml").strategy


@pytest.mark.parametrize("name", ["calm", 'say "hi" \\ bye', "=cmd|' /C calc'!A0", "naïve 漢字 🙂", "#[bot]"])
@pytest.mark.parametrize("strategy", [STRATEGY, attrs.evolve(EVERY_KEY, pair="BTCUSDT")])
def test_a_bot_written_down_is_the_same_bot(calm: BotRecord, tmp_path: Path, name: str, strategy: Strategy) -> None:
    fees = Fees(fee_maker="0.00075", fee_taker="0.001", fee_asset="quote")
    record = attrs.evolve(calm, name=name, bot=attrs.evolve(calm.bot, strategy=strategy, fees=fees))
    file = tmp_path / "bot.toml"
    file.write_text(bot_file_text(record), encoding="utf-8")
    read = read_bot(str(file))
    assert (read.name, read.strategy, read.fees) == (name, strategy, fees)
    assert market_of(read) == record.bot.market
