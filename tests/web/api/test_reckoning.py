"""Ladders and backtests by programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from dcacore import bootstrap
from dcacore.application.refusals import NotFound
from dcacore.bootstrap.backtests import KEPT, Backtests
from dcacore.bootstrap.playing import Order, Told, play, unpacked
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.domain.preview import ladder
from tests.contract.stored import ANN, BOB
from tests.unit.application.office import MARKET, STRATEGY, bot_file
from tests.web.api.desk import PARAMETERS, Desk, problem_of

MONTH = {"interval": "1m", "from_ms": 0, "to_ms": 60_000}


async def test_a_ladder_is_that_of_the_library(desk: Desk) -> None:
    told = (await desk.ask("POST", "/ladder", json={**PARAMETERS, "price": "30000"})).json()
    expected = ladder(STRATEGY, "30000", MARKET)
    assert [Decimal(row["price"]) for row in told["rows"]] == [row.price for row in expected.rows]
    assert [row["order"] for row in told["rows"]] == ["base", "safety 1", "safety 2", "safety 3"]
    assert told["rows"][1]["deviation"] == "1"


@pytest.mark.parametrize(
    ("change", "field"),
    [({"price": "0.001"}, "price"), ({"price": None}, "price"), ({"base_order_size": 1}, "base_order_size")],
)
async def test_a_ladder_that_cannot_be_is_refused(desk: Desk, change: dict[str, Any], field: str) -> None:
    told = problem_of(await desk.ask("POST", "/ladder", json={**PARAMETERS, "price": "30000", **change}), 422)
    assert [it["field"] for it in told["errors"]] == [field]


def _order(folder: Path, **changes: Any) -> Order:
    """Return what plays the first month of a year made of chance."""
    walk = bootstrap.random_walk(MARKET, 7)
    columns = ("open_time", "open", "high", "low", "close", "volume")
    part = attrs.evolve(walk, **{name: getattr(walk, name)[:3000] for name in columns})
    bootstrap.candle_store(folder).save("BTCUSDT", part)
    return attrs.evolve(Order(bot=bot_file(), market=MARKET, data_dir=str(folder), interval="1m"), **changes)


async def test_a_backtest_is_played_in_a_process_of_its_own(desk: Desk, tmp_path: Path) -> None:
    order = _order(Path(desk.app.settings.data_dir))
    answer = await desk.ask("POST", "/backtests", desk.read, json={**PARAMETERS, "interval": "1m"})
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert (told["state"], told["result"]) == ("queued", None)
    problem_of(await desk.ask("GET", f"/backtests/{told['id']}", desk.bobs), 404)
    while told["state"] in {"queued", "running"}:
        await asyncio.sleep(0.05)
        told = (await desk.ask("GET", f"/backtests/{told['id']}", desk.read)).json()
        desk.clock.pass_by(1)
    assert (told["state"], told["failure"]) == ("done", "")
    outcome = play(order).outcome
    assert outcome is not None
    assert told["result"] == unpacked(outcome.report)
    assert told["result"]["candles"] == 3000


async def test_a_backtest_of_candles_that_are_not_there_says_so(desk: Desk) -> None:
    told = (await desk.ask("POST", "/backtests", json={**PARAMETERS, **MONTH})).json()
    while told["state"] in {"queued", "running"}:
        await asyncio.sleep(0.05)
        told = (await desk.ask("GET", f"/backtests/{told['id']}")).json()
        desk.clock.pass_by(1)
    assert told["state"] == "failed"
    assert "BTCUSDT" in told["failure"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"interval": "2m"}, "interval"),
        ({"interval": None}, "interval"),
        ({"path": "sideways"}, "path"),
        ({"from_ms": "1"}, "from_ms"),
        ({"from_ms": 60_000}, "to_ms"),
        ({"to_ms": 10**14}, "to_ms"),
        ({"slippage": 1}, "slippage"),
        ({"balance": "-1"}, "balance"),
    ],
)
async def test_a_backtest_that_cannot_be_is_refused(desk: Desk, change: dict[str, Any], field: str) -> None:
    told = problem_of(await desk.ask("POST", "/backtests", json={**PARAMETERS, **MONTH, **change}), 422)
    assert [it["field"] for it in told["errors"]] == [field]


async def test_a_user_has_two_under_way_and_fifty_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(order: Order, progress: Callable[[int], None]) -> Told:
        progress(50)
        await asyncio.sleep(0)
        return Told(failure=f"{order.interval} not played")

    monkeypatch.setattr("dcacore.bootstrap.backtests.play_apart", at_once)
    backtests = Backtests(desk.app)
    order = Order(bot=bot_file(), market=MARKET, data_dir=desk.app.settings.data_dir, interval="1m")
    for _ in range(2):
        await backtests.begin(ANN, order)
    with pytest.raises(NotNow):
        await backtests.begin(ANN, order)
    newest = bobs = await backtests.begin(BOB, order)
    with pytest.raises(NotFound):
        await backtests.of(ANN, bobs.id)
    for _ in range(KEPT):
        await _all_ended(backtests)
        desk.clock.pass_by(1)
        newest = await backtests.begin(ANN, order)
    await _all_ended(backtests)
    await backtests.close()
    kept = await backtests.all_of(ANN)
    assert (len(kept), kept[0].id) == (KEPT, newest.id)
    assert {it.failure for it in kept} == {"1m not played"}
    with pytest.raises(InvalidParameter):
        play(attrs.evolve(order, interval="2m"))


async def _all_ended(backtests: Backtests) -> None:
    if backtests._tasks:
        await asyncio.wait(backtests._tasks.values())
    await asyncio.sleep(0)
