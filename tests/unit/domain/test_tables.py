"""The transition tables: every listed step is taken, every other one refused, and every state can be reached."""

from __future__ import annotations

import itertools
from collections import deque
from decimal import Decimal

import pytest

from dcacore.domain.bot import (
    PHASE_TRANSITIONS,
    Bot,
    Phase,
    Step,
    Trouble,
    TroubleKind,
    Wanted,
    advance,
    shown_state,
)
from dcacore.domain.errors import IllegalTransition
from dcacore.domain.ids import BotId, OrderId, TradeId, deal_id, order_id
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import ORDER_TRANSITIONS, Fill, Order, OrderState, OrderStep, Role, Side
from tests.strategies import FREE, MARKET, NOON, strategy


def order(state: OrderState = OrderState.PLANNED, quantity: str = "2") -> Order:
    return Order(
        id=OrderId("it"),
        side=Side.BUY,
        role=Role.SAFETY,
        quantity=BaseQty(Decimal(quantity)),
        price=Price(Decimal(90)),
        state=state,
    )


def fill(quantity: str, trade: str = "1") -> Fill:
    return Fill(trade_id=TradeId(trade), at=NOON, price=Price(Decimal(90)), quantity=BaseQty(Decimal(quantity)))


@pytest.mark.parametrize(("state", "step"), list(itertools.product(OrderState, OrderStep)), ids=str)
def test_an_order_takes_the_steps_of_its_table_and_no_other(state: OrderState, step: OrderStep) -> None:
    after = ORDER_TRANSITIONS.get((state, step))
    if after is not None:
        assert order(state).learned(step).state is after
    else:
        with pytest.raises(IllegalTransition) as caught:
            order(state).learned(step)
        assert step.value in str(caught.value)
        assert state.value in str(caught.value)


@pytest.mark.parametrize(("phase", "step"), list(itertools.product(Phase, Step)), ids=str)
def test_a_bot_takes_the_steps_of_its_table_and_no_other(phase: Phase, step: Step) -> None:
    after = PHASE_TRANSITIONS.get((phase, step))
    if after is not None:
        assert advance(phase, step) is after
    else:
        with pytest.raises(IllegalTransition) as caught:
            advance(phase, step)
        assert (caught.value.state, caught.value.step) == (f"the bot is {phase.value}", step.value)
        assert str(caught.value) == f"{step.value} is not possible while the bot is {phase.value}"


def test_every_order_state_can_be_reached() -> None:
    reached = {OrderState.PLANNED}
    waiting = deque(reached)
    while waiting:
        state = waiting.popleft()
        for (before, _), after in ORDER_TRANSITIONS.items():
            if before is state and after not in reached:
                reached.add(after)
                waiting.append(after)
    assert reached == set(OrderState)


def test_every_phase_can_be_reached_and_left() -> None:
    assert {after for (_, _), after in PHASE_TRANSITIONS.items()} == set(Phase)
    assert {before for (before, _), after in PHASE_TRANSITIONS.items() if after is not before} == set(Phase)


def test_every_step_is_of_use() -> None:
    assert {step for _, step in PHASE_TRANSITIONS} == set(Step)
    assert {step for _, step in ORDER_TRANSITIONS} == set(OrderStep)


def test_what_is_over_never_opens_again() -> None:
    over = {OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REFUSED}
    assert all(after in over for (before, _), after in ORDER_TRANSITIONS.items() if before in over)


# ------------------------------------------------------------------------------------------------------------ an order


def test_an_order_counts_what_has_filled_of_it() -> None:
    half = order().with_fill(fill("0.5"))
    assert half.state is OrderState.OPEN
    assert half.filled == Decimal("0.5")
    assert half.remaining == Decimal("1.5")
    assert half.notional == 45
    assert half.is_live
    whole = half.with_fill(fill("1.5", "2"))
    assert whole.state is OrderState.FILLED
    assert whole.remaining == 0
    assert whole.notional == 180
    assert not whole.is_live
    assert [known.trade_id for known in whole.fills] == ["1", "2"]
    assert whole.has(TradeId("2"))
    assert not whole.has(TradeId("3"))


def test_an_order_never_fills_more_than_was_ordered() -> None:
    with pytest.raises(IllegalTransition, match=r"filling 2\.001 is not possible while order it of 2"):
        order().with_fill(fill("2.001"))


def test_a_refused_order_never_fills() -> None:
    with pytest.raises(IllegalTransition, match="filled_whole is not possible while order it is refused"):
        order(OrderState.REFUSED).with_fill(fill("2"))


def test_fees_of_an_order_add_up() -> None:
    one = Fill(
        trade_id=TradeId("1"),
        at=NOON,
        price=Price(Decimal(90)),
        quantity=BaseQty(Decimal(1)),
        base_fee=BaseQty(Decimal("0.1")),
    )
    filled = order().with_fill(one)
    assert filled.base_fee == Decimal("0.1")
    assert filled.quote_fee == 0


@pytest.mark.parametrize("state", list(OrderState))
def test_only_orders_that_may_still_fill_are_live(state: OrderState) -> None:
    assert order(state).is_live is (state in {OrderState.PLANNED, OrderState.UNKNOWN, OrderState.OPEN})


# ------------------------------------------------------------------------------------------------------------ the rest


def test_ids_follow_from_the_bot_the_deal_and_the_attempt() -> None:
    assert deal_id(BotId("b7"), 3) == "b7-3"
    assert order_id(deal_id(BotId("b7"), 3), "s2", 5) == "b7-3-s2-5"


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("wanted", list(Wanted))
@pytest.mark.parametrize("trouble", [None, *TroubleKind])
def test_trouble_is_shown_before_a_pause_and_a_pause_before_the_phase(
    phase: Phase, wanted: Wanted, trouble: TroubleKind | None
) -> None:
    bot = Bot(
        id=BotId("bot"),
        strategy=strategy(),
        market=MARKET,
        fees=FREE,
        phase=phase,
        wanted=wanted,
        trouble=None if trouble is None else Trouble(trouble, "because"),
    )
    if trouble is not None:
        assert shown_state(bot) == trouble.value
    elif wanted is Wanted.PAUSE:
        assert shown_state(bot) == "paused"
    else:
        assert shown_state(bot) == phase.value
