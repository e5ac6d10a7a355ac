"""What subscriptions entitle to."""

from __future__ import annotations

import datetime
from typing import Any, Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcacore.domain.entitlement import (
    Entitlement,
    Standing,
    Subscription,
    SubscriptionState,
    Terms,
    entitlement,
)
from dcacore.domain.errors import InvalidParameter
from tests.strategies import NOON

DAY: Final = datetime.timedelta(days=1)
TERMS: Final = Terms(product_id="pro")
PLAIN: Final = Subscription(id="one", product_id="pro", state=SubscriptionState.ACTIVE, changed_at=NOON)


def subscription(state: SubscriptionState, **changes: Any) -> Subscription:
    return attrs.evolve(PLAIN, state=state, **changes)


@pytest.mark.parametrize(
    ("state", "standing", "is_pro"),
    [
        (SubscriptionState.ACTIVE, Standing.ACTIVE, True),
        (SubscriptionState.TRIALING, Standing.TRIAL, True),
        (SubscriptionState.PAST_DUE, Standing.GRACE, True),
        (SubscriptionState.UNPAID, Standing.ENDED, False),
        (SubscriptionState.PAUSED, Standing.PAUSED, False),
        (SubscriptionState.CANCELED, Standing.ENDED, False),
        (SubscriptionState.INCOMPLETE, Standing.ENDED, False),
        (SubscriptionState.INCOMPLETE_EXPIRED, Standing.ENDED, False),
        (SubscriptionState.OTHER, Standing.ENDED, False),
    ],
)
def test_every_state_has_its_standing(state: SubscriptionState, standing: Standing, *, is_pro: bool) -> None:
    found = entitlement([subscription(state)], NOON, TERMS)
    assert (found.standing, found.is_pro) == (standing, is_pro)


def test_every_state_is_in_the_table_above() -> None:
    assert len(SubscriptionState) == 9


def test_without_a_subscription_of_the_product_there_is_nothing() -> None:
    assert entitlement([], NOON, TERMS) == Entitlement(Standing.NONE)
    other = attrs.evolve(PLAIN, product_id="something else")
    assert entitlement([other], NOON, TERMS) == Entitlement(Standing.NONE)


@pytest.mark.parametrize("state", SubscriptionState)
def test_what_has_no_end_is_charged_again(state: SubscriptionState) -> None:
    goes_on = {"trialing", "active", "past_due", "paused"}
    assert subscription(state).will_be_charged is (state.value in goes_on)
    assert not subscription(state, ends_at=NOON + DAY).will_be_charged


def test_that_it_will_end_changes_only_what_is_said() -> None:
    ends = NOON + 3 * DAY
    found = entitlement([subscription(SubscriptionState.ACTIVE, ends_at=ends)], NOON + 9 * DAY, TERMS)
    assert found.is_pro, "billing says active: a late word is no reason to take anything away"
    assert (found.standing, found.until) == (Standing.ENDING, ends)


@pytest.mark.parametrize(
    ("after", "standing"),
    [
        (datetime.timedelta(0), Standing.GRACE),
        (7 * DAY - datetime.timedelta(microseconds=1), Standing.GRACE),
        (7 * DAY, Standing.OVERDUE),
        (400 * DAY, Standing.OVERDUE),
    ],
)
def test_a_grace_begins_when_the_charge_failed(after: datetime.timedelta, standing: Standing) -> None:
    late = subscription(SubscriptionState.PAST_DUE, past_due_at=NOON, changed_at=NOON + 5 * DAY)
    assert entitlement([late], NOON + after, TERMS).standing is standing
    unsaid = subscription(SubscriptionState.PAST_DUE, changed_at=NOON)
    assert entitlement([unsaid], NOON + after, TERMS).standing is standing


def test_without_a_grace_a_failed_charge_ends_it_at_once() -> None:
    strict = Terms(product_id="pro", grace=datetime.timedelta(0))
    late = subscription(SubscriptionState.PAST_DUE, past_due_at=NOON)
    assert entitlement([late], NOON, strict).standing is Standing.OVERDUE


@pytest.mark.parametrize("days", [-1, 22])
def test_a_grace_has_its_bounds(days: int) -> None:
    with pytest.raises(InvalidParameter, match="0 to 21 days"):
        Terms(product_id="pro", grace=days * DAY)


SUBSCRIPTIONS: Final = st.lists(
    st.builds(
        Subscription,
        id=st.sampled_from("abcde"),
        product_id=st.sampled_from(["pro", "other"]),
        state=st.sampled_from(SubscriptionState),
        changed_at=st.integers(-30, 0).map(lambda days: NOON + days * DAY),
        past_due_at=st.none() | st.integers(-30, 0).map(lambda days: NOON + days * DAY),
        ends_at=st.none() | st.integers(-30, 30).map(lambda days: NOON + days * DAY),
    ),
    max_size=5,
)


@given(SUBSCRIPTIONS, st.randoms(use_true_random=False))
def test_the_order_does_not_matter_and_the_best_one_decides(found: list[Subscription], shuffler: Any) -> None:
    shuffled = list(found)
    shuffler.shuffle(shuffled)
    whole = entitlement(found, NOON, TERMS)
    assert entitlement(shuffled, NOON, TERMS).standing is whole.standing
    assert whole.is_pro == any(entitlement([it], NOON, TERMS).is_pro for it in found)


@given(SUBSCRIPTIONS, st.integers(0, 40), st.integers(0, 40))
def test_time_alone_only_takes_away(found: list[Subscription], one: int, other: int) -> None:
    early, late = sorted((one, other))
    before = entitlement(found, NOON + early * DAY, TERMS)
    assert before.is_pro or not entitlement(found, NOON + late * DAY, TERMS).is_pro
