"""Candles cannot be made of what no market can have made, whoever makes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dcacore import Candles
from dcacore.ports.candles import joined
from dcacore.ports.errors import BadCandles, BadFile

MINUTE = 60_000


def made(**changes: Any) -> Candles:
    columns: dict[str, Any] = {
        "interval_ms": MINUTE,
        "open_time": MINUTE * np.arange(3),
        "open": np.array([10.0, 11, 12]),
        "high": np.array([12.0, 13, 14]),
        "low": np.array([9.0, 10, 11]),
        "close": np.array([11.0, 12, 13]),
        "volume": np.zeros(3),
        "source": "mine",
    }
    return Candles(**{**columns, **changes})


def test_good_candles_have_their_length() -> None:
    assert len(made()) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"low": np.array([9.0, 0, 11])}, "mine: row 2: low is 0.0, a price must be above 0"),
        ({"close": np.array([11.0, 12, np.nan])}, "mine: row 3: close is nan, not a finite number"),
        ({"high": np.array([12.0, 13, np.inf])}, "mine: row 3: high is inf, not a finite number"),
        ({"high": np.array([10.5, 13, 14])}, "mine: row 1: high 10.5 is below close 11.0"),
        ({"low": np.array([9.0, 11.5, 11])}, "mine: row 2: low 11.5 is above open 11.0"),
        ({"open_time": np.array([0, MINUTE, MINUTE])}, "mine: row 3: is not later than the row before it"),
        ({"open_time": np.array([0, 2 * MINUTE, MINUTE])}, "mine: row 3: is not later than the row before it"),
    ],
)
def test_an_impossible_row_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadCandles) as caught:
        made(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"interval_ms": 0}, "the interval is 0 ms"),
        ({"open": [10.0, 11, 12]}, "open must be an array of float64"),
        ({"close": np.array([11.0, 12])}, "close must be an array of float64, as long as open_time"),
        ({"open_time": np.array([0.0, 1, 2])}, "open_time must be an array of int64"),
        ({"open_time": 10**18 + MINUTE * np.arange(3)}, "its times are not Unix milliseconds"),
        ({"open_time": MINUTE * np.arange(-1, 2)}, "its times are not Unix milliseconds"),
    ],
)
def test_columns_that_do_not_fit_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadFile, match=message):
        made(**changes)


def test_parts_are_joined_in_their_order_and_never_overlap() -> None:
    later = made(open_time=MINUTE * np.arange(5, 8))
    both = joined([made(), later])
    assert both.open_time.tolist() == [0, MINUTE, 2 * MINUTE, 5 * MINUTE, 6 * MINUTE, 7 * MINUTE]
    assert both.close.tolist() == [11, 12, 13, 11, 12, 13]
    assert both.source == "mine and 1 more"
    one = made()
    assert joined([one]) is one
    with pytest.raises(BadCandles, match="row 4: is not later than the row before it"):
        joined([later, made()])
