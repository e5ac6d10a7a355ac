"""What billing does, whoever it is."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator

import attrs
import pytest

from dcacore.adapters.billing_memory import MemoryBilling, Till
from dcacore.adapters.polar import PolarAccess, PolarBilling
from dcacore.domain.entitlement import Standing, SubscriptionState, Terms, entitlement
from dcacore.domain.ids import UserId
from dcacore.ports.billing import Billing, Checkout, CheckoutState, PaymentState
from dcacore.ports.errors import Rejected
from tests.polar.server import TOKEN, polar_server
from tests.polar.world import PRODUCT, PolarIds, PolarWorld
from tests.unit.simulated.clock import ManualClock

ANNA, BERT = UserId("anna4567"), UserId("bert4567")
DAY = 86_400.0


@attrs.frozen
class Sold:
    """Billing under test, the hands of customers and banks, and the clock."""

    billing: Billing
    till: Till
    clock: ManualClock


@pytest.fixture(params=["memory", "polar"])
async def sold(request: pytest.FixtureRequest) -> AsyncIterator[Sold]:
    clock = ManualClock()
    if request.param == "memory":
        memory = MemoryBilling(clock, PolarIds(), product_id=PRODUCT)
        yield Sold(memory, memory.till, clock)
        return
    world = PolarWorld(clock)
    async with polar_server(world) as server:
        polar = PolarBilling(PolarAccess(token=TOKEN, product_id=PRODUCT, server_url=server.url), clock)
        yield Sold(polar, world.till, clock)
        await polar.aclose()


async def begin(sold: Sold, user_id: UserId = ANNA) -> Checkout:
    return await sold.billing.begin_checkout(
        user_id,
        email="anna@example.org",
        success_url="https://dca.example.com/billing/done?checkout_id={CHECKOUT_ID}",
        return_url="https://dca.example.com/billing",
        address="203.0.113.7",
    )


async def buy(sold: Sold, user_id: UserId = ANNA) -> str:
    """Return the id of the subscription that a user has bought."""
    begun = await begin(sold, user_id)
    return sold.till.pay(begun.id).id


async def standing(sold: Sold, user_id: UserId = ANNA) -> Standing:
    found = await sold.billing.subscriptions(user_id)
    return entitlement(found, sold.clock.now(), Terms(product_id=PRODUCT)).standing


async def test_a_purchase_is_begun_paid_and_found(sold: Sold) -> None:
    begun = await begin(sold)
    assert (begun.state, begun.user_id) == (CheckoutState.OPEN, ANNA)
    assert begun.url.startswith("http")
    assert begun.url not in repr(begun)  # who has it can pay
    assert await sold.billing.checkout(begun.id) == begun
    assert await sold.billing.subscriptions(ANNA) == ()

    bought = sold.till.pay(begun.id)
    paid = await sold.billing.checkout(begun.id)
    assert paid is not None
    assert (paid.state, paid.user_id) == (CheckoutState.SUCCEEDED, ANNA)
    (found,) = await sold.billing.subscriptions(ANNA)
    assert found == bought
    assert await standing(sold) is Standing.ACTIVE


async def test_what_is_begun_tells_billing_who_buys_and_where_to_come_back_to(sold: Sold) -> None:
    begun = await begin(sold)
    said = sold.till.purchases[begun.id]
    assert (said.user_id, said.email, said.address) == (ANNA, "anna@example.org", "203.0.113.7")
    assert said.success_url.endswith("checkout_id={CHECKOUT_ID}")
    assert said.return_url == "https://dca.example.com/billing"


@pytest.mark.parametrize(
    "key", ["nothing", "00000000-0000-4000-8000-00000000ffff", "../orders", "", "a b", "é", "x" * 99]
)
async def test_there_is_no_purchase_of_an_unknown_id(sold: Sold, key: str) -> None:
    assert await sold.billing.checkout(key) is None


async def test_purchases_expire(sold: Sold) -> None:
    begun = await begin(sold)
    sold.till.expire(begun.id)
    found = await sold.billing.checkout(begun.id)
    assert found is not None
    assert found.state is CheckoutState.EXPIRED


async def test_users_are_not_mixed_up(sold: Sold) -> None:
    mine, theirs = await buy(sold, ANNA), await buy(sold, BERT)
    assert [it.id for it in await sold.billing.subscriptions(ANNA)] == [mine]
    assert [it.id for it in await sold.billing.subscriptions(BERT)] == [theirs]
    assert len(await sold.billing.payments(BERT)) == 1
    assert await sold.billing.subscriptions(UserId("carl4567")) == ()
    assert await sold.billing.payments(UserId("carl4567")) == ()
    assert await sold.billing.subscriptions(UserId("../x?y=1&z#%2F")) == ()


async def test_the_portal_is_only_for_those_who_bought(sold: Sold) -> None:
    with pytest.raises(Rejected, match="does not know"):
        await sold.billing.portal(ANNA, return_url="https://dca.example.com/billing")
    await buy(sold)
    assert (await sold.billing.portal(ANNA, return_url="https://dca.example.com/billing")).startswith("http")


async def test_cancelling_and_undoing(sold: Sold) -> None:
    key = await buy(sold)
    (bought,) = await sold.billing.subscriptions(ANNA)
    sold.clock.pass_by(60)
    ending = await sold.billing.set_ending(key, ends=True)
    assert (ending.state, ending.ends_at) == (SubscriptionState.ACTIVE, bought.period_end)
    assert ending.changed_at > bought.changed_at
    assert await standing(sold) is Standing.ENDING
    again = await sold.billing.set_ending(key, ends=True)
    assert again.ends_at == bought.period_end
    going_on = await sold.billing.set_ending(key, ends=False)
    assert going_on.ends_at is None
    assert await standing(sold) is Standing.ACTIVE


async def test_what_has_ended_cannot_be_cancelled_nor_undone(sold: Sold) -> None:
    key = await buy(sold)
    sold.till.end(key)
    for ends in (True, False):
        with pytest.raises(Rejected):
            await sold.billing.set_ending(key, ends=ends)
    (found,) = await sold.billing.subscriptions(ANNA)
    assert (found.state, found.ended_at is not None) == (SubscriptionState.CANCELED, True)
    assert await standing(sold) is Standing.ENDED


@pytest.mark.parametrize("key", ["00000000-0000-4000-8000-00000000ffff", "../orders", ""])
async def test_unknown_subscriptions_and_payments_are_refused(sold: Sold, key: str) -> None:
    with pytest.raises(Rejected, match="does not have this subscription"):
        await sold.billing.set_ending(key, ends=True)
    with pytest.raises(Rejected, match="does not have this payment"):
        await sold.billing.invoice(key)


async def test_a_charge_fails_and_is_made_up_for(sold: Sold) -> None:
    key = await buy(sold)
    sold.clock.pass_by(30 * DAY)
    sold.till.renew(key, charged=False)
    (failed,) = await sold.billing.subscriptions(ANNA)
    assert failed.past_due_at is not None
    assert abs(failed.past_due_at - sold.clock.now()) < datetime.timedelta(seconds=1)
    assert await standing(sold) is Standing.GRACE
    sold.clock.pass_by(8 * DAY)
    assert await standing(sold) is Standing.OVERDUE
    sold.till.recover(key)
    (recovered,) = await sold.billing.subscriptions(ANNA)
    assert recovered.past_due_at is None
    assert await standing(sold) is Standing.ACTIVE


async def test_pausing_trying_out_and_buying_again(sold: Sold) -> None:
    key = await buy(sold)
    until = sold.clock.now() + datetime.timedelta(days=3)
    sold.till.pause(key, resumes_at=until)
    (paused,) = await sold.billing.subscriptions(ANNA)
    assert (paused.state, paused.resumes_at) == (SubscriptionState.PAUSED, until)
    sold.till.resume(key)
    assert await standing(sold) is Standing.ACTIVE
    sold.till.end(key)
    begun = await begin(sold)
    sold.till.pay(begun.id, trial=datetime.timedelta(days=7))
    assert await standing(sold) is Standing.TRIAL
    assert {it.state for it in await sold.billing.subscriptions(ANNA)} == {
        SubscriptionState.CANCELED,
        SubscriptionState.TRIALING,
    }


async def test_payments_newest_first_with_what_was_given_back(sold: Sold) -> None:
    key = await buy(sold)
    sold.clock.pass_by(30 * DAY)
    sold.till.renew(key)
    newest, oldest = await sold.billing.payments(ANNA)
    assert newest.at > oldest.at
    assert (newest.total, newest.currency, newest.state) == (1000, "usd", PaymentState.PAID)
    assert newest.number
    sold.till.refund(newest.id, 250)
    sold.till.refund(oldest.id)
    newest, oldest = await sold.billing.payments(ANNA)
    assert (newest.refunded, newest.state) == (250, PaymentState.PARTIALLY_REFUNDED)
    assert (oldest.refunded, oldest.state) == (1000, PaymentState.REFUNDED)
    assert await standing(sold) is Standing.ACTIVE  # giving money back ends nothing


async def test_at_most_a_hundred_payments(sold: Sold) -> None:
    key = await buy(sold)
    for _ in range(104):
        sold.clock.pass_by(30 * DAY)
        sold.till.renew(key)
    found = await sold.billing.payments(ANNA)
    assert len(found) == 100
    assert found[0].at > found[-1].at > sold.clock.now() - datetime.timedelta(days=30 * 101)


async def test_an_invoice_is_made_and_then_there(sold: Sold) -> None:
    await buy(sold)
    (payment,) = await sold.billing.payments(ANNA)
    assert await sold.billing.invoice(payment.id) is None
    url = await sold.billing.invoice(payment.id)
    assert url is not None
    assert url.startswith("http")


async def test_why_there_is_no_invoice(sold: Sold) -> None:
    key = await buy(sold)
    sold.till.renew(key, charged=False)
    unpaid, paid = await sold.billing.payments(ANNA)
    with pytest.raises(Rejected, match="only for what has been paid"):
        await sold.billing.invoice(unpaid.id)
    sold.till.nameless.add(ANNA)
    with pytest.raises(Rejected, match="name and address are missing"):
        await sold.billing.invoice(paid.id)
