"""A sell that a price fires is stored as being sent together with its decision: one sync to disk, and sent once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dcacore.application.engine.accounting import write
from dcacore.domain.events import PriceSeen
from dcacore.domain.ids import BotId
from dcacore.domain.intents import IntentState
from dcacore.domain.orders import Role
from tests.faults.stage import BOT, Stage, lost_reply, price

FALLEN = "69"
"""Below the stop loss."""


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A bot in position whose coins lie free, so that it sells at once where the price falls too far."""
    stage = Stage(seed="at once")
    stage.list_pair()
    stage.open_account()
    stage.add_bot(max_safety_orders=0, stop_loss="30", trailing_deviation="5", auto_restart=False)
    stage.start_engine()
    stage.start()
    assert stage.deal().sellable > 0
    yield stage
    stage.close()


def states(stage: Stage) -> list[IntentState]:
    return [it.state for it in stage.intents() if it.order.role is Role.STOP_LOSS]


def sold_once(stage: Stage) -> bool:
    return len(stage.orders(Role.STOP_LOSS)) == len(stage.ended()) == 1


def test_one_transaction_lies_between_the_price_and_the_order(stage: Stage) -> None:
    before = len(stage.points)
    stage.move(FALLEN, after=5)
    passed = stage.points[before:]
    assert passed[: passed.index("place before")].count("commit after") == 1
    assert sold_once(stage)


def test_f85_the_mark_is_stored_before_the_order_goes_out(stage: Stage) -> None:
    stage.dies_at = lambda _, name: name == "place before"
    stage.move(FALLEN, after=1)
    (sell,) = [it for it in stage.intents() if it.order.role is Role.STOP_LOSS]
    assert (sell.state, sell.sent_at is None, sell.recv_window_ms) == (IntentState.SENDING, False, 5000)
    assert not stage.orders(Role.STOP_LOSS)
    stage.start_again()
    stage.run(60)
    assert sold_once(stage)


def test_f65_nothing_is_sent_when_the_process_dies_before_it_is_stored(stage: Stage) -> None:
    stage.dies_at = lambda _, name: name == "commit before"
    stage.move(FALLEN, after=1)
    assert not states(stage)
    stage.start_again()
    stage.run(60)
    assert sold_once(stage)


@pytest.mark.parametrize("kind", ["commits_fail", "commits_unsure"])
def test_f69_nothing_is_sent_when_it_is_not_surely_stored(stage: Stage, kind: str) -> None:
    setattr(stage.running.store, kind, 1)
    stage.move(FALLEN, after=0.5)
    assert not stage.orders(Role.STOP_LOSS)
    stage.run(60)
    assert sold_once(stage)


def test_f01_a_lost_answer_is_asked_for(stage: Stage) -> None:
    stage.wire().on("place", lost_reply)
    stage.move(FALLEN, after=30)
    assert sold_once(stage)


def test_while_the_exchange_wants_no_requests_it_is_not_marked(stage: Stage) -> None:
    (hold,) = stage.running.engine.fleet.places._holds.values()
    hold.until = stage.clock.monotonic() + 3
    stage.move(FALLEN, after=1)
    assert states(stage) == [IntentState.PLANNED]
    stage.run(5)
    assert sold_once(stage)


def test_one_that_is_marked_goes_out_although_the_engine_is_told_to_stop(stage: Stage) -> None:
    """It would be asked after for half a minute otherwise."""

    def stop(_: int, name: str) -> bool:
        if name == "commit after" and stage.running.engine is not None:
            stage.dies_at = None
            stage.running.engine.stop()
        return False

    stage.dies_at = stop
    stage.move(FALLEN, after=15)
    assert len(stage.orders(Role.STOP_LOSS)) == 1


def test_one_that_is_marked_by_a_comparison_while_the_engine_stops_is_answered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = stage.running.engine.runners[BotId(BOT)]
    stored = stage.loop.create_future()

    async def late(*args: Any) -> None:
        await stored
        await write(*args)

    monkeypatch.setattr("dcacore.application.engine.runner.write", late)
    told = stage.loop.create_task(runner.turn(PriceSeen(stage.clock.now(), price(FALLEN))))
    stage.run(0.1)
    stage.running.engine.stop()
    stage.run(1)
    monkeypatch.setattr("dcacore.application.engine.runner.write", write)
    stored.set_result(None)
    stage.run(15)
    assert told.done()
    assert sold_once(stage)
