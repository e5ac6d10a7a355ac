"""All pairs at once: what they cost, and which trade."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dcacore.ports.errors import Unavailable
from tests.unit.binance.conftest import Bench
from tests.unit.binance.wire import Say, symbol


async def test_all_prices_are_one_question(bench: Bench) -> None:
    bench.wire.prices |= {"ETHUSDT": "2000.50000000", "NEWUSDT": "0.00000000"}
    prices = await bench.site.directory.prices()
    assert prices == {"BTCUSDT": Decimal(30000), "ETHUSDT": Decimal("2000.5")}
    (asked,) = bench.wire.calls("GET ticker/price")
    assert asked.params == {}


async def test_all_pairs_are_asked_for_once_an_hour(bench: Bench) -> None:
    bench.wire.pairs |= {
        "ETHUSDT": symbol("ETHUSDT"),
        "OLDUSDT": symbol("OLDUSDT", status="BREAK"),
        "ODDUSDT": symbol("ODDUSDT", filters=[]),
    }
    for _ in range(2):
        found = await bench.site.directory.listings()
        assert [it.market.pair for it in found] == ["BTCUSDT", "ETHUSDT"]
    (asked,) = bench.wire.calls("GET exchangeInfo")
    assert asked.params == {"symbolStatus": "TRADING"}
    assert (await bench.exchange.listing("ETHUSDT")).is_trading  # what has been read is known
    assert len(bench.wire.calls("GET exchangeInfo")) == 1


@pytest.mark.parametrize("said", [Say("<html>"), Say([{"symbol": "X"}]), Say({"symbols": 1}), Say("", 503)])
async def test_what_cannot_be_read_is_no_answer(bench: Bench, said: Say) -> None:
    bench.wire.answers |= {"GET ticker/price": said, "GET exchangeInfo": said}
    with pytest.raises(Unavailable):
        await bench.site.directory.prices()
    with pytest.raises(Unavailable):
        await bench.site.directory.listings()
    bench.wire.answers.clear()
    assert await bench.site.directory.prices()
    assert await bench.site.directory.listings()
