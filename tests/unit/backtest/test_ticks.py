"""Where floats end: candles become whole ticks, exactly or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from dcacore.adapters.simulated.candle_ticks import OffGrid, to_ticks
from dcacore.domain.errors import DcaError, InvalidParameter
from dcacore.domain.market import Market
from tests.strategies import candles


def market(tick: Any) -> Market:
    return Market(pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size=tick, step_size=1)


@pytest.mark.parametrize(
    ("tick", "price", "count"),
    [
        ("0.01", "58739.46", 5873946),
        ("0.00000001", "0.00001234", 1234),
        ("0.1", "0.3", 3),
        ("0.25", "1234.75", 4939),
        ("5", "35", 7),
        ("0.0000000001", "0.1234567891", 1234567891),
        ("0.01", "22517998136852.47", 2251799813685247),
        ("0.00000100", "0.000012", 12),
    ],
)
def test_prices_are_counted_in_ticks(tick: str, price: str, count: int) -> None:
    ticks = to_ticks(candles([(price, price, price, price)]), market(tick))
    assert [ticks.open[0], ticks.high[0], ticks.low[0], ticks.close[0]] == [count] * 4
    assert ticks.open.dtype == np.int64
    assert len(ticks) == 1


def test_every_price_of_a_fine_grid_is_found_again() -> None:
    counts = np.arange(1, 200_000, 7)
    rows = [(f"{count / 100:.2f}",) * 4 for count in counts[:2_000]]
    assert to_ticks(candles(rows), market("0.01")).close.tolist() == counts[:2_000].tolist()


@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_the_first_row_that_is_off_the_grid_is_named_with_the_tick_that_fits(column: int) -> None:
    bad = ["100", "101", "99", "100"]
    price = bad[column] = ("100.125", "101.125", "98.875", "100.125")[column]
    with pytest.raises(OffGrid) as caught:
        to_ticks(candles([("100", "101", "99", "100"), (bad[0], bad[1], bad[2], bad[3])], "prices.csv"), market("0.01"))
    error = caught.value
    assert isinstance(error, DcaError)
    assert (error.source, error.row, error.price) == ("prices.csv", 2, price)
    assert error.fitting == Decimal("0.125")
    assert str(error) == (
        f"prices.csv: row 2: {price} is not a multiple of tick_size 0.01; "
        'this data fits: tick_size = "0.125" under [market]'
    )


def test_data_that_no_tick_fits_is_refused_without_advice() -> None:
    with pytest.raises(OffGrid, match="no tick size of 12 decimals or fewer fits this data"):
        to_ticks(candles([("0.1234567890123456",) * 4]), market("0.01"))


def test_a_tick_too_fine_for_the_prices_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"tick_size = 0\.000000000001: is too fine for these prices"):
        to_ticks(candles([("58739.46",) * 4]), market("0.000000000001"))
