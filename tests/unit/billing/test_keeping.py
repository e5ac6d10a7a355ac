"""What follows from what billing tells, does not tell, tells twice, late, wrongly, or while it cannot be asked."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Final

import attrs
import pytest
from structlog.testing import capture_logs

from dcacore.application import users
from dcacore.application.billing.keeping import ASK_EVERY, PAUSES, receive
from dcacore.domain.entitlement import Terms
from dcacore.domain.ids import UserId
from dcacore.ports.errors import BadSignature, RateLimited, Unavailable
from dcacore.ports.records import Tier
from tests.polar.world import PRODUCT, Delivery
from tests.unit.billing.counter import Counter

DAY: Final = 24 * 3600
_LAST_PAUSE: Final = sum(it.total_seconds() for it in PAUSES)


@pytest.fixture
def counter() -> Counter:
    return Counter()


async def test_who_has_paid_has_pro_and_is_told(counter: Counter) -> None:
    anna = await counter.anna()
    assert all(await counter.told(counter.world.buy(anna.id)))
    assert await counter.tier(anna) is Tier.FREE  # nothing is dealt with while it is taken in
    await counter.work()
    assert await counter.tier(anna) is Tier.PRO
    assert await counter.letters() == ["Your plan is PRO now"]


async def test_f86_what_is_told_again_changes_nothing(counter: Counter) -> None:
    anna = await counter.anna()
    deliveries = counter.world.buy(anna.id)
    assert all(await counter.told(deliveries))
    await counter.work()
    await counter.letters()
    assert not any(await counter.told(deliveries))
    await counter.work()
    assert await counter.letters() == []


async def test_f87_what_comes_late_does_not_bring_back_what_has_ended(counter: Counter) -> None:
    anna = await counter.anna()
    bought = counter.world.buy(anna.id)
    counter.office.clock.pass_by(60)
    revoked = counter.world.revoke(anna.id)
    for reachable in (True, False):
        counter.out_of_reach(None if reachable else Unavailable("no answer"))
        await counter.told(revoked)
        await counter.work()
        await counter.told(bought[::-1])
        await counter.work()
        assert await counter.tier(anna) is Tier.FREE


async def test_f88_what_is_not_polars_is_refused_and_leaves_no_trace(counter: Counter) -> None:
    anna = await counter.anna()
    (first, *_) = counter.world.buy(anna.id)
    for headers, body in (
        ({}, first.body),
        ({**first.headers, "webhook-id": "another"}, first.body),
        (first.headers, first.body + b" "),
    ):
        with pytest.raises(BadSignature):
            await receive(counter.means, counter.hooks, headers, body)
    counter.office.clock.pass_by(301)
    with pytest.raises(BadSignature):
        await receive(counter.means, counter.hooks, first.headers, first.body)
    async with counter.office.store.begin(reads_only=True) as work:
        assert await work.billing_inbox.due(counter.office.clock.now()) == ()


async def test_f89_what_concerns_nobody_here_or_another_product_gives_nothing(counter: Counter) -> None:
    anna = await counter.anna()
    stranger: Any = "nobody-here"
    await counter.told(counter.world.buy(stranger))
    await counter.told(counter.world.buy(anna.id))
    elsewhere = counter.world.subscription_of(anna.id)
    counter.world.till.holdings[elsewhere.id].subscription = type(elsewhere)(
        id=elsewhere.id, product_id="another product", state=elsewhere.state, changed_at=elsewhere.changed_at
    )
    await counter.work()
    assert await counter.tier(anna) is Tier.FREE
    async with counter.office.store.begin(reads_only=True) as work:
        assert await work.billing_inbox.due(counter.office.clock.now()) == ()  # all of it is settled


async def test_f90_what_was_taken_in_before_a_crash_is_dealt_with_after_it(counter: Counter) -> None:
    anna = await counter.anna()
    await counter.told(counter.world.buy(anna.id))
    after = Counter(office=counter.office)
    after.billing.till = counter.world.till
    await after.work()
    assert await after.tier(anna) is Tier.PRO


async def test_f91_what_was_never_told_is_found_by_asking(counter: Counter) -> None:
    anna = await counter.anna()
    await counter.told(counter.world.buy(anna.id))
    await counter.work()
    counter.world.revoke(anna.id)  # and nothing of it arrives
    await counter.work(seconds=ASK_EVERY.total_seconds() - 1)
    assert await counter.tier(anna) is Tier.PRO
    await counter.work(seconds=61)
    assert await counter.tier(anna) is Tier.FREE


async def test_everybody_who_buys_is_asked_about_at_the_start(counter: Counter) -> None:
    anna = await counter.anna()
    await counter.told(counter.world.buy(anna.id)[:1])
    await counter.work()
    counter.office.clock.pass_by(60)
    counter.world.revoke(anna.id)
    counter.office.clock.pass_by(60)
    counter.keeper = type(counter.keeper)(counter.means)
    await counter.work()
    assert await counter.tier(anna) is Tier.FREE


async def test_a_clock_that_was_wrong_stops_nothing(counter: Counter) -> None:
    anna = await counter.anna()
    await counter.told(counter.world.buy(anna.id))
    await counter.work()
    counter.office.clock.at += datetime.timedelta(days=400)
    await counter.work(seconds=61)
    assert await counter.tier(anna) is Tier.PRO
    counter.office.clock.at -= datetime.timedelta(days=400)
    counter.world.revoke(anna.id)  # and nothing of it arrives
    await counter.work(seconds=61)
    assert await counter.tier(anna) is Tier.FREE


async def test_one_of_whom_nothing_can_be_read_keeps_nobody_else_from_being_asked_about(counter: Counter) -> None:
    anna, bob = await counter.anna(), await counter.anna("bob@example.com")
    for user in (anna, bob):
        await counter.told(counter.world.buy(user.id))
    await counter.work()
    for user in (anna, bob):
        counter.world.revoke(user.id)
    for broken, asked in ((anna, bob), (bob, anna)):
        counter.billing.troubles = {broken.id: Unavailable("Polar's answer cannot be read")}
        await counter.work(seconds=ASK_EVERY.total_seconds() + 61)
        assert await counter.tier(asked) is Tier.FREE


async def test_any_number_of_whom_nothing_can_be_read_hold_up_nobody_else(counter: Counter) -> None:
    everybody = [await counter.anna(f"user-{number}@example.com") for number in range(5)]
    for user in everybody:
        await counter.told(counter.world.buy(user.id))
    await counter.work()
    by_id = sorted(everybody, key=lambda it: it.id)
    counter.billing.troubles = {it.id: Unavailable("Polar's answer cannot be read") for it in by_id[:4]}
    counter.world.revoke(by_id[4].id)  # and nothing of it arrives
    await counter.work(seconds=ASK_EVERY.total_seconds() + 61)
    assert await counter.tier(by_id[4]) is Tier.PRO  # it takes three in a row for a sign that nothing can be asked
    await counter.work(seconds=61)
    assert await counter.tier(by_id[4]) is Tier.FREE


async def test_what_is_charged_and_belongs_to_nobody_is_told_to_the_operator(counter: Counter) -> None:
    anna = await counter.anna()
    bought = counter.world.buy(anna.id)
    async with counter.office.store.begin() as work:
        await work.users.remove(anna.id)
        await work.commit()
    with capture_logs() as lines:
        await counter.told(bought)
        await counter.work()
        await counter.told(counter.world.revoke(anna.id))
        await counter.work()
    (warned,) = [it for it in lines if it["event"] == "billing_charges_nobody_here"]
    assert (warned["log_level"], len(warned["subscriptions"])) == ("warning", 1)


async def test_who_has_just_paid_does_not_wait_for_all_the_others(counter: Counter) -> None:
    users = [await counter.anna(f"user-{number}@example.com") for number in range(3)]
    for user in users[:2]:
        await counter.told(counter.world.buy(user.id))
    await counter.work()
    counter.office.clock.pass_by(ASK_EVERY.total_seconds() + 61)
    counter.world.buy(users[2].id)
    counter.billing.asked.clear()
    counter.keeper.poke()
    await counter.keeper.look_around()
    assert len(counter.billing.asked) == 1  # then it looks into the inbox
    counter.keeper._poked.clear()
    await counter.keeper.look_around()
    assert len(counter.billing.asked) == 2


async def test_while_billing_cannot_be_asked_what_it_told_is_believed(counter: Counter) -> None:
    anna = await counter.anna()
    counter.out_of_reach(Unavailable("no answer"))
    await counter.told(counter.world.buy(anna.id))
    await counter.work()
    assert await counter.tier(anna) is Tier.PRO
    for _ in PAUSES:
        await counter.work(seconds=_LAST_PAUSE)
    async with counter.office.store.begin(reads_only=True) as work:
        assert await work.billing_inbox.due(counter.office.clock.now()) == ()  # given up, and left to the asking
    counter.out_of_reach(None)
    counter.world.revoke(anna.id)
    await counter.work(seconds=ASK_EVERY.total_seconds())
    assert await counter.tier(anna) is Tier.FREE


async def test_what_billing_does_not_answer_is_asked_again_and_not_too_early(counter: Counter) -> None:
    anna = await counter.anna()
    wait = counter.office.clock.now() + datetime.timedelta(minutes=10)
    counter.out_of_reach(RateLimited(wait))
    paid = [it for it in counter.world.buy(anna.id) if it.type == "order.paid"]
    await counter.told(paid)
    await counter.work()
    counter.out_of_reach(None)
    await counter.work(seconds=599)
    assert await counter.tier(anna) is Tier.FREE
    await counter.work(seconds=1)
    assert await counter.tier(anna) is Tier.PRO


async def test_a_failed_charge_is_borne_with_and_its_end_is_announced(counter: Counter) -> None:
    anna = await counter.anna()
    await counter.told(counter.world.buy(anna.id))
    await counter.work()
    await counter.letters()
    await counter.told(counter.world.fail_charge(anna.id))
    await counter.work()
    assert await counter.tier(anna) is Tier.PRO
    assert await counter.letters() == ["The charge for your plan has failed"]
    await counter.work(seconds=4 * DAY)
    assert await counter.letters() == []
    await counter.work(seconds=1.5 * DAY)
    assert await counter.letters() == ["The charge for your plan has failed"]
    counter.out_of_reach(Unavailable("no answer"))
    await counter.work(seconds=1.5 * DAY + 1)
    assert await counter.tier(anna) is Tier.FREE
    assert await counter.letters() == ["Your plan is FREE now"]
    counter.out_of_reach(None)
    await counter.told(counter.world.recover(anna.id))
    await counter.work()
    assert await counter.tier(anna) is Tier.PRO


async def test_f93_each_happening_has_its_effect_and_its_date(counter: Counter) -> None:
    anna, world, found = await counter.anna(), counter.world, []
    effects: tuple[tuple[Callable[[UserId], tuple[Delivery, ...]], Tier], ...] = (
        (world.buy, Tier.PRO),
        (world.refund, Tier.PRO),  # giving money back ends no subscription
        (world.cancel, Tier.PRO),  # until the end of what is paid
        (world.undo, Tier.PRO),
        (world.pause, Tier.FREE),
        (world.resume, Tier.PRO),
        (world.fail_charge, Tier.PRO),  # for the grace
        (world.recover, Tier.PRO),
        (world.cancel, Tier.PRO),
        (world.end, Tier.FREE),
    )
    for act, _ in effects:
        await counter.told(act(anna.id))
        await counter.work(seconds=1)
        found.append(await counter.tier(anna))
    assert found == [tier for _, tier in effects]


async def test_what_was_given_stays_whatever_is_paid(counter: Counter) -> None:
    anna = await counter.office.user(tier=Tier.PRO)
    await counter.told(counter.world.buy(anna.id))
    await counter.work()
    await counter.told(counter.world.revoke(anna.id))
    await counter.work(seconds=1)
    assert await counter.tier(anna) is Tier.PRO


async def test_what_is_given_is_taken_back_without_touching_what_is_paid(counter: Counter) -> None:
    anna = await counter.office.user(tier=Tier.PRO)
    await counter.told(counter.world.buy(anna.id))
    await counter.work()
    taken = await users.set_tier(*counter.office.means, email=anna.email, tier=Tier.FREE, selling=counter.means.selling)
    assert (taken.tier, taken.given_tier) == (Tier.PRO, Tier.FREE)
    await counter.told(counter.world.revoke(anna.id))
    await counter.work(seconds=1)
    assert await counter.tier(anna) is Tier.FREE


async def test_without_a_grace_a_failed_charge_ends_it_and_a_good_one_brings_it_back(counter: Counter) -> None:
    anna = await counter.anna()
    terms = Terms(product_id=PRODUCT, grace=datetime.timedelta(0))
    means = attrs.evolve(counter.means, selling=attrs.evolve(counter.means.selling, terms=terms))
    counter.keeper = type(counter.keeper)(means)
    for act, tier in ((counter.world.buy, Tier.PRO), (counter.world.fail_charge, Tier.FREE)):
        await counter.told(act(anna.id))
        await counter.work(seconds=1)
        assert await counter.tier(anna) is tier
    await counter.work(seconds=DAY)
    assert await counter.letters() == ["Your plan is PRO now", "Your plan is FREE now"]  # and no warning of a grace
    await counter.told(counter.world.recover(anna.id))
    await counter.work(seconds=1)
    assert await counter.tier(anna) is Tier.PRO


async def test_a_user_who_is_gone_is_not_missed(counter: Counter) -> None:
    anna = await counter.anna()
    await counter.told(counter.world.buy(anna.id))
    async with counter.office.store.begin() as work:
        await work.users.remove(anna.id)
        await work.commit()
    await counter.work()
    async with counter.office.store.begin(reads_only=True) as work:
        assert await work.billing_inbox.due(counter.office.clock.now()) == ()


async def test_a_subscription_that_billing_has_no_more_is_forgotten(counter: Counter) -> None:
    anna = await counter.anna()
    await counter.told(counter.world.buy(anna.id))
    await counter.work()
    counter.world.till.holdings.clear()
    await counter.work(seconds=ASK_EVERY.total_seconds() + 61)
    assert await counter.tier(anna) is Tier.FREE
