"""What a backtest must not know: F34."""

from __future__ import annotations

from decimal import Decimal

from dcacore.backtest.run import backtest
from tests.strategies import FREE, MARKET, candles, strategy


def test_f34_a_high_that_was_passed_before_the_low_sells_nothing_that_the_low_bought() -> None:
    """The high is nearer to the open, so it comes first: the target of 104.22 exists only after it."""
    once = strategy(auto_restart=False)
    before = backtest(once, MARKET, FREE, candles([("100", "105", "89", "90")]))
    assert not before.deals
    after = backtest(once, MARKET, FREE, candles([("100", "105", "89", "90"), ("90", "105", "90", "100")]))
    assert [deal.exit_price for deal in after.deals] == [Decimal("104.22")]


def test_f34_a_candle_decides_nothing_by_what_comes_after_it() -> None:
    rows = [
        ("100", "101", "97", "98"),
        ("98", "99", "89", "90"),
        ("90", "106", "90", "104"),
        ("104", "104", "70", "75"),
    ]
    for count in range(1, len(rows)):
        short = backtest(strategy(), MARKET, FREE, candles(rows[:count]))
        long = backtest(strategy(), MARKET, FREE, candles(rows))
        assert long.deals[: len(short.deals)] == short.deals
