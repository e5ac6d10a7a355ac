"""What the exchange is heard to say: in any order, any number of times, an order ends the same."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcacore.domain.errors import IllegalTransition
from dcacore.domain.events import Accepted, Canceled, Expired, Filled, Lost, Refusal, Refused
from dcacore.domain.hearing import Declined, Found, Missed, Unanswered, hear, proof_begins
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, TradeId
from dcacore.domain.intents import ENDED, INTENT_TRANSITIONS, Intent, IntentState
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId, VenueStatus
from tests.strategies import MARKET, NOON

SECOND = datetime.timedelta(seconds=1)
ORDER = Order(id=OrderId("one"), side=Side.BUY, role=Role.BASE, quantity=BaseQty(Decimal(10)))


def intent(state: IntentState = IntentState.SENDING, **changes: Any) -> Intent:
    usual: dict[str, Any] = {
        "order": ORDER,
        "bot_id": BotId("bot"),
        "deal_id": DealId("bot-1"),
        "account_id": AccountId("account"),
        "pair": MARKET.pair,
        "planned_at": NOON,
        "sent_at": NOON,
        "recv_window_ms": 5000,
    }
    return Intent(state=state, **{**usual, **changes})


def trade(number: int, quantity: int) -> Trade:
    return Trade(
        trade_id=TradeId(str(number)),
        venue_order_id=VenueOrderId("77"),
        at=NOON,
        side=Side.BUY,
        price=Price(Decimal(100)),
        quantity=BaseQty(Decimal(quantity)),
        fee=Decimal("0.001"),
        fee_asset=MARKET.base_asset,
    )


def venue(status: VenueStatus, executed: int, *trades: Trade) -> VenueOrder:
    return VenueOrder(
        order_id=ORDER.id,
        venue_order_id=VenueOrderId("77"),
        side=Side.BUY,
        quantity=ORDER.quantity,
        status=status,
        executed=BaseQty(Decimal(executed)),
        trades=trades,
    )


def test_an_accepted_order_is_open() -> None:
    heard = hear(intent(), Found(venue(VenueStatus.OPEN, 0)), MARKET)
    assert heard.intent.state is IntentState.OPEN
    assert heard.intent.venue_order_id == "77"
    assert heard.reports == (Accepted(ORDER.id),)


def test_f05_no_answer_is_neither_yes_nor_no() -> None:
    heard = hear(intent(), Unanswered(ORDER.id), MARKET)
    assert heard.intent.state is IntentState.UNKNOWN
    assert heard.reports == (Lost(ORDER.id),)


def test_f01_an_order_whose_answer_was_lost_is_adopted_when_it_is_found() -> None:
    unknown = hear(intent(), Unanswered(ORDER.id), MARKET).intent
    heard = hear(unknown, Found(venue(VenueStatus.FILLED, 10, trade(1, 10))), MARKET)
    assert heard.intent.state is IntentState.FILLED
    assert heard.reports == (Filled(ORDER.id, trade(1, 10).fill(MARKET)),)


def test_an_order_ends_only_when_its_fills_add_up() -> None:
    heard = hear(intent(), Found(venue(VenueStatus.CANCELED, 10, trade(1, 4))), MARKET)
    assert heard.lacks_fills
    assert heard.intent.state is IntentState.OPEN
    heard = hear(heard.intent, Found(venue(VenueStatus.CANCELED, 6), (trade(1, 4), trade(2, 2))), MARKET)
    assert not heard.lacks_fills
    assert heard.intent.state is IntentState.CANCELED
    assert heard.reports[-1] == Canceled(ORDER.id, BaseQty(Decimal(6)))


def test_f16_a_market_order_that_expired_keeps_what_it_got() -> None:
    heard = hear(intent(), Found(venue(VenueStatus.EXPIRED, 4, trade(1, 4))), MARKET)
    assert heard.reports[-1] == Expired(ORDER.id, BaseQty(Decimal(4)))
    assert heard.intent.order.filled == 4


def test_f21_a_fill_told_twice_counts_once() -> None:
    first = hear(intent(), Found(venue(VenueStatus.OPEN, 4, trade(1, 4))), MARKET)
    again = hear(first.intent, Found(venue(VenueStatus.OPEN, 4, trade(1, 4), trade(1, 4))), MARKET)
    assert again.reports == ()
    assert again.trades == ()
    assert again.intent == first.intent


def test_f22_a_status_never_goes_back() -> None:
    filled = hear(intent(), Found(venue(VenueStatus.FILLED, 10, trade(1, 10))), MARKET).intent
    for late in (venue(VenueStatus.OPEN, 0), venue(VenueStatus.OPEN, 4, trade(1, 10)), venue(VenueStatus.CANCELED, 0)):
        heard = hear(filled, Found(late), MARKET)
        assert heard.intent.state is IntentState.FILLED
        assert heard.reports == ()


def test_f63_a_status_that_nobody_knows_is_no_end() -> None:
    heard = hear(intent(), Found(venue(VenueStatus.OTHER, 0)), MARKET)
    assert heard.intent.state is IntentState.OPEN


def test_f06_not_found_proves_nothing_before_the_deadline() -> None:
    unknown = intent(IntentState.UNKNOWN)
    begins = proof_begins(unknown)
    assert begins == NOON + 20 * SECOND
    for seconds in (0, 1, 5, 19, 20):
        unknown = hear(unknown, Missed(ORDER.id, NOON + seconds * SECOND), MARKET).intent
    assert unknown.state is IntentState.UNKNOWN
    assert unknown.misses == 0


def test_f02_three_late_answers_over_five_seconds_prove_that_an_order_was_not_placed() -> None:
    unknown = intent(IntentState.UNKNOWN)
    for seconds in (21, 22, 25):
        heard = hear(unknown, Missed(ORDER.id, NOON + seconds * SECOND), MARKET)
        unknown = heard.intent
        assert unknown.state is IntentState.UNKNOWN
    heard = hear(unknown, Missed(ORDER.id, NOON + 26 * SECOND), MARKET)
    assert heard.intent.state is IntentState.NOT_PLACED
    (refused,) = heard.reports
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.NOT_PLACED


def test_f55_an_answer_from_when_the_clock_was_wrong_proves_nothing_and_delays_nothing() -> None:
    begins = proof_begins(intent())
    assert begins is not None
    now = hear(intent(IntentState.UNKNOWN), Missed(ORDER.id, begins + 3600 * SECOND), MARKET).intent
    for after in (0.1, 2.7):
        now = hear(now, Missed(ORDER.id, begins + after * SECOND), MARKET).intent
        assert now.state is IntentState.UNKNOWN
    now = hear(now, Missed(ORDER.id, begins + 5.3 * SECOND), MARKET).intent
    assert now.state is IntentState.NOT_PLACED


def test_an_order_that_is_found_in_between_must_be_missed_anew() -> None:
    unknown = intent(IntentState.UNKNOWN)
    for seconds in (21, 24):
        unknown = hear(unknown, Missed(ORDER.id, NOON + seconds * SECOND), MARKET).intent
    found = hear(unknown, Found(venue(VenueStatus.OPEN, 0)), MARKET).intent
    assert (found.state, found.misses, found.missed_at) == (IntentState.OPEN, 0, None)


def test_f62_an_open_order_that_the_exchange_has_forgotten_is_gone_by_the_same_proof() -> None:
    gone = intent(IntentState.OPEN)
    for seconds in (100, 103):
        gone = hear(gone, Missed(ORDER.id, NOON + seconds * SECOND), MARKET).intent
    heard = hear(gone, Missed(ORDER.id, NOON + 106 * SECOND), MARKET)
    assert heard.intent.state is IntentState.CANCELED
    assert heard.reports == (Canceled(ORDER.id, BaseQty(Decimal(0))),)


def test_a_refusal_that_comes_after_the_order_was_found_changes_nothing() -> None:
    found = hear(intent(), Found(venue(VenueStatus.OPEN, 0)), MARKET).intent
    assert hear(found, Declined(ORDER.id, Refusal.RULE, "no"), MARKET).intent == found


def test_a_definite_no_ends_it() -> None:
    heard = hear(intent(), Declined(ORDER.id, Refusal.RULE, "PRICE_FILTER"), MARKET)
    assert heard.intent.state is IntentState.REJECTED
    assert heard.intent.reason == "PRICE_FILTER"


def test_only_a_planned_order_may_be_sent() -> None:
    for state in IntentState:
        if state not in {IntentState.PLANNED, IntentState.SENDING}:
            with pytest.raises(IllegalTransition):
                intent(state).moved(IntentState.SENDING)


def test_the_table_lists_every_state_and_what_has_ended_never_opens_by_itself() -> None:
    assert set(INTENT_TRANSITIONS) == set(IntentState)
    for state in ENDED - {IntentState.NOT_PLACED}:
        assert IntentState.OPEN not in INTENT_TRANSITIONS[state]


@given(
    parts=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    is_whole=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_f22_whatever_order_news_comes_in_it_ends_the_same(parts: list[int], is_whole: bool, order: Any) -> None:
    """Every word of the exchange, twice and shuffled; what lacks fills is followed by all trades, as the wire does."""
    total = sum(parts)
    trades = tuple(trade(number, quantity) for number, quantity in enumerate(parts))
    quantity = BaseQty(Decimal(total if is_whole else total + 1))
    end = VenueStatus.FILLED if is_whole else VenueStatus.CANCELED
    words = [venue(VenueStatus.OPEN, 0)]
    for count in range(1, len(parts) + 1):
        status = end if count == len(parts) else VenueStatus.OPEN
        words.append(venue(status, sum(parts[:count]), trades[count - 1]))
    words = [attrs.evolve(word, quantity=quantity) for word in [*words, *words]]
    order.shuffle(words)
    now = intent(order=attrs.evolve(ORDER, quantity=quantity))
    told: list[TradeId] = []
    for word in words:
        heard = hear(now, Found(word), MARKET)
        if heard.lacks_fills and order.random() < 0.5:
            told += [report.fill.trade_id for report in heard.reports if isinstance(report, Filled)]
            heard = hear(heard.intent, Found(word, trades), MARKET)
        told += [report.fill.trade_id for report in heard.reports if isinstance(report, Filled)]
        now = heard.intent
    now = hear(now, Found(attrs.evolve(words[0], status=end, executed=BaseQty(Decimal(total))), trades), MARKET).intent
    assert now.state is (IntentState.FILLED if is_whole else IntentState.CANCELED)
    assert now.order.filled == total
    assert len(told) == len(set(told))
