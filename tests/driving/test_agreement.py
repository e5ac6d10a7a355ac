"""A live engine on a stepped exchange makes the deals of a backtest, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest

from dcacore.adapters.random_walk import random_walk
from dcacore.domain.strategy import Strategy
from tests.driving.agreeing import BOTS, BTC, CALM, played, stepped


@pytest.mark.parametrize("name", BOTS)
def test_a_live_engine_makes_the_deals_of_a_backtest_on_a_random_walk(name: str) -> None:
    candles = random_walk(BTC, np.random.default_rng(5), count=1440)
    strategy = Strategy(**{**CALM, **BOTS[name]})
    expected = played(strategy, candles)
    assert len(expected) > 3
    assert stepped(strategy, candles) == expected
