"""The engine against a second, plain implementation of the same rules, on random bots and markets."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from dcacore.backtest.as_json import report_as_json
from dcacore.backtest.run import backtest
from dcacore.domain.market import Fees, Market
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles
from tests.reference.cases import MINUTE_MS, Case, random_case
from tests.reference.player import play

FEW = range(60)
MANY = range(60, 1_560)


def compared(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the engine and the second implementation report of case *seed*."""
    case = random_case(Random(seed))
    expected = play(
        case.strategy,
        case.market,
        case.fees,
        case.candles,
        path=case.path,
        slippage=case.slippage,
        balance=case.balance,
    )
    return engine_report(case), {name: value for name, value in expected.items() if not name.startswith("_")}


def engine_report(case: Case) -> dict[str, Any]:
    """Return what the engine reports."""
    parameters: dict[str, Any] = {"pair": case.market["pair"], **case.strategy}
    fees: dict[str, Any] = case.fees
    prices = np.array([[float(price) for price in row[1:]] for row in case.candles], dtype=np.float64)
    candles = Candles(
        interval_ms=MINUTE_MS,
        open_time=np.array([row[0] for row in case.candles], dtype=np.int64),
        open=prices[:, 0].copy(),
        high=prices[:, 1].copy(),
        low=prices[:, 2].copy(),
        close=prices[:, 3].copy(),
        volume=np.zeros(len(prices)),
    )
    market: dict[str, Any] = case.market
    report = backtest(
        Strategy(**parameters),
        Market(**market),
        Fees(**fees),
        candles,
        path=case.path,
        slippage=case.slippage,
        balance=case.balance,
    )
    return report_as_json(report)


def first_difference(report: dict[str, Any], expected: dict[str, Any]) -> str:
    """Return the first thing in which the two differ, in a few lines."""
    for name in [*expected, *(name for name in report if name not in expected)]:
        got, wanted = report.get(name), expected.get(name)
        if got == wanted:
            continue
        if isinstance(got, list) and isinstance(wanted, list):
            for place, (one, other) in enumerate(zip(got, wanted, strict=False)):
                if one != other:
                    return f"{name}[{place}]:\n  engine {one}\n  rules  {other}"
            return f"{name}: {len(got)} and not {len(wanted)}"
        return f"{name}:\n  engine {got}\n  rules  {wanted}"
    return "nothing"


def check(seed: int) -> None:
    """Fail with the first difference and the line that plays the case again."""
    report, expected = compared(seed)
    if report != expected:
        again = f'python -c "from tests.integration.test_reference import check; check({seed})"'
        pytest.fail(f"case {seed}: {first_difference(report, expected)}\nplay it again: {again}", pytrace=False)


@pytest.mark.parametrize("seed", FEW)
def test_the_engine_agrees_with_the_second_implementation(seed: int) -> None:
    check(seed)


@pytest.mark.prove
@pytest.mark.parametrize("seed", MANY)
def test_the_engine_agrees_on_many_more_cases(seed: int) -> None:
    check(seed)


def test_the_cases_are_worth_comparing() -> None:
    """Deals close for every reason, with and without safety orders; some bots end with a deal open."""
    reports = [compared(seed)[1] for seed in range(25)]
    deals = [deal for report in reports for deal in report["deals"]]
    assert {deal["reason"] for deal in deals} == {"take_profit", "trailing_take_profit", "stop_loss"}
    assert {0, 1, 2} <= {deal["safety_orders"] for deal in deals}
    assert any(report["open_deal"] for report in reports)
