"""What every store promises of backtests that users have asked for."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dcacore.domain.ids import UserId
from dcacore.ports.backtests import BacktestRun, Outcome, RunState
from dcacore.ports.errors import Conflict, StoreError
from dcacore.ports.records import Environment
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import ANN, BOB, user
from tests.strategies import NOON

MINUTE = datetime.timedelta(minutes=1)
PACKED = Outcome(report=b"\x00report\xff", drawings=b"drawings")


@pytest.fixture
async def store(database: Database) -> Store:
    async with database.store.begin() as work:
        await work.users.add(user())
        await work.users.add(user(BOB))
        await work.commit()
    return database.store


def run(name: str, user_id: UserId = ANN, **changes: Any) -> BacktestRun:
    usual = {"asked_at": NOON, "seen_at": NOON, "name": "Zoë's 🤖", "bot": '[bot]\nname = "x"\n', "pair": "BTCUSDT"}
    return BacktestRun(**{"id": name, "user_id": user_id, "quote_asset": "USDT", "interval": "1m", **usual, **changes})


FULL = run(
    "full",
    asked_at=NOON + MINUTE,
    ended_at=NOON + 2 * MINUTE,
    state=RunState.DONE,
    environment=Environment.PAPER,
    from_ms=1_700_000_000_000,
    to_ms=1_800_000_000_000,
    path="low_first",
    slippage=Decimal("0.0010000000000000001"),
    balance=Decimal("12345678901234567890.12345678"),
    warnings=("one", "two; 'quoted'"),
    failure="none",
    figures={"profit": "1.5", "deals": "3"},
)


async def test_backtests_come_back_newest_first(store: Store) -> None:
    async with store.begin() as work:
        for one in (run("plain"), FULL, run("bobs", BOB)):
            await work.backtests.add(one)
        await work.commit()
    async with store.begin(reads_only=True) as work:
        assert await work.backtests.of(ANN) == (FULL, run("plain"))
        assert await work.backtests.get(ANN, "full") == FULL
        assert await work.backtests.get(ANN, "bobs") is None
        assert await work.backtests.get(ANN, "none") is None


async def test_what_came_of_one_is_kept_beside_it(store: Store) -> None:
    async with store.begin() as work:
        await work.backtests.add(run("one"))
        assert await work.backtests.outcome(ANN, "one") is None
        done = run("one", state=RunState.DONE, ended_at=NOON + MINUTE, figures={"profit": "2"})
        await work.backtests.save(done, PACKED)
        await work.backtests.save(attrs.evolve(done, warnings=("later",)))
        await work.backtests.see("one", NOON + MINUTE)
        await work.backtests.see("none", NOON + MINUTE)
        await work.commit()
    async with store.begin(reads_only=True) as work:
        assert await work.backtests.get(ANN, "one") == attrs.evolve(done, warnings=("later",), seen_at=NOON + MINUTE)
        assert await work.backtests.outcome(ANN, "one") == PACKED
        assert await work.backtests.outcome(BOB, "one") is None


async def test_one_that_was_removed_does_not_come_back(store: Store) -> None:
    async with store.begin() as work:
        await work.backtests.add(run("one"))
        assert not await work.backtests.remove(BOB, "one")
        assert await work.backtests.remove(ANN, "one")
        assert not await work.backtests.remove(ANN, "one")
        await work.backtests.save(run("one", state=RunState.DONE), PACKED)
        assert await work.backtests.of(ANN) == ()


async def test_backtests_go_with_their_user(store: Store) -> None:
    async with store.begin() as work:
        await work.backtests.add(run("one"))
        await work.users.remove(ANN)
        await work.commit()
    async with store.begin() as work:
        await work.users.add(user())
        assert await work.backtests.of(ANN) == ()


@pytest.mark.parametrize("refused", [run("one"), run("two", UserId("nobody"))], ids=["id", "user"])
async def test_a_backtest_is_one_of_its_id_and_somebodys(store: Store, refused: BacktestRun) -> None:
    async with store.begin() as work:
        await work.backtests.add(run("one"))
        with pytest.raises(Conflict, match="backtest"):
            await work.backtests.add(refused)


async def test_what_cannot_be_stored_is_refused(store: Store) -> None:
    async with store.begin() as work:
        with pytest.raises(StoreError):
            await work.backtests.add(run("one", asked_at=NOON.replace(tzinfo=None)))
