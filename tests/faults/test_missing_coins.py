"""Coins that are missed, and coins that only seem to be missing: F37 and F46."""

from __future__ import annotations

from typing import Any

import pytest

from dcacore.application.engine.comparisons import COMPARE_EVERY_S
from dcacore.domain.ids import BotId
from dcacore.domain.notes import Level
from dcacore.domain.orders import Role
from dcacore.ports.errors import StoreError
from dcacore.ports.records import RequestKind
from tests.faults.stage import ACCOUNT, BOT, Carry, Stage, lost_request, of_role, quantity
from tests.strategies import MARKET

OTHER = BotId("other")


@pytest.fixture
def sharing(empty_stage: Stage) -> Stage:
    """Return a stage on which "bot", whose coins lie free, and "other", whose target rests, are to share an account."""
    empty_stage.list_pair()
    empty_stage.open_account()
    empty_stage.add_bot(trailing_deviation="5", base_order_size="300", max_safety_orders=0)
    empty_stage.add_bot(OTHER, max_safety_orders=0)
    return empty_stage


def break_off(stage: Stage, bot_id: BotId) -> None:
    """Let a bot's database fail it, and its rows be unreadable until it is mended."""
    runner = stage.running.engine.runners[bot_id]
    stage.running.store.broken[bot_id] = StoreError("rows that make no sense")
    stage.loop.call_soon(runner.break_off, StoreError("the database is locked"))


def sell(stage: Stage, sold: str) -> None:
    """Let the other bot's target fill so far."""
    [target] = stage.resting(Role.TAKE_PROFIT, bot_id=OTHER)
    stage.staff.fill_in_part(ACCOUNT, MARKET.pair, target.venue_order_id, quantity(sold))


@pytest.mark.parametrize("sold", ["0.004", "0.5", "1"])
def test_f37_what_a_bot_has_sold_that_is_not_up_is_not_missed(sharing: Stage, sold: str) -> None:
    sharing.start(BOT, OTHER, after=5)
    break_off(sharing, OTHER)
    sharing.run(1)
    sell(sharing, sold)
    sharing.run(100)
    assert sharing.trouble() is None
    assert not [note for note in sharing.notifications() if note.level is not Level.INFO]
    sharing.running.store.broken.clear()
    sharing.run(100)
    assert sharing.deal().books.gone == 0
    assert not any(found.differences for found in sharing.reconciliations())


def test_f37_what_the_bot_of_a_dead_engine_has_sold_is_not_missed(sharing: Stage) -> None:
    engines = [sharing.start_engine(name, is_leased=True) for name in ("first", "second")]
    sharing.start(BOT, OTHER, after=60)
    owners = {bot_id: running for running in engines for bot_id in running.engine.runners}
    assert owners[BOT] is not owners[OTHER]
    owners[OTHER].process.is_alive = False
    sell(sharing, "0.004")
    for _ in range(120):
        sharing.run(1)
        assert sharing.trouble() is None
    assert sharing.deal().books.gone == 0


@pytest.mark.parametrize("lag", [3.2, 5, 10])
def test_f37_coins_that_balances_do_not_show_yet_are_not_written_off(empty_stage: Stage, lag: float) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot(base_order_size="5000", max_safety_orders=0)
    stage.add_bot("small", base_order_size="10", trailing_deviation="5", max_safety_orders=0)
    stage.start(BOT)
    before = stage.do(stage.wire().balances())

    async def stale(_: Carry) -> Any:
        return before

    compared = stage.wire().requests("open_orders")[-1]
    stage.run(compared + COMPARE_EVERY_S - 1.9 - stage.loop.time())  # the next comparison comes in a moment
    lagging = stage.wire().on("balances", stale, times=10_000)
    stage.ask(RequestKind.START, "small", after=lag)
    lagging.times = 0
    stage.run(200)
    assert stage.deal("small").books.gone == 0
    assert stage.trouble("small") is None


def test_f46_missing_coins_are_not_found_again_while_a_sale_of_another_bot_is_unknown(sharing: Stage) -> None:
    sharing.start(BOT, after=5)
    sharing.hand.withdraw("ABC", quantity("0.6"))
    sharing.run(100)
    assert sharing.trouble() == "needs_attention"
    told = len([note for note in sharing.notifications() if note.bot_id == BOT])
    sharing.wire().on("place", lost_request, when=of_role(Role.TAKE_PROFIT))
    sharing.start(OTHER, after=30)
    for _ in range(3):
        sharing.wire().on("place", lost_request, when=of_role(Role.TAKE_PROFIT))
        sharing.ask(RequestKind.ADD_FUNDS, OTHER, amount="20", after=30)
    sharing.run(100)
    assert sharing.trouble() == "needs_attention"
    assert not [line for line in sharing.activity() if line.bot_id == BOT and line.text.startswith("goes on")]
    assert len([note for note in sharing.notifications() if note.bot_id == BOT]) == told


def test_the_user_is_told_once_that_the_exchange_differs_from_the_books(sharing: Stage) -> None:
    sharing.start(BOT, after=5)
    sharing.hand.withdraw("ABC", quantity("0.6"))
    sharing.run(300)
    told = [note for note in sharing.notifications() if note.kind == "reconciliation"]
    assert [note.level for note in told] == [Level.WARNING]
    assert "sold or withdrawn?" in told[0].text
