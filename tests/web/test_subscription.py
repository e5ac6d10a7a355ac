"""The plan: what it allows, how it is bought, managed, cancelled; and which bots go on with a smaller one."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from dcacore.application import accounts
from dcacore.application.identity import leaving
from dcacore.application.identity.refusals import StillCharged
from dcacore.application.identity.throttling import BILLING_BY_USER
from dcacore.application.limits import bots_to_run
from dcacore.domain.bot import Phase, Wanted
from dcacore.domain.ids import UserId
from dcacore.ports.billing import CheckoutState
from dcacore.ports.errors import BadCredentials, Rejected, Unavailable
from dcacore.ports.records import BotRecord, Environment, RequestKind, Tier
from tests.web.desk import Desk
from tests.web.stage import PASSWORD, said
from tests.web.test_bot_import import CALM
from tests.web.till import Till, till_in


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    async with till_in(tmp_path) as made:
        yield made


async def _page(till: Till, path: str = "/subscription") -> str:
    answer = await till.desk.browser.get(path)
    assert answer.status_code == 200, said(answer)
    return said(answer)


async def _press(till: Till, path: str, **fields: str) -> Any:
    return await till.desk.browser.post(f"/subscription/{path}", fields)


async def _bought(till: Till) -> None:
    await till.told(till.world.buy(till.desk.anna.id))
    await till.work()


async def test_it_shows_what_is_used_of_what_is_allowed(idle_desk: Desk) -> None:
    assert "0 of 5" in said(await idle_desk.browser.get("/subscription"))
    await idle_desk.bot(starts=False)
    page = said(await idle_desk.browser.get("/subscription"))
    for words in ("PRO", "1 of 5", "10 USD a month", "Billing is off"):
        assert words in page, words


async def test_strangers_see_nothing(idle_desk: Desk) -> None:
    async with idle_desk.stage.another_browser() as stranger:
        assert (await stranger.get("/subscription")).headers["location"].startswith("/login")


@pytest.mark.parametrize("what", ["buy", "manage", "cancel", "renew", "payments/one/invoice"])
async def test_where_billing_is_off_nothing_is_sold(idle_desk: Desk, what: str) -> None:
    answer = await idle_desk.browser.post(f"/subscription/{what}", {})
    assert (answer.status_code, "illing is off here" in said(answer)) == (409, True)
    assert (await idle_desk.browser.client.post("/webhooks/polar", content=b"{}")).status_code == 404
    assert "There is no such purchase" in said(await idle_desk.browser.get("/billing/done?checkout_id=one"))


async def test_a_plan_is_bought(till: Till) -> None:
    page = await _page(till)
    assert "Upgrade to PRO" in page
    assert "Billing is off" not in page
    assert "Manage" not in page
    led = await _press(till, "buy")
    (purchase,) = till.world.till.purchases.values()
    assert led.headers["refresh"] == f"0; url={purchase.checkout.url}"
    assert purchase.success_url.endswith("/billing/done?checkout_id={CHECKOUT_ID}")
    assert (purchase.user_id, purchase.email) == (till.desk.anna.id, "anna@example.com")
    deliveries = till.world.pay(purchase.checkout.id)
    assert set(await till.told(deliveries)) == {202}
    await till.work()
    page = await _page(till)
    for words in ("0 of 5", "10.00 USD a month", "Renews", "Manage", "Cancel PRO?"):
        assert words in page, words
    assert "Upgrade" not in page
    assert "You have PRO" in await _page(till, f"/billing/done?checkout_id={purchase.checkout.id}")


async def test_f96_coming_back_proves_nothing(till: Till) -> None:
    await _press(till, "buy")
    (purchase,) = till.world.till.purchases.values()
    path = f"/billing/done?checkout_id={purchase.checkout.id}"
    assert "Being confirmed" in await _page(till, path)
    till.world.till.confirm(purchase.checkout.id)
    assert "Being confirmed" in await _page(till, path)
    assert await till.tier() is Tier.FREE
    till.world.till.expire(purchase.checkout.id)
    assert "nothing was charged" in await _page(till, path)
    for other in ("unknown", ""):
        assert "There is no such purchase" in await _page(till, f"/billing/done?checkout_id={other}")


async def test_a_purchase_of_somebody_else_is_none(till: Till) -> None:
    begun = await till.billing.begin_checkout(UserId("bob"), email="b@b.org", success_url="", return_url="", address="")
    till.world.pay(begun.id)
    assert "There is no such purchase" in await _page(till, f"/billing/done?checkout_id={begun.id}")
    assert await till.tier() is Tier.FREE


async def test_who_comes_back_before_the_news_is_asked_about(till: Till) -> None:
    await _press(till, "buy")
    (purchase,) = till.world.till.purchases.values()
    till.world.pay(purchase.checkout.id)  # and nothing of it arrives
    async with till.desk.app.store.begin() as work:  # billing was asked long ago
        known = await work.customers.get(till.desk.anna.id)
        assert known is not None
        await work.customers.put(attrs.evolve(known, asked_at=None))
        await work.commit()
    assert "You have PRO" in await _page(till, f"/billing/done?checkout_id={purchase.checkout.id}")
    assert await till.tier() is Tier.PRO


async def test_a_page_does_not_ask_for_ever(till: Till) -> None:
    await _press(till, "buy")
    (purchase,) = till.world.till.purchases.values()
    path = f"/billing/done/part?checkout_id={purchase.checkout.id}&times="
    assert "hx-trigger" in (await till.desk.browser.get(path + "3")).text
    late = await till.desk.browser.get(path + "40")
    assert ("hx-trigger" in late.text, "longer than usual" in late.text) == (False, True)
    for odd in ("-1", "1e9", "99999999999", "x"):
        assert (await till.desk.browser.get(path + odd)).status_code == 200


async def test_billing_is_not_asked_without_end_for_anybody(till: Till) -> None:
    answers = [await till.desk.browser.get("/subscription/payments") for _ in range(BILLING_BY_USER.most)]
    assert {it.status_code for it in answers} == {200}
    for answer in (await till.desk.browser.get("/subscription/payments"), await _press(till, "buy")):
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
    assert till.world.till.purchases == {}
    assert "Upgrade to PRO" in await _page(till)


async def test_nobody_buys_twice(till: Till) -> None:
    await _bought(till)
    answer = await _press(till, "buy")
    assert (answer.status_code, "you have the plan already" in said(answer).lower()) == (409, True)


async def test_two_windows_that_buy_at_once_lead_to_two_pages_and_to_one_plan(till: Till) -> None:
    await asyncio.gather(_press(till, "buy"), _press(till, "buy"))
    first, second = till.world.till.purchases
    await till.told(till.world.pay(first))
    with pytest.raises(Rejected, match="already"):
        till.world.pay(second)
    await till.work()
    assert await till.tier() is Tier.PRO


async def test_it_is_cancelled_and_taken_back(till: Till) -> None:
    await _bought(till)
    assert (await _press(till, "cancel")).headers["location"] == "/subscription"
    page = await _page(till)
    assert "Ends" in page
    assert "Keep PRO" in page
    assert await till.tier() is Tier.PRO
    assert (await _press(till, "cancel")).status_code == 409
    await _press(till, "renew")
    assert "Renews" in await _page(till)
    assert (await _press(till, "renew")).status_code == 409


async def test_a_failed_charge_is_said_on_the_page(till: Till) -> None:
    await _bought(till)
    await till.told(till.world.fail_charge(till.desk.anna.id))
    await till.work()
    page = await _page(till)
    assert "The last charge has failed" in page
    assert "Change the card" in page


async def test_payments_and_invoices(till: Till) -> None:
    await _bought(till)
    assert "/subscription/payments" in (await till.desk.browser.get("/subscription")).text
    (payment,) = await till.billing.payments(till.desk.anna.id)
    assert "10.00 USD" in await _page(till, "/subscription/payments")
    till.world.refund(till.desk.anna.id, 400)
    assert "4.00 USD given back" in await _page(till, "/subscription/payments")
    made = await _press(till, f"payments/{payment.id}/invoice")
    assert (made.status_code, "being made" in said(made)) == (409, True)
    assert "url=" in (await _press(till, f"payments/{payment.id}/invoice")).headers["refresh"]
    till.world.till.nameless.add(till.desk.anna.id)
    assert "billing name and address" in said(await _press(till, f"payments/{payment.id}/invoice"))
    assert (await _press(till, "payments/of-somebody/invoice")).status_code == 404


async def test_manage_leads_to_a_page_that_is_made_anew_each_time(till: Till) -> None:
    assert (await _press(till, "manage")).status_code == 409  # nobody knows her there
    await _bought(till)
    assert "portal" in (await _press(till, "manage")).headers["refresh"]


@pytest.mark.parametrize("trouble", [Unavailable("no answer"), BadCredentials("the token is not accepted")])
async def test_when_billing_is_out_of_reach_the_page_says_so(till: Till, trouble: Any) -> None:
    await _bought(till)
    till.billing.trouble = trouble
    assert "Renews" in await _page(till)
    assert "cannot be reached" in await _page(till, "/subscription/payments")
    for what in ("manage", "cancel", "buy"):
        answer = await _press(till, what)
        assert (answer.status_code, "cannot be reached" in said(answer)) == (409, True), what
        assert "token" not in said(answer)


async def _three_running(till: Till) -> list[BotRecord]:
    made = [await till.desk.bot(name, starts=False) for name in ("one", "two", "three")]
    async with till.desk.app.store.begin() as work:
        for it in made:
            await work.bots.save(attrs.evolve(it.bot, phase=Phase.MONITORING, wanted=Wanted.RUN))
        await work.commit()
    return made


async def test_f92_with_a_smaller_plan_one_goes_on_and_the_user_says_which(till: Till) -> None:
    await _bought(till)
    _, two, _ = await _three_running(till)
    assert "If the plan ends" in await _page(till)
    assert (await _press(till, "stay", bot=two.bot.id)).status_code == 303
    await till.told(till.world.revoke(till.desk.anna.id))
    await till.work()
    page = await _page(till)
    assert "Paused for the plan" in page
    assert "your plan does not carry it" not in await _page(till, f"/bots/{two.bot.id}")
    async with till.desk.app.store.begin(reads_only=True) as work:
        waiting = [(it.kind, it.details["reason"]) for it in await work.requests.waiting()]
        paused = await work.plan_pauses.of(till.desk.anna.id)
    assert waiting == [(RequestKind.PAUSE, "the plan FREE carries 1 bot")] * 2
    assert two.bot.id not in paused
    (other, *_) = paused
    assert "your plan does not carry it" in await _page(till, f"/bots/{other}")
    assert (await _press(till, "stay", bot=other)).headers["location"].startswith("/subscription?asked=")
    assert (await _press(till, "stay", bot="unknown")).status_code == 404
    await till.told(till.world.buy(till.desk.anna.id))
    await till.work()
    assert "Start them again" in await _page(till)
    assert (await _press(till, "resume")).headers["location"].startswith("/subscription?asked=")
    assert "Paused for the plan" not in await _page(till)


async def test_where_none_can_be_started_the_page_says_why(till: Till) -> None:
    await _bought(till)
    await _three_running(till)
    await till.told(till.world.revoke(till.desk.anna.id))
    await till.work()
    answer = await _press(till, "resume")
    assert (answer.status_code, "None of them is started from here" in said(answer)) == (409, True)


async def test_f94_of_many_bots_made_at_once_the_plan_has_room_for_one(till: Till) -> None:
    app, anna = till.desk.app, till.desk.anna
    account = await accounts.add(
        *app.means, app.secrets, user_id=anna.id, name="paper", environment=Environment.PAPER, api_key=None
    )
    files = [{"account": account.id, "file": CALM.replace("fresh", f"bot {number}")} for number in range(20)]
    sent = [till.desk.browser.post("/bots/new/import", it) for it in files]
    answers = await asyncio.gather(*sent)
    assert sorted(it.status_code for it in answers) == [303] + [403] * 19
    async with till.desk.app.store.begin(reads_only=True) as work:
        assert len(await work.bots.of(till.desk.anna.id)) == 1


async def test_f94_of_many_starts_at_once_the_plan_carries_as_many_as_it_says(till: Till) -> None:
    await _bought(till)
    made = [await till.desk.bot(f"bot {number}", starts=False) for number in range(5)]
    await till.told(till.world.revoke(till.desk.anna.id))
    await till.work()
    starts = [till.desk.browser.post(f"/bots/{it.bot.id}/start", {}) for it in made]
    await asyncio.gather(*starts)
    async with till.desk.app.store.begin(reads_only=True) as work:
        assert len(await work.requests.waiting()) == 1


async def test_f95_no_door_leads_past_the_plan(till: Till) -> None:
    await _bought(till)
    _, two, three = await _three_running(till)
    await till.told(till.world.revoke(till.desk.anna.id))
    await till.work()
    for it in (two, three):
        for what in ("pause", "stop", "retry"):
            await till.desk.browser.post(f"/bots/{it.bot.id}/{what}", {"coins": "keep"})
        assert (await till.desk.browser.post(f"/bots/{it.bot.id}/start", {})).status_code == 403
    for what in ("resume", "stay", "stay"):
        await _press(till, what, bot=three.bot.id)
    async with till.desk.app.store.begin(reads_only=True) as work:
        assert await bots_to_run(work, till.desk.anna.id) == {three.bot.id}


async def test_f95_no_form_makes_a_plan_larger(till: Till) -> None:
    for fields in ({"tier": "PRO"}, {"given_tier": "PRO", "product_id": "mine"}):
        for what in ("buy", "stay", "resume", "renew"):
            await _press(till, what, **fields)
    assert await till.tier() is Tier.FREE
    assert {it.checkout.state for it in till.world.till.purchases.values()} == {CheckoutState.OPEN}


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"{}", 401),
        ({"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,x"}, b"{}", 401),
        ({"webhook-id": "x", "webhook-timestamp": "nan", "webhook-signature": "\u00fc"}, b"\xff", 401),
        ({}, b"x" * (64 * 1024 + 1), 413),
    ],
)
async def test_f88_what_is_not_polars_is_refused(till: Till, headers: Any, body: bytes, status: int) -> None:
    sent = {name: value.encode() for name, value in headers.items()}
    answer = await till.desk.browser.client.post("/webhooks/polar", content=body, headers=sent)
    assert answer.status_code == status


async def test_what_is_signed_and_makes_no_sense_is_a_bad_request(till: Till) -> None:
    (first, *_) = till.world.buy(till.desk.anna.id)
    broken = till.world._signed("evt-odd", "", b"[1]", till.desk.app.clock.now())
    assert await till.told([broken]) == [400]
    unknown = till.world.deliver("something.new", {"of": "next year"})
    assert await till.told([unknown, first, first]) == [202, 202, 202]


async def test_nobody_leaves_who_would_go_on_being_charged(till: Till) -> None:
    await _bought(till)
    fields = {"current": PASSWORD, "open_deals": "refuse"}
    answer = await till.desk.browser.post("/settings/delete", fields)
    assert "cancel it first" in said(answer)
    await _press(till, "cancel")
    assert (await till.desk.browser.post("/settings/delete", fields)).status_code == 303
    assert till.world.subscription_of(till.desk.anna.id).ends_at is not None


@pytest.mark.parametrize("happening", ["fail_charge", "pause"])
async def test_nobody_leaves_who_would_be_charged_some_day(till: Till, happening: str) -> None:
    await _bought(till)
    await till.told(getattr(till.world, happening)(till.desk.anna.id))
    await till.work()
    fields = {"current": PASSWORD, "open_deals": "refuse"}
    assert "cancel it first" in said(await till.desk.browser.post("/settings/delete", fields))
    for is_selling in (True, False):
        removed = leaving.remove_user(till.desk.app.store, till.desk.anna.id, is_selling=is_selling)
        with pytest.raises(StillCharged) if is_selling else contextlib.nullcontext():
            await removed  # an administrator does so; where nothing is sold any more, nobody could cancel


async def test_what_fails_is_cancelled_once_and_may_be_kept(till: Till) -> None:
    await _bought(till)
    await till.told(till.world.fail_charge(till.desk.anna.id))
    await till.work()
    assert (await _press(till, "cancel")).status_code == 303
    page = await _page(till)
    assert ("Keep PRO" in page, "Cancel PRO?" in page) == (True, False)
    assert (await _press(till, "cancel")).status_code == 409
    assert (await _press(till, "renew")).status_code == 303
    assert "Cancel PRO?" in await _page(till)


async def test_who_has_only_looked_at_the_price_has_nothing_to_manage(till: Till) -> None:
    await _press(till, "buy")
    page = await _page(till)
    assert "Upgrade to PRO" in page
    assert "Manage" not in page
    assert "Payments" not in page


async def test_what_is_paid_for_is_in_ones_data(till: Till) -> None:
    await _bought(till)
    exported = await till.desk.browser.post("/settings/export", {})
    with zipfile.ZipFile(io.BytesIO(exported.content)) as files:
        (found,) = json.loads(files.read("subscriptions.json"))
    assert (found["state"], found["amount"], found["currency"]) == ("active", 1000, "usd")
