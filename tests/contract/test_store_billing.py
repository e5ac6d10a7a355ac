"""What every store promises of billing: customers, subscriptions, what was told, bots that pause for the plan."""

from __future__ import annotations

import datetime

import attrs
import pytest

from dcacore.domain.entitlement import Subscription, SubscriptionState
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.billing import BillingEvent
from dcacore.ports.billing_store import Customer, PlanPause, Told
from dcacore.ports.errors import Conflict
from dcacore.ports.records import Tier
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import ANN, BOB, bot, people, record, user
from tests.strategies import NOON

MINUTE = datetime.timedelta(minutes=1)
A, B = BotId("a"), BotId("b")
NOBODY = UserId("nobody")
FULL = Subscription(
    id="sub-1",
    product_id="pro",
    state=SubscriptionState.PAST_DUE,
    changed_at=NOON,
    period_end=NOON + 2 * MINUTE,
    past_due_at=NOON - MINUTE,
    ends_at=NOON + 3 * MINUTE,
    ended_at=NOON + 4 * MINUTE,
    trial_end=NOON + 5 * MINUTE,
    resumes_at=NOON + 6 * MINUTE,
    amount=1000,
    currency="usd",
)
PLAIN = Subscription(id="sub-2", product_id="pro", state=SubscriptionState.ACTIVE, changed_at=NOON)


@pytest.fixture
async def store(database: Database) -> Store:
    await people(database.store, record(bot("a")), record(bot("b")))
    async with database.store.begin() as work:
        await work.users.add(user(BOB, email="bob@example.com"))
        await work.commit()
    return database.store


def event(name: str, **changes: object) -> BillingEvent:
    plain = BillingEvent(id=name, type="subscription.updated", told_at=NOON, user_id=ANN)
    return attrs.evolve(plain, **changes)  # type: ignore[arg-type]  # each test names fields of its own


async def test_what_was_given_is_kept_beside_what_there_is(store: Store) -> None:
    paying = attrs.evolve(user(ANN), tier=Tier.PRO, given_tier=Tier.FREE)
    async with store.begin() as work:
        assert (await work.users.get(ANN) or paying).given_tier is user(ANN).tier
        await work.users.save(paying)
        assert await work.users.get(ANN) == paying


async def test_customers_are_found_by_both_names(store: Store) -> None:
    first = Customer(user_id=ANN, begun_at=NOON, checkout_id="c-1")
    known = attrs.evolve(first, customer_id="cus-1", checkout_id="c-2", asked_at=NOON, warned="first")
    async with store.begin() as work:
        assert await work.customers.get(ANN) is None
        await work.customers.put(first)
        await work.customers.put(Customer(user_id=BOB, begun_at=NOON))
        assert await work.customers.get(ANN) == first
        assert await work.customers.by_customer_id("") is None
        await work.customers.put(known)
        assert await work.customers.get(ANN) == await work.customers.by_customer_id("cus-1") == known
        assert await work.customers.by_customer_id("cus-2") is None


@pytest.mark.parametrize("refused", [NOBODY, BOB])
async def test_a_customer_is_one_users_alone(store: Store, refused: UserId) -> None:
    async with store.begin() as work:
        await work.customers.put(Customer(user_id=ANN, begun_at=NOON, customer_id="cus-1"))
        with pytest.raises(Conflict, match="user"):
            await work.customers.put(Customer(user_id=refused, begun_at=NOON, customer_id="cus-1"))


async def test_who_was_asked_about_longest_ago_comes_first(store: Store) -> None:
    ann = Customer(user_id=ANN, begun_at=NOON, asked_at=NOON)
    bob = Customer(user_id=BOB, begun_at=NOON)
    async with store.begin() as work:
        await work.customers.put(ann)
        await work.customers.put(bob)
        assert await work.customers.asked_before(NOON, now=NOON) == (bob,)
        assert await work.customers.asked_before(NOON - MINUTE, now=NOON - MINUTE) == (bob, ann)  # of a wrong clock
        assert await work.customers.asked_before(NOON + MINUTE, now=NOON + MINUTE) == (bob, ann)
        assert await work.customers.asked_before(NOON + MINUTE, now=NOON + MINUTE, limit=1) == (bob,)


async def test_of_a_subscription_the_newest_is_kept(store: Store) -> None:
    later = attrs.evolve(FULL, state=SubscriptionState.ACTIVE, changed_at=NOON + MINUTE, past_due_at=None)
    async with store.begin() as work:
        assert await work.subscriptions.put(ANN, FULL)
        assert await work.subscriptions.put(ANN, PLAIN)
        assert await work.subscriptions.of(ANN) == (FULL, PLAIN)
        assert await work.subscriptions.of(BOB) == ()
        assert await work.subscriptions.put(ANN, later)
        assert not await work.subscriptions.put(ANN, FULL)
        assert not await work.subscriptions.put(BOB, attrs.evolve(later, changed_at=NOON + 2 * MINUTE))
        assert await work.subscriptions.of(ANN) == (later, PLAIN)
        again = attrs.evolve(later, amount=1200)  # as of the same moment, but asked for later
        assert await work.subscriptions.put(ANN, again)
        assert await work.subscriptions.remove_others(ANN, {"sub-1"}, NOON) == 0
        assert await work.subscriptions.remove_others(ANN, {"sub-1"}, NOON + MINUTE) == 1
        assert await work.subscriptions.of(ANN) == (again,)
        assert await work.subscriptions.remove_others(ANN, (), NOON + 2 * MINUTE) == 1
        assert await work.subscriptions.of(ANN) == ()


async def test_nobody_has_no_subscription(store: Store) -> None:
    async with store.begin() as work:
        with pytest.raises(Conflict, match="user"):
            await work.subscriptions.put(NOBODY, FULL)


async def test_whose_grace_ends_is_found(store: Store) -> None:
    unsaid = attrs.evolve(FULL, id="sub-3", past_due_at=None)
    async with store.begin() as work:
        await work.subscriptions.put(ANN, FULL)
        await work.subscriptions.put(BOB, unsaid)
        await work.subscriptions.put(BOB, PLAIN)
        assert await work.subscriptions.falling_due(NOON - 2 * MINUTE) == ()
        assert await work.subscriptions.falling_due(NOON - MINUTE) == (ANN,)
        assert await work.subscriptions.falling_due(NOON) == (ANN, BOB)


async def test_what_was_told_is_dealt_with_once(store: Store) -> None:
    full, plain = event("one", subscription=FULL, customer_id="cus-1"), event("two", user_id=NOBODY)
    async with store.begin() as work:
        assert await work.billing_inbox.add(full, b"{}", NOON)
        assert not await work.billing_inbox.add(event("one", user_id=BOB), b"{}", NOON + MINUTE)
        assert await work.billing_inbox.add(plain, b"\xff\0", NOON + MINUTE)
        assert await work.billing_inbox.due(NOON) == (Told(event=full, came_at=NOON, next_at=NOON),)
        await work.billing_inbox.put_off("one", NOON + 2 * MINUTE)
        assert [it.event.id for it in await work.billing_inbox.due(NOON + MINUTE)] == ["two"]
        again = Told(event=full, came_at=NOON, next_at=NOON + 2 * MINUTE, tries=1)
        assert (await work.billing_inbox.due(NOON + 2 * MINUTE))[1] == again
        assert len(await work.billing_inbox.due(NOON + 2 * MINUTE, limit=1)) == 1
        await work.billing_inbox.settle("one", NOON + 2 * MINUTE, "PRO")
        await work.billing_inbox.put_off("one", NOON)  # it has been dealt with by somebody else
        await work.billing_inbox.settle("never came", NOON, "PRO")
        assert [it.event.id for it in await work.billing_inbox.due(NOON + 3 * MINUTE)] == ["two"]
        assert not await work.billing_inbox.add(full, b"{}", NOON + 3 * MINUTE)
        assert await work.billing_inbox.forget_older(NOON + 5 * MINUTE) == 1
        assert await work.billing_inbox.add(full, b"{}", NOON + 3 * MINUTE)


async def test_bots_pause_for_the_plan_until_they_do_not(store: Store) -> None:
    async with store.begin() as work:
        first, later = PlanPause(since=NOON, user_paused=True), PlanPause(since=NOON + MINUTE)
        await work.plan_pauses.put({A: first})
        await work.plan_pauses.put({A: later, B: later})
        assert await work.plan_pauses.of(ANN) == {A: first, B: later}
        assert await work.plan_pauses.of(BOB) == {}
        await work.plan_pauses.forget([A, BotId("none")])
        assert await work.plan_pauses.of(ANN) == {B: later}
        await work.bots.remove(B)
        assert await work.plan_pauses.of(ANN) == {}
        with pytest.raises(Conflict, match="bot"):
            await work.plan_pauses.put({B: first})


async def test_the_bot_that_is_to_go_on_is_remembered(store: Store) -> None:
    async with store.begin() as work:
        assert await work.plan_pauses.preferred(ANN) is None
        await work.plan_pauses.prefer(ANN, A)
        await work.plan_pauses.prefer(ANN, B)
        assert await work.plan_pauses.preferred(ANN) == B
        await work.bots.remove(B)
        assert await work.plan_pauses.preferred(ANN) is None
        with pytest.raises(Conflict, match="user or bot"):
            await work.plan_pauses.prefer(ANN, B)


async def test_with_a_user_everything_goes(store: Store) -> None:
    async with store.begin() as work:
        await work.users.add(attrs.evolve(user(ANN), id=UserId("carl"), email="carl@example.com"))
        carl = UserId("carl")
        await work.customers.put(Customer(user_id=carl, begun_at=NOON, customer_id="cus-9"))
        await work.subscriptions.put(carl, FULL)
        await work.users.remove(carl)
        assert await work.customers.by_customer_id("cus-9") is None
        assert await work.subscriptions.of(carl) == ()
